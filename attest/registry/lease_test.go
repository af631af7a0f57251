package registry_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/internal/vectors"
	"github.com/staunchid/staunch/store/storetest"
)

// TestLease: two processes share the work, and each receipt is exchanged once.
func TestLease(t *testing.T) {
	a := &apple{}
	r := newRig(t, a.options)
	const n = 12
	for range n {
		r.mustAllow(r.appleRegistration(applePhone(t).GenerateKey()))
	}
	r.advance(15 * time.Minute)
	a.answers = append(a.answers, says(registry.ExchangeTooEarly))
	var wg sync.WaitGroup
	for _, s := range []*registry.Service{r.Service, r.service(r.store)} {
		wg.Go(func() {
			if err := s.RefreshReceipts(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	asked := map[string]bool{}
	for _, x := range a.asked {
		asked[x.Key] = true
	}
	if a.calls() != n || len(asked) != n {
		t.Errorf("%d exchanges of %d receipts", a.calls(), len(asked))
	}
}

// TestLeaseRunsOut: who dies in an exchange leaves the receipt to another, two
// minutes later, and when he was only slow his answer counts nothing.
func TestLeaseRunsOut(t *testing.T) {
	r, a, key, id := appleRig(t)
	release, entered := make(chan struct{}), make(chan struct{})
	slow := r.gives(key, 7)
	a.answers = append(a.answers, func(x registry.Receipt) (registry.Exchanged, error) {
		answer, err := slow(x)
		close(entered)
		<-release
		return answer, err
	}, r.gives(key, 3))
	done := make(chan error)
	go func() { done <- r.RefreshReceipts(t.Context()) }()
	<-entered
	other := r.service(r.store)
	if err := other.RefreshReceipts(t.Context()); err != nil || a.calls() != 1 {
		t.Fatalf("%d calls under a lease, %v", a.calls(), err)
	}
	r.advance(2 * time.Minute)
	if err := other.RefreshReceipts(t.Context()); err != nil || a.calls() != 2 {
		t.Fatalf("%d calls after the lease, %v", a.calls(), err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := r.receipt(id); *got.Metric != 3 || got.Result != registry.ExchangeNew {
		t.Errorf("%+v", got)
	}
}

// TestStopped: the end of the context in an exchange changes nothing; the lease
// runs out.
func TestStopped(t *testing.T) {
	r, a, key, id := appleRig(t)
	ctx, stop := context.WithCancel(t.Context())
	a.answers = append(a.answers, func(x registry.Receipt) (registry.Exchanged, error) {
		stop()
		return registry.Exchanged{}, context.Canceled
	}, r.gives(key, 3))
	if err := r.RefreshReceipts(ctx); err != nil {
		t.Error(err)
	}
	if got := r.receipt(id); got.Result != "" || got.Failures != 0 || got.LeaseUntil.IsZero() {
		t.Errorf("%+v", got)
	}
	r.advance(2 * time.Minute)
	r.refresh()
	if got := r.receipt(id); *got.Metric != 3 {
		t.Errorf("%+v", got)
	}
}

// TestRefreshFaults fails every call to the store once, before and after it took
// effect: afterwards the metric is there, and its change is told of once.
func TestRefreshFaults(t *testing.T) {
	for _, when := range []storetest.When{storetest.Before, storetest.After} {
		fired := map[string]bool{}
		for n := 1; ; n++ {
			r, a, key, id := appleRig(t, withPolicy(t, `risk = []`, `risk = [{ signal = "apple.risk_metric", at_least = 4, effect = "warn" }]`),
				func(o *registry.Options) { o.TestingOnlyWorkers(1) }) // so that calls have an order
			a.answers = append(a.answers, r.gives(key, 5))
			faulty := storetest.NewFaulty(r.store, n, when)
			err := r.service(faulty).RefreshReceipts(t.Context())
			if faulty.Fired() == "" {
				if err != nil {
					t.Error(err)
				}
				break
			}
			fired[faulty.Fired()] = true
			if !errors.Is(err, storetest.ErrFault) {
				t.Fatalf("fault at %s: %v", faulty.Fired(), err)
			}
			r.advance(2 * time.Minute) // any lease has run out
			r.refresh()
			if got := r.receipt(id); got.Metric == nil || *got.Metric != 5 || r.rows("outbox WHERE type = 'attest.risk_changed'") != 1 ||
				r.rows("audit_entry WHERE action = 'attest.risk_changed'") != 1 {
				t.Fatalf("after a fault at %s: %+v", faulty.Fired(), got)
			}
			r.mustCheck()
		}
		for _, name := range []string{"begin", "ReceiptTeams", "DueReceipt", "AttestedKey", "LeaseReceipt", "AttestedReceipt", "PutReceipt", "AppendAudit", "AppendEvent", "commit"} {
			if !fired[name] {
				t.Errorf("no fault at %s: %v", name, fired)
			}
		}
	}
}

// TestNoExchange: without Apple's keys receipts are kept, and nothing is asked.
func TestNoExchange(t *testing.T) {
	r := newRig(t)
	id := r.mustAllow(r.appleRegistration(applePhone(t).GenerateKey())).KeyID
	r.advance(time.Hour)
	r.refresh()
	if got := r.receipt(id); got.Result != "" || !got.LeaseUntil.IsZero() {
		t.Errorf("%+v", got)
	}
}

// recorded are receipts of a real phone: that of its attestation, and those that
// Apple gave for it later.
type recorded struct {
	TeamID   string `json:"team_id"`
	BundleID string `json:"bundle_id"`
	Receipts []struct {
		Receipt []byte `json:"receipt"`
	} `json:"receipts"`
}

// TestRecordedReceipts: a receipt that Apple has given is taken, with its metric,
// and not for another phone's key.
func TestRecordedReceipts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectors.Dir(t, "attestation"), "veehaitch-devicecheck-appattest", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var phone recorded
		if err := json.Unmarshal(data, &phone); err != nil {
			t.Fatal(err)
		}
		if len(phone.Receipts) < 2 {
			continue
		}
		old, err := appattest.VerifyReceipt(phone.Receipts[0].Receipt, appattest.AppleRoots())
		if err != nil {
			t.Fatal(err)
		}
		for _, next := range phone.Receipts[1:] {
			is, err := appattest.VerifyReceipt(next.Receipt, appattest.AppleRoots())
			if err != nil {
				t.Fatal(err)
			}
			for name, spki := range map[string][]byte{"its key": old.KeySPKI, "another key": spkiOf(t, applePhone(t).GenerateKey().PublicKey())} {
				tried++
				a := &apple{answers: []func(registry.Receipt) (registry.Exchanged, error){func(registry.Receipt) (registry.Exchanged, error) {
					return registry.Exchanged{Result: registry.ExchangeNew, Receipt: next.Receipt}, nil
				}}}
				var log bytes.Buffer
				r := newRig(t, a.options, func(o *registry.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) }, withPolicy(t, `team_id = "DEMO123456"`, `team_id = "`+phone.TeamID+`"`, `bundle_ids = ["com.example.demo"]`, `bundle_ids = ["`+phone.BundleID+`"]`))
				r.now = is.CreationTime.Add(time.Second)
				id := base64.RawURLEncoding.EncodeToString(old.KeyID)
				err = r.store.Update(t.Context(), func(tx storetest.Tx) error {
					err := tx.PutAttestedKey(t.Context(), registry.Key{
						ID: id, App: "demo", Account: alice, Platform: "apple", SPKI: spki, AppID: phone.TeamID + "." + phone.BundleID,
						State: registry.StateActive, RegisteredAt: r.now,
					})
					if err != nil {
						return err
					}
					return tx.PutReceipt(t.Context(), registry.Receipt{
						Key: id, Account: alice, Team: phone.TeamID, Environment: string(old.Environment), CMS: phone.Receipts[0].Receipt,
						CreatedAt: old.CreationTime, State: registry.ReceiptScheduled, NextAt: r.now,
					})
				})
				if err != nil {
					t.Fatal(err)
				}
				r.refresh()
				got := r.receipt(id)
				same := bytes.Equal(got.CMS, next.Receipt)
				got.CMS = nil // not in a message
				if name != "its key" {
					if got.Result != registry.ExchangeInvalid || got.Metric != nil {
						t.Errorf("%s: %+v", name, got)
					}
					continue
				}
				if got.Result != registry.ExchangeNew || got.Metric == nil || *got.Metric != *is.RiskMetric || !same ||
					got.NextAt.Before(is.NotBefore.Truncate(time.Microsecond)) && is.NotBefore.After(r.now) {
					t.Errorf("%s: %+v: %s", name, got, log.String())
				}
			}
		}
	}
	if tried == 0 {
		t.Error("no recorded receipt was tried")
	}
}

// spkiOf checks that what it is given is a public key.
func spkiOf(t testing.TB, spki []byte) []byte {
	t.Helper()
	if _, err := appattest.KeyID(spki); err != nil {
		t.Fatal(err)
	}
	return spki
}
