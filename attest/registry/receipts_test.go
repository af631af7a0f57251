package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store/storetest"
)

// apple stands in for Apple's server: it answers with the next of its answers,
// and with the last one for ever.
type apple struct {
	mu      sync.Mutex
	answers []func(registry.Receipt) (registry.Exchanged, error)
	asked   []registry.Receipt
	results []registry.ExchangeResult // told afterwards
}

func (a *apple) exchange(_ context.Context, r registry.Receipt) (registry.Exchanged, error) {
	a.mu.Lock()
	a.asked = append(a.asked, r)
	answer := a.answers[0]
	if len(a.answers) > 1 {
		a.answers = a.answers[1:]
	}
	a.mu.Unlock()
	return answer(r)
}

func (a *apple) told(r registry.ExchangeResult) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.results = append(a.results, r)
}

func (a *apple) calls() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asked)
}

func (a *apple) options(o *registry.Options) { o.Exchange, o.Exchanged = a.exchange, a.told }

// says is an answer without a receipt.
func says(result registry.ExchangeResult) func(registry.Receipt) (registry.Exchanged, error) {
	return func(registry.Receipt) (registry.Exchanged, error) { return registry.Exchanged{Result: result}, nil }
}

// gives is an answer with a receipt of key at the rig's time.
func (r *rig) gives(key *attesttest.AppleKey, metric int, opts ...func(*attesttest.ReceiptDraft)) func(registry.Receipt) (registry.Exchanged, error) {
	return func(registry.Receipt) (registry.Exchanged, error) {
		cms, err := key.Receipt(r.clock(), metric, opts...)
		return registry.Exchanged{Result: registry.ExchangeNew, Receipt: cms}, err
	}
}

// receipt gives the stored receipt of the only key that has one.
func (r *rig) receipt(id string) registry.Receipt {
	r.t.Helper()
	var out registry.Receipt
	err := r.store.View(r.t.Context(), func(tx storetest.Tx) error {
		stored, found, err := tx.AttestedReceipt(r.t.Context(), id)
		if err == nil && !found {
			r.t.Fatalf("key %s has no receipt", id)
		}
		out = stored
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// refresh fails the test on an error.
func (r *rig) refresh() {
	r.t.Helper()
	if err := r.RefreshReceipts(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// appleRig is a rig with a key of an iPhone whose receipt is due.
func appleRig(t testing.TB, change ...func(*registry.Options)) (*rig, *apple, *attesttest.AppleKey, string) {
	t.Helper()
	a := &apple{}
	r := newRig(t, append(change, a.options)...)
	key := applePhone(t).GenerateKey()
	id := r.mustAllow(r.appleRegistration(key)).KeyID
	r.advance(15 * time.Minute)
	return r, a, key, id
}

// TestReceiptIsScheduled: the receipt in an attestation is kept, and exchanged
// within a quarter of an hour.
func TestReceiptIsScheduled(t *testing.T) {
	r := newRig(t)
	r.mustAllow(r.androidRegistration())
	var first, last time.Time
	for range 30 {
		id := r.mustAllow(r.appleRegistration(applePhone(t).GenerateKey())).KeyID
		got := r.receipt(id)
		if got.NextAt.Before(noon) || got.NextAt.After(noon.Add(15*time.Minute)) {
			t.Errorf("next at %v", got.NextAt)
		}
		if first.IsZero() || got.NextAt.Before(first) {
			first = got.NextAt
		}
		if got.NextAt.After(last) {
			last = got.NextAt
		}
		if got.Account != alice || got.Team != attesttest.DemoTeamID || got.Environment != "production" || len(got.CMS) == 0 ||
			!got.CreatedAt.Equal(noon) || !got.ExpiresAt.Equal(noon.AddDate(0, 0, 90)) || got.Metric != nil ||
			got.State != registry.ReceiptScheduled || got.Result != "" || !got.LeaseUntil.IsZero() {
			t.Fatalf("%+v", got)
		}
	}
	if last.Sub(first) < 2*time.Minute {
		t.Errorf("all within %s", last.Sub(first))
	}
	if n := r.rows("attest_receipt"); n != 30 {
		t.Errorf("%d receipts", n)
	}
}

// TestReceiptIsNotScheduled: one that is not this key's, or none, is not kept.
func TestReceiptIsNotScheduled(t *testing.T) {
	r := newRig(t)
	for name, change := range map[string]func(*attesttest.AppleDraft){
		"none":                func(d *attesttest.AppleDraft) { d.Receipt = nil },
		"of another app":      func(d *attesttest.AppleDraft) { d.Receipt.AppID = "EVIL123456.com.example.other" },
		"of another key":      func(d *attesttest.AppleDraft) { d.Receipt.Certificate = otherLeaf(t) },
		"that does not parse": func(d *attesttest.AppleDraft) { d.Receipt.Payload = []byte{1} },
		"of another type":     func(d *attesttest.AppleDraft) { d.Receipt.Type = "RECEIPT" },
		"expired": func(d *attesttest.AppleDraft) {
			d.Receipt.CreationTime, d.Receipt.ExpirationTime = stamp(noon.Add(-time.Minute)), stamp(noon.Add(-time.Second))
		},
	} {
		r.mustAllow(r.appleRegistration(applePhone(t).GenerateKey(), change))
		if n := r.rows("attest_receipt"); n != 0 {
			t.Fatalf("%s: %d receipts", name, n)
		}
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// otherLeaf is the certificate of another key.
func otherLeaf(t testing.TB) (leaf []byte) {
	t.Helper()
	key := applePhone(t).GenerateKey()
	if _, err := key.Attest(noon, make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	_, err := key.Receipt(noon, 1, func(d *attesttest.ReceiptDraft) { leaf = d.Certificate })
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// TestExchange: what each answer does.
func TestExchange(t *testing.T) {
	at := noon.Add(15 * time.Minute)
	const day = 24 * time.Hour
	tests := []struct {
		name     string
		answer   func(*rig, *attesttest.AppleKey) func(registry.Receipt) (registry.Exchanged, error)
		from, to time.Duration // when it is next, counted from the exchange
		change   func(r *registry.Receipt)
	}{
		{"new", func(r *rig, k *attesttest.AppleKey) func(registry.Receipt) (registry.Exchanged, error) {
			return r.gives(k, 3)
		},
			day, day + 6*time.Hour, func(r *registry.Receipt) {
				r.Metric, r.MetricAt, r.CreatedAt, r.NotBefore, r.ExpiresAt = new(uint32(3)), at, at, at.Add(day), at.AddDate(0, 0, 90)
			}},
		{"new, without field 19", func(r *rig, k *attesttest.AppleKey) func(registry.Receipt) (registry.Exchanged, error) {
			return r.gives(k, 3, func(d *attesttest.ReceiptDraft) { d.NotBefore = "" })
		}, day, day + 6*time.Hour, func(r *registry.Receipt) {
			r.Metric, r.MetricAt, r.CreatedAt, r.ExpiresAt = new(uint32(3)), at, at, at.AddDate(0, 0, 90)
		}},
		{"too early", answers(registry.Exchanged{Result: registry.ExchangeTooEarly}), day, day, func(*registry.Receipt) {}},
		{"no data", answers(registry.Exchanged{Result: registry.ExchangeNoData}), 7 * day, 7 * day, func(*registry.Receipt) {}},
		{"bad receipt", answers(registry.Exchanged{Result: registry.ExchangeBadReceipt}), 0, 0, func(r *registry.Receipt) {
			r.State = registry.ReceiptStopped
		}},
		{"bad credentials", answers(registry.Exchanged{Result: registry.ExchangeBadCredentials}), -15 * time.Minute, 0, func(*registry.Receipt) {}},
		{"later", answers(registry.Exchanged{Result: registry.ExchangeLater}), 30 * time.Second, time.Minute, func(r *registry.Receipt) { r.Failures = 1 }},
		{"later, as Apple says", answers(registry.Exchanged{Result: registry.ExchangeLater, RetryAfter: 17 * time.Minute}), 17 * time.Minute, 17 * time.Minute,
			func(r *registry.Receipt) { r.Failures = 1 }},
		{"error", func(*rig, *attesttest.AppleKey) func(registry.Receipt) (registry.Exchanged, error) {
			return func(registry.Receipt) (registry.Exchanged, error) {
				return registry.Exchanged{}, errors.New("no network")
			}
		}, 30 * time.Second, time.Minute, func(r *registry.Receipt) { r.Failures, r.Result = 1, registry.ExchangeLater }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, a, key, id := appleRig(t)
			want := r.receipt(id)
			a.answers = append(a.answers, tt.answer(r, key))
			r.refresh()
			got := r.receipt(id)
			if a.calls() != 1 || len(a.results) != 1 || a.results[0] != got.Result {
				t.Errorf("%d calls, told %v", a.calls(), a.results)
			}
			if asked := a.asked[0]; asked.Key != id || asked.Team != attesttest.DemoTeamID || string(asked.CMS) != string(want.CMS) || !asked.LeaseUntil.Equal(at.Add(2*time.Minute)) {
				t.Errorf("asked with %+v", asked)
			}
			if got.State == registry.ReceiptScheduled && (got.NextAt.Before(at.Add(tt.from)) || got.NextAt.After(at.Add(tt.to))) {
				t.Errorf("next %s from now, want %s to %s", got.NextAt.Sub(at), tt.from, tt.to)
			}
			want.NextAt, want.Result, want.CMS = got.NextAt, got.Result, got.CMS
			tt.change(&want)
			if a, b := text(t, want), text(t, got); a != b {
				t.Errorf("have %s\nwant %s", b, a)
			}
			if got.State != registry.ReceiptScheduled && !got.NextAt.IsZero() {
				t.Errorf("%s, and next at %v", got.State, got.NextAt)
			}
			r.refresh() // nothing is due
			if a.calls() != 1 {
				t.Errorf("%d calls", a.calls())
			}
			r.mustCheck()
		})
	}
}

func text(t *testing.T, r registry.Receipt) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func answers(x registry.Exchanged) func(*rig, *attesttest.AppleKey) func(registry.Receipt) (registry.Exchanged, error) {
	return func(*rig, *attesttest.AppleKey) func(registry.Receipt) (registry.Exchanged, error) {
		return func(registry.Receipt) (registry.Exchanged, error) { return x, nil }
	}
}

// TestReceiptDoesNotVerify: an answer that is not a receipt of this key, of now,
// changes nothing but when it is asked for again.
func TestReceiptDoesNotVerify(t *testing.T) {
	soon := noon.Add(15 * time.Minute)
	tests := []struct {
		name   string
		change func(*attesttest.ReceiptDraft)
		ok     bool
	}{
		{"good", func(*attesttest.ReceiptDraft) {}, true},
		{"another app", func(d *attesttest.ReceiptDraft) { d.AppID = "EVIL123456.com.example.other" }, false},
		{"another key", func(d *attesttest.ReceiptDraft) { d.Certificate = otherLeaf(t) }, false},
		{"an attestation's", func(d *attesttest.ReceiptDraft) { d.Type = "ATTEST" }, false},
		{"another environment", func(d *attesttest.ReceiptDraft) { d.Environment = "sandbox" }, false},
		{"older than the stored one", func(d *attesttest.ReceiptDraft) { d.CreationTime = stamp(noon.Add(-time.Second)) }, false},
		{"five minutes old", func(d *attesttest.ReceiptDraft) { d.CreationTime = stamp(soon.Add(-5 * time.Minute)) }, true},
		{"older", func(d *attesttest.ReceiptDraft) { d.CreationTime = stamp(soon.Add(-5*time.Minute - time.Millisecond)) }, false},
		{"five minutes ahead", func(d *attesttest.ReceiptDraft) { d.CreationTime = stamp(soon.Add(5 * time.Minute)) }, true},
		{"further ahead", func(d *attesttest.ReceiptDraft) { d.CreationTime = stamp(soon.Add(5*time.Minute + time.Millisecond)) }, false},
		{"expired", func(d *attesttest.ReceiptDraft) { d.ExpirationTime = stamp(soon.Add(-time.Millisecond)) }, false},
		{"a flipped bit", func(d *attesttest.ReceiptDraft) {
			d.AfterSigning = func(cms []byte) []byte { cms[len(cms)-1] ^= 1; return cms }
		}, false},
		{"not a receipt", func(d *attesttest.ReceiptDraft) { d.AfterSigning = func([]byte) []byte { return []byte("hello") } }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, a, key, id := appleRig(t)
			before := r.receipt(id)
			a.answers = append(a.answers, r.gives(key, 9, tt.change))
			r.refresh()
			got := r.receipt(id)
			if (got.Result == registry.ExchangeNew) != tt.ok || (got.Result == registry.ExchangeInvalid) == tt.ok {
				t.Fatalf("result %s", got.Result)
			}
			if tt.ok {
				return
			}
			if got.Metric != nil || string(got.CMS) != string(before.CMS) || !got.CreatedAt.Equal(before.CreatedAt) || got.Failures != 1 || !got.NextAt.After(soon) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestBackOff: failures in a row wait for longer and longer, up to six hours, and
// an answer ends the row.
func TestBackOff(t *testing.T) {
	r, a, key, id := appleRig(t)
	a.answers = append(a.answers, says(registry.ExchangeLater))
	most := time.Minute
	for n := 1; n <= 12; n++ {
		r.ResumeReceipts() // the team waits, too
		r.refresh()
		got := r.receipt(id)
		wait := got.NextAt.Sub(r.clock())
		if got.Failures != n || wait < most/2 || wait > most {
			t.Fatalf("failure %d: %d in a row, next in %s, want %s to %s", n, got.Failures, wait, most/2, most)
		}
		most = min(2*most, 6*time.Hour)
		r.advance(wait)
	}
	a.answers = append(a.answers[:0], r.gives(key, 1))
	r.ResumeReceipts()
	r.refresh()
	if got := r.receipt(id); got.Failures != 0 || got.Result != registry.ExchangeNew {
		t.Errorf("%+v", got)
	}
}

// TestBadCredentials: no receipt of the team is exchanged until it has others.
func TestBadCredentials(t *testing.T) {
	r, a, key, id := appleRig(t)
	ctx, stop := context.WithCancel(t.Context())
	a.answers = append(a.answers, func(registry.Receipt) (registry.Exchanged, error) {
		if a.calls() > 20 { // it would go on for ever
			stop()
		}
		return registry.Exchanged{Result: registry.ExchangeBadCredentials}, nil
	})
	for range 3 {
		if err := r.RefreshReceipts(ctx); err != nil {
			t.Fatal(err)
		}
		r.advance(24 * time.Hour)
	}
	if a.calls() != 1 {
		t.Errorf("%d calls with credentials that were refused", a.calls())
	}
	a.answers = append(a.answers[:0], r.gives(key, 1))
	r.ResumeReceipts()
	r.refresh()
	if got := r.receipt(id); got.Result != registry.ExchangeNew {
		t.Errorf("%+v", got)
	}
}

// TestNoDataRevives: when Apple has forgotten the device, the metric is unknown;
// a new attestation of the account asks again at once.
func TestNoDataRevives(t *testing.T) {
	r, a, key, id := appleRig(t)
	a.answers = append(a.answers, r.gives(key, 2))
	r.refresh()
	if got := r.receipt(id); got.Metric == nil || *got.Metric != 2 {
		t.Fatalf("%+v", got)
	}
	r.advance(40 * time.Hour)
	a.answers = append(a.answers[:0], says(registry.ExchangeNoData))
	r.refresh()
	if got := r.receipt(id); got.Metric != nil || !got.MetricAt.IsZero() || !got.NextAt.Equal(r.clock().Add(7*24*time.Hour)) {
		t.Fatalf("%+v", got)
	}
	r.advance(time.Hour)
	in := r.appleRegistration(applePhone(t).GenerateKey())
	in.Account = bob
	in.Challenge = r.challenge(bob)
	r.register(in) // of somebody else, and not even good
	if got := r.receipt(id); !got.NextAt.After(r.clock()) {
		t.Error("revived by another account")
	}
	r.mustAllow(r.appleRegistration(applePhone(t).GenerateKey()))
	if got := r.receipt(id); !got.NextAt.Equal(r.clock()) {
		t.Errorf("next at %v", got.NextAt)
	}
}

// TestUnusedKeys: a key that nobody has used for 30 days leaves the schedule, and
// its next use brings it back.
func TestUnusedKeys(t *testing.T) {
	r, a, key, id := appleRig(t)
	a.answers = append(a.answers, r.gives(key, 1))
	r.refresh()
	r.advance(30 * 24 * time.Hour)
	r.refresh()
	if got := r.receipt(id); a.calls() != 1 || got.State != registry.ReceiptParked || !got.NextAt.IsZero() || *got.Metric != 1 {
		t.Fatalf("%d calls, %+v", a.calls(), got)
	}
	r.mustPass(r.check(r.sign(key)))
	if got := r.receipt(id); got.State != registry.ReceiptScheduled || !got.NextAt.Equal(r.clock()) {
		t.Fatalf("after a use: %+v", got)
	}
	r.refresh()
	if got := r.receipt(id); a.calls() != 2 || got.Result != registry.ExchangeNew {
		t.Errorf("%d calls, %+v", a.calls(), got)
	}
	before := r.receipt(id).NextAt
	r.mustPass(r.check(r.sign(key))) // later the same day
	if !r.receipt(id).NextAt.Equal(before) {
		t.Error("a use moves a receipt that is scheduled")
	}
	// Used yesterday, it goes on.
	r.advance(29 * 24 * time.Hour)
	r.mustPass(r.check(r.sign(key)))
	r.advance(24 * time.Hour)
	r.refresh()
	if got := r.receipt(id); a.calls() != 3 || got.State != registry.ReceiptScheduled {
		t.Errorf("%d calls, %+v", a.calls(), got)
	}
}

// TestDeadKeys: the receipt of a key that signs no more is not exchanged.
func TestDeadKeys(t *testing.T) {
	for _, state := range []registry.State{registry.StateRevoked, registry.StateSuperseded} {
		r, a, key, id := appleRig(t)
		a.answers = append(a.answers, r.gives(key, 1))
		k := r.key(id)
		k.State = state
		if err := r.store.Update(t.Context(), func(tx storetest.Tx) error { return tx.PutAttestedKey(t.Context(), k) }); err != nil {
			t.Fatal(err)
		}
		r.refresh()
		if got := r.receipt(id); a.calls() != 0 || got.State != registry.ReceiptStopped || !got.NextAt.IsZero() {
			t.Errorf("%s: %d calls, %+v", state, a.calls(), got)
		}
	}
}

// TestRiskChanged: a metric that makes other rules fire is told of, once.
func TestRiskChanged(t *testing.T) {
	r, a, key, id := appleRig(t, withPolicy(t, `risk = []`, `risk = [
		{ signal = "apple.risk_metric", at_least = 4, effect = "warn" },
		{ signal = "apple.risk_metric", at_least = 9, effect = "reject" },
		{ signal = "android.batch_rate_rkp", at_least = 1, effect = "reject" }]`))
	events := func() (bodies []string) {
		_, all := r.record()
		for _, e := range all {
			if e.Type == "attest.risk_changed" {
				bodies = append(bodies, string(e.Body))
			}
		}
		return bodies
	}
	const warn, both = `[{"code":"common.risk","class":"policy","effect":"warn"}]`, `[{"code":"common.risk","class":"policy","effect":"warn"},{"code":"common.risk","class":"policy","effect":"reject"}]`
	for _, step := range []struct {
		metric int // -1: no data
		was    string
		codes  string // empty: nothing has changed
	}{{3, "null", ""}, {4, "3", warn}, {8, "4", ""}, {12, "8", both}, {2, "12", "[]"}, {9, "2", both}, {-1, "9", "[]"}, {1, "null", ""}} {
		before := len(events())
		a.answers = append(a.answers[:0], says(registry.ExchangeNoData))
		if step.metric >= 0 {
			a.answers = append(a.answers[:0], r.gives(key, step.metric))
		}
		r.refresh()
		after := events()
		if len(after)-before > 1 || (len(after) > before) != (step.codes != "") {
			t.Fatalf("metric %d: %d events", step.metric, len(after)-before)
		}
		if step.codes != "" {
			if body := after[len(after)-1]; !strings.Contains(body, `"was":`+step.was+`,`) || !strings.Contains(body, `"codes":`+step.codes) || !strings.Contains(body, id) {
				t.Errorf("metric %d: %s", step.metric, body)
			}
		}
		// The key's next request is judged by what is known now.
		if v := r.check(r.sign(key)); step.metric < 9 {
			r.mustPass(v)
		} else {
			r.mustRefuse(v, "common.risk")
		}
		r.advance(r.receipt(id).NextAt.Sub(r.clock()))
	}
	entries, _ := r.record()
	told := slices.DeleteFunc(entries, func(e audit.Entry) bool { return e.Action != "attest.risk_changed" })
	if len(told) != len(events()) || told[0].Account != alice || told[0].Subject != id {
		t.Errorf("%d entries", len(told))
	}
	r.mustCheck()
}
