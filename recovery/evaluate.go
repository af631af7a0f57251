package recovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// evaluate gets t evaluations that are certainly right. More than t answers are
// compared in the exponent; otherwise, or when they differ, each vault must prove
// its own. The same B again costs nothing.
func (t *try) evaluate(ctx context.Context, r *round) error {
	var ids []string
	for _, v := range t.header.Vaults {
		ids = append(ids, v.Vault)
	}
	proofs := int(t.header.N) == t.threshold()
	t.askEvaluate(ctx, r, ids, proofs)
	if err := t.enough(); err != nil {
		return err
	}
	if !proofs && (len(t.evaluated) == t.threshold() || t.suite().CheckPolynomial(t.threshold(), t.evaluations()) != nil) {
		proofs = true
		again := slices.Collect(maps.Keys(t.evaluated))
		clear(t.evaluated)
		t.askEvaluate(ctx, r, again, true)
	}
	if proofs {
		for id, a := range t.evaluated {
			if err := t.prove(id, a); err != nil {
				t.lied(id, err)
			}
		}
	}
	if err := t.enough(); err != nil {
		return err
	}
	e, err := t.suite().Combine(t.threshold(), t.evaluations()[:t.threshold()])
	if err != nil {
		return fmt.Errorf("recovery: combine: %w", err)
	}
	rwd, err := t.blinded.Finalize(e)
	if err != nil {
		return fmt.Errorf("recovery: finalize: %w", err)
	}
	t.rwd = wire.Secret(rwd)
	return nil
}

func (t *try) askEvaluate(ctx context.Context, r *round, ids []string, proofs bool) {
	q := &wire.Evaluate{Reg: t.header.Reg, B: t.blinded.Element.Bytes(), WantProof: proofs}
	for id, o := range r.ask(ctx, each(ids, request{wire.OpEvaluate, q})) {
		if delete(t.errs, id); o.err != nil {
			t.errs[id] = o.err
			continue
		}
		t.last[id] = o.answer
		switch o.answer.Verdict {
		case wire.VerdictOK:
			if o.answer.Ya == nil || o.answer.E == nil {
				t.lied(id, errors.New("its answer has no evaluation"))
				continue
			}
			t.evaluated[id] = o.answer
		case wire.VerdictLocked:
			t.refused[id] = true
		default:
			t.errs[id] = verdictError(o.answer.Verdict)
		}
	}
	t.vaults = r.vaults
}

// verdictError is a verdict that is no answer to the PIN.
func verdictError(v wire.Verdict) error {
	switch v {
	case wire.VerdictDeleted, wire.VerdictNoBackup, wire.VerdictUnknownReg:
		return fmt.Errorf("%w (it says %q)", ErrNotFound, v)
	}
	return fmt.Errorf("%w: it says %q", ErrVaultUnavailable, v)
}

// evaluations are the answers in the order of their points.
func (t *try) evaluations() []toprf.Answer {
	var out []toprf.Answer
	for _, v := range t.header.Vaults {
		a := t.evaluated[v.Vault]
		if a == nil {
			continue
		}
		e, err := t.suite().Element(a.E)
		if err != nil {
			t.lied(v.Vault, err)
			continue
		}
		out = append(out, toprf.Answer{Index: t.index(v.Vault), E: e})
	}
	return out
}

// prove checks a vault's proof against the public key of its share: RFC 9497,
// Section 2.2.2.
func (t *try) prove(id string, a *wire.Answer) error {
	if a.Proof == nil {
		return errors.New("its answer has no proof")
	}
	k, err := t.suite().Element(t.header.Vaults[t.index(id)-1].K)
	if err != nil {
		return err
	}
	e, err := t.suite().Element(a.E)
	if err != nil {
		return err
	}
	return t.suite().Verify(k, t.blinded.Element, e, toprf.Proof(*a.Proof))
}

// lied leaves a vault out of the rest, and names it.
func (t *try) lied(id string, why error) {
	delete(t.evaluated, id)
	delete(t.released, id)
	t.errs[id] = fmt.Errorf("%w: its answer is false: %w", ErrVaultUnavailable, why)
	if !slices.Contains(t.liars, id) {
		t.liars = append(t.liars, id)
		slices.Sort(t.liars)
	}
}

// enough reports whether t vaults have evaluated; else what the others say: the
// registration is locked, or gone, or too few answered.
func (t *try) enough() error {
	t.evaluations() // drops answers that are no elements
	n, gone := int(t.header.N), 0
	for _, err := range t.errs {
		if errors.Is(err, ErrNotFound) {
			gone++
		}
	}
	switch {
	case len(t.evaluated) >= t.threshold():
		return nil
	case len(t.refused) > n-t.threshold():
		return t.wrong()
	case gone > n-t.threshold():
		return fmt.Errorf("%w: the vaults do not know the registration that the service names", ErrNotFound)
	}
	return t.unavailable(len(t.evaluated) + len(t.refused))
}

// wrong is the verdict on a PIN.
func (t *try) wrong() error { return &GuessError{t.outcome()} }
