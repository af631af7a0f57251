package recovery_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
)

func (p *phone) incomplete(err error, answered int) {
	p.Helper()
	var ue *recovery.UnavailableError
	if !errors.As(err, &ue) {
		p.Fatalf("error %v, want an UnavailableError", err)
	}
	if ue.Answered != answered || ue.Needed != 3 {
		p.Errorf("%d answered, %d needed, want %d and 3: %v", ue.Answered, ue.Needed, answered, err)
	}
	if in := p.journal().Info(); in.Complete {
		p.Errorf("the journal is complete: %+v", in)
	}
}

// TestVaultAway: a first registration works with two of three vaults, another
// PIN waits for all; both go on when the third is back.
func TestVaultAway(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	v3 := p.vaults.List[2]
	v3.Stop()
	p.incomplete(p.register("482915", "one"), 2)
	p.recovers("482915", "one")
	p.wrong("000000", 9)
	p.incomplete(p.register("482915", "one"), 2)
	v3.Start()
	p.must(p.register("482915", "one"))
	if p.asked != 1 {
		t.Errorf("the owner was asked %d times for one registration", p.asked)
	}
	p.vaults.List[0].Stop()
	p.recovers("482915", "one") // with the shares that came late
	p.incomplete(p.register("739164", "two"), 2)
	p.recovers("482915", "one") // the old one stands
	p.incomplete(p.client.Update(t.Context(), p.journal(), payloadOf("three")), 2)
	p.vaults.List[0].Start()
	p.must(p.register("739164", "two"))
	p.recovers("739164", "two")
	p.wrong("482915", 9)

	v3.Stop()
	p.incomplete(p.client.Update(t.Context(), p.journal(), payloadOf("four")), 2)
	p.recovers("739164", "four")
	v3.Start()
	p.vaults.List[0].Stop() // v2 and v3: hashes are split, the highest seq counts
	p.recovers("739164", "four")
	p.vaults.List[0].Start()
	p.must(p.client.Update(t.Context(), p.journal(), payloadOf("four")))
	if in := p.journal().Info(); !in.Complete || in.Seq != 2 {
		t.Errorf("%+v", in)
	}
	p.recovers("739164", "four")
}

// TestAnotherPINMeanwhile: what was begun with one PIN is finished, or dropped if
// nobody has heard of it, when the user comes back with another.
func TestAnotherPINMeanwhile(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "one"))
	p.vaults.List[2].Stop()
	p.incomplete(p.register("739164", "two"), 2)
	p.vaults.List[2].Start()
	p.must(p.register("615283", "three"))
	p.recovers("615283", "three")
	p.wrong("739164", 9)
	p.net.Script = func(c recoverytest.Call) recoverytest.Fault { return at(c.Method == "PutBlob", recoverytest.Drop) }
	if err := p.register("904716", "four"); err == nil {
		t.Fatal("no error")
	}
	p.net.Script = nil
	p.net.Reset()
	p.must(p.register("615284", "five"))
	if n := p.net.Count(wire.OpCreate); n != 3 {
		t.Errorf("%d creates: the one that nobody has heard of was finished", n)
	}
	p.recovers("615284", "five")
}

// TestOtherDevice: one that missed a registration finds out, and touches nothing.
func TestOtherDevice(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "one"))
	late := p.backup
	p.must(p.register("739164", "two"))
	newest := p.backup
	for _, stale := range [][]byte{late, nil} {
		p.backup = stale
		if err := p.register("615283", "three"); !errors.Is(err, recovery.ErrOtherDevice) {
			t.Errorf("register: %v", err)
		}
	}
	p.backup = late
	if err := p.client.Update(t.Context(), p.journal(), payloadOf("three")); !errors.Is(err, recovery.ErrOtherDevice) {
		t.Errorf("update: %v", err)
	}
	p.recovers("739164", "two")
	p.backup = newest
	p.must(p.client.Update(t.Context(), p.journal(), payloadOf("three")))
	p.recovers("739164", "three")

	p.backup = nil // nobody has the key any more: the service vouches for a deletion
	_, err := p.client.Delete(t.Context(), nil)
	p.must(err)
	p.must(p.register("615283", "four"))
	p.recovers("615283", "four")
}

// TestRenewWhatIsNotCurrent: the phone was lost while it changed the PIN. One
// vault has the new registration as the current one; the pointer, and so the
// owner's PIN, is the old one.
func TestRenewWhatIsNotCurrent(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "one"))
	p.net.Script = func(c recoverytest.Call) recoverytest.Fault {
		return at(c.Op == wire.OpActivate && c.Vault != "v1", recoverytest.Drop)
	}
	p.incomplete(p.register("739164", "two"), 1)
	p.net.Script = nil
	p.backup = nil
	r := p.recovers("482915", "one")
	b, err := p.client.Renew(t.Context(), r.Backup, pinOf(t, "482915"), r.Payload)
	p.must(err)
	if in := b.Info(); !in.Complete || in.Reg == r.Reg {
		t.Errorf("%+v", in)
	}
	p.recovers("482915", "one")
	p.wrong("739164", 9)
}

// TestRenewIsDue: a phone that was to replace the keys behind the PIN, and could not
// even ask, is not done until it has. An update does not do it.
func TestRenewIsDue(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "one"))
	r := p.recovers("482915", "one")
	for _, method := range []string{"GetConfig", "GetBackup"} {
		p.net.Script = func(c recoverytest.Call) recoverytest.Fault { return at(c.Method == method, recoverytest.Drop) }
		if _, err := p.client.Renew(t.Context(), p.journal(), pinOf(t, "482915"), r.Payload); err == nil {
			t.Fatal("renewed without an answer")
		}
		if in := p.journal().Info(); in.Complete || in.Reg != r.Reg {
			t.Errorf("%s lost: %+v", method, in)
		}
	}
	p.net.Script = nil
	p.must(p.client.Update(t.Context(), p.journal(), payloadOf("two")))
	if p.journal().Info().Complete {
		t.Error("an update is taken for it")
	}
	p.must(p.register("482915", "two"))
	if in := p.journal().Info(); !in.Complete || in.Reg == r.Reg {
		t.Errorf("%+v", in)
	}
	p.recovers("482915", "two")
}

// TestEpochs: the vaults' keys are replaced between any two calls.
func TestEpochs(t *testing.T) {
	for _, op := range []wire.Op{wire.OpStatus, wire.OpUpdate, wire.OpEvaluate, wire.OpRelease} {
		t.Run(op.String(), func(t *testing.T) {
			var ahead atomic.Int64
			now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			p := newPhone(t, recoverytest.Options{Now: now})
			p.client = p.newClient(func(o *recovery.ClientOptions) { o.Now = now })
			p.must(p.register("482915", "one"))
			rotated := false
			p.net.Script = func(c recoverytest.Call) recoverytest.Fault {
				if c.Op != op || rotated {
					return recoverytest.Pass
				}
				rotated = true
				for range 2 { // the epoch before the newest would still be good
					ahead.Add(int64(31 * 24 * time.Hour))
					for _, v := range p.vaults.List {
						p.must(v.Renew(t.Context()))
						p.must(p.service.Reseal(t.Context(), v))
					}
				}
				return recoverytest.Pass
			}
			p.must(p.client.Update(t.Context(), p.journal(), payloadOf("two")))
			p.recovers("482915", "two")
			p.wrong("000000", 9)
			if !rotated {
				t.Error("nothing was rotated")
			}
		})
	}
}

// TestStatus is what the vaults say, free.
func TestStatus(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	status := func(want string, remaining int) *recovery.Status {
		t.Helper()
		s, err := p.client.Status(t.Context(), p.journal())
		p.must(err)
		if s.State != want || s.Remaining != remaining || s.Limit != 10 || len(s.Vaults) != 3 {
			t.Errorf("%+v, want %s with %d remaining", s, want, remaining)
		}
		return s
	}
	status(recovery.StatusNone, 10)
	p.must(p.register("482915", "one"))
	s := status(recovery.StatusActive, 10)
	if v := s.Vaults[1]; v.ID != "v2" || v.Operator != "local" || v.Platform != "process" || !v.Reachable || v.State != "active" || s.Assurance != "process" || s.Operators != 1 {
		t.Errorf("%+v, %+v", s, v)
	}
	p.wrong("000000", 9)
	if s := status(recovery.StatusActive, 9); s.Vaults[0].Used != 1 {
		t.Errorf("%+v", s.Vaults)
	}
	p.vaults.List[2].Stop()
	if s := status(recovery.StatusDegraded, 9); s.Vaults[2].Reachable || s.Vaults[2].Err == nil {
		t.Errorf("%+v", s.Vaults)
	}
	p.vaults.List[1].Stop()
	s, err := p.client.Status(t.Context(), p.journal())
	var ue *recovery.UnavailableError
	if !errors.As(err, &ue) || ue.Answered != 1 || ue.Needed != 2 || s == nil || s.Remaining != -1 {
		t.Errorf("one of three: %+v, %v", s, err)
	}
	p.vaults.List[1].Start()
	p.incomplete(p.client.Update(t.Context(), p.journal(), payloadOf("two")), 2)
	status(recovery.StatusPending, 9)
	p.vaults.List[2].Start()
	p.must(p.client.Update(t.Context(), p.journal(), payloadOf("two")))
	for i := range 9 {
		p.wrong("000000", 8-i)
	}
	status(recovery.StatusLocked, 0)
	if err := p.client.Update(t.Context(), p.journal(), payloadOf("three")); !errors.Is(err, recovery.ErrLocked) {
		t.Errorf("update of what is locked: %v", err)
	}
	p.vaults.List[0].Stop()
	_, err = p.client.Delete(t.Context(), p.journal())
	p.incomplete(err, 2)
	p.vaults.List[0].Start()
	_, err = p.client.Delete(t.Context(), p.journal())
	p.must(err)
}
