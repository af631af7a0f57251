package registry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
)

// feedKillEnv names the store to a child process that will be killed, after
// what it is to do.
const feedKillEnv = "STAUNCH_TEST_KILL_FEED"

// killSoon runs the child and kills it after a random time of at most most,
// counted from its first line.
func killSoon(t *testing.T, job, path string, most time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestFeedChild$")
	cmd.Env = append(os.Environ(), feedKillEnv+"="+job+" "+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Errorf("the child says nothing: %v", err)
	}
	time.Sleep(rand.N(most))
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed
}

// TestFeedChild is the process that the tests below kill.
func TestFeedChild(t *testing.T) {
	job, path, ok := strings.Cut(os.Getenv(feedKillEnv), " ")
	if !ok {
		t.Skip("the child of the tests that kill")
	}
	r := &rig{t: t, path: path, now: noon.Add(time.Hour)}
	r.open()
	r.opts = r.options()
	ctx := context.Background()
	switch job {
	case "revoke":
		list := statusList(t, "a REVOKED", "b REVOKED")
		r.opts.Status = func() *android.StatusList { return list }
		r.opts.TestingOnlyRevokeLimit(3)
		s := r.service(r.store)
		fmt.Println("begun")
		if _, err := s.Reevaluate(ctx); err != nil {
			panic(err)
		}
	case "receipts":
		policy := withPolicy(t, riskOfFour...)
		policy(r.opts)
		r.opts.Exchange = func(context.Context, registry.Receipt) (registry.Exchanged, error) {
			cms, err := os.ReadFile(path + ".receipt")
			time.Sleep(rand.N(10 * time.Millisecond))
			return registry.Exchanged{Result: registry.ExchangeNew, Receipt: cms}, err
		}
		s := r.service(r.store)
		fmt.Println("begun")
		if err := s.RefreshReceipts(ctx); err != nil {
			panic(err)
		}
	}
	time.Sleep(time.Minute) // until it is killed
}

var riskOfFour = []string{`risk = []`, `risk = [{ signal = "apple.risk_metric", at_least = 4, effect = "warn" }]`}

// TestReevaluateKilled kills the job again and again: at the end every key was
// revoked once, and told of once.
func TestReevaluateKilled(t *testing.T) {
	r, use := feed(t)
	const n = 400
	r.putKeys(r.store, n/2, "a")
	r.putKeys(r.store, n/2, "b")
	var steps []int
	for range 4 {
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
		killSoon(t, "revoke", r.path, 150*time.Millisecond)
		r.open()
		steps = append(steps, r.rows("attest_key WHERE state = 'revoked'"))
		if told, sent := r.rows("audit_entry"), r.rows("outbox"); told != steps[len(steps)-1] || sent != told {
			t.Fatalf("%d keys, %d entries, %d events", steps[len(steps)-1], told, sent)
		}
		var changed int
		if err := r.db.QueryRow("SELECT coalesce(sum(changed), 0) FROM attest_job").Scan(&changed); err != nil || changed != steps[len(steps)-1] {
			t.Fatalf("the job counts %d of %d, %v", changed, steps[len(steps)-1], err)
		}
	}
	use("a REVOKED", "b REVOKED")
	r.Service = r.service(r.store)
	if got := r.reevaluate(); got.Revoked != n || r.rows("outbox") != n || r.rows("audit_entry") != n {
		t.Errorf("%+v, %d events, after %v", got, r.rows("outbox"), steps)
	}
	t.Logf("killed at %v of %d", steps, n)
}

// TestRefreshKilled kills exchanges in the middle: the lease runs out, the next
// process takes the receipt up, and the change is told of once.
func TestRefreshKilled(t *testing.T) {
	r := newRig(t, withPolicy(t, riskOfFour...))
	key := applePhone(t).GenerateKey()
	id := r.mustAllow(r.appleRegistration(key)).KeyID
	r.advance(time.Hour)
	cms, err := key.Receipt(r.clock(), 5, func(*attesttest.ReceiptDraft) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.path+".receipt", cms, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
		killSoon(t, "receipts", r.path, 25*time.Millisecond)
		r.open()
		got := r.receipt(id)
		if changed := r.rows("outbox WHERE type = 'attest.risk_changed'"); (got.Metric != nil) != (changed == 1) || changed > 1 {
			t.Fatalf("metric %v, told of %d times", got.Metric, changed)
		}
	}
	a := &apple{answers: []func(registry.Receipt) (registry.Exchanged, error){r.gives(key, 5)}}
	a.options(r.opts)
	r.Service = r.service(r.store)
	r.advance(2 * time.Minute)
	r.refresh()
	if got := r.receipt(id); got.Metric == nil || *got.Metric != 5 || !got.LeaseUntil.IsZero() || r.rows("outbox WHERE type = 'attest.risk_changed'") != 1 ||
		r.rows("audit_entry WHERE action = 'attest.risk_changed'") != 1 {
		got.CMS = nil
		t.Errorf("%+v", got)
	}
	r.mustCheck()
}
