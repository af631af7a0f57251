package registry

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// The bounds of what an hour may hold. A phone can claim any model, system and
// app version, and so make a row of its own with every call; beyond the bound
// its row is that of "other". Rows of claimed models have a bound of their own,
// so that they leave room for those that nobody can invent.
const (
	maxStatRows     = 4096    // of models that are not claimed
	maxClaimedRows  = 4096    // of models that are
	maxStatHashes   = 1 << 16 // of accounts, all rows together
	maxStatText     = 64      // bytes of a text; a longer one, or one that cannot be printed, is "other"
	maxStatPosition = 15
)

// statAccounts is up to how many distinct accounts a row has exactly. One more
// is kept, to tell that there are more.
const statAccounts = 512

// statRetention is for how many hours rows are kept.
const statRetention = 90 * 24

// other stands for what is too long, or one too many.
const other = "other"

// fromBatch is the source of a model that is none: the phone attests and claims
// none, and its factory batch key is the best that is known of its kind.
const fromBatch = "batch"

// count adds outcomes to the statistics in the transaction that decides about
// them, so that counts commit with what they count.
func (s *Service) count(ctx context.Context, tx Tx, all ...outcome) error {
	c, ok := tx.(*counting)
	if !ok {
		c = &counting{Tx: tx} // of somebody else's: nothing is learned from it
	}
	for _, t := range tally(all) {
		if err := s.add(ctx, c, t); err != nil {
			return err
		}
	}
	c.noted = append(c.noted, all...)
	return nil
}

// tallied is what outcomes add to one row.
type tallied struct {
	key      StatKey
	at       time.Time
	n        int64
	accounts []account.ID // each once
}

// tally sorts outcomes into rows: one for the attempt, and one for every
// finding of it.
func tally(all []outcome) []*tallied {
	var rows []*tallied
	index := map[StatKey]*tallied{}
	add := func(k StatKey, o *outcome, whose account.ID) {
		t := index[k]
		if t == nil {
			t = &tallied{key: k, at: o.at}
			index[k], rows = t, append(rows, t)
		}
		t.n++
		if whose != "" && !slices.Contains(t.accounts, whose) {
			t.accounts = append(t.accounts, whose)
		}
	}
	for i := range all {
		o := &all[i]
		attempt := o.key()
		add(attempt, o, o.account)
		var seen []StatKey
		for _, f := range o.findings {
			k := attempt.with(f, o)
			if !slices.Contains(seen, k) { // two risk rules are one finding here
				seen = append(seen, k)
				add(k, o, o.blamed(f))
			}
		}
	}
	return rows
}

// blamed is the account that a finding counts for. What a request without a good
// signature shows of abuse is nobody's: anybody can send one in the name of an
// account, an old version of the app among them.
func (o *outcome) blamed(f attest.Finding) account.ID {
	if o.unsigned && f.Class == attest.Abuse {
		return ""
	}
	return o.account
}

// key is the row of the attempt.
func (o *outcome) key() StatKey {
	k := StatKey{
		Hour: hoursOf(o.at), Platform: o.platform, Operation: o.operation,
		Model: bounded(o.model), ModelSource: o.source, OS: bounded(o.os), AppVersion: bounded(o.appVersion),
		Country: attest.Country(o.country), Stage: bounded(o.stage.Name), Verdict: o.verdict(), Position: -1,
	}
	if k.Platform != "android" && k.Platform != "apple" {
		k.Platform = ""
	}
	if k.Model == "" && o.batch != "" {
		k.Model, k.ModelSource = o.batch, fromBatch
	}
	return k
}

// with is the row of a finding.
func (k StatKey) with(f attest.Finding, o *outcome) StatKey {
	k.Code, k.Class, k.Effect = f.Code, string(f.Class), string(f.Effect)
	if _, known := attest.LookupCode(f.Code); !known {
		k.Code = other
	}
	if f.Position != nil {
		k.Position = min(max(*f.Position, 0), maxStatPosition)
	}
	if ok, _ := attest.Relaxable(k.Code, k.Position); ok && f.Effect == attest.Reject {
		k.Batch = o.batch
		if k.ModelSource == fromAttested && k.Model == o.model && strings.HasPrefix(o.model, o.maker+" ") {
			k.Manufacturer = o.maker
		}
	}
	return k
}

// folded is the row for what is one too many: as k, with nothing in it that a
// phone could invent.
func (k StatKey) folded() StatKey {
	k.Model, k.OS, k.AppVersion, k.Country, k.Batch, k.Manufacturer = other, other, other, other, "", ""
	return k
}

// bounded is a text as rows have it.
func bounded(s string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	if len(s) > maxStatText || strings.ContainsFunc(s, odd) {
		return other
	}
	return s
}

// add adds to one row, or to the one that takes what is one too many.
func (s *Service) add(ctx context.Context, c *counting, t *tallied) error {
	g, err := s.hour(ctx, c, t.key.Hour)
	if err != nil {
		return err
	}
	known, fresh := s.memo.row(t.key, t.accounts)
	row, err := c.AddStat(ctx, t.key, t.n, known || g.room(t.key))
	if err == nil && row.Row == 0 {
		t.key = t.key.folded()
		_, fresh = s.memo.row(t.key, t.accounts)
		row, err = c.AddStat(ctx, t.key, t.n, true)
	}
	if err != nil {
		return err
	}
	if row.Count == t.n {
		g.took(t.key)
	}
	l := c.row(t.key)
	if l.full = l.full || row.Accounts > statAccounts; l.full {
		return nil
	}
	fresh = slices.DeleteFunc(slices.Clone(fresh), func(id account.ID) bool { return slices.Contains(l.accounts, id) })
	if len(fresh) == 0 {
		return nil
	}
	if g.base.Hashes+g.more.Hashes >= maxStatHashes {
		l.full = true
		return c.SetStatAccounts(ctx, row.Row, statAccounts+1)
	}
	hashes := make([][]byte, len(fresh))
	for i, id := range fresh {
		hashes[i] = s.hashKey.account(id, t.at)
	}
	n, err := c.AddStatAccounts(ctx, row.Row, hashes, statAccounts+1)
	if err != nil {
		return err
	}
	g.more.Hashes += n - row.Accounts
	l.full, l.accounts = n > statAccounts, append(l.accounts, fresh...)
	return nil
}

// deleteStats deletes rows that are kept no longer, and reports whether there
// may be more of them. A row brings hundreds of hashes along, so one
// transaction takes few.
func (s *Service) deleteStats(ctx context.Context, tx Tx, now time.Time) (more bool, err error) {
	const few = 50
	n, err := tx.DeleteStats(ctx, hoursOf(now)-statRetention, few)
	return n == few, err
}
