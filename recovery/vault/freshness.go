package vault

import (
	"context"
	"errors"
	"time"
)

// ErrStale: somebody holds what a mark does not cover, so it must not count.
// Load again, apply the operation to what that gives, and advance again.
var ErrStale = errors.New("vault: the account moved on: load again")

// ErrAmnesia: too few are left who may know how often was guessed. Nothing is
// answered for the account until enough witnesses have joined again, or their
// journals have brought it back, or a ceremony says that it is so.
var ErrAmnesia = errors.New("vault: too few witnesses remember: wait until they have joined again, or hold an amnesia ceremony")

// ErrFuture: a record is newer than what the witnesses know, which only happens
// when they have forgotten or somebody lies. Alarm the operators; a ceremony is
// the only way on.
var ErrFuture = errors.New("vault: the record is newer than its mark: alarm the operators")

// ErrUnavailable: too few witnesses answered in time to say anything. Nothing is
// lost; the same call may be repeated and is free. Look whether their processes
// run.
var ErrUnavailable = errors.New("vault: too few witnesses answered: look whether they run, and repeat")

// Freshness is who keeps the marks of a vault's accounts where storage cannot
// roll them back.
//
// A caller holds the account's lock from Load to Advance. Advance takes a mark
// that grew out of the one that Load returned: everything at least as large,
// and a larger Ver. It may have been counted, wholly or in part, also when
// Advance returns an error: then only a new Load tells.
type Freshness interface {
	// Load returns the mark of acct; its Gen is 0 when nobody ever heard of it.
	// ErrAmnesia, ErrUnavailable.
	Load(ctx context.Context, acct [16]byte) (Mark, error)

	// Advance returns nil once m can no longer be forgotten. ErrStale: load
	// again. ErrAmnesia, ErrUnavailable.
	Advance(ctx context.Context, acct [16]byte, m Mark) error

	// Level is "memory", "tpm" or "quorum": the first field of a
	// configuration's item 9, which config-hash attests.
	Level() string

	// Now is the median of the witnesses' clocks, or an error when too few
	// answer: then nothing may be decided that depends on the time.
	Now(ctx context.Context) (time.Time, error)
}

// Levels of freshness.
const (
	LevelMemory = "memory"
	LevelTPM    = "tpm"
	LevelQuorum = "quorum"
)
