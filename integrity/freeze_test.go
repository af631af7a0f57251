package integrity_test

import (
	"testing"

	"github.com/staunchid/staunch/account"
)

func TestFreezeAndStatus(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	status, err := r.Status(t.Context(), p.caller())
	if err != nil {
		t.Fatal(err)
	}
	if status.AccountState != account.Active || status.DeviceState != account.Active || status.Rest == nil || status.Rest.Devices != 1 || status.Rest.Passkeys != 1 {
		t.Errorf("status %+v, rest %+v", status, status.Rest)
	}
	for _, changed := range []bool{true, false} {
		out, err := r.Freeze(t.Context(), p.caller())
		if err != nil {
			t.Fatal(err)
		}
		if out.State != account.Frozen || out.Changed != changed {
			t.Errorf("frozen %+v, want changed %v", out, changed)
		}
	}
	if status, err = r.Status(t.Context(), p.caller()); err != nil {
		t.Fatal(err)
	}
	if status.AccountState != account.Frozen {
		t.Errorf("status %+v", status)
	}
}
