package recovery_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/store/storetest"
)

// TestServiceWalk is what an owner sees, with the real service between his phone
// and the vaults: wrong PINs, the right one, another PIN, another payload,
// deletion, and a new registration after it.
func TestServiceWalk(t *testing.T) {
	for _, profile := range []string{recovery.ProfileKR1, recovery.ProfileSingle, recovery.ProfileSeed} {
		t.Run(profile, func(t *testing.T) {
			b := newBackend(t, recoverytest.Options{Profile: profile})
			h := b.handset(alice, phone1)
			if _, err := h.recover("482915"); !errors.Is(err, recovery.ErrNotFound) {
				t.Fatalf("before the first backup: %v", err)
			}
			h.must(h.register("482915", "one"))
			for i := range 3 {
				h.wrong(fmt.Sprint("00000", i), 9-i)
			}
			h.right("482915", "one")
			finished(h, true)
			h.must(h.register("739164", "two"))
			h.wrong("482915", 9)
			h.right("739164", "two")
			if profile != recovery.ProfileSeed {
				have, err := recovery.ParseBackup(h.backup)
				h.must(err)
				h.must(h.client.Update(t.Context(), have, payloadOf("three")))
				h.right("739164", "three")
			}
			if n := len(b.told("recovery.set")) + len(b.told("recovery.changed")); n != 2 {
				t.Errorf("the owner was told %d times of a PIN, want 2", n)
			}
			have, err := recovery.ParseBackup(h.backup)
			h.must(err)
			if _, err := h.client.Delete(t.Context(), have); err != nil {
				t.Fatal(err)
			}
			b.do(func(tx storetest.Tx) error {
				if has, err := b.HasBackup(t.Context(), tx, alice); has || err != nil {
					t.Errorf("after deletion: %v, %v", has, err)
				}
				blobs, err := tx.Blobs(t.Context(), alice)
				if len(blobs) > 0 {
					t.Errorf("%d blobs are left", len(blobs))
				}
				return err
			})
			if n := len(b.told("recovery.deleted")); n != 1 {
				t.Errorf("the owner was told %d times of the deletion", n)
			}
			if _, err := h.recover("739164"); err == nil {
				t.Error("recovered after deletion")
			}
			h.must(h.register("606817", "four"))
			h.right("606817", "four")
			if report, err := b.store.Check(t.Context(), noon); err != nil || !report.OK() {
				t.Errorf("Check: %+v, %v", report.Problems, err)
			}
		})
	}
}

// finished asks as the flows of the accounts do.
func finished(h *handset, want bool) {
	h.Helper()
	h.do(func(tx storetest.Tx) error {
		got, err := h.Finished(h.Context(), tx, h.id, sha256.Sum256(h.ticket()))
		if got != want {
			h.Errorf("finished: %v, want %v", got, want)
		}
		return err
	})
}

// TestChargedOnce: one try at all vaults is told once, with what remains after it;
// a repeat of the same PIN is not told again, nor is the right one, but as the
// attempt that it is.
func TestChargedOnce(t *testing.T) {
	b := newBackend(t, recoverytest.Options{Limit: 3})
	h := b.handset(alice, "")
	owner := b.handset(alice, phone1)
	owner.must(owner.register("482915", "one"))
	h.wrong("000000", 2)
	want := []string{`{"by":"","limit":3,"remaining":2}`}
	if got := b.told("recovery.attempt"); !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	h.right("482915", "one")
	want = append(want, `{"by":"","limit":3,"remaining":1}`)
	h.wrong("000001", 2)
	h.wrong("000002", 1)
	h.wrong("000003", 0)
	for _, n := range []int{2, 1, 0} {
		want = append(want, fmt.Sprintf(`{"by":"","limit":3,"remaining":%d}`, n))
	}
	if got := b.told("recovery.attempt"); !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	if got := b.told("recovery.locked"); len(got) != 3 {
		t.Errorf("locked: %v, want each vault once", got)
	}
}
