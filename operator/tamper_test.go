package operator_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

type auditEntry = audit.Entry

func (r *rig) count(table string) (n int) {
	r.t.Helper()
	db, err := sql.Open("sqlite", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT count(*) FROM ` + table).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// TestTampered: who can only write to the store makes nobody an operator.
func TestTampered(t *testing.T) {
	type parts struct {
		*rig
		in     *operator.Invited
		s      *operator.Signed
		enrol  *operator.Answer
		signIn *operator.Answer
	}
	tests := []struct {
		name, change string
		try          func(*testing.T, *parts) error
	}{
		{"a link that lasts longer", `UPDATE operator SET invited_until = invited_until + 1 WHERE name = 'aki'`, func(t *testing.T, p *parts) error {
			_, err := p.BeginEnrol(t.Context(), p.in.Secret, p.browser)
			return err
		}},
		{"a link of one's own", `UPDATE operator SET user_handle = randomblob(64) WHERE name = 'aki'`, func(t *testing.T, p *parts) error {
			_, err := p.BeginEnrol(t.Context(), p.in.Secret, p.browser)
			return err
		}},
		{"the name of an invitation", `UPDATE operator SET name = 'root' WHERE name = 'aki'`, func(t *testing.T, p *parts) error {
			_, err := p.FinishEnrol(t.Context(), p.enrol)
			return err
		}},
		{"an enrolment for somebody else", `UPDATE operator_ceremony SET operator = (SELECT id FROM operator WHERE name = 'mika')`, func(t *testing.T, p *parts) error {
			_, err := p.FinishEnrol(t.Context(), p.enrol)
			return err
		}},
		{"a challenge that is known", `UPDATE operator_ceremony SET challenge = randomblob(32)`, func(t *testing.T, p *parts) error {
			_, err := p.FinishSignIn(t.Context(), p.signIn)
			return err
		}},
		{"a ceremony that lasts longer", `UPDATE operator_ceremony SET expires_at = expires_at + 1`, func(t *testing.T, p *parts) error {
			_, err := p.FinishSignIn(t.Context(), p.signIn)
			return err
		}},
		{"a counter put back", `UPDATE operator SET sign_count = 0 WHERE name = 'mika'`, func(t *testing.T, p *parts) error {
			_, err := p.FinishSignIn(t.Context(), p.signIn)
			return err
		}},
		{"back from removal", `UPDATE operator SET removed_at = 1 WHERE name = 'mika'`, func(t *testing.T, p *parts) error {
			_, err := p.Check(t.Context(), p.s.Token)
			return err
		}},
		{"a session that lasts longer", `UPDATE operator_session SET until = until + 1`, func(t *testing.T, p *parts) error {
			_, err := p.Check(t.Context(), p.s.Token)
			return err
		}},
		{"a session of somebody else", `UPDATE operator_session SET operator = (SELECT id FROM operator WHERE name = 'aki')`, func(t *testing.T, p *parts) error {
			_, err := p.Check(t.Context(), p.s.Token)
			return err
		}},
		{"a session revived", `UPDATE operator_session SET ended_at = 1`, func(t *testing.T, p *parts) error {
			_, err := p.Check(t.Context(), p.s.Token)
			return err
		}},
		{"an operator in the list", `UPDATE operator SET record = x'7b7d' WHERE name = 'aki'`, func(t *testing.T, p *parts) error {
			_, err := p.List(t.Context(), local)
			return err
		}},
		{"an invitation renewed", `UPDATE operator SET added_at = 1 WHERE name = 'aki'`, func(t *testing.T, p *parts) error {
			_, err := p.Invite(t.Context(), local, "aki")
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &parts{rig: newRig(t)}
			p.s = p.rig.enrol("mika")
			p.signIn = p.answer()
			p.in = p.invite("aki")
			mika := p.key
			p.key = authenticator(t, &passkeytest.Options{})
			p.enrol = p.enrolment(p.in.Secret)
			p.key = mika
			p.behind(tt.change)
			if err := tt.try(t, p); !errors.Is(err, operator.ErrTampered) {
				t.Errorf("%v", err)
			}
		})
	}
}
