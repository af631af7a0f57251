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

// killRecoveryEnv names the store to a child process that will be killed.
const killRecoveryEnv = "STAUNCH_TEST_KILL_RECOVERY"

// TestRecoveryKilled kills a process in the middle of recoveries, again and again:
// where one is started, asked for and finished. What was answered is there, and a
// recovery is finished wholly or not at all.
func TestRecoveryKilled(t *testing.T) {
	if os.Getenv(killRecoveryEnv) != "" {
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
		lines := killedRecoveries(t, r.path)
		r.open()
		r.checked()
		for _, line := range lines {
			var what, pending string
			if n, err := fmt.Sscan(line, &what, &pending); n != 2 || err != nil {
				t.Errorf("the child says %q", line)
				continue
			}
			said[what]++
			states := map[string]string{"started": "'open','finished'", "asked": "'open','finished'", "finished": "'finished'"}[what]
			if n := r.count("pending WHERE id = ? AND state IN ("+states+")", pending); n != 1 {
				t.Errorf("round %d: recovery %s was answered %s, and is not", round, pending, what)
			}
		}
		const key = "json_extract(CAST(p.params AS TEXT), '$.key')"
		begun, finished := r.count("pending"), r.count("pending WHERE state = 'finished'")
		for from, want := range map[string]int{
			"alert WHERE kind = 'recovery.start'":         begun,
			"audit_entry WHERE action = 'recovery.start'": begun,
			"outbox WHERE type = 'recovery.waiting'":      begun,
			"attest_key WHERE state = 'pending'":          begun - finished,
			"pending p JOIN attest_key k ON k.id = " + key + " AND k.state = 'pending' AND k.account = '' WHERE p.state = 'open'":              begun - finished,
			"pending p JOIN attest_key k ON k.id = " + key + " AND k.state = 'active' AND k.account = p.account WHERE p.state = 'finished'":    finished,
			"pending p JOIN device d ON d.key_id = " + key + " AND d.account = p.account AND d.hold_reason = 'new' WHERE p.state = 'finished'": finished,
			"pending p JOIN device d ON d.key_id = " + key + " WHERE p.state = 'open'":                                                         0,
			"device WHERE hold_reason = 'leaving'":                                                       finished,
			"account WHERE state = 'held' AND hold_reason = 'recovered'":                                 finished,
			"session s JOIN account a ON a.id = s.account WHERE a.state = 'held' AND s.ended_at IS NULL": finished,
			"credential_device c JOIN device d ON d.id = c.device AND d.hold_reason = 'new'":             finished,
			"alert WHERE kind = 'account.recovered'":                                                     finished,
			"outbox WHERE type = 'account.recovered'":                                                    finished,
			"audit_entry WHERE action = 'account.recover'":                                               finished,
			"risk WHERE signal = 'recent_recovery'":                                                      finished,
		} {
			if n := r.count(from); n != want {
				t.Errorf("round %d: %d of %s, want %d", round, n, from, want)
			}
		}
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if said["finished"] < rounds || said["started"] <= said["finished"] {
		t.Errorf("answers %v in %d rounds: too few to mean anything", said, rounds)
	}
	r.open()
}

// killedRecoveries runs a child on the store, and kills it a little after its first
// answers.
func killedRecoveries(t *testing.T, path string) (lines []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRecoveryKilledChild$")
	cmd.Env = append(os.Environ(), killRecoveryEnv+"="+path)
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

// TestRecoveryKilledChild is the process that TestRecoveryKilled kills: accounts are
// recovered, one after the other, on several tracks.
func TestRecoveryKilledChild(t *testing.T) {
	path := os.Getenv(killRecoveryEnv)
	if path == "" {
		t.Skip("the child of TestRecoveryKilled")
	}
	r, vault := &rig{t: t, path: path, now: noon}, newPINVault()
	r.open(func(o *integrity.Options) {
		most := integrity.Limit{N: 1 << 30, Per: time.Minute}
		o.Policy.Limits.BeginNetwork, o.Policy.Limits.BeginDevice = most, most
		o.Policy.ShortWaits, o.Policy.Waits.Recovery, o.Recovery = true, time.Second, vault
	})
	for range 3 {
		go recoverOn(r, vault)
	}
	recoverOn(r, vault) // until it is killed
}

func recoverOn(r *rig, vault *pinVault) {
	say := func(what string, id account.PendingID) { fmt.Fprintln(os.Stdout, what, id) }
	for {
		q := r.enrol().recoverer(vault)
		s, err := q.start()
		if err != nil {
			panic(err)
		}
		say("started", s.Pending)
		r.advance(s.OpensAt.Sub(s.At))
		if s, err = q.ask(); err != nil {
			panic(err)
		}
		say("asked", s.Pending)
		vault.prove(s.Ticket)
		if s, err = q.ask(); err != nil {
			panic(err)
		}
		if _, err := q.finish(q.answer(s)); err != nil {
			panic(err)
		}
		say("finished", s.Pending)
	}
}
