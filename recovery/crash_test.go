package recovery_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
)

// act is something a phone does, with what must be true before and after.
type act struct {
	name   string
	before func(*phone) // quiet
	do     func(*phone) error
	oldPIN string // and payload, that work before; empty: none
	old    string
	newPIN string
	new    string
}

func acts() []act {
	register := func(pin, secret string) func(*phone) error {
		return func(p *phone) error { return p.register(pin, secret) }
	}
	first := func(p *phone) { p.must(p.register("482915", "one")) }
	return []act{
		{name: "first", before: func(*phone) {}, do: register("739164", "two"), newPIN: "739164", new: "two"},
		{name: "replace", before: first, do: register("739164", "two"), oldPIN: "482915", old: "one", newPIN: "739164", new: "two"},
		{
			name: "update", before: first, oldPIN: "482915", old: "one", newPIN: "482915", new: "two",
			do: func(p *phone) error { return p.client.Update(p.Context(), p.journal(), payloadOf("two")) },
		},
		{
			name: "replace after another device", before: func(p *phone) {
				first(p)
				p.must(p.client.Update(p.Context(), p.journal(), payloadOf("x")))
				p.must(p.register("482915", "one")) // the same PIN, new keys
			}, do: register("739164", "two"), oldPIN: "482915", old: "one", newPIN: "739164", new: "two",
		},
	}
}

// TestCrash lets the phone die, and messages get lost, at every single step of
// every act. At that point one of both PINs works, on another phone; afterwards
// the same act is done again with what is on disk, and only the new PIN works
// (crash table, rows 18 to 22; invariant I4).
func TestCrash(t *testing.T) {
	faults := map[string]func(p *phone, n int){
		"request lost": func(p *phone, n int) {
			p.net.Script = func(c recoverytest.Call) recoverytest.Fault { return at(c.N == n, recoverytest.Drop) }
		},
		"answer lost": func(p *phone, n int) {
			p.net.Script = func(c recoverytest.Call) recoverytest.Fault { return at(c.N == n, recoverytest.Lose) }
		},
		"network gone": func(p *phone, n int) {
			p.net.Script = func(c recoverytest.Call) recoverytest.Fault { return at(c.N >= n, recoverytest.Lose) }
		},
		"dies at save": func(p *phone, n int) { p.die = func(saves int) bool { return saves >= n } },
	}
	for _, o := range []recoverytest.Options{{}, {Profile: recovery.ProfileSeed}} {
		for _, a := range acts() {
			if o.Profile == recovery.ProfileSeed && a.name != "first" && a.name != "replace" {
				continue
			}
			for fault, set := range faults {
				t.Run(fmt.Sprintf("%s/%s/%s", o.Profile, a.name, fault), func(t *testing.T) {
					t.Parallel()
					for n := 1; ; n++ {
						if n > 100 {
							t.Fatal("it never comes to an end")
						}
						if crash(t, o, a, func(p *phone) { set(p, n) }) {
							return
						}
					}
				})
			}
		}
	}
}

func at(yes bool, f recoverytest.Fault) recoverytest.Fault {
	if yes {
		return f
	}
	return recoverytest.Pass
}

// crash does one act with one fault. done: the fault was beyond the last step.
func crash(t *testing.T, o recoverytest.Options, a act, fault func(*phone)) (done bool) {
	p := newPhone(t, o)
	a.before(p)
	p.net.Reset()
	p.saves = 0
	fault(p)
	err := a.do(p)
	steps := len(p.net.Calls()) + p.saves
	p.net.Script, p.die = nil, nil

	finder := *p // another phone, with nothing on its disk
	finder.backup, finder.attempt = nil, nil
	finder.client = finder.newClient(nil)
	if r, rerr := finder.recover(a.newPIN); rerr == nil {
		if got := string(r.Payload.Keys[0].Secret); got != a.new && got != a.old {
			t.Fatalf("after step %d (%v) the new PIN brings %q", steps, err, got)
		}
	} else if a.oldPIN != "" {
		if r, rerr = finder.recover(a.oldPIN); rerr != nil {
			t.Fatalf("after step %d (%v) neither PIN works: %v", steps, err, rerr)
		}
		if got := string(r.Payload.Keys[0].Secret); got != a.old {
			t.Fatalf("after step %d (%v) the old PIN brings %q", steps, err, got)
		}
	} else if err == nil {
		t.Fatalf("the phone says that it is done, and recovery says %v", rerr)
	}

	if again := a.do(p); again != nil {
		t.Fatalf("after step %d (%v) it cannot be finished: %v", steps, err, again)
	}
	p.attempt = nil
	p.recovers(a.newPIN, a.new)
	if a.oldPIN != "" && a.oldPIN != a.newPIN {
		p.wrong(a.oldPIN, 9)
	}
	if in := p.journal().Info(); !in.Complete {
		t.Fatalf("after step %d (%v): %+v", steps, err, in)
	}
	return err == nil
}

// TestCrashWhileRecovering: the right PIN costs one attempt however often it is
// begun, and so does a wrong one (rows 01 to 08).
func TestCrashWhileRecovering(t *testing.T) {
	for _, fault := range []recoverytest.Fault{recoverytest.Drop, recoverytest.Lose} {
		for _, pin := range []string{"482915", "000000"} {
			p := newPhone(t, recoverytest.Options{})
			p.must(p.register("482915", "secret"))
			var ge *recovery.GuessError
			for n := 1; ; n++ {
				p.net.Reset()
				p.net.Script = func(c recoverytest.Call) recoverytest.Fault { return at(c.N >= n, fault) }
				_, err := p.recover(pin)
				if err == nil || errors.As(err, &ge) {
					break
				}
				if n > 50 {
					t.Fatal(err)
				}
			}
			p.net.Script = nil
			if pin == "000000" && ge.Remaining != 9 {
				t.Errorf("fault %d: %d remaining after one wrong PIN", fault, ge.Remaining)
			}
			p.wrong("111111", map[string]int{"482915": 9, "000000": 8}[pin])
			p.recovers("482915", "secret")
		}
	}
}

// TestAttemptIsSavedFirst: no request leaves before the seed is on disk.
func TestAttemptIsSavedFirst(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	p.net.Reset()
	p.die = func(int) bool { return true }
	if _, err := p.recover("482915"); !errors.Is(err, errDead) {
		t.Fatalf("error %v", err)
	}
	for _, c := range p.net.Calls() {
		if c.Method == "CallVault" {
			t.Errorf("%v was sent", c.Op)
		}
	}
}

// TestOtherPINKeepsNothing: another PIN in the same attempt is another element,
// and is charged; and a verdict ends the attempt.
func TestOtherPINKeepsNothing(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	p.net.Script = func(c recoverytest.Call) recoverytest.Fault { return at(c.Op == 5, recoverytest.Drop) }
	for _, pin := range []string{"000000", "111111"} {
		if _, err := p.recover(pin); !errors.Is(err, recovery.ErrUnavailable) {
			t.Fatal(err)
		}
		if !p.tried().Open() {
			t.Error("the attempt was ended without a verdict")
		}
	}
	p.net.Script = nil
	p.wrong("222222", 7)
	if p.tried().Open() {
		t.Error("the attempt goes on after a verdict")
	}
	p.recovers("482915", "secret")
	if p.tried().Open() {
		t.Error("the attempt goes on after it has succeeded")
	}
}
