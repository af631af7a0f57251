package insider

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
)

// Owner is somebody with an account and an honest phone.
type Owner struct {
	ID     account.ID
	Secret string // what the PIN brings back

	kit  *Kit
	deal *recoverytest.Deal // nil: profile seed
	// Sent are the calls of the phone as the insider has seen them pass.
	Sent []Sealed
	// Patience is how long a call is repeated that has no answer; 0: 5 s.
	Patience time.Duration
	// Answered is called with each answer of a vault. nil: nobody is.
	Answered func(vault string, op wire.Op, a *wire.Answer)
}

// Enrol registers a PIN through the API, as a phone does.
func (k *Kit) Enrol(ctx context.Context, pin string) (*Owner, error) {
	var id [16]byte
	rand.Read(id[:]) //nolint:errcheck // crypto/rand: never returns an error
	name := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(id[:]))
	o := &Owner{ID: account.ID("a_" + name), Secret: "secret of " + name, kit: k}
	if k.o.Profile == recovery.ProfileSeed {
		return o, o.backUp(ctx, pin)
	}
	var err error
	if o.deal, err = recoverytest.NewDeal(&k.set, pin, o.Secret); err != nil {
		return nil, err
	}
	in := Setup{o.ID, o.deal.Header.Reg, o.deal.Blob}
	if err := k.api.do(ctx, "SetUp", in, &None{}); err != nil {
		return nil, err
	}
	for _, v := range o.deal.Header.Vaults {
		m, err := o.deal.Create(v.Vault, acctOf(o.ID, v.Vault), 0, k.set.Limit)
		if err != nil {
			return nil, err
		}
		if a, err := o.call(ctx, v.Vault, wire.OpCreate, m, nil); err != nil || a.Verdict != wire.VerdictOK {
			return nil, fmt.Errorf("insider: register at %s: %+v, %w", v.Vault, a, err)
		}
	}
	return o, k.api.do(ctx, "Commit", in, &None{})
}

// seal makes a request as any phone can.
func (k *Kit) seal(id account.ID, vault string, op wire.Op, body []byte) (Sealed, *wire.AnswerKey, error) {
	b := k.keys[vault]
	env := wire.Envelope{Suite: k.set.Suite, Vault: vault, Epoch: b.Epoch, Config: b.ConfigHash, Op: op, Acct: acctOf(id, vault)}
	sealed, key, err := env.SealRequest(b.HPKE, body)
	return Sealed{Account: id, Vault: vault, Op: op, Epoch: b.Epoch, Request: sealed}, key, err
}

// call goes through the API.
func (o *Owner) call(ctx context.Context, vault string, op wire.Op, body wire.Coded, session []byte) (*wire.Answer, error) {
	plain, err := wire.Encode(body)
	if err != nil {
		return nil, err
	}
	in, key, err := o.kit.seal(o.ID, vault, op, plain)
	if err != nil {
		return nil, err
	}
	in.Session = session
	o.Sent = append(o.Sent, in)
	var out recovery.VaultAnswer
	if err := o.send(ctx, in, &out); err != nil {
		return nil, err
	}
	a, err := key.OpenAnswer(out.Answer)
	if err == nil && o.Answered != nil {
		o.Answered(vault, op, a)
	}
	return a, err
}

// Status asks a vault what it holds, which is free.
func (o *Owner) Status(ctx context.Context, vault string) (*wire.Answer, error) {
	return o.call(ctx, vault, wire.OpStatus, &wire.Status{}, nil)
}

// send repeats a call that had no answer, which is free: it is the same request.
func (o *Owner) send(ctx context.Context, in Sealed, out *recovery.VaultAnswer) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(o.Patience, patience))
	defer cancel()
	return again(ctx, func() error { return o.kit.api.do(ctx, "Call", in, out) })
}

// session opens one, which may be repeated as well.
func (o *Owner) session(ctx context.Context, secret *[]byte) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(o.Patience, patience))
	defer cancel()
	return again(ctx, func() error { return o.kit.api.do(ctx, "Session", o.ID, secret) })
}

// Recover gets the secret back, with a session of the API's. Vaults that do not
// answer are left out, as long as t do. seed is that of the attempt: the same for
// every repetition.
func (o *Owner) Recover(ctx context.Context, pin string, seed wire.Key) (string, error) {
	var session []byte
	if err := o.session(ctx, &session); err != nil {
		return "", err
	}
	if o.deal == nil {
		return o.restore(ctx, pin, session)
	}
	g, err := recoverytest.NewGuess(&o.deal.Header, pin, seed)
	if err != nil {
		return "", err
	}
	var last error
	var ready []string
	for _, v := range o.deal.Header.Vaults {
		a, err := o.call(ctx, v.Vault, wire.OpEvaluate, g.Evaluate(false), session)
		if err == nil && a.Verdict != wire.VerdictOK {
			err = fmt.Errorf("%w: %v", ErrVerdict, a.Verdict)
		}
		if err == nil {
			err = g.Evaluated(v.Vault, a)
		}
		if err != nil {
			last = err
			continue
		}
		ready = append(ready, v.Vault)
	}
	if !g.Ready() {
		return "", fmt.Errorf("insider: too few vaults have evaluated: %w", last)
	}
	released := 0
	for _, vault := range ready {
		q, err := g.Release(vault, acctOf(o.ID, vault))
		if err != nil {
			return "", err
		}
		a, err := o.call(ctx, vault, wire.OpRelease, q, session)
		if err == nil && a.Verdict != wire.VerdictOK {
			err = fmt.Errorf("%w: %v", ErrVerdict, a.Verdict)
		}
		if err == nil {
			err = g.Released(vault, a)
		}
		if err != nil {
			last = err
			continue
		}
		released++
	}
	if released < int(o.deal.Header.T) {
		return "", fmt.Errorf("insider: too few vaults have released: %w", last)
	}
	return g.Open(o.deal.Blob)
}

// backUp and restore are the phone of profile seed.
func (o *Owner) backUp(ctx context.Context, pin string) error {
	if err := o.kit.api.do(ctx, "SetUp", Setup{Account: o.ID}, &None{}); err != nil {
		return err
	}
	_, err := o.seed(ctx, wire.OpSeedBackup, &wire.SeedRequest{PIN: wire.Secret(pin), Data: wire.Secret(o.Secret)}, nil)
	return err
}

func (o *Owner) restore(ctx context.Context, pin string, session []byte) (string, error) {
	a, err := o.seed(ctx, wire.OpSeedRestore, &wire.SeedRequest{PIN: wire.Secret(pin)}, session)
	if err != nil {
		return "", err
	}
	return string(a.Data), nil
}

func (o *Owner) seed(ctx context.Context, op wire.Op, q *wire.SeedRequest, session []byte) (*wire.SeedAnswer, error) {
	body, err := wire.EncodeSeedRequest(q)
	if err != nil {
		return nil, err
	}
	in, key, err := o.kit.seal(o.ID, "v1", op, body)
	if err != nil {
		return nil, err
	}
	in.Session = session
	var out recovery.VaultAnswer
	if err := o.send(ctx, in, &out); err != nil {
		return nil, err
	}
	a, err := key.OpenSeedAnswer(out.Answer)
	if err == nil && a.Verdict != wire.VerdictOK {
		err = fmt.Errorf("%w: %v", ErrVerdict, a.Verdict)
	}
	return a, err
}
