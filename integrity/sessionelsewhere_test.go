package integrity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/integrity"
)

// TestSessionElsewhere: a session that somebody else's phone bears is refused as one
// that has ended, and stands in the record of the account that it was stolen from.
// One that has ended tells of no thief.
func TestSessionElsewhere(t *testing.T) {
	const stolen = `audit_entry WHERE account = ? AND action = 'session.refused' AND reason = 'session_elsewhere'`
	r := newRig(t, func(o *integrity.Options) { o.Policy.Limits.AuditRefusal = integrity.Limit{N: 3, Per: time.Hour} })
	owner, thief, browser := r.enrol(), r.enrol(), r.signUp()
	owner.signIn()
	for name, of := range map[string]struct {
		token   integrity.Token
		account string
		want    int
	}{
		"a phone's":   {owner.token, string(owner.account), 1},
		"a browser's": {browser.token, string(browser.account), 1},
		"nobody's":    {make(integrity.Token, 32), string(owner.account), 0},
	} {
		before := r.count(stolen, of.account)
		if _, err := r.Prove(t.Context(), thief.message(of.token), of.token, false); !errors.Is(err, integrity.ErrSessionEnded) {
			t.Errorf("%s: %v, want %v", name, err, integrity.ErrSessionEnded)
		}
		if got := r.count(stolen, of.account) - before; got != of.want {
			t.Errorf("%s: %d entries, want %d", name, got, of.want)
		}
	}
	for range 5 { // who has one token writes no record full
		_, _ = r.Prove(t.Context(), thief.message(owner.token), owner.token, false)
	}
	if got := r.count(stolen, string(owner.account)); got != 3 {
		t.Errorf("%d entries where 3 find room", got)
	}
	if n := r.count(`audit_entry WHERE account = ? AND action = 'session.refused'`, string(thief.account)); n != 0 {
		t.Errorf("%d entries in the thief's own record", n)
	}
	if _, err := r.Prove(t.Context(), owner.message(owner.token), owner.token, false); err != nil {
		t.Errorf("the owner: %v", err)
	}
	r.checked()
}
