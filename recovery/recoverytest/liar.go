package recoverytest

import (
	"context"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// liar is a vault whose program was changed and whose evidence does not show it:
// a broken TEE. It opens each request, asks the real one, and answers what it
// likes.
type liar struct {
	vault  *Vault
	key    *wire.HPKEKey
	hear   func(wire.Op, []byte)
	answer func(wire.Op, *wire.Answer)
}

// Lie makes the vault change its answers before they are sealed. nil: it is
// honest again.
func (v *Vault) Lie(answer func(wire.Op, *wire.Answer)) error {
	if answer == nil {
		v.liar = nil
		return nil
	}
	key, err := wire.DeriveHPKE(v.config.Suite, wire.NewKey(), v.ID, 1)
	if err != nil {
		return err
	}
	v.liar = &liar{vault: v, key: key, hear: func(wire.Op, []byte) {}, answer: answer}
	return nil
}

// Steal makes the vault one whose keys somebody has: he hears what phones ask, and
// changes what they are answered.
func (v *Vault) Steal(hear func(op wire.Op, request []byte), answer func(wire.Op, *wire.Answer)) error {
	if err := v.Lie(answer); err != nil {
		return err
	}
	v.liar.hear = hear
	return nil
}

// Forge gives the binding of the vault's evidence after a change, with evidence
// that fits it.
func (v *Vault) Forge(ctx context.Context, edit func(*wire.Binding)) ([]byte, error) {
	raw, err := v.real.Evidence(ctx, nil)
	if err != nil {
		return nil, err
	}
	e, err := tee.ParseEvidence(raw)
	if err != nil {
		return nil, err
	}
	b, err := wire.Decode[wire.Binding](e.Binding)
	if err != nil {
		return nil, err
	}
	edit(&b)
	binding, err := wire.Encode(&b)
	if err != nil {
		return nil, err
	}
	return tee.ProcessEvidence(v.all.self, binding)
}

func (l *liar) evidence(ctx context.Context, nonce []byte) ([]byte, error) {
	return l.vault.Forge(ctx, func(b *wire.Binding) { b.HPKE, b.Nonce = l.key.Public(), nonce })
}

func (l *liar) call(ctx context.Context, c *wire.Call) (*wire.Reply, error) {
	hash, err := l.vault.config.Hash()
	if err != nil {
		return nil, err
	}
	env := &wire.Envelope{Suite: l.vault.config.Suite, Vault: l.vault.ID, Epoch: c.Epoch, Config: hash, Op: c.Op, Acct: c.Acct}
	request, reply, err := env.OpenRequest(l.key, c.Request)
	if errors.Is(err, wire.ErrUnreadable) { // it was sealed to the honest one
		return &wire.Reply{Result: wire.CodeUnreadable}, nil
	}
	if err != nil {
		return nil, err
	}
	l.hear(c.Op, request)
	raw, err := l.vault.real.Evidence(ctx, nil)
	if err != nil {
		return nil, err
	}
	e, err := tee.ParseEvidence(raw)
	if err != nil {
		return nil, err
	}
	b, err := wire.Decode[wire.Binding](e.Binding)
	if err != nil {
		return nil, err
	}
	sealed, open, err := env.SealRequest(b.HPKE, request)
	if err != nil {
		return nil, err
	}
	again := *c
	again.Request = sealed
	r := l.vault.real.Handle(ctx, &again)
	if r.Result != wire.CodeDone {
		return r, nil
	}
	answer, err := open.OpenAnswer(r.Answer)
	if err != nil {
		return nil, fmt.Errorf("recoverytest: the honest answer: %w", err)
	}
	l.answer(c.Op, answer)
	if r.Answer, err = reply.SealAnswer(answer); err != nil {
		return nil, err
	}
	return r, nil
}
