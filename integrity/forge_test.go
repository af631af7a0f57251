package integrity_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/integrity"
)

// forged puts a browser session into the store as one who can write to it would:
// for a token that he chooses, and with a passkey's proof of this moment. The MAC
// is that of the session that it was made from.
func (r *rig) forged(of account.ID) integrity.Token {
	r.t.Helper()
	token := make(integrity.Token, 32)
	token[0] = 1
	sum := sha256.Sum256(token)
	r.exec(`INSERT INTO session (id, account, device, kind, proofs, origin, label, network, place, created_at, last_seen_at, until, ended_why, token_hash, mac)
		SELECT 's_aaaaaaaaaaaaaaaaaaaaaaaaaa', account, device, kind, json_array(json_object('method', 'passkey', 'at', '2026-11-22T12:00:00Z')),
			origin, label, network, place, created_at, last_seen_at, until, '', x'`+hex.EncodeToString(sum[:])+`', mac FROM session WHERE account = ?`, string(of))
	return token
}

// locked wants the account locked, and the owner told once.
func (r *rig) locked(id account.ID) {
	r.t.Helper()
	if a := r.stateOf(id); a != account.Locked {
		r.t.Errorf("the account is %s", a)
	}
	if n := r.count("alert WHERE account = ? AND kind = 'account.locked'", string(id)); n != 1 {
		r.t.Errorf("the owner is told %d times", n)
	}
}

func (r *rig) stateOf(id account.ID) account.State {
	r.t.Helper()
	return read(r, func(tx integrity.Tx) (account.State, error) {
		a, _, err := tx.Account(r.t.Context(), id)
		return a.State, err
	})
}

// wrongMACs gives the subjects of the rows whose MAC a check finds wrong.
func (r *rig) wrongMACs() []string {
	r.t.Helper()
	var found []string
	for _, p := range r.report().Problems {
		if p.Kind != audit.RowMAC {
			r.t.Errorf("the check finds %+v", p)
		}
		found = append(found, p.Subject)
	}
	return found
}

// TestSessionForged: a session that nobody has signed in opens nothing, and one
// that somebody changed neither.
func TestSessionForged(t *testing.T) {
	for name, change := range map[string]string{
		"account":   "UPDATE session SET account = ?2 WHERE account = ?1",
		"kind":      "UPDATE session SET kind = 'guest' WHERE account = ?1 AND ?2 <> ''",
		"proofs":    "UPDATE session SET proofs = json_array(json_object('method', 'passkey', 'at', '2026-11-22T12:00:00Z')) WHERE account = ?1 AND ?2 <> ''",
		"until":     "UPDATE session SET until = until + 1000000 WHERE account = ?1 AND ?2 <> ''",
		"MAC gone":  "UPDATE session SET mac = x'' WHERE account = ?1 AND ?2 <> ''",
		"MAC of it": "UPDATE session SET mac = (SELECT mac FROM session WHERE account = ?2) WHERE account = ?1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			b, other := r.signUp(), r.signUp()
			r.exec(change, string(b.account), string(other.account))
			if _, err := r.BrowserCaller(t.Context(), b.token, network, ""); !errors.Is(err, integrity.ErrIntegrity) {
				t.Errorf("%v, want %v", err, integrity.ErrIntegrity)
			}
			if name == "account" {
				r.locked(other.account)
			} else {
				r.locked(b.account)
			}
		})
	}
}

// TestSessionInvented: whoever finds it first locks the account: he who bears it,
// the backend that is asked about it, or the owner who lists his sessions.
func TestSessionInvented(t *testing.T) {
	for name, use := range map[string]func(*rig, *browser, integrity.Token) error{
		"borne": func(r *rig, _ *browser, token integrity.Token) error {
			_, err := r.BrowserCaller(r.t.Context(), token, network, "")
			return err
		},
		"asked about": func(r *rig, _ *browser, token integrity.Token) error {
			_, err := r.CheckSession(r.t.Context(), account.Caller{Kind: account.Backend, App: "demo"}, token)
			return err
		},
		"acted with": func(r *rig, b *browser, _ integrity.Token) error {
			c := b.caller()
			c.Session = "s_aaaaaaaaaaaaaaaaaaaaaaaaaa"
			_, _, err := r.Passkeys(r.t.Context(), c)
			return err
		},
		"listed": func(r *rig, b *browser, _ integrity.Token) error {
			_, _, err := r.Devices(r.t.Context(), b.caller())
			return err
		},
		"ended": func(r *rig, b *browser, _ integrity.Token) error {
			_, err := r.SignOut(r.t.Context(), b.caller())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			b := r.signUp()
			token := r.forged(b.account)
			if err := use(r, b, token); !errors.Is(err, integrity.ErrIntegrity) {
				t.Errorf("%v, want %v", err, integrity.ErrIntegrity)
			}
			r.locked(b.account)
			if n := r.count("session WHERE ended_at IS NULL"); n != 0 {
				t.Errorf("%d sessions of the locked account live", n)
			}
			if found := r.wrongMACs(); len(found) != 1 || found[0] != "s_aaaaaaaaaaaaaaaaaaaaaaaaaa" {
				t.Errorf("a check finds %q wrong", found)
			}
		})
	}
}

// TestPendingForged: the clock runs nothing that nobody has begun.
func TestPendingForged(t *testing.T) {
	const id = "p_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	for name, use := range map[string]func(*rig, *browser) error{
		"run": func(r *rig, _ *browser) error {
			_, err := r.Tick(r.t.Context())
			return err
		},
		"vetoed": func(r *rig, b *browser) error {
			_, err := r.Veto(r.t.Context(), b.caller(), "", id)
			return err
		},
		"listed": func(r *rig, b *browser) error {
			_, err := r.Status(r.t.Context(), b.caller())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			b := r.signUp()
			r.exec(`INSERT INTO pending (id, account, action, params, created_by, created_at, opens_at, state, mac)
				VALUES ('`+id+`', ?, 'account.delete', CAST('{}' AS BLOB), CAST('{"kind":"browser"}' AS BLOB), 1, 2, 'open', zeroblob(32))`, string(b.account))
			if err := use(r, b); !errors.Is(err, integrity.ErrIntegrity) {
				t.Errorf("%v, want %v", err, integrity.ErrIntegrity)
			}
			r.locked(b.account)
			if found := r.wrongMACs(); len(found) != 1 || found[0] != id {
				t.Errorf("a check finds %q wrong", found)
			}
			if _, err := r.Tick(t.Context()); err != nil {
				t.Errorf("the clock stumbles over it again: %v", err)
			}
		})
	}
}

// TestJoinForged: no join is confirmed by who can write to the store, and no row
// of one tells the account that it locks but its own.
func TestJoinForged(t *testing.T) {
	for name, use := range map[string]func(*rig, *browser, *browser, account.JoinID) error{
		"waited for": func(r *rig, _, thief *browser, id account.JoinID) error {
			_, err := r.JoinStatus(r.t.Context(), r.anonymous(), &integrity.JoinWait{Join: id, Browser: thief.at})
			return err
		},
		"finished": func(r *rig, _, thief *browser, id account.JoinID) error {
			_, err := r.FinishJoin(r.t.Context(), r.anonymous(), &integrity.JoinAnswer{Join: id, Ceremony: account.NewCeremonyID(), Browser: thief.at})
			return err
		},
		"ended": func(r *rig, victim, _ *browser, _ account.JoinID) error {
			victim.stepUp()
			_, err := r.SignOutOthers(r.t.Context(), victim.caller())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			victim, thief := r.signUp(), r.newBrowser()
			opened := must[*integrity.JoinOpened](t)(r.RequestJoin(t.Context(), r.anonymous(), &integrity.JoinRequest{Kind: integrity.JoinBrowser, Browser: thief.at}))
			r.exec("UPDATE joining SET state = 'confirmed', account = ? WHERE id = ?", string(victim.account), string(opened.Join))
			if err := use(r, victim, thief, opened.Join); !errors.Is(err, integrity.ErrIntegrity) {
				t.Errorf("%v, want %v", err, integrity.ErrIntegrity)
			}
			r.locked(victim.account)
			if found := r.wrongMACs(); len(found) != 1 || found[0] != string(opened.Join) {
				t.Errorf("a check finds %q wrong", found)
			}
		})
	}
}
