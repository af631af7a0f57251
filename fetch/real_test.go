package fetch_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/fetch"
	"github.com/staunchid/staunch/fetch/fetchtest"
	"github.com/staunchid/staunch/internal/vectors"
)

// TestRealReceipts: what Apple has answered comes through as it was sent, BER
// and all, and verifies.
func TestRealReceipts(t *testing.T) {
	files := must(filepath.Glob(filepath.Join(vectors.Dir(t, "attestation"), "veehaitch-devicecheck-appattest", "*.json")))
	if len(files) == 0 {
		t.Fatal("no recorded receipts")
	}
	v := newVendor(t)
	for _, file := range files {
		var recorded struct {
			Team     string `json:"team_id"`
			Receipts []struct{ Receipt []byte }
		}
		if err := json.Unmarshal(must(os.ReadFile(file)), &recorded); err != nil || len(recorded.Receipts) < 2 {
			t.Fatalf("%s: %d receipts, %v", file, len(recorded.Receipts), err)
		}
		key := must(fetch.ParseAppleKey(recorded.Team, keyID, must(v.NewAppleKey(recorded.Team, keyID))))
		r := must(fetch.NewReceipts(&fetch.ReceiptOptions{Client: v.Client(), Keys: []*fetch.AppleKey{key}, DevelopmentURL: v.ReceiptURL(appattest.Development)}))
		for i, next := range recorded.Receipts[1:] {
			answering(v, fetchtest.Answer{Status: http.StatusOK, Receipt: next.Receipt})
			o, err := r.Exchange(t.Context(), recorded.Team, appattest.Development, recorded.Receipts[i].Receipt)
			if err != nil || o.Kind != fetch.OutcomeNew {
				t.Fatalf("%s: %+v, %v", file, o, err)
			}
			newer, err := appattest.VerifyReceipt(o.Receipt, appattest.AppleRoots())
			if err != nil || newer.Type != "RECEIPT" || newer.RiskMetric == nil {
				t.Errorf("%s: %+v, %v", file, newer, err)
			}
			calls := v.Exchanges()
			older, err := appattest.VerifyReceipt(calls[len(calls)-1].Receipt, appattest.AppleRoots())
			if err != nil || string(older.KeyID) != string(newer.KeyID) {
				t.Errorf("%s: the vendor got %+v, %v", file, older, err)
			}
		}
	}
}

// TestSoftwareReceipts: a fake vendor with a software phone, as in a test of who
// schedules the exchanges.
func TestSoftwareReceipts(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ca := must(attesttest.NewAppleCA(now))
	phone := ca.Phone().GenerateKey()
	if _, err := phone.Attest(now, []byte("challenge")); err != nil {
		t.Fatal(err)
	}
	v := newVendor(t)
	v.SetExchange(func(e fetchtest.Exchange) fetchtest.Answer {
		return fetchtest.Answer{Status: http.StatusOK, Receipt: must(phone.Receipt(now, 3))}
	})
	o, err := newReceipts(t, v, nil).Exchange(t.Context(), team, appattest.Production, must(phone.Receipt(now, 1)))
	if err != nil || o.Kind != fetch.OutcomeNew {
		t.Fatalf("%+v, %v", o, err)
	}
	if claims, err := appattest.VerifyReceipt(o.Receipt, appattest.AppleRoots()); claims == nil || *claims.RiskMetric != 3 || err == nil {
		t.Errorf("%+v, %v: a software receipt passes under Apple's root", claims, err)
	}
}

// TestRecordedStatusList: a list as Google has published it.
func TestRecordedStatusList(t *testing.T) {
	list := must(os.ReadFile(filepath.Join(vectors.Dir(t, "attestation"), "google-android-key-attestation", "status.json")))
	f := newFixture(t, nil)
	f.vendor.SetStatusList(string(list))
	f.fetch(t, true, nil)
	f.start(t)
	if l := f.List(); l.Lookup("6681152659205225093") != android.StatusRevoked || l.Lookup("cc66e9a93713b6e643b26c15879786f7") != android.StatusSuspended {
		t.Errorf("%+v", l)
	}
}
