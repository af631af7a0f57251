package operator_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/store/sqlite"
)

// keepRows copies the rows of operators and sessions, as somebody does who can write
// to the store and will be removed.
const keepRows = `CREATE TABLE kept_operator AS SELECT * FROM operator; CREATE TABLE kept_session AS SELECT * FROM operator_session`

// putBack puts them there again, with their MACs.
const (
	putBackOperator = `INSERT OR REPLACE INTO operator SELECT * FROM kept_operator;`
	putBackSession  = `INSERT OR REPLACE INTO operator_session SELECT * FROM kept_session;`
)

// insider is an operator, mika, who has kept rows, and is not any more.
type insider struct {
	*rig
	s *operator.Signed
}

// newInsider lets him enrol and keep his rows.
func newInsider(t *testing.T) *insider {
	t.Helper()
	r := newRig(t)
	p := &insider{r, r.enrol("mika")}
	p.behind(keepRows)
	return p
}

func (p *insider) remove() {
	p.t.Helper()
	if _, err := p.Remove(p.t.Context(), local, "mika"); err != nil {
		p.t.Fatal(err)
	}
}

// forge appends an entry to the app's chain, well numbered, linked and hashed.
func (p *insider) forge(e audit.Entry) {
	p.t.Helper()
	if err := p.store.Update(p.t.Context(), func(tx *sqlite.Tx) error { return tx.AppendAudit(p.t.Context(), e) }); err != nil {
		p.t.Fatal(err)
	}
}

// told gives the last entry of an action.
func (p *insider) told(action string) audit.Entry {
	p.t.Helper()
	all := p.entries()
	i := slices.IndexFunc(all, func(e audit.Entry) bool { return e.Action == action })
	if i < 0 {
		p.t.Fatalf("no %s", action)
	}
	return all[i]
}

// TestPutBack: who keeps rows of an operator and his session, and puts them back with
// their MACs, is not let in, and the check names them; whatever he does to the record.
func TestPutBack(t *testing.T) {
	const cutOff = `DELETE FROM audit_entry WHERE account = '' AND action IN ('operator.remove', 'operator.sign_out');`
	signedOut := func(p *insider) {
		if err := p.SignOut(p.t.Context(), p.s.Token); err != nil {
			p.t.Fatal(err)
		}
	}
	tests := []struct {
		name   string
		attack func(p *insider)
		want   error
		check  []string // kinds of problems; nil: he has cut off the end, which no check sees
	}{
		{"nothing", func(*insider) {}, nil, []string{}},
		{"removed", func(p *insider) { p.remove() }, operator.ErrSession, []string{}},
		{"signed out", signedOut, operator.ErrSession, []string{}},
		{"both rows after a removal", func(p *insider) {
			p.remove()
			p.behind(putBackOperator + putBackSession)
		}, operator.ErrTampered, []string{audit.RowDigest, audit.RowDigest}},
		{"the session after a removal", func(p *insider) {
			p.remove()
			p.behind(putBackSession)
		}, operator.ErrTampered, []string{audit.RowDigest}},
		{"the session after a sign-out", func(p *insider) {
			signedOut(p)
			p.behind(putBackSession)
		}, operator.ErrTampered, []string{audit.RowDigest}},
		{"and forges an enrolment", func(p *insider) {
			again := p.told("operator.enrol")
			p.remove()
			p.behind(putBackOperator + putBackSession)
			p.forge(again)
		}, operator.ErrTampered, []string{audit.IllegalStep, audit.RowDigest, audit.RowDigest}},
		{"and forges an invitation and an enrolment", func(p *insider) {
			first, again := p.told("operator.invite"), p.told("operator.enrol")
			p.remove()
			p.behind(putBackOperator + putBackSession)
			p.forge(first)
			p.forge(again)
		}, operator.ErrTampered, []string{audit.IllegalStep, audit.IllegalStep, audit.RowDigest, audit.RowDigest}},
		{"and forges a sign-in in the session", func(p *insider) {
			again := p.told("operator.enrol")
			again.Action, again.Object = "operator.sign_in", nil
			signedOut(p)
			p.behind(putBackSession)
			p.forge(again)
		}, operator.ErrTampered, []string{audit.IllegalStep, audit.RowDigest}},
		{"a session of which nothing tells", func(p *insider) {
			p.behind(`UPDATE audit_entry SET actor_session = 'x' WHERE action = 'operator.enrol'`)
			p.Service = p.serve()
		}, operator.ErrTampered, []string{audit.ChainBreak, audit.RowWithoutEntry}},
		{"the removal cut off, once it was read", func(p *insider) {
			p.remove()
			if err := p.Follow(p.t.Context()); err != nil {
				p.t.Error(err)
			}
			p.behind(putBackOperator + putBackSession + cutOff)
		}, operator.ErrTampered, nil},
		{"the removal replaced, once it was read", func(p *insider) {
			last := p.told("operator.enrol")
			last.Action, last.Object = "operator.refused", nil
			p.remove()
			if err := p.Follow(p.t.Context()); err != nil {
				p.t.Error(err)
			}
			p.behind(putBackOperator + putBackSession + cutOff)
			p.forge(last)
		}, operator.ErrTampered, nil},
		{"the removal taken out of the middle, and nobody has read it", func(p *insider) {
			p.remove()
			p.invite("aki")
			p.behind(putBackOperator + putBackSession + cutOff)
			p.Service = p.serve()
		}, operator.ErrTampered, []string{audit.ChainGap}},
		{"the removal changed into something else, and nobody has read it", func(p *insider) {
			p.remove()
			p.behind(putBackOperator + putBackSession + `UPDATE audit_entry SET action = 'x', object = NULL WHERE action = 'operator.remove'`)
			p.Service = p.serve()
		}, operator.ErrTampered, []string{audit.ChainBreak}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newInsider(t)
			if _, err := p.Check(t.Context(), p.s.Token); err != nil {
				t.Fatal(err)
			}
			tt.attack(p)
			if _, err := p.Check(t.Context(), p.s.Token); !errors.Is(err, tt.want) {
				t.Errorf("Check: %v, want %v", err, tt.want)
			}
			if err := p.Look(t.Context(), p.s.Token, alice); !errors.Is(err, tt.want) {
				t.Errorf("Look: %v, want %v", err, tt.want)
			}
			if err := p.Follow(t.Context()); tt.check == nil && !errors.Is(err, operator.ErrTampered) {
				t.Errorf("Follow: %v", err)
			}
			if got := p.kinds(); tt.check != nil && !slices.Equal(got, tt.check) {
				t.Errorf("the check finds %q, want %q", got, tt.check)
			}
		})
	}
}

// kinds are those of the problems of operators that a check finds.
func (p *insider) kinds() []string {
	p.t.Helper()
	p.behind(`DROP TABLE IF EXISTS kept_operator; DROP TABLE IF EXISTS kept_session`) // he tidies up
	report, err := p.store.CheckBy(p.t.Context(), func(tx *sqlite.Tx) (audit.Report, error) {
		return audit.Check(p.t.Context(), tx.Keyed(rowKey), &audit.CheckOptions{Now: p.now})
	})
	if err != nil {
		p.t.Fatal(err)
	}
	kinds := []string{}
	for _, one := range report.Problems {
		kinds = append(kinds, one.Kind)
	}
	slices.Sort(kinds)
	return kinds
}

// TestPutBackPasskey: neither the passkey of one who was removed counts, nor a link
// that was used.
func TestPutBackPasskey(t *testing.T) {
	t.Run("passkey", func(t *testing.T) {
		p := newInsider(t)
		p.remove()
		p.behind(putBackOperator)
		if _, err := p.FinishSignIn(t.Context(), p.answer()); !errors.Is(err, operator.ErrTampered) {
			t.Errorf("%v", err)
		}
		if _, err := p.List(t.Context(), local); !errors.Is(err, operator.ErrTampered) {
			t.Errorf("List: %v", err)
		}
		if _, err := p.Remove(t.Context(), local, "mika"); !errors.Is(err, operator.ErrTampered) { // and always
			t.Errorf("Remove: %v", err)
		}
		if _, err := p.List(t.Context(), local); err != nil {
			t.Errorf("List: %v", err)
		}
	})
	t.Run("link", func(t *testing.T) {
		r := newRig(t)
		in := r.invite("mika")
		r.behind(keepRows)
		if _, err := r.FinishEnrol(t.Context(), r.enrolment(in.Secret)); err != nil {
			t.Fatal(err)
		}
		r.behind(putBackOperator)
		if _, err := r.BeginEnrol(t.Context(), in.Secret, r.browser); !errors.Is(err, operator.ErrTampered) {
			t.Errorf("%v", err)
		}
		if _, err := r.Invite(t.Context(), local, "mika"); !errors.Is(err, operator.ErrTampered) {
			t.Errorf("%v", err)
		}
	})
}

// TestPutBackTold: nor does a row count again for an entry at the end of the record
// that has its digest.
func TestPutBackTold(t *testing.T) {
	t.Run("of somebody removed", func(t *testing.T) {
		p := newInsider(t)
		again := p.told("operator.enrol")
		again.Action, again.Actor = "operator.remove", audit.ActorOf(local)
		p.remove()
		p.behind(putBackOperator)
		p.forge(again)
		if gone, err := p.Removed(t.Context(), operator.ID(again.Subject)); !errors.Is(err, operator.ErrTampered) {
			t.Errorf("%v, %v", gone, err)
		}
		if got := p.kinds(); !slices.Contains(got, audit.RowDigest) {
			t.Errorf("the check finds %q", got)
		}
	})
	for name, forged := range map[string]time.Duration{"a link that was replaced": 0, "a link that was replaced, as one of now": time.Hour} {
		t.Run(name, func(t *testing.T) {
			p := &insider{rig: newRig(t)}
			in := p.invite("mika")
			p.behind(keepRows)
			again := p.told("operator.invite")
			p.now = p.now.Add(time.Hour)
			p.invite("mika")
			p.behind(putBackOperator)
			again.Time = again.Time.Add(forged)
			p.forge(again)
			if _, err := p.BeginEnrol(t.Context(), in.Secret, p.browser); !errors.Is(err, operator.ErrTampered) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestRemoveAnother: while an operator is removed, somebody has another row under his
// name, to put his own there again afterwards. Whoever removes him is told.
func TestRemoveAnother(t *testing.T) {
	for name, another := range map[string]string{
		"a made-up row":     `UPDATE operator SET id = 'o_cccccccccccccccccccccccccc' WHERE name = 'mika' AND removed_at IS NULL`,
		"one of an earlier": `DELETE FROM operator WHERE name = 'mika' AND removed_at IS NULL; ` + putBackOperator,
	} {
		t.Run(name, func(t *testing.T) {
			p := newInsider(t)
			p.remove()
			in := p.invite("mika")
			p.behind(another)
			if id, err := p.Remove(t.Context(), local, "mika"); !errors.Is(err, operator.ErrTampered) || id == "" || id == in.ID {
				t.Errorf("%s, %v", id, err)
			}
			if _, err := p.Remove(t.Context(), local, "mika"); !errors.Is(err, operator.ErrUnknown) {
				t.Errorf("it is removed all the same: %v", err)
			}
		})
	}
}

// TestFollowNotCommitted: what was read in a transaction that was undone is not
// missed afterwards.
func TestFollowNotCommitted(t *testing.T) {
	r := newRig(t)
	s := r.enrol("mika")
	undone := errors.New("undone")
	again := r.serve(func(o *operator.Options) {
		update := o.Update
		o.Update = func(ctx context.Context, fn func(operator.Tx) error) error {
			return update(ctx, func(tx operator.Tx) error {
				e := audit.Entry{Time: r.now, Actor: audit.Actor{Kind: account.System}, Action: "x"}
				if err := tx.AppendAudit(ctx, e); err != nil {
					return err
				}
				return errors.Join(fn(tx), undone)
			})
		}
	})
	if err := again.SignOut(t.Context(), s.Token); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if _, err := again.Check(t.Context(), s.Token); err != nil {
		t.Errorf("Check: %v", err)
	}
}

// TestOldCookie: one of last week is of nobody, and no sign that somebody changed
// something.
func TestOldCookie(t *testing.T) {
	r := newRig(t)
	s := r.enrol("mika")
	r.now = r.now.Add(100 * time.Hour)
	r.invite("aki")
	for range 2 {
		if _, err := r.Check(t.Context(), s.Token); !errors.Is(err, operator.ErrSession) {
			t.Errorf("%v", err)
		}
	}
	r.check()
}
