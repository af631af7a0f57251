package registry_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/registry"
)

// killEnv names the store to a child process that will be killed.
const killEnv = "STAUNCH_TEST_KILL"

// TestKilled kills a process in the middle of its registrations, again and
// again. Afterwards the store is without a problem, everything that was
// answered is there, and no challenge has two keys.
func TestKilled(t *testing.T) {
	if os.Getenv(killEnv) != "" {
		t.Skip("this is the child")
	}
	rounds := 8
	if testing.Short() {
		rounds = 3
	}
	r := newRig(t)
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	allowed := map[string]string{} // key by challenge, as answered
	answered := 0
	var open []string // challenges that were handed out and not answered: the next child tries them
	for round := range rounds {
		issued, answers := r.killed(t, open, round%2 == 1)
		answered += len(answers)
		open = nil
		for _, a := range answers {
			if other, twice := allowed[a.challenge]; twice && a.key != "" {
				t.Fatalf("round %d: challenge %s has the keys %s and %s", round, a.challenge, other, a.key)
			}
			if a.key != "" {
				allowed[a.challenge] = a.key
			}
		}
		for _, c := range issued {
			if allowed[c] == "" {
				open = append(open, c)
			}
		}

		r.open()
		r.Service = r.service(r.store)
		r.mustCheck()
		for challenge, key := range allowed {
			if raw, err := base64.RawURLEncoding.DecodeString(challenge); err != nil || !r.used(raw) {
				t.Errorf("round %d: answered, and its challenge is open again: %v", round, err)
			}
			if k := r.key(key); k.State != registry.StateActive {
				t.Errorf("round %d: answered, and the key is %s", round, k.State)
			}
		}
		// All evidence is good, so everything goes together, answered or not.
		keys, used := r.rows("attest_key"), r.rows("attest_challenge WHERE used_at IS NOT NULL")
		told, sent := r.rows("audit_entry WHERE object IS NOT NULL"), r.rows("outbox WHERE type = 'attest.key_registered'")
		// Each has used the exception once, and is counted once.
		if uses, attempts := r.sum("uses", "attest_exception_use WHERE account = x''"), r.sum("count", "attest_stat WHERE code = '' AND verdict = 'accept'"); uses != keys || attempts != keys {
			t.Errorf("round %d: %d keys, %d uses of the exception, %d counted", round, keys, uses, attempts)
		}
		if evidence := r.rows("attest_evidence"); used != keys || told != keys || sent != keys || evidence != keys {
			t.Errorf("round %d: %d keys, %d used challenges, %d entries, %d events, %d pieces of evidence", round, keys, used, told, sent, evidence)
		}
		if keys < len(allowed) {
			t.Errorf("round %d: %d keys, and %d were answered", round, keys, len(allowed))
		}
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(allowed) < rounds/2 || answered == len(allowed) {
		t.Errorf("%d keys and %d answers in %d rounds: too few to mean anything", len(allowed), answered, rounds)
	}
}

type answer struct{ challenge, key string } // no key: denied

// killed runs a child that first tries the open challenges, and kills it a
// little after its first answer; both: after it has allowed one and denied one,
// however long that takes on a busy machine.
func (r *rig) killed(t *testing.T, open []string, both bool) (issued []string, answers []answer) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	cmd.Env = append(os.Environ(), killEnv+"="+r.path)
	cmd.Stdin = strings.NewReader(strings.Join(open, "\n"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	var timer *time.Timer
	var allows, denies bool
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what has no end of line was not said to its end
		}
		f := strings.Fields(line)
		switch {
		case len(f) == 2 && f[0] == "issued":
			issued = append(issued, f[1])
		case len(f) == 3 && f[0] == "allowed":
			answers, allows = append(answers, answer{f[1], f[2]}), true
		case len(f) == 2 && f[0] == "denied":
			answers, denies = append(answers, answer{f[1], ""}), true
		default:
			t.Errorf("the child says %q", line)
		}
		if timer == nil && (allows && denies || !both && (allows || denies)) {
			timer = time.AfterFunc(time.Duration(rand.Int64N(int64(60*time.Millisecond))), func() { cmd.Process.Kill() })
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	return append(issued, open...), answers
}

// TestKilledChild is the process that TestKilled kills. Two goroutines use each
// challenge.
func TestKilledChild(t *testing.T) {
	path := os.Getenv(killEnv)
	if path == "" {
		t.Skip("the child of TestKilled")
	}
	r := &rig{t: t, path: path, now: noon}
	r.open()
	r.opts = r.options()
	under(t, capped(1<<20))(r.opts)
	s := r.service(r.store)
	challenges := make(chan string)
	for range 2 {
		go func() {
			for c := range challenges {
				go r.use(s, c)
				r.use(s, c)
			}
		}()
	}
	left := bufio.NewScanner(os.Stdin)
	for left.Scan() {
		challenges <- left.Text()
	}
	for { // until it is killed
		c := base64.RawURLEncoding.EncodeToString(r.challengeOf(s))
		fmt.Fprintf(os.Stdout, "issued %s\n", c)
		challenges <- c
	}
}

func (r *rig) challengeOf(s *registry.Service) []byte {
	c, err := s.CreateChallenge(context.Background(), backend, &registry.ChallengeRequest{App: "demo", Account: alice, Purpose: registry.PurposeRegister})
	if err != nil {
		panic(err)
	}
	return c.Challenge
}

// use registers a new key with a challenge and says what became of it.
func (r *rig) use(s *registry.Service, challenge string) {
	c, err := base64.RawURLEncoding.DecodeString(challenge)
	if err != nil {
		panic(err)
	}
	ca, err := androidCA()
	if err != nil {
		panic(err)
	}
	key, err := ca.Phone().GenerateKey(noon, c, oldClock)
	if err != nil {
		panic(err)
	}
	out, err := s.Register(context.Background(), backend, &registry.Registration{App: "demo", Account: alice, Challenge: c, CertificateChain: key.Chain()})
	switch {
	case err != nil:
		panic(err)
	case out.Decision == registry.Allow:
		fmt.Fprintf(os.Stdout, "allowed %s %s\n", challenge, out.KeyID)
	case out.Verdict.Has("common.challenge_used"):
		fmt.Fprintf(os.Stdout, "denied %s\n", challenge)
	default:
		panic(out.Verdict.Findings)
	}
}
