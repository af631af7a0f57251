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

	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
)

// killMoveEnv names the store to a child process that will be killed.
const killMoveEnv = "STAUNCH_TEST_KILL_MOVE"

// TestMoveKilled kills a process in the middle of moves, again and again: where one is
// committed, acknowledged, taken back and finished. What was answered is there; and of
// every transfer exactly one of the two phones is in charge, wholly.
func TestMoveKilled(t *testing.T) {
	if os.Getenv(killMoveEnv) != "" {
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
		lines := killedMoves(t, r.path)
		r.open()
		r.checked()
		for _, line := range lines {
			var what, id string
			if n, err := fmt.Sscan(line, &what, &id); n != 2 || err != nil {
				t.Errorf("the child says %q", line)
				continue
			}
			said[what]++
			states := map[string]string{
				"sealed": "'sealed','committed','acked','recalled','final'", "committed": "'committed','acked','recalled','final'",
				"acked": "'acked','recalled','final'", "recalled": "'recalled'", "final": "'final'",
			}[what]
			if n := r.count("transfer WHERE id = ? AND state IN ("+states+")", id); n != 1 {
				t.Errorf("round %d: %s was answered %s, and is not", round, id, what)
			}
		}
		const before, moved = "('offered','claimed','held','streaming','sealed')", "('committed','acked')"
		all := r.count("transfer WHERE state IN " + moved)
		for from, want := range map[string]int{
			"transfer t JOIN device d ON d.id = t.sender_device WHERE t.state IN " + before + " AND d.state <> 'active'":                              0,
			"transfer t JOIN attest_key k ON k.id = t.receiver_key WHERE t.state IN " + before + " AND k.state <> 'pending'":                          0,
			"transfer t JOIN device d ON d.key_id = t.receiver_key WHERE t.state IN " + before:                                                        0,
			"transfer t JOIN device d ON d.id = t.sender_device AND d.hold_reason = 'leaving' AND d.hold_by = t.new_device WHERE t.state IN " + moved: all,
			"transfer t JOIN device d ON d.id = t.new_device AND d.state = 'held' AND d.hold_reason = 'new' WHERE t.state IN " + moved:                all,
			"transfer t JOIN session s ON s.device = t.sender_device AND s.ended_at IS NULL WHERE t.state IN " + moved:                                0,
			"transfer t JOIN session s ON s.device = t.new_device AND s.ended_at IS NULL WHERE t.state IN " + moved:                                   all,
			"transfer t JOIN credential_device c ON c.device = t.new_device WHERE t.state IN " + moved:                                                all,
			"transfer t JOIN device d ON d.id = t.sender_device WHERE t.state = 'recalled' AND d.state <> 'active'":                                   0,
			"transfer t JOIN device d ON d.id = t.new_device WHERE t.state = 'recalled' AND d.state <> 'deleted'":                                     0,
			"transfer t JOIN device d ON d.id = t.sender_device WHERE t.state = 'final' AND d.state <> 'deleted'":                                     0,
			"alert WHERE kind = 'transfer.committed'": r.count("transfer WHERE state IN ('committed','acked','recalled','final')"),
			"outbox WHERE type = 'transfer.recalled'": r.count("transfer WHERE state = 'recalled'"),
		} {
			if n := r.count(from); n != want {
				t.Errorf("round %d: %d of %s, want %d", round, n, from, want)
			}
		}
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if said["committed"] < rounds || said["recalled"]+said["final"] == 0 {
		t.Errorf("answers %v in %d rounds: too few to mean anything", said, rounds)
	}
	r.open()
}

// killedMoves runs a child on the store, and kills it a little after its first moves.
func killedMoves(t *testing.T, path string) (lines []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestMoveKilledChild$")
	cmd.Env = append(os.Environ(), killMoveEnv+"="+path)
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
		if timer == nil && (strings.HasPrefix(line, "recalled") || strings.HasPrefix(line, "final")) {
			timer = time.AfterFunc(time.Duration(rand.Int64N(int64(300*time.Millisecond))), func() { cmd.Process.Kill() })
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	return lines
}

// TestMoveKilledChild is the process that TestMoveKilled kills: accounts move, one after
// the other, on several tracks.
func TestMoveKilledChild(t *testing.T) {
	path := os.Getenv(killMoveEnv)
	if path == "" {
		t.Skip("the child of TestMoveKilled")
	}
	r := &rig{t: t, path: path, now: noon}
	r.open(func(o *integrity.Options) {
		most := integrity.Limit{N: 1 << 30, Per: time.Minute}
		o.Policy.Limits.BeginNetwork, o.Policy.Limits.BeginDevice, o.Policy.LoopbackToo = most, most, true
	})
	r.openMoves(movePolicy(), t.TempDir())
	for range 3 {
		go moveOn(r)
	}
	moveOn(r) // until it is killed
}

func moveOn(r *rig) {
	say := func(what string, id transfer.ID) { fmt.Fprintln(os.Stdout, what, id) }
	for {
		m := r.mover().moving()
		last, word := m.recall, "recalled"
		if rand.IntN(2) == 0 {
			last, word = m.finish, "final"
		}
		m.to("put")
		for _, step := range []struct {
			word string
			do   func() error
		}{{"sealed", m.seal}, {"committed", m.commit}, {"acked", m.ack}, {word, last}} {
			if err := step.do(); err != nil {
				panic(err)
			}
			say(step.word, m.id)
		}
	}
}
