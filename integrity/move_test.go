package integrity_test

import (
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer"
)

// TestMove: an account moves, and each step sent again gets the same answer.
func TestMove(t *testing.T) {
	r := moveRig(t)
	p := r.enrol()
	p.signIn()
	m := p.moving()
	for _, s := range m.steps() {
		for range 2 {
			if err := s.do(); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if s.name == "put" || s.name == "seal" || s.name == "commit" {
				break // the phone is signed out, or seals anew
			}
		}
	}
	if m.view.State != transfer.Acked {
		t.Fatalf("it is %s", m.view.State)
	}
	s := m.n.status()
	if s.DeviceState != account.Held || s.Hold.Reason != account.HoldNew || s.AccountState != account.Active {
		t.Errorf("the new phone: %+v", s)
	}
	r.checked()
}
