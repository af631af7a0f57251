package integrity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// TestLastDeviceStays: who has a copy of a synced passkey, and a browser, cannot
// take away the one device that would hear of it.
func TestLastDeviceStays(t *testing.T) {
	r := newRig(t)
	owner := r.newPhone(&passkeytest.Options{Synced: true})
	owner.enrolled(must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), owner.enrolment())))
	r.advance(time.Hour)
	thief := r.newBrowser()
	thief.passkey = owner.passkey
	thief.signIn()
	var refused *account.Refused
	if _, err := r.FreezeDevice(t.Context(), thief.caller(), owner.device); !errors.As(err, &refused) || refused.Need != account.Bound {
		t.Errorf("freeze the last device: %v", err)
	}
	if _, err := thief.do(account.RemoveDevice, "device", owner.device); !errors.As(err, &refused) || refused.Need != account.Bound {
		t.Errorf("remove the last device: %v", err)
	}
	if out, err := r.Freeze(t.Context(), thief.caller()); err != nil || !out.Changed {
		t.Errorf("freeze the account: %+v, %v", out, err)
	}
}

// TestVetoFrozenNewcomer: a new device does not escape the veto by freezing itself.
func TestVetoFrozenNewcomer(t *testing.T) {
	r := newRig(t)
	owner, thief := r.family()
	owner.signIn()
	must[*integrity.Frozen](t)(r.FreezeDevice(t.Context(), thief.caller(), thief.device))
	r.advance(time.Second)
	if others := owner.status().Rest.OthersHeld; len(others) != 1 || others[0].Device != thief.device || !others[0].MayVeto {
		t.Errorf("the owner is told of %+v", others)
	}
	if out, err := r.Veto(t.Context(), owner.caller(), thief.device, ""); err != nil || out.Removed != thief.device {
		t.Errorf("veto: %+v, %v", out, err)
	}
}
