package registry_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

// document reads one.
func (r *rig) document(digest string) (d registry.Document, found bool) {
	r.t.Helper()
	err := r.store.View(r.t.Context(), func(tx storetest.Tx) (err error) {
		d, found, err = tx.Document(r.t.Context(), digest)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return d, found
}

// TestAdoptPolicy: each policy is kept as it was, and the app's record tells
// which is in force.
func TestAdoptPolicy(t *testing.T) {
	r := newRig(t)
	one, two := changedPolicy(t), changedPolicy(t, observes)
	steps := []struct {
		p   *attest.Policy
		was string
		new bool // an entry is written
	}{{one, "", true}, {one, "", false}, {two, one.Digest(), true}, {two, "", false}, {one, two.Digest(), true}}
	entries := 0
	for i, step := range steps {
		r.advance(time.Minute)
		if err := r.AdoptPolicy(t.Context(), step.p); err != nil {
			t.Fatal(err)
		}
		all, events := r.record()
		if step.new {
			entries++
		}
		if len(all) != entries || len(events) != 0 {
			t.Fatalf("step %d: %d entries and %d events", i, len(all), len(events))
		}
		if e := all[len(all)-1]; step.new && (e.Account != "" || e.Actor.Kind != account.System || e.Action != "attest.policy" ||
			e.Subject != step.p.Digest() || !strings.Contains(string(e.Detail), `"was":"`+step.was+`"`) || !e.Time.Equal(r.clock())) {
			t.Errorf("step %d: entry %+v: %s", i, e, e.Detail)
		}
		d, found := r.document(step.p.Digest())
		if !found || !bytes.Equal(d.Body, step.p.Canonical()) {
			t.Errorf("step %d: document %+v", i, d)
		}
		if p, err := attest.ParsePolicy(d.Body); err != nil || p.Digest() != step.p.Digest() {
			t.Errorf("step %d: policy %v", i, err)
		}
		r.mustCheck()
	}
	if d, _ := r.document(one.Digest()); !d.At.Equal(noon.Add(time.Minute)) {
		t.Errorf("the first policy is in force since %s", d.At)
	}
}

// TestAdoptPolicyWritesNothing: a policy that is in force takes no turn from
// those who write.
func TestAdoptPolicyWritesNothing(t *testing.T) {
	r := newRig(t)
	p := changedPolicy(t)
	if err := r.AdoptPolicy(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	before := r.written()
	if err := r.AdoptPolicy(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, r.written()) {
		t.Error("the files have changed")
	}
}

// TestAdoptPolicyFaults: either the policy is kept and recorded, or neither.
func TestAdoptPolicyFaults(t *testing.T) {
	for _, when := range []storetest.When{storetest.Before, storetest.After} {
		for n := 1; ; n++ {
			r := newRig(t)
			p := changedPolicy(t)
			faulty := storetest.NewFaulty(r.store, n, when)
			err := r.service(faulty).AdoptPolicy(t.Context(), p)
			if faulty.Fired() == "" {
				if err != nil || n < 8 {
					t.Errorf("without a fault at call %d: %v", n, err)
				}
				break
			}
			_, found := r.document(p.Digest())
			entries, _ := r.record()
			if !errors.Is(err, storetest.ErrFault) || found != (len(entries) == 1) {
				t.Errorf("fault at %s: %v, kept %v, %d entries", faulty.Fired(), err, found, len(entries))
			}
			if err := r.AdoptPolicy(t.Context(), p); err != nil {
				t.Error(err)
			}
			if entries, _ := r.record(); len(entries) != 1 {
				t.Errorf("fault at %s, and again: %d entries", faulty.Fired(), len(entries))
			}
			r.mustCheck()
		}
	}
}

// TestCheckDocuments: a document that is not what its digest says is found.
func TestCheckDocuments(t *testing.T) {
	for name, change := range map[string]string{
		"changed":                   `UPDATE attest_document SET body = CAST('{}' AS BLOB)`,
		"gone":                      `DELETE FROM attest_document`,
		"under another digest":      `UPDATE attest_document SET digest = 'sha256:00'`,
		"changed with its digest":   `UPDATE attest_document SET body = CAST('{}' AS BLOB), digest = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'`,
		"another one, not recorded": `INSERT INTO attest_document VALUES ('sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', 'policy', CAST('{}' AS BLOB), 1, 0)`,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if err := r.AdoptPolicy(t.Context(), changedPolicy(t)); err != nil {
				t.Fatal(err)
			}
			r.mustCheck()
			r.rows("attest_document") // opens the file beside the store
			if _, err := r.db.Exec(change); err != nil {
				t.Fatal(err)
			}
			report, err := r.store.Check(t.Context(), r.clock())
			if err != nil || report.OK() {
				t.Errorf("report %+v, %v", report, err)
			}
		})
	}
}
