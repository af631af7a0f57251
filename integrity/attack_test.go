package integrity_test

import (
	"context"
	"encoding/base64"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// TestApprovalOfAnotherDevice: an approval that is about the device which
// proposed it is confirmed there. Its text names that device, and its parameters
// would give another one a sealing key that somebody else has.
func TestApprovalOfAnotherDevice(t *testing.T) {
	r := newRig(t)
	first, second := r.family()
	r.advance(25 * time.Hour)
	if _, err := r.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	in := must[*integrity.Proposed](t)(second.propose(account.RotateSealing, "alg", "x25519", "key", []byte("of the attacker")))
	var refused *account.Refused
	if _, err := r.OpenApproval(t.Context(), first.caller(), in.Approval.ID, nil); !errors.As(err, &refused) || refused.Why != account.WhyFrom {
		t.Errorf("opened elsewhere: %v", err)
	}
	must[*integrity.Confirmed](t)(second.confirm(in))
	for _, p := range []*phone{first, second} {
		d := read(r, func(tx integrity.Tx) (account.Device, error) {
			d, _, err := tx.Device(t.Context(), p.device)
			return d, err
		})
		if got := string(d.SealingKey) == "of the attacker"; got != (p == second) {
			t.Errorf("%s has the key: %v", p.device, got)
		}
	}
	r.checked()
}

// TestTamperedState: a row whose state was changed behind our back is not
// believed, whatever the state says: of a passkey that we call unknown the browser
// deletes its half for good.
func TestTamperedState(t *testing.T) {
	r := newRig(t)
	p, b := r.enrol(), r.signUp()
	r.exec("UPDATE credential SET state = 'removed' WHERE account = ?", string(b.account))
	r.exec("UPDATE device SET state = 'deleted' WHERE account = ?", string(p.account))
	if _, err := r.FinishSignIn(t.Context(), r.anonymous(), b.assertion()); !errors.Is(err, integrity.ErrIntegrity) {
		t.Errorf("passkey: %v, want %v", err, integrity.ErrIntegrity)
	}
	if _, err := r.Prove(t.Context(), p.message(nil), nil, false); !errors.Is(err, integrity.ErrIntegrity) {
		t.Errorf("device: %v, want %v", err, integrity.ErrIntegrity)
	}
	if n := r.count("account WHERE state = 'locked'"); n != 2 {
		t.Errorf("%d accounts are locked, want 2", n)
	}
}

// TestCounterRace: of two answers with one counter, verified at once, the second
// opens nothing, though the counter was lower when it was verified.
func TestCounterRace(t *testing.T) {
	r := newRig(t)
	b, count := r.counting(&passkeytest.Options{})
	copied := b.assertion(count(6))
	update, before := r.opts.Update, r.Service
	var once sync.Once
	r.reopen(func(o *integrity.Options) {
		o.Update = func(ctx context.Context, fn func(integrity.Tx) error) error {
			once.Do(func() {
				if _, err := before.FinishSignIn(ctx, r.anonymous(), copied); err != nil {
					t.Errorf("the first: %v", err)
				}
			})
			return update(ctx, fn)
		}
	})
	right := func() *integrity.SignInAnswer { // begun before the other one is
		begun := must[*integrity.Begun](t)(before.BeginSignIn(t.Context(), r.anonymous(), &integrity.SignInStart{Browser: b.at}))
		return &integrity.SignInAnswer{
			Ceremony: begun.Ceremony, Response: must[[]byte](t)(b.passkey.Get(begun.Options, origin, count(6))), Browser: b.at,
		}
	}()
	if _, err := r.FinishSignIn(t.Context(), r.anonymous(), right); !errors.Is(err, account.ErrStep) {
		t.Errorf("%v, want %v", err, account.ErrStep)
	}
	if _, err := r.FinishSignIn(t.Context(), r.anonymous(), right); !errors.Is(err, integrity.ErrCounter) {
		t.Errorf("again: %v, want %v", err, integrity.ErrCounter)
	}
}

// TestFindingOfApproval: what is found about the answer to an approval raises as
// it does at a sign-in.
func TestFindingOfApproval(t *testing.T) {
	r := newRig(t)
	b, count := r.counting(&passkeytest.Options{Synced: true})
	in := must[*integrity.Proposed](t)(r.Propose(t.Context(), b.caller(), &integrity.Proposal{Action: account.RenewFreezeCode}, b.at))
	must[*integrity.Confirmed](t)(r.Confirm(t.Context(), b.caller(), &integrity.Confirmation{
		Approval: in.Approval.ID, Response: must[[]byte](t)(b.passkey.Get(in.Options, origin, count(4))), Cookie: b.at.Cookie,
	}))
	if n := r.count("risk WHERE account = ? AND signal = 'counter_regress'", string(b.account)); n != 1 {
		t.Errorf("%d signals, want 1", n)
	}
	r.checked()
}

// TestMadeUpCredentialElsewhere: an id of a list for nobody is refused like a
// real one wherever it is tried: where no handle is asked for, by who is signed
// in, for a new account, and as often.
func TestMadeUpCredentialElsewhere(t *testing.T) {
	r, b := handled(t)
	thief := r.signUp()
	ids := map[string][]byte{}
	for who, handle := range map[string]string{"somebody": "alice", "nobody": "bob"} {
		_, list := b.asked(handle)
		ids[who] = must[[]byte](t)(base64.RawURLEncoding.DecodeString(list[0].ID))
	}
	forged := func(id []byte) passkeytest.Change { // an id, and a signature by another key
		forger := r.newBrowser().passkey
		must[[]byte](t)(forger.Create(must[*integrity.Begun](t)(r.BeginEnrol(t.Context(), r.anonymous(), b.at)).Options, origin))
		cred := forger.Credentials()[0]
		cred.ID = id
		return passkeytest.Use(cred)
	}
	for name, test := range map[string]struct {
		try  func(id []byte) error
		want error
	}{
		"without a handle": {func(id []byte) error {
			_, err := r.FinishSignIn(t.Context(), elsewhere(r.anonymous()), thief.assertion(forged(id)))
			return err
		}, passkey.ErrRefused},
		"step-up": {func(id []byte) error {
			c := thief.caller()
			begun := must[*integrity.Begun](t)(r.BeginStepUp(t.Context(), c, thief.at))
			response := must[[]byte](t)(thief.passkey.Get(begun.Options, origin, forged(id)))
			_, err := r.FinishStepUp(t.Context(), c, &integrity.StepUpAnswer{Ceremony: begun.Ceremony, Response: response, Browser: thief.at})
			return err
		}, passkey.ErrRefused},
		"a new account": {func(id []byte) error {
			begun := must[*integrity.Begun](t)(r.BeginEnrol(t.Context(), r.anonymous(), thief.at))
			response := must[[]byte](t)(r.newBrowser().passkey.Create(begun.Options, origin, func(d *passkeytest.Draft) { d.CredentialID = id }))
			_, err := r.FinishEnrol(t.Context(), r.anonymous(), &integrity.EnrolAnswer{Ceremony: begun.Ceremony, Response: response, Browser: thief.at})
			return err
		}, integrity.ErrPasskeyKnown},
	} {
		for who, id := range ids {
			if err := test.try(id); !errors.Is(err, test.want) {
				t.Errorf("%s, %s: %v, want %v", name, who, err, test.want)
			}
		}
	}
	if n := r.count("audit_entry WHERE account = ? AND action = 'session.refused'", string(thief.account)); n != 2 {
		t.Errorf("%d of the two wrong step-ups stand in the thief's record", n)
	}
	for who, id := range ids {
		far, n := r.anonymous(), 0
		far.Network = "net of " + who
		for ; n < 30; n++ {
			if _, err := r.FinishSignIn(t.Context(), far, thief.assertion(forged(id))); errors.Is(err, integrity.ErrRateLimited) {
				break
			}
		}
		if n != 10 {
			t.Errorf("%s: limited after %d wrong answers, want 10", who, n)
		}
	}
}

// TestProposalsBounded: whoever proposes and proposes has few open, and crowds
// out nobody else's.
func TestProposalsBounded(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	b := r.newBrowser()
	b.passkey = p.passkey
	b.signIn()
	open := func() int { return r.count("approval WHERE account = ? AND state = 'open'", string(p.account)) }
	other := must[*integrity.Proposed](t)(r.Propose(t.Context(), b.caller(), &integrity.Proposal{Action: account.RenewFreezeCode}, b.at))
	var last *integrity.Proposed
	for range 20 {
		last = must[*integrity.Proposed](t)(p.propose(account.RenewFreezeCode))
		r.advance(3 * time.Second)
	}
	if n := open(); n != 9 {
		t.Errorf("%d are open, want eight and that of the browser", n)
	}
	must[*integrity.Confirmed](t)(p.confirm(last))
	must[*integrity.Confirmed](t)(r.Confirm(t.Context(), b.caller(), &integrity.Confirmation{
		Approval: other.Approval.ID, Response: must[[]byte](t)(b.passkey.Get(other.Options, origin)), Cookie: b.at.Cookie,
	}))
	r.advance(time.Hour)
	must[*integrity.Proposed](t)(p.propose(account.RenewFreezeCode))
	if n := open(); n != 1 {
		t.Errorf("%d are open an hour later, want the new one", n)
	}
	r.checked()
}

// TestGuestTakesNoTokens: a session that may not propose does not use up what the
// owner may do in a day.
func TestGuestTakesNoTokens(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	b := r.newBrowser()
	b.passkey = p.passkey
	b.signIn()
	r.advance(25 * time.Hour) // its session is worth a guest's
	for range 8 {
		var refused *account.Refused
		_, err := r.Propose(t.Context(), b.caller(), &integrity.Proposal{Action: account.ChangeHandle, Params: params(t, "handle", "alice")}, b.at)
		if !errors.As(err, &refused) {
			t.Fatalf("a guest proposes: %v", err)
		}
	}
	must[*integrity.Confirmed](t)(p.do(account.ChangeHandle, "handle", "alice"))
}

// TestEndedSessionEndedAgain: to end what has ended changes nothing, and tells
// nobody again.
func TestEndedSessionEndedAgain(t *testing.T) {
	r := newRig(t)
	p, b := r.enrol(), r.newBrowser()
	b.passkey = p.passkey
	id := b.signIn().Session
	p.stepUp()
	c := p.caller()
	for n := range 3 {
		if out, err := r.EndSession(t.Context(), c, id); err != nil || (out.Sessions == 1) != (n == 0) {
			t.Errorf("%d: %+v, %v", n, out, err)
		}
	}
	if n := r.count("alert WHERE account = ? AND kind = 'session.end_one'", string(p.account)); n != 1 {
		t.Errorf("told %d times", n)
	}
	r.checked()
}

// TestTamperedAccountFloodsNothing: an account whose row was changed is found so
// by every call, and the record says it a few times.
func TestTamperedAccountFloodsNothing(t *testing.T) {
	r := newRig(t, func(o *integrity.Options) { o.Policy.Limits.AuditRefusal = integrity.Limit{N: 5, Per: time.Hour} })
	b := r.signUp()
	answer := b.assertion()
	r.exec("UPDATE account SET handle = 'x' WHERE id = ?", string(b.account))
	for range 9 {
		if _, err := r.FinishSignIn(t.Context(), r.anonymous(), answer); !errors.Is(err, integrity.ErrIntegrity) {
			t.Fatalf("%v, want %v", err, integrity.ErrIntegrity)
		}
	}
	if n := r.count("audit_entry WHERE action = 'integrity.failure'"); n != 5 {
		t.Errorf("%d entries, want 5", n)
	}
}

// TestSuspectSessionWorth: a backend is not told that the session of a passkey
// is fresh which has become suspect since.
func TestSuspectSessionWorth(t *testing.T) {
	r := newRig(t)
	b, count := r.counting(&passkeytest.Options{})
	b.stepUp(count(7))
	worth := func() account.Class {
		t.Helper()
		backend := account.Caller{Kind: account.Backend, App: "demo"}
		return must[*integrity.SessionCheck](t)(r.CheckSession(t.Context(), backend, b.token)).Class
	}
	if got := worth(); got != account.Fresh {
		t.Fatalf("before, %s", got)
	}
	if _, err := r.FinishSignIn(t.Context(), r.anonymous(), b.assertion(count(6))); !errors.Is(err, integrity.ErrCounter) {
		t.Fatal(err)
	}
	if got := worth(); got != account.Person {
		t.Errorf("after, %s", got)
	}
}
