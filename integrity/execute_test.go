package integrity_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// row gives the account as it is stored.
func (r *rig) row(id account.ID) account.Account {
	r.t.Helper()
	return read(r, func(tx integrity.Tx) (account.Account, error) {
		a, _, err := tx.Account(r.t.Context(), id)
		return a, err
	})
}

func TestChangeHandle(t *testing.T) {
	r := newRig(t)
	p, other := r.enrol(), r.enrol()
	for _, test := range []struct{ handle, text, shown string }{
		{"Alice", "Take the name “Alice”? Other people can see it.", "Alice"},
		{"ALICE", "Change your name from “Alice” to “ALICE”? Other people can see it, and the old one is free for others.", "ALICE"},
		// Å as A and a ring: the text is in NFC.
		{"A\u030asa", "Change your name from “ALICE” to “\u00c5sa”? Other people can see it, and the old one is free for others.", "\u00c5sa"},
	} {
		out := must[*integrity.Confirmed](t)(p.do(account.ChangeHandle, "handle", test.handle))
		if out.Text != test.text || r.row(p.account).Handle != test.shown {
			t.Errorf("%q, handle %q", out.Text, r.row(p.account).Handle)
		}
		if out.Signals == nil || out.Signals.CurrentUser.Name != test.shown {
			t.Errorf("signals %+v", out.Signals)
		}
	}
	// Somebody has it: a few answers, and then no more.
	for range 5 {
		if _, err := other.propose(account.ChangeHandle, "handle", "\u00e5SA"); !errors.Is(err, integrity.ErrHandleTaken) {
			t.Fatal(err)
		}
	}
	if _, err := other.propose(account.ChangeHandle, "handle", "somebody"); !errors.Is(err, integrity.ErrRateLimited) {
		t.Errorf("%v", err)
	}
	r.checked()
}

// TestHandleTakenMeanwhile: between proposal and confirmation somebody else took it.
func TestHandleTakenMeanwhile(t *testing.T) {
	r := newRig(t)
	p, other := r.enrol(), r.enrol()
	in := must[*integrity.Proposed](t)(p.propose(account.ChangeHandle, "handle", "alice"))
	must[*integrity.Confirmed](t)(other.do(account.ChangeHandle, "handle", "Alice"))
	if _, err := p.confirm(in); !errors.Is(err, integrity.ErrHandleTaken) {
		t.Errorf("%v", err)
	}
	r.checked()
}

func TestRenewFreezeCode(t *testing.T) {
	r := newRig(t)
	p := r.newPhone(nil)
	enrolled := must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), p.enrolment()))
	p.enrolled(enrolled)
	out := must[*integrity.Confirmed](t)(p.do(account.RenewFreezeCode))
	var result struct {
		Code string `json:"freeze_code"`
	}
	if err := json.Unmarshal(out.Result, &result); err != nil {
		t.Fatal(err)
	}
	if n := r.count("approval WHERE instr(proof, ?) OR instr(params, ?)", result.Code, result.Code); n != 0 {
		t.Error("the code is in the store")
	}
	for _, test := range []struct {
		name, code string
		state      account.State
	}{
		{"the old one", enrolled.FreezeCode.Reveal(), account.Active},
		{"the new one", result.Code, account.Frozen},
	} {
		if err := r.FreezeByCode(t.Context(), elsewhere(r.anonymous()), test.code); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if s := p.status(); s.AccountState != test.state {
			t.Errorf("%s: the account is %s", test.name, s.AccountState)
		}
	}
	r.checked()
}

func TestRotateSealing(t *testing.T) {
	r := newRig(t)
	first, second := r.couple()
	key := bytes.Repeat([]byte{7}, 32)
	in := must[*integrity.Proposed](t)(first.propose(account.RotateSealing, "alg", "x25519", "key", key))
	if want := "Give “Pixel” a new key for sealed chats, 4bb0 6f8e 4e3a 7715? What is sent to it from now on opens with that key only."; in.Approval.Text != want {
		t.Errorf("text %q", in.Approval.Text)
	}
	// The text is of the first phone: the second cannot take the key instead.
	if own, err := r.OpenApproval(t.Context(), second.caller(), in.Approval.ID, nil); err == nil {
		if _, err = r.Confirm(t.Context(), second.caller(), second.answer(own)); err == nil {
			t.Error("another device took the key")
		}
	}
	must[*integrity.Confirmed](t)(first.confirm(in))
	for p, want := range map[*phone][]byte{first: key, second: bytes.Repeat([]byte{9}, 32)} {
		d := read(r, func(tx integrity.Tx) (account.Device, error) {
			d, _, err := tx.Device(t.Context(), p.device)
			return d, err
		})
		if !bytes.Equal(d.SealingKey, want) {
			t.Errorf("sealing key %x", d.SealingKey)
		}
	}
	r.checked()
}

// TestDeleteAccount: after the wait nothing of it opens anything.
func TestDeleteAccount(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	must[*integrity.Confirmed](t)(p.do(account.ChangeHandle, "handle", "alice"))
	out := must[*integrity.Confirmed](t)(p.do(account.DeleteAccount))
	r.advance(day)
	again := must[*integrity.Confirmed](t)(p.do(account.DeleteAccount))
	if string(out.Result) != string(again.Result) {
		t.Errorf("asking again: %s, then %s", out.Result, again.Result)
	}
	r.advance(6*day - 1000)
	r.tick()
	if s := p.status(); s.AccountState != account.Active {
		t.Errorf("too early: %s", s.AccountState)
	}
	r.advance(1000)
	r.tick()
	if a := r.row(p.account); a.State != account.Deleted || a.Handle != "" {
		t.Errorf("the account is %s, %q", a.State, a.Handle)
	}
	p.token = nil
	if c := p.caller(); c.Account != "" {
		t.Errorf("the phone is of %s", c.Account)
	}
	if _, err := r.FinishSignIn(t.Context(), p.caller(), p.assertion()); !errors.Is(err, passkey.ErrUnknown) {
		t.Errorf("a sign-in: %v", err)
	}
	must[*integrity.Confirmed](t)(r.enrol().do(account.ChangeHandle, "handle", "alice")) // it is free
	r.checked()
}

// TestBoundNeedsMore: a synced passkey alone deletes nothing and unfreezes
// nothing at once; with an active device of good evidence it does.
func TestBoundNeedsMore(t *testing.T) {
	r := newRig(t)
	first := r.newPhone(&passkeytest.Options{Synced: true})
	first.enrolled(must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), first.enrolment())))
	b := r.newBrowser()
	b.passkey = first.passkey
	b.signIn()
	if _, err := b.do(account.DeleteAccount); why(err) != account.WhyStepUp {
		t.Errorf("in a browser: %v", err)
	}
	if n := r.count("approval WHERE state = 'open'"); n != 1 {
		t.Errorf("%d are open: what is refused is not used up", n)
	}
	must[*integrity.Confirmed](t)(first.do(account.DeleteAccount))
	r.checked()
}

// TestSyncedNotOK: an app that does not list an action takes no synced passkey
// for it.
func TestSyncedNotOK(t *testing.T) {
	r := newRig(t, func(o *integrity.Options) {
		o.Policy.SyncedOK = []string{"register", "sign_in", string(account.ChangeHandle)}
	})
	p := r.newPhone(&passkeytest.Options{Synced: true})
	p.enrolled(must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), p.enrolment())))
	must[*integrity.Confirmed](t)(p.do(account.ChangeHandle, "handle", "alice"))
	if _, err := p.do(account.RenewFreezeCode); why(err) != account.WhyStepUp {
		t.Errorf("%v", err)
	}
}
