package server

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/web/console"
)

// askEvery is how often a console asks the vaults at most, and shownLetters how many
// dead letters it lists.
const (
	askEvery     = 5 * time.Second
	shownLetters = 100
)

// Vaults asks vaults and witnesses, every few seconds at most, and reads what waits
// for them in the store.
func (r *consoleReader) Vaults(ctx context.Context) (*console.Vaults, error) {
	if r.a.recovery == nil {
		return nil, nil
	}
	r.asking.Lock()
	defer r.asking.Unlock()
	now := r.s.now()
	if r.vaults != nil && now.Sub(r.vaults.AskedAt).Abs() < askEvery {
		return r.vaults, nil
	}
	st, err := askVaults(ctx, r.s.cfg, now)
	if err != nil {
		return nil, err
	}
	var waiting recovery.Waiting
	err = r.view(ctx, func(tx *sqlite.Tx) (err error) {
		waiting, err = recovery.ReadWaiting(ctx, tx, st.ids(), now)
		return err
	})
	if err != nil {
		return nil, err
	}
	v := &console.Vaults{
		Profile: st.Profile, Policy: st.Policy, SetVersion: st.SetVersion, N: st.N, T: st.T, Limit: st.Limit, Operators: st.Operators,
		Assurance: st.Assurance, Freshness: freshness(st), Intents: waiting.Intents, Oldest: waiting.Oldest,
		EvidenceMaxAge: r.s.cfg.Vault.EvidenceMaxAge.Duration, AskedAt: now,
	}
	for _, vault := range st.Vaults {
		for _, one := range vault.Replicas {
			v.Replicas = append(v.Replicas, console.Replica{
				Vault: vault.ID, Name: one.Name, Operator: vault.Operator, Platform: one.Platform, Epoch: one.Epoch,
				Sealed: waiting.Sealed[vault.ID], Boot: one.Boot, Issued: one.Issued, Error: one.Error,
			})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(st.WitnessErrors)) {
		v.Witnesses = append(v.Witnesses, console.Witness{ID: id, Error: st.WitnessErrors[id]})
	}
	r.vaults = v
	return v, nil
}

// freshness says what keeps a vault from being set back.
func freshness(st *RecoveryStatus) string {
	f := st.Freshness
	if f.W == 0 {
		return cmp.Or(f.Level, "unknown")
	}
	return fmt.Sprintf("%s of %d witnesses: write %d, read %d, liars tolerated %d; on total amnesia: %s", f.Level, f.W, f.Q, f.R, f.F, st.OnAmnesia)
}

// Queue looks at the retry stream. It is one of all apps; of the dead letters only
// this app's are shown.
func (r *consoleReader) Queue(ctx context.Context) (*console.Queue, error) {
	if r.a.recovery == nil {
		return nil, nil
	}
	stats := r.s.recovery.retry.Stats()
	q := &console.Queue{Kind: r.s.cfg.Recovery.Retry.Kind, Depth: stats.Depth, Oldest: stats.Oldest, Dead: stats.Dead}
	if q.Dead == 0 {
		return q, nil
	}
	letters, err := deadLetters(ctx, r)
	if err != nil {
		q.Error = err.Error() // how many there are is known all the same
	}
	for _, l := range slices.Backward(letters) { // the newest first
		switch {
		case l.Raw != nil || l.Record.App != r.a.id:
			q.Elsewhere++
		case len(q.Letters) == shownLetters:
			q.More++
		default:
			q.Letters = append(q.Letters, console.Letter{
				ID: l.ID, Vault: l.Record.Vault, Account: string(l.Record.Account), Gen: l.Record.Gen, Ver: l.Record.Ver,
				Attempts: l.Attempts, Reason: l.Reason, At: l.At,
			})
		}
	}
	return q, nil
}

func deadLetters(ctx context.Context, r *consoleReader) ([]stream.Letter, error) {
	l, err := OpenDeadLetters(r.s.cfg)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return l.List(ctx)
}
