package registry_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
)

// TestRequestsKilled kills a process in the middle of group commits, again and
// again. Nothing that was answered is lost: a request that was allowed is
// refused for ever. One that was not answered is either used up, and refused,
// or not, and then it passes once.
func TestRequestsKilled(t *testing.T) {
	if os.Getenv(killEnv) != "" {
		t.Skip("this is the child")
	}
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	r := newRig(t, withPolicy(t))
	answered, unanswered, fresh := 0, 0, 0
	for range rounds {
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
		sent, allowed := r.killedRequests(t)
		r.open()
		r.Service = r.service(r.store)
		r.mustCheck()
		for id, m := range sent {
			ask := func() *registry.RequestVerdict {
				v, err := r.VerifyRequest(t.Context(), backend, &registry.RequestCheck{App: "demo", Message: m})
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			v := ask()
			if allowed[id] {
				answered++
				if v.Decision == registry.Allow {
					t.Fatal("a request was allowed before the program was killed, and again after it")
				}
				continue
			}
			unanswered++
			if v.Decision == registry.Allow {
				fresh++
				r.mustPass(v)
				v = ask()
			}
			if code := rejectingCodes(v); len(code) != 1 || code[0] != "common.request_replay" && code[0] != "apple.counter_replay" {
				t.Fatalf("a request that was not answered: %v", code)
			}
		}
	}
	if answered < killAfter*rounds || unanswered == 0 {
		t.Errorf("%d answered, %d not, %d of them not used up: too few to mean anything", answered, unanswered, fresh)
	}
	t.Logf("%d answered, %d not, %d of them not used up", answered, unanswered, fresh)
}

// killAfter is how many answers a child gives before it is killed, a little later.
const killAfter = 30

// killedRequests runs a child and kills it.
func (r *rig) killedRequests(t *testing.T) (sent map[string]*request.Message, allowed map[string]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRequestsKilledChild$")
	cmd.Env = append(os.Environ(), killEnv+"="+r.path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sent, allowed = map[string]*request.Message{}, map[string]bool{}
	lines := bufio.NewReader(out)
	var timer *time.Timer
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what has no end of line was not said to its end
		}
		f := strings.Fields(line)
		switch {
		case len(f) == 3 && f[0] == "sent":
			text, err := base64.StdEncoding.DecodeString(f[2])
			m := new(request.Message)
			if err != nil || json.Unmarshal(text, m) != nil {
				t.Fatalf("the child says %q", line)
			}
			sent[f[1]] = m
		case len(f) == 2 && f[0] == "allowed":
			allowed[f[1]] = true
		default:
			t.Errorf("the child says %q", line)
		}
		if len(allowed) >= killAfter && timer == nil {
			timer = time.AfterFunc(time.Duration(rand.Int64N(int64(40*time.Millisecond))), func() { cmd.Process.Kill() })
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	return sent, allowed
}

// TestRequestsKilledChild is the process that TestRequestsKilled kills. Keys of
// both platforms ask all the time.
func TestRequestsKilledChild(t *testing.T) {
	path := os.Getenv(killEnv)
	if path == "" {
		t.Skip("the child of TestRequestsKilled")
	}
	r := &rig{t: t, path: path, now: noon}
	r.open()
	r.opts = r.options()
	withPolicy(t)(r.opts)
	r.Service = r.service(r.store)
	var mu sync.Mutex
	n := 0
	ask := func(key signer) {
		req := remit()
		if err := key.SignRequest(noon, req); err != nil {
			panic(err)
		}
		m, _, err := request.FromHTTP(req, 1<<20)
		if err != nil {
			panic(err)
		}
		text, err := json.Marshal(m)
		if err != nil {
			panic(err)
		}
		mu.Lock()
		n++
		id := fmt.Sprint(n)
		fmt.Fprintf(os.Stdout, "sent %s %s\n", id, base64.StdEncoding.EncodeToString(text))
		mu.Unlock()
		v, err := r.VerifyRequest(context.Background(), backend, &registry.RequestCheck{App: "demo", Message: m})
		if err != nil || v.Decision != registry.Allow {
			panic(fmt.Sprintf("%+v, %v", v, err))
		}
		mu.Lock()
		fmt.Fprintf(os.Stdout, "allowed %s\n", id)
		mu.Unlock()
	}
	keys := []signer{r.appleKey()} // whose requests come one after the other
	for range 8 {
		keys = append(keys, r.androidKey())
	}
	for _, key := range keys {
		go func() {
			for {
				ask(key)
			}
		}()
	}
	select {} // until it is killed
}
