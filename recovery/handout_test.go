package recovery_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
)

// most is what an insider gets of a registration: three vaults count ten attempts
// each, and two are needed for one.
const most = 15

// unfinished is a phone whose registration stays pending: the insider lets no
// create reach v3.
func unfinished(t *testing.T) *phone {
	p := newPhone(t, recoverytest.Options{})
	p.net.Script = func(c recoverytest.Call) recoverytest.Fault {
		return at(c.Vault == "v3" && c.Op == wire.OpCreate, recoverytest.Drop)
	}
	return p
}

// thief is a phone of the insider's, with all that the service can give.
func (p *phone) thief(way recovery.Transport) *phone {
	q := &phone{T: p.T, vaults: p.vaults, service: p.service, net: &recoverytest.Network{Transport: way}}
	q.client = q.newClient(nil)
	return q
}

// guess tries wrong PINs until it is told to stop, or to have only the last left.
func (p *phone) guess() (n int) {
	for ; n < 9; n++ {
		_, err := p.recover("000000")
		var ge *recovery.GuessError
		if !errors.As(err, &ge) || ge.Remaining == 0 {
			break
		}
	}
	return n
}

// renamer is a service that calls the account otherwise each time the phone comes.
type renamer struct {
	recovery.Transport // of other names, and over the same vaults
	first              recovery.Transport
}

func (s *renamer) PutBlob(ctx context.Context, reg [16]byte, blob []byte) error {
	return s.first.PutBlob(ctx, reg, blob)
}

func (s *renamer) CommitBackup(ctx context.Context, reg [16]byte, stage recovery.Stage, hash [32]byte) error {
	return s.first.CommitBackup(ctx, reg, stage, hash)
}

func (s *renamer) OpenSession(ctx context.Context, id account.ID, t recovery.TicketSecret) (*recovery.SessionView, error) {
	v, err := s.first.OpenSession(ctx, id, t)
	if err != nil {
		return nil, err
	}
	b, err := s.GetBackup(ctx)
	if err == nil {
		v.Accts = b.Accts
	}
	return v, err
}

// TestPendingRenamed: at each start of the app the service names another account
// at the vaults, where nobody has counted yet. The phone goes to the first alone.
func TestPendingRenamed(t *testing.T) {
	p := unfinished(t)
	first, guesses := p.service, 0
	for i := range 3 {
		way := &renamer{first: first, Transport: recoverytest.NewService(p.vaults, owner)}
		p.net.Transport = way
		err := p.register("482915", "secret")
		if i > 0 && !errors.Is(err, recovery.ErrRenamed) {
			t.Errorf("register, start %d: %v", i+1, err)
		}
		guesses += p.thief(way).guess()
	}
	if guesses == 0 || guesses > most {
		t.Errorf("%d guesses at one registration, and %d are the most", guesses, most)
	}
}

// TestRenamed: nothing is done at an account that the phone does not know, whatever
// it was asked for; and when the service comes to its senses, all of it.
func TestRenamed(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "one"))
	r := p.recovers("482915", "one")
	recovered, err := r.Backup.Encode()
	p.must(err)
	honest := p.net.Transport
	for name, disk := range map[string][]byte{"registered": p.backup, "recovered": recovered} {
		p.backup = disk
		p.net.Transport = &renamer{first: p.service, Transport: recoverytest.NewService(p.vaults, owner)}
		p.net.Reset()
		_, deleted := p.client.Delete(t.Context(), p.journal())
		_, status := p.client.Status(t.Context(), p.journal())
		for act, err := range map[string]error{
			"register": p.register("739164", "two"), "delete": deleted, "status": status,
			"update": p.client.Update(t.Context(), p.journal(), payloadOf("two")),
		} {
			if !errors.Is(err, recovery.ErrRenamed) {
				t.Errorf("%s, %s: %v", name, act, err)
			}
		}
		for _, c := range p.net.Calls() {
			if c.Method != "GetConfig" && c.Method != "GetBackup" {
				t.Errorf("%s: %s %v", name, c.Method, c.Op)
			}
		}
		p.net.Transport = honest
		p.must(p.client.Update(t.Context(), p.journal(), payloadOf("one")))
	}
	p.recovers("482915", "one")
}

// TestPendingForgotten: the insider uses up what the phone has brought so far, and
// makes room for it once more. The phone brings it to no second place, says so, and
// makes another registration when the owner is there again.
func TestPendingForgotten(t *testing.T) {
	for name, again := range map[string]func(*phone){
		"deleted": func(p *phone) {
			_, err := p.client.Delete(t.Context(), nil)
			p.must(err)
		},
		"deleted at one": func(p *phone) {
			p.net.Script = func(c recoverytest.Call) recoverytest.Fault { return at(c.Vault == "v2", recoverytest.Drop) }
			if _, err := p.client.Delete(t.Context(), nil); !errors.Is(err, recovery.ErrUnavailable) {
				t.Fatal(err)
			}
			p.net.Script = nil
		},
		"locked": func(p *phone) { p.wrong("111111", 0) },
		"locked and deleted": func(p *phone) {
			p.wrong("111111", 0)
			_, err := p.client.Delete(t.Context(), nil)
			p.must(err)
		},
	} {
		for dies, journal := range map[string]func(*phone) func(){
			"": func(*phone) func() { return func() {} },
			", and the phone died as it sent": func(p *phone) func() {
				var disk []byte
				script := p.net.Script
				p.net.Script = func(c recoverytest.Call) recoverytest.Fault {
					if c.Op == wire.OpCreate && disk == nil {
						disk = p.backup
					}
					return script(c)
				}
				return func() { p.backup = disk }
			},
		} {
			t.Run(name+dies, func(t *testing.T) {
				p := unfinished(t)
				killed := journal(p)
				p.incomplete(p.register("482915", "one"), 2)
				killed()
				reg := p.journal().Info().Reg
				insider := p.thief(p.service)
				guesses := insider.guess()
				again(insider)
				for range 3 { // whenever the app starts
					if err := p.client.Update(t.Context(), p.journal(), payloadOf("two")); !errors.Is(err, recovery.ErrForgotten) {
						t.Errorf("update: %v", err)
					}
					guesses += insider.guess()
				}
				if guesses != 9 {
					t.Errorf("%d guesses, want the 9 of the first time", guesses)
				}
				if in := p.journal().Info(); in.Reg != reg || in.Complete {
					t.Errorf("the journal says %+v", in)
				}
				p.net.Script = nil
				p.must(p.register("482915", "two"))
				if in := p.journal().Info(); in.Reg == reg || !in.Complete {
					t.Errorf("the journal says %+v", in)
				}
				p.recovers("482915", "two")
			})
		}
	}
}

// TestPendingForgottenBeside: the same while another PIN takes the place of one
// that stands, wherever that has come to, when two vaults are locked.
func TestPendingForgottenBeside(t *testing.T) {
	for _, tc := range []struct {
		name string
		lost wire.Op // that no vault gets but
		but  string
		free string // the vault that is not locked
	}{
		{"created at two", wire.OpCreate, "v1 v2", "v3"},
		{"sent to two that were locked first", wire.OpCreate, "v1", "v1"},
		{"activated at one that is locked", wire.OpActivate, "v1", "v3"},
		{"activated at one that is not", wire.OpActivate, "v1", "v1"},
		{"pointed at", wire.OpFinalize, "", "v3"},
		{"finalized at one", wire.OpFinalize, "v3", "v3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPhone(t, recoverytest.Options{})
			p.must(p.register("482915", "one"))
			p.net.Script = func(c recoverytest.Call) recoverytest.Fault {
				return at(c.Op == tc.lost && !strings.Contains(tc.but, c.Vault), recoverytest.Drop)
			}
			if err := p.register("739164", "two"); !errors.Is(err, recovery.ErrUnavailable) {
				t.Fatal(err)
			}
			p.net.Script = nil
			reg := p.journal().Info().Reg
			insider := p.thief(p.service)
			insider.net.Script = func(c recoverytest.Call) recoverytest.Fault { return at(c.Vault == tc.free, recoverytest.Drop) }
			insider.guess()
			insider.wrong("111111", 0)
			if err := p.register("739164", "two"); !errors.Is(err, recovery.ErrForgotten) {
				t.Fatalf("error %v", err)
			}
			p.must(p.register("739164", "three"))
			if p.journal().Info().Reg == reg {
				t.Error("it is the same registration")
			}
			p.recovers("739164", "three")
		})
	}
}
