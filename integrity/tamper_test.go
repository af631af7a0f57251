package integrity_test

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// TestCredentialShuffleDetected: whoever can write to the database can move no
// passkey to another account. Its next use finds it, locks the account and opens
// nothing (OWASP/CheatSheetSeries#2150, #2168).
func TestCredentialShuffleDetected(t *testing.T) {
	for name, test := range map[string]struct {
		change string // of the row of the attacker's passkey; ?1 is the victim, ?2 the attacker
		locked bool   // the victim
	}{
		"moved":          {"UPDATE credential SET account = ?1 WHERE account = ?2", true},
		"record swapped": {"UPDATE credential SET record = (SELECT record FROM credential WHERE account = ?2) WHERE account = ?1", true},
		"id swapped":     {"UPDATE credential SET credential_id = CAST(x'00' || credential_id AS BLOB) WHERE account = ?1", false},
		"user handle":    {"UPDATE account SET user_handle = randomblob(64) WHERE id = ?1", false},
		"counter":        {"UPDATE credential SET sign_count = 7 WHERE account = ?1", true},
		"flags":          {"UPDATE credential SET flags = 0x1d WHERE account = ?1", true},
		"revived":        {"UPDATE credential SET state = 'suspect' WHERE account = ?1", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			victim, attacker := r.signUp(), r.signUp()
			r.exec(test.change, string(victim.account), string(attacker.account))
			var errs []error
			for _, b := range []*browser{victim, attacker} {
				out, err := r.FinishSignIn(t.Context(), r.anonymous(), b.assertion())
				if err == nil && b == attacker && out.Signed.Account == victim.account {
					t.Errorf("the attacker is in")
				}
				errs = append(errs, err)
			}
			switch {
			case test.locked && !errors.Is(errs[0], integrity.ErrIntegrity) && !errors.Is(errs[1], integrity.ErrIntegrity):
				t.Errorf("victim: %v; attacker: %v; want %v", errs[0], errs[1], integrity.ErrIntegrity)
			case !test.locked && errs[0] == nil:
				t.Error("a changed row is signed in with")
			}
			a := read(r, func(tx integrity.Tx) (account.Account, error) {
				a, _, err := tx.Account(t.Context(), victim.account)
				return a, err
			})
			if got := a.State == account.Locked; got != test.locked {
				t.Errorf("the account is %s", a.State)
			}
			if !test.locked {
				return
			}
			if _, err := r.BrowserCaller(t.Context(), victim.token, network, ""); !errors.Is(err, integrity.ErrSessionEnded) {
				t.Errorf("sessions of the locked account: %v", err)
			}
			if n := r.count("alert WHERE account = ? AND kind = 'account.locked'", string(victim.account)); n != 1 {
				t.Errorf("the owner is told %d times", n)
			}
		})
	}
}

// TestDeviceMoved: neither a device, nor its account.
func TestDeviceMoved(t *testing.T) {
	r := newRig(t)
	victim, attacker := r.enrol(), r.enrol()
	r.exec("UPDATE device SET account = ? WHERE id = ?", string(victim.account), string(attacker.device))
	if _, err := r.Prove(t.Context(), attacker.message(nil), nil, false); !errors.Is(err, integrity.ErrIntegrity) {
		t.Errorf("%v, want %v", err, integrity.ErrIntegrity)
	}
}

// TestRemovedPasskeySignalled: a passkey that was removed is unknown, and no
// longer among those that the browser is told to keep (ory/kratos#4552).
func TestRemovedPasskeySignalled(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	old := r.newBrowser()
	old.passkey = p.passkey
	answer := old.assertion()
	p.stepUp()
	added := must[*integrity.Added](t)(r.FinishAdd(t.Context(), p.caller(), p.adding()))
	list, _, err := r.Passkeys(t.Context(), p.caller())
	if err != nil || len(list) != 2 {
		t.Fatalf("%v: %d passkeys", err, len(list))
	}
	first := list[0].Ref
	if first == added.Passkey.Ref {
		first = list[1].Ref
	}
	r.removeCredential(first)
	list, signals, err := r.Passkeys(t.Context(), p.caller())
	if err != nil || len(list) != 1 || len(signals.AllAccepted.AllAcceptedCredentialIDs) != 1 {
		t.Errorf("%v: %+v, %+v", err, list, signals)
	}
	for range 2 { // begun before, and after
		if _, err := r.FinishSignIn(t.Context(), r.anonymous(), answer); !errors.Is(err, passkey.ErrUnknown) {
			t.Errorf("%v, want %v", err, passkey.ErrUnknown)
		}
		answer = old.assertion()
	}
}

// removeCredential makes a tombstone of a passkey, without an entry.
func (r *rig) removeCredential(ref account.CredentialRef) {
	r.t.Helper()
	err := r.opts.Update(r.t.Context(), func(tx integrity.Tx) error {
		c, _, err := tx.Credential(r.t.Context(), ref)
		if err != nil {
			return err
		}
		c.State = account.CredentialRemoved
		c.MAC = c.Seal(r.opts.RowKey)
		return tx.PutCredential(r.t.Context(), c)
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestHandleLedElsewhere: a handle does not lead to the passkeys of an account
// that has another, or none.
func TestHandleLedElsewhere(t *testing.T) {
	r, b := handled(t)
	other := r.signUp()
	r.exec("UPDATE account SET handle_key = NULL WHERE id = ?", string(b.account))
	r.exec("UPDATE account SET handle_key = 'alice' WHERE id = ?", string(other.account))
	_, err := r.BeginSignIn(t.Context(), r.anonymous(), &integrity.SignInStart{Browser: b.at, Handle: "alice"})
	if !errors.Is(err, integrity.ErrIntegrity) {
		t.Errorf("%v, want %v", err, integrity.ErrIntegrity)
	}
}

// TestRevokedUnreadable: an event that cannot be read does not keep the devices
// from being locked whose keys were revoked after it.
func TestRevokedUnreadable(t *testing.T) {
	r := newRig(t)
	_, second := r.couple()
	err := r.opts.Update(t.Context(), func(tx integrity.Tx) error {
		return tx.AppendEvent(t.Context(), event.Event{Type: "attest.key_revoked", Account: second.account, At: r.clock(), Body: []byte(`{"key":7}`)})
	})
	if err != nil {
		t.Fatal(err)
	}
	r.revoke(second)
	r.tick()
	if s := r.states(second); s[1] != "locked" {
		t.Errorf("the device is %s", s[1])
	}
}

// TestMoveTampered: a transfer that was changed in the store locks its account, and
// keeps nobody from freezing it.
func TestMoveTampered(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("put")
	r.exec("UPDATE transfer SET opens = 0, sender_device = ? WHERE id = ?", string(r.enrol().device), string(m.id))
	if err := m.seal(); !errors.Is(err, integrity.ErrIntegrity) {
		t.Errorf("the seal: %v, want %v", err, integrity.ErrIntegrity)
	}
	a := read(r, func(tx integrity.Tx) (account.Account, error) {
		a, _, err := tx.Account(t.Context(), p.account)
		return a, err
	})
	if a.State != account.Locked {
		t.Errorf("the account is %s", a.State)
	}
}
