package integrity_test

import (
	"testing"

	"github.com/staunchid/staunch/account"
)

func TestEnrolAndSignIn(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	c := p.caller()
	if c.Account != p.account || c.Device != p.device || c.Session == "" {
		t.Fatalf("caller %+v", c)
	}
	p.token = nil
	out := p.signIn()
	if out.Account != p.account || out.Device != p.device || out.AccountState != account.Active || out.DeviceState != account.Active {
		t.Fatalf("signed in as %+v", out)
	}
	if c := p.caller(); c.Session != out.Session {
		t.Errorf("session %s, want %s", c.Session, out.Session)
	}
}
