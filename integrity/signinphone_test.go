package integrity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// onPhone is a call of a known phone that answers a sign-in.
type onPhone struct {
	p      *phone
	call   *request.Message
	token  integrity.Token
	answer *integrity.SignInAnswer
}

// TestSignInOnPhone: what is wrong with a call, or with its answer, gives the
// same error, the same entries and a call that is used up, as one step after the
// other does.
func TestSignInOnPhone(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*onPhone)
		err    error
	}{
		{"good", func(*onPhone) {}, nil},
		{"with a session", func(o *onPhone) { o.token = o.p.token; o.call = o.p.message(o.token) }, nil},
		{"replayed", func(o *onPhone) { must[account.Caller](o.p.r.t)(o.p.r.Prove(o.p.r.t.Context(), o.call, nil, false)) }, integrity.ErrProofInvalid},
		{"unsigned", func(o *onPhone) { o.call.Signature = "" }, integrity.ErrProofInvalid},
		{"ceremony of another phone", func(o *onPhone) { o.answer = o.p.r.enrol().assertion() }, integrity.ErrCeremonyExpired},
		{"passkey of another account", func(o *onPhone) {
			own := o.p.passkey
			o.p.passkey = o.p.r.enrol().passkey
			o.answer = o.p.assertion()
			o.p.passkey = own
		}, passkey.ErrRefused},
		{"synced passkey", func(o *onPhone) {
			r := o.p.r
			o.p = r.newPhone(&passkeytest.Options{Synced: true})
			o.p.enrolled(must[*integrity.Enrolled](r.t)(r.FinishEnrol(r.t.Context(), r.anonymous(), o.p.enrolment())))
			r.reopen(func(o *integrity.Options) { o.Policy.SyncedOK = []string{} })
			o.answer, o.call = o.p.assertion(), o.p.message(nil)
		}, integrity.ErrSyncedRefused},
		{"device gone", func(o *onPhone) { o.p.r.set(o.p, "device", account.Deleted) }, passkey.ErrRefused},
		{"malformed answer", func(o *onPhone) { o.answer.Response = []byte("{}") }, passkey.ErrMalformed},
		{"no such ceremony", func(o *onPhone) { o.answer.Ceremony = account.NewCeremonyID() }, integrity.ErrCeremonyExpired},
		{"answered twice", func(o *onPhone) {
			must[*integrity.SignInResult](o.p.r.t)(o.p.r.FinishSignIn(o.p.r.t.Context(), o.p.caller(), o.answer))
		}, integrity.ErrCeremonyUsed},
		{"session over", func(o *onPhone) {
			must[*integrity.Ended](o.p.r.t)(o.p.r.SignOut(o.p.r.t.Context(), o.p.caller()))
			o.token = o.p.token
			o.call = o.p.message(o.token)
		}, integrity.ErrSessionEnded},
		{"failed too often", func(o *onPhone) {
			o.answer.Response = []byte("{}")
			for range 40 {
				bad := o.p.assertion()
				bad.Response = []byte("{}")
				if _, err := o.p.r.FinishSignIn(o.p.r.t.Context(), o.p.caller(), bad); errors.Is(err, integrity.ErrRateLimited) {
					break
				}
			}
		}, integrity.ErrRateLimited},
	} {
		t.Run(test.name, func(t *testing.T) {
			entries := func(finish func(*onPhone) error) (n int) {
				r := newRig(t)
				p := r.enrol()
				o := &onPhone{p: p, answer: p.assertion()}
				o.call = p.message(nil)
				test.change(o)
				if err := finish(o); !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
					t.Errorf("%v, and not %v", err, test.err)
				}
				if _, err := r.Prove(t.Context(), o.call, o.token, false); !errors.Is(err, integrity.ErrProofInvalid) {
					t.Errorf("the call is not used up: %v", err)
				}
				return r.count("audit_entry")
			}
			steps := entries(func(o *onPhone) error {
				c, err := o.p.r.Prove(t.Context(), o.call, o.token, false)
				if err != nil {
					return err
				}
				_, err = o.p.r.FinishSignIn(t.Context(), c, o.answer)
				return err
			})
			once := entries(func(o *onPhone) error {
				_, _, err := o.p.r.SignInOnPhone(t.Context(), o.call, o.token, "", o.answer)
				return err
			})
			if once != steps {
				t.Errorf("%d entries at once, %d in steps", once, steps)
			}
		})
	}
}

// TestSignInOnPhoneOnce: a good one is a single transaction that writes.
func TestSignInOnPhoneOnce(t *testing.T) {
	writes := 0
	r := newRig(t, func(o *integrity.Options) {
		update := o.Update
		o.Update = func(ctx context.Context, fn func(integrity.Tx) error) error {
			writes++
			return update(ctx, fn)
		}
	})
	p := r.enrol()
	answer, call := p.assertion(), p.message(nil)
	r.advance(2 * time.Minute) // so that the device is written, too
	writes = 0
	c, out, err := r.SignInOnPhone(t.Context(), call, nil, network, answer)
	if err != nil {
		t.Fatal(err)
	}
	if writes != 1 {
		t.Errorf("%d transactions", writes)
	}
	if c.Device != p.device || out.Signed.Account != p.account || out.Signed.Device != p.device {
		t.Errorf("%+v signed in on %q as %q", out.Signed, c.Device, c.Account)
	}
}

// watchedTx notes what was read and used up of others.
type watchedTx struct {
	integrity.Tx
	accounts map[account.ID]int
	used     *int
}

func (tx watchedTx) Account(ctx context.Context, id account.ID) (account.Account, bool, error) {
	tx.accounts[id]++
	return tx.Tx.Account(ctx, id)
}

func (tx watchedTx) UseCeremony(ctx context.Context, id account.CeremonyID, now time.Time) (bool, error) {
	*tx.used++
	return tx.Tx.UseCeremony(ctx, id, now)
}

// TestSignInOnPhoneOfOthers: a phone that is of no account, or of another than
// the passkey, does not get as far as the passkey's account.
func TestSignInOnPhoneOfOthers(t *testing.T) {
	accounts, used := map[account.ID]int{}, 0
	r := newRig(t)
	other := r.enrol()
	for name, change := range map[string]func(*phone){
		"of another account": func(p *phone) { p.passkey = other.passkey },
		"of none":            func(p *phone) { r.set(p, "device", account.Deleted) },
	} {
		p := r.enrol()
		begun := must[*integrity.Begun](t)(r.BeginSignIn(t.Context(), p.caller(), &integrity.SignInStart{}))
		change(p)
		answer := &integrity.SignInAnswer{Ceremony: begun.Ceremony, Response: must[[]byte](t)(p.passkey.Get(begun.Options, origin))}
		update := r.opts.Update
		r.reopen(func(o *integrity.Options) {
			o.Update = func(ctx context.Context, fn func(integrity.Tx) error) error {
				return update(ctx, func(tx integrity.Tx) error { return fn(watchedTx{tx, accounts, &used}) })
			}
		})
		if _, _, err := r.SignInOnPhone(t.Context(), p.message(nil), nil, network, answer); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
		r.reopen(func(o *integrity.Options) { o.Update = update })
	}
	if accounts[other.account] != 0 || used != 0 {
		t.Errorf("the passkey's account was read %d times, and %d ceremonies were used up", accounts[other.account], used)
	}
}
