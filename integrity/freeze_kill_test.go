package integrity_test

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// killStatesEnv names the store to a child process that will be killed.
const killStatesEnv = "STAUNCH_TEST_KILL_STATES"

// TestKilledStates kills a process in the middle of freezes, approvals, vetoes
// and the clock, again and again. Afterwards the store is without a problem,
// what was answered is there, and at most one thing more.
func TestKilledStates(t *testing.T) {
	if os.Getenv(killStatesEnv) != "" {
		t.Skip("this is the child")
	}
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	r := newRig(t, shortHolds)
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	entries := map[string]string{
		"freeze": "account.freeze", "confirm": "account.unfreeze", "veto": "device.veto", "tick": "device.hold_over",
	}
	had, answered := map[string]int{}, 0
	for round := range rounds {
		said := killedStates(t, r.path, round)
		r.open(shortHolds)
		r.checked()
		more := 0
		for what, action := range entries {
			n := r.count("audit_entry WHERE action = ?", action)
			done := n - had[what]
			if what == "tick" { // it also ends the holds of phones that a child left when it was killed
				start := noon.Add(time.Duration(round) * 6 * time.Hour).UnixMicro()
				done -= r.count("audit_entry e JOIN device d ON d.id = e.subject WHERE e.action = ? AND e.time >= ? AND d.added_at < ?", action, start, start)
			}
			if done < said[what] {
				t.Errorf("round %d: %s was answered %d times and done %d times", round, what, said[what], done)
			}
			more += done - said[what]
			answered += said[what]
			had[what] = n
		}
		if more > 1 {
			t.Errorf("round %d: %d things were done and not answered", round, more)
		}
		for from, n := range map[string]int{
			"approval WHERE state = 'confirmed' AND proof IS NULL":                                                          0,
			"approval WHERE state = 'open' AND EXISTS (SELECT 1 FROM audit_entry WHERE subject = id AND action LIKE '%ed')": r.count("approval WHERE state = 'open'"),
			"approval WHERE state = 'confirmed'":                                                                            r.count("audit_entry WHERE action = 'approval.confirmed'"),
			"outbox WHERE type = 'account.frozen'":                                                                          had["freeze"],
			"alert WHERE kind = 'account.freeze'":                                                                           had["freeze"],
			"session s JOIN device d ON d.id = s.device WHERE d.state = 'deleted' AND s.ended_at IS NULL":                   0,
		} {
			if got := r.count(from); got != n {
				t.Errorf("round %d: %d rows of %s, want %d", round, got, from, n)
			}
		}
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if answered < 4*rounds {
		t.Errorf("%d answers in %d rounds: too few to mean anything", answered, rounds)
	}
	r.open(shortHolds)
}

// shortHolds makes a hold of a minute.
func shortHolds(o *integrity.Options) {
	o.Policy.ShortWaits, o.Policy.Holds.Add = true, time.Minute
}

// killedStates runs a child on the store, kills it a little after some answers,
// and says how often it said what.
func killedStates(t *testing.T, path string, round int) map[string]int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledStatesChild$")
	cmd.Env = append(os.Environ(), killStatesEnv+"="+path, fmt.Sprintf("%s_ROUND=%d", killStatesEnv, round))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, n := map[string]int{}, 0
	enough := 3 + rand.IntN(5)
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what has no end of line was not said to its end
		}
		if what, ok := strings.CutPrefix(line, "did "); ok {
			said[strings.TrimSpace(what)]++
			n++
		}
		if !strings.HasPrefix(line, "did ") {
			t.Logf("the child says %s", strings.TrimSpace(line))
		}
		if n == enough {
			time.AfterFunc(time.Duration(rand.Int64N(int64(40*time.Millisecond))), func() { cmd.Process.Kill() })
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	if unknown := slices.DeleteFunc(slices.Collect(maps.Keys(said)), func(what string) bool {
		return what == "freeze" || what == "confirm" || what == "veto" || what == "tick"
	}); len(unknown) > 0 {
		t.Errorf("the child says %q", unknown)
	}
	return said
}

// TestKilledStatesChild is the process that TestKilledStates kills. It freezes
// and unfreezes an account, vetoes a phone, and lets another one's hold end.
func TestKilledStatesChild(t *testing.T) {
	path := os.Getenv(killStatesEnv)
	if path == "" {
		t.Skip("the child of TestKilledStates")
	}
	round := must[int](t)(strconv.Atoi(os.Getenv(killStatesEnv + "_ROUND")))
	r := &rig{t: t, path: path, now: noon.Add(time.Duration(round) * 6 * time.Hour)} // no clock goes back
	r.open(shortHolds)
	did := func(what string) { fmt.Println("did " + what) }
	for {
		p := r.newPhone(&passkeytest.Options{Synced: true})
		p.enrolled(must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), p.enrolment())))
		vetoed, kept := r.another(p), r.another(p)
		p.signIn()
		must[*integrity.Vetoed](t)(r.Veto(t.Context(), p.caller(), vetoed.device, ""))
		did("veto")
		for range 3 {
			r.advance(time.Second)
			must[*integrity.Frozen](t)(r.Freeze(t.Context(), p.caller()))
			did("freeze")
			r.advance(time.Second)
			in := must[*integrity.Proposed](t)(p.propose(account.UnfreezeAccount))
			must[*integrity.Confirmed](t)(p.confirm(in))
			did("confirm")
		}
		r.advance(2 * time.Minute)
		r.tick()
		did("tick")
		if s := kept.status(); s.DeviceState != account.Active {
			t.Fatalf("the phone is %s", s.DeviceState)
		}
	}
}
