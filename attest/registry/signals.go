package registry

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

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
// outcome as in a verification that is told them, such as a replay. They are
// hints: of registrations that are judged at the same time, none sees the
// others.
func (a *Attempt) readSignals(ctx context.Context) error {
	c := a.verdict.Claims
	if c == nil { // after a hard finding no rule is asked
		return nil
	}
	signals := map[string]uint64{}
	count := func(signal string, n int, err error) error {
		signals[signal] = uint64(n) + 1
		return err
	}
	batch, signal := a.verdict.Batch()
	spki, err := hex.DecodeString(batch)
	if err != nil {
		return fmt.Errorf("registry: batch key of a verdict: %w", err)
	}
	err = a.s.view(ctx, func(tx Tx) error {
		n, err := tx.CountAccountKeys(ctx, a.in.Account, a.now.Add(-accountWindow), c.KeyID, countLimit)
		if err := count(attest.KeysPerAccount30Days, n, err); err != nil {
			return err
		}
		if c.Platform == "apple" { // of this key, registered before: a new one has none yet
			metrics, err := tx.RiskMetrics(ctx, []string{c.KeyID})
			if m, ok := metrics[c.KeyID]; ok {
				signals[attest.RiskMetric] = uint64(m)
			}
			return err
		}
		if signal == "" {
			return nil
		}
		n, err = tx.CountBatchKeys(ctx, spki, a.now.Add(-batchWindow), c.KeyID, countLimit)
		return count(signal, n, err)
	})
	if err != nil {
		return fmt.Errorf("registry: count registrations: %w", err)
	}
	a.want.Signals = signals
	a.verdict = a.verdict.With(a.policy.Risk(string(a.in.App), signals)...)
	return nil
}
