package registry

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// Over which time registrations are counted, and how far. What a rule asks for
// beyond that is never reached.
const (
	batchWindow   = time.Hour
	accountWindow = 30 * 24 * time.Hour
	countLimit    = 1 << 16
)

// readSignals counts what the risk rules of a policy may ask for, this
// registration included, and adds what they find to the verdict. Signals are
// read whether or not there are rules, and are part of the evidence, so that
// another policy can be tried on it.
//
// They can only be counted once the verdict has said which key this is, and
// which batch vouches for it; so the rules are applied afterwards, with the same
// outcome as in a verification that is told them, such as a replay. Of
// registrations that are judged at the same time, none sees the others here:
// where a rule rejects, Commit counts again.
func (a *Attempt) readSignals(ctx context.Context) error {
	if a.verdict.Claims == nil { // after a hard finding no rule is asked
		return nil
	}
	var signals map[string]uint64
	err := a.s.view(ctx, func(tx Tx) (err error) {
		signals, err = a.countSignals(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("registry: count registrations: %w", err)
	}
	a.signalled(signals)
	return nil
}

// countSignals counts in tx.
func (a *Attempt) countSignals(ctx context.Context, tx Tx) (map[string]uint64, error) {
	c := a.verdict.Claims
	batch, signal := a.verdict.Batch()
	spki, err := hex.DecodeString(batch)
	if err != nil {
		return nil, fmt.Errorf("registry: batch key of a verdict: %w", err)
	}
	signals := map[string]uint64{}
	if !a.in.ForNobody { // else Adopt counts
		if signals[attest.KeysPerAccount30Days], err = accountKeys(ctx, tx, a.in.Account, c.KeyID, a.now); err != nil {
			return nil, err
		}
	}
	if c.Platform == "apple" { // of this key, registered before: a new one has none yet
		metrics, err := tx.RiskMetrics(ctx, []string{c.KeyID})
		if m, ok := metrics[c.KeyID]; ok {
			signals[attest.RiskMetric] = uint64(m)
		}
		return signals, err
	}
	if signal == "" {
		return signals, nil
	}
	n, err := tx.CountBatchKeys(ctx, spki, a.now.Add(-batchWindow), c.KeyID, countLimit)
	signals[signal] = uint64(n) + 1
	return signals, err
}

// accountKeys counts the keys of an account that are new, and one that is or
// becomes its own.
func accountKeys(ctx context.Context, tx Tx, id account.ID, key string, now time.Time) (uint64, error) {
	n, err := tx.CountAccountKeys(ctx, id, now.Add(-accountWindow), key, countLimit)
	return uint64(n) + 1, err
}

// signalled puts signals into the evidence, and adds what the rules find.
func (a *Attempt) signalled(signals map[string]uint64) {
	a.unrisked = a.verdict
	a.want.Signals = signals
	a.verdict = a.verdict.With(a.policy.Risk(string(a.in.App), signals)...)
}

// recounted counts once more, in the transaction that stores the key, if a rule
// of the policy rejects for what is counted: so it holds for registrations that
// come at the same time, as caps do. The counts have indexes.
func (a *Attempt) recounted(ctx context.Context, tx Tx) (*Attempt, error) {
	if a.want.Signals == nil || !a.countsMatter() {
		return a, nil
	}
	signals, err := a.countSignals(ctx, tx)
	if err != nil || maps.Equal(signals, a.want.Signals) {
		return a, err
	}
	again := *a // a stays as it is, for the transaction may run twice
	again.verdict = a.unrisked
	again.signalled(signals)
	return &again, again.prepare()
}

// countsMatter reports whether a rule of the policy rejects for some number of
// keys, of a batch or of an account.
func (a *Attempt) countsMatter() bool {
	most := map[string]uint64{
		attest.BatchRateFactory: math.MaxUint64, attest.BatchRateRKP: math.MaxUint64, attest.KeysPerAccount30Days: math.MaxUint64,
	}
	return slices.ContainsFunc(a.policy.Risk(string(a.in.App), most), func(f attest.Finding) bool { return f.Effect == attest.Reject })
}
