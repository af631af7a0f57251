package storetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
)

// testCountKeys: keys are counted by batch and by account, from a time on, but
// for one, and no further than the limit.
func testCountKeys(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	one, two := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	put := func(id string, account account.ID, batch []byte, ago time.Duration) {
		update(t, s, func(tx Tx) error {
			k := registry.Key{ID: id, App: App, Account: account, SPKI: []byte{1}, State: registry.StateActive, Batch: batch, RegisteredAt: noon().Add(-ago)}
			return tx.PutAttestedKey(ctx, k)
		})
	}
	put("a", alice, one, 0)
	put("b", alice, one, time.Hour)
	put("c", bob, one, time.Hour+time.Microsecond)
	put("d", bob, two, -time.Hour) // registered before the clock went back
	put("e", bob, nil, 0)
	put("e", bob, nil, time.Minute) // again
	tests := []struct {
		name    string
		batch   []byte
		account account.ID
		ago     time.Duration
		but     string
		limit   int
		want    int
	}{
		{"batch", one, "", 2 * time.Hour, "", 9, 3},
		{"batch, but one", one, "", 2 * time.Hour, "a", 9, 2},
		{"batch, but one that is not there", one, "", 2 * time.Hour, "x", 9, 3},
		{"batch, limited", one, "", 2 * time.Hour, "", 2, 2},
		{"batch, since", one, "", time.Hour, "", 9, 1}, // that very moment is not after it
		{"another batch", two, "", time.Hour, "", 9, 1},
		{"unknown batch", bytes.Repeat([]byte{3}, 32), "", time.Hour, "", 9, 0},
		{"no batch", nil, "", time.Hour, "", 9, 0},
		{"account", nil, bob, 2 * time.Hour, "", 9, 3},
		{"account, but one", nil, bob, 2 * time.Hour, "e", 9, 2},
		{"account, since", nil, bob, time.Hour, "", 9, 2},
		{"account, limited", nil, bob, 2 * time.Hour, "", 1, 1},
	}
	for _, tt := range tests {
		view(t, s, func(tx Tx) (err error) {
			var n int
			if tt.account != "" {
				n, err = tx.CountAccountKeys(ctx, tt.account, noon().Add(-tt.ago), tt.but, tt.limit)
			} else {
				n, err = tx.CountBatchKeys(ctx, tt.batch, noon().Add(-tt.ago), tt.but, tt.limit)
			}
			if n != tt.want {
				t.Errorf("%s: %d, want %d", tt.name, n, tt.want)
			}
			return err
		})
	}
}

// testExceptionUses: uses are counted by exception and day, and deleted by day.
func testExceptionUses(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	use := func(id string, day int64, by byte) {
		update(t, s, func(tx Tx) error {
			return tx.AddExceptionUse(ctx, registry.ExceptionUse{Exception: id, Day: day, Account: bytes.Repeat([]byte{by}, 16)})
		})
	}
	use("x", 20000, 1)
	use("x", 20000, 1)
	use("x", 20000, 2)
	use("x", 20001, 1)
	use("y", 20000, 1)
	want := func(day int64, want map[string]int) {
		t.Helper()
		view(t, s, func(tx Tx) error {
			got, err := tx.ExceptionUses(ctx, []string{"x", "y", "z"}, day)
			if !maps.Equal(got, want) {
				t.Errorf("day %d: %v, want %v", day, got, want)
			}
			return err
		})
	}
	want(19999, nil)
	want(20000, map[string]int{"x": 3, "y": 1})
	want(20001, map[string]int{"x": 1})
	view(t, s, func(tx Tx) error {
		if got, err := tx.ExceptionUses(ctx, []string{"y"}, 20000); err != nil || len(got) != 1 || got["y"] != 1 {
			t.Errorf("of one: %v, %v", got, err)
		}
		got, err := tx.ExceptionUses(ctx, nil, 20000)
		if len(got) != 0 {
			t.Errorf("of none: %v", got)
		}
		return err
	})
	view(t, s, func(tx Tx) error {
		got, err := tx.ExceptionDays(ctx, []string{"x", "y", "z"}, 20000)
		day := func(x string, day int64, uses, accounts int) registry.ExceptionDay {
			return registry.ExceptionDay{Exception: x, Day: day, Uses: uses, Accounts: accounts}
		}
		want := []registry.ExceptionDay{day("x", 20000, 3, 2), day("x", 20001, 1, 1), day("y", 20000, 1, 1)}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("days: %v, want %v, %v", got, want, err)
		}
		got, err = tx.ExceptionDays(ctx, []string{"x"}, 20001)
		if err != nil || !slices.Equal(got, want[1:2]) {
			t.Errorf("later days of one: %v, %v", got, err)
		}
		return err
	})
	if err := s.Update(ctx, func(tx Tx) error { return tx.AddExceptionUse(ctx, registry.ExceptionUse{Exception: "x", Day: 20000}) }); err == nil {
		t.Error("counted a use by nobody, whose row is the sum")
	}
	for _, want := range []int{3, 2, 0} { // x: a sum and two accounts; y: a sum and one
		update(t, s, func(tx Tx) error {
			n, err := tx.DeleteExceptionUses(ctx, 20001, 3)
			if n != want {
				t.Errorf("deleted %d rows, want %d", n, want)
			}
			return err
		})
	}
	want(20000, nil)
	want(20001, map[string]int{"x": 1})
}

// document is one of a kind; kept tells the record of it.
func document(kind, body string) registry.Document {
	sum := sha256.Sum256([]byte(body))
	return registry.Document{Digest: "sha256:" + hex.EncodeToString(sum[:]), Kind: kind, Body: []byte(body), At: noon().UTC()}
}

// testDocuments: each is kept as it was first, and one of a kind is in force.
func testDocuments(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	put := func(d registry.Document) {
		t.Helper()
		update(t, s, func(tx Tx) error {
			if err := tx.PutDocumentInForce(ctx, d); err != nil {
				return err
			}
			sum := sha256.Sum256(d.Body)
			return tx.AppendAudit(ctx, audit.Entry{
				Time: d.At, Actor: audit.Actor{Kind: account.System}, Action: "attest.policy", Subject: d.Digest, Object: sum[:],
			})
		})
	}
	inForce := func(kind, want string) {
		t.Helper()
		view(t, s, func(tx Tx) error {
			got, err := tx.DocumentInForce(ctx, kind)
			if got != want {
				t.Errorf("%s in force is %q, want %q", kind, got, want)
			}
			return err
		})
	}
	inForce("policy", "")
	a, b, other := document("policy", `{"a":1}`), document("policy", `{"b":1}`), document("other", `{"c":1}`)
	put(a)
	put(other)
	inForce("policy", a.Digest)
	put(b)
	inForce("policy", b.Digest)
	inForce("other", other.Digest)
	inForce("none", "")
	later := a
	later.At = noon().Add(time.Hour)
	put(later)
	inForce("policy", a.Digest)
	view(t, s, func(tx Tx) error {
		for _, d := range []registry.Document{a, b, other} {
			got, found, err := tx.Document(ctx, d.Digest)
			if diff := cmp.Diff(d, got); err != nil || !found || diff != "" {
				t.Errorf("%v, %v: %s", found, err, diff)
			}
		}
		_, found, err := tx.Document(ctx, "sha256:00")
		if found {
			t.Error("found what was never stored")
		}
		return err
	})
	mustCheck(t, s)

	// What is not what its digest says is found, and so is what nobody recorded.
	wrong := document("other", `{"d":1}`)
	wrong.Body = []byte(`{"e":1}`)
	update(t, s, func(tx Tx) error { return tx.PutDocumentInForce(ctx, wrong) })
	report, err := s.Check(ctx, noon())
	if err != nil || report.OK() {
		t.Errorf("a document that nobody recorded: %+v, %v", report, err)
	}
}
