package integrity_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// killJoinEnv names the store to a child process that will be killed.
const killJoinEnv = "STAUNCH_TEST_KILL_JOIN"

// TestJoinKilled kills a process in the middle of joins, again and again: where
// one is opened, approved and finished. What was answered is there, and a join is
// finished wholly or not at all.
func TestJoinKilled(t *testing.T) {
	if os.Getenv(killJoinEnv) != "" {
		t.Skip("this is the child")
	}
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	r := newRig(t)
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	for round := range rounds {
		lines := killedJoins(t, r.path)
		r.open()
		r.checked()
		for _, line := range lines {
			var what, join string
			if n, err := fmt.Sscan(line, &what, &join); n != 2 || err != nil {
				t.Errorf("the child says %q", line)
				continue
			}
			said[what]++
			states := map[string]string{"open": "'open','confirmed','finished'", "confirmed": "'confirmed','finished'", "finished": "'finished'"}[what]
			if n := r.count("joining WHERE id = ? AND state IN ("+states+")", join); n != 1 {
				t.Errorf("round %d: join %s was answered %s, and is not", round, join, what)
			}
		}
		finished := r.count("joining WHERE state = 'finished'")
		for from, want := range map[string]int{
			"joining j JOIN device d ON d.key_id = j.key_id AND d.account = j.account WHERE j.state = 'finished'":                        finished,
			"joining j JOIN attest_key k ON k.id = j.key_id AND k.state = 'active' AND k.account = j.account WHERE j.state = 'finished'": finished,
			"joining j JOIN device d ON d.key_id = j.key_id JOIN session s ON s.device = d.id WHERE j.state = 'finished'":                finished,
			"joining j JOIN device d ON d.key_id = j.key_id JOIN credential_device c ON c.device = d.id WHERE j.state = 'finished'":      finished,
			"alert WHERE kind = 'device.add'":                                            finished,
			"outbox WHERE type = 'device.added'":                                         finished,
			"audit_entry WHERE action = 'attest.release'":                                finished,
			"joining j JOIN device d ON d.key_id = j.key_id WHERE j.state <> 'finished'": 0,
			"joining j JOIN attest_key k ON k.id = j.key_id WHERE j.state <> 'finished' AND (k.state <> 'pending' OR k.account <> '')":             0,
			"joining WHERE state IN ('confirmed', 'finished') AND id NOT IN (SELECT subject FROM audit_entry WHERE action = 'join.approved')":      0,
			"attest_key WHERE state = 'pending' AND id NOT IN (SELECT key_id FROM joining)":                                                        0,
			"approval WHERE state = 'confirmed' AND json_extract(CAST(params AS TEXT), '$.join') IN (SELECT id FROM joining WHERE state = 'open')": 0,
		} {
			if n := r.count(from); n != want {
				t.Errorf("round %d: %d of %s, want %d", round, n, from, want)
			}
		}
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if said["finished"] < rounds || said["open"] <= said["finished"] {
		t.Errorf("answers %v in %d rounds: too few to mean anything", said, rounds)
	}
	r.open()
}

// killedJoins runs a child on the store, and kills it a little after its first
// answers.
func killedJoins(t *testing.T, path string) (lines []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestJoinKilledChild$")
	cmd.Env = append(os.Environ(), killJoinEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := bufio.NewReader(out)
	var timer *time.Timer
	for {
		line, err := read.ReadString('\n')
		if err != nil {
			break // what has no end of line was not said to its end
		}
		lines = append(lines, line)
		if strings.HasPrefix(line, "finished") && timer == nil {
			timer = time.AfterFunc(time.Duration(rand.Int64N(int64(200*time.Millisecond))), func() { cmd.Process.Kill() })
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	return lines
}

// TestJoinKilledChild is the process that TestJoinKilled kills: phones join an
// account, one after the other, on several tracks.
func TestJoinKilledChild(t *testing.T) {
	path := os.Getenv(killJoinEnv)
	if path == "" {
		t.Skip("the child of TestJoinKilled")
	}
	r := &rig{t: t, path: path, now: noon}
	r.open(func(o *integrity.Options) {
		most := integrity.Limit{N: 1 << 30, Per: time.Minute}
		o.Policy.Limits.BeginNetwork, o.Policy.Limits.BeginDevice, o.Policy.Limits.Join = most, most, most
	})
	for range 3 {
		go joinOn(r)
	}
	joinOn(r) // until it is killed
}

func joinOn(r *rig) {
	old := r.enrol()
	say := func(what string, id account.JoinID) { fmt.Fprintln(os.Stdout, what, id) }
	for {
		j := r.join()
		say("open", j.open.Join)
		old.letIn(j.open)
		say("confirmed", j.open.Join)
		if _, err := j.finish(j.answer()); err != nil {
			panic(err)
		}
		say("finished", j.open.Join)
	}
}
