package registry

import (
	"context"
)

// statTx is what statistics need of a transaction.
type statTx interface {
	// StatSize tells how much is stored of an hour.
	StatSize(ctx context.Context, hour int64) (StatSize, error)
	// AddStat adds n to a row. One that is not there is made if create is set;
	// otherwise the answer is the zero StatCount.
	AddStat(ctx context.Context, k StatKey, n int64, create bool) (StatCount, error)
	// AddStatAccounts adds hashes to those of a row until it has limit of them,
	// and tells how many it has then. A hash that it has is not added.
	AddStatAccounts(ctx context.Context, row int64, hashes [][]byte, limit int) (int, error)
	// SetStatAccounts says how many accounts a row has, whatever hashes it has.
	SetStatAccounts(ctx context.Context, row int64, n int) error

	// SumStats calls yield for every group of every query, with the number of the
	// query: one query after the other, most attempts first. All are of the same
	// hours, whose rows are read once.
	SumStats(ctx context.Context, all []*StatQuery, yield func(query int, s StatSum) error) error
	// CountStatAccounts calls yield with the number of distinct hashes in every
	// group and period: hours since 1970 divided by those of a period.
	CountStatAccounts(ctx context.Context, q *StatQuery, hours int64, yield func(by []string, period, n int64) error) error
	// StatAccounts calls yield for every row that has hashes, with the values of its
	// dims and all of its hashes: a group may come several times, and so may a hash.
	StatAccounts(ctx context.Context, q *StatQuery, yield func(by []string, hashes [][]byte) error) error

	// DeleteStats deletes up to limit rows of hours before hour, with their hashes.
	DeleteStats(ctx context.Context, hour int64, limit int) (int, error)
}

// StatSize is how much is stored of an hour.
type StatSize struct {
	Rows    int // all rows
	Claimed int // rows whose model is claimed
	Hashes  int // of accounts, those of all rows together
}

// StatKey names a row: what happened in an hour to phones that are alike. A row
// without a code counts attempts; one with a code counts the attempts that had
// the finding.
type StatKey struct {
	Hour        int64 // hours since 1970 UTC
	Platform    string
	Operation   string
	Model       string
	ModelSource string
	OS          string
	AppVersion  string
	Country     string
	Stage       string
	Verdict     string

	Code         string
	Class        string
	Effect       string
	Position     int    // -1: none
	Batch        string // hex
	Manufacturer string
}

// StatCount is a row after something was added to it.
type StatCount struct {
	Row      int64 // its number; 0: there is no such row
	Count    int64
	Accounts int
}

// StatQuery asks for rows in groups.
type StatQuery struct {
	From, To int64 // hours; To is not among them
	Findings bool  // rows with a code, instead of those without
	By       []Dim
	Equal    map[Dim]string
	Limit    int // of groups, where they are ordered; 0: none

	NoAccounts bool // StatSum.Accounts is not wanted, and may be left 0
}

// StatSum is a group.
type StatSum struct {
	By        []string // values of StatQuery.By
	Attempts  int64
	Accepted  int64
	Rejected  int64
	WouldDeny int64
	Accounts  int // the most that a row of the group has
}
