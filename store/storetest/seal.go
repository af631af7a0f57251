package storetest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// testSeals: a seal and its marks are stored together or not at all, and cover
// what was there, by account, then number.
func testSeals(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	check := func() audit.Report {
		t.Helper()
		var report audit.Report
		view(t, s, func(tx Tx) (err error) {
			report, err = audit.Check(ctx, tx, &audit.CheckOptions{Keys: []ed25519.PublicKey{private.Public().(ed25519.PublicKey)}, Now: noon()})
			return err
		})
		return report
	}
	seal := func(limit int) error {
		return s.Update(ctx, func(tx Tx) error {
			last, err := tx.LastAuditSeal(ctx)
			if err != nil {
				return err
			}
			return sealOnce(ctx, tx, last, limit, private)
		})
	}
	for _, id := range []account.ID{bob, "", alice, bob, alice} {
		update(t, s, func(tx Tx) error { return tx.AppendAudit(ctx, entry(id, "x")) })
	}
	if got := check(); !got.OK() || got.Seals != 0 || got.Unsealed != 5 {
		t.Errorf("before: %+v", got)
	}
	if err := seal(2); err != nil { // of the app and alice
		t.Fatal(err)
	}
	update(t, s, func(tx Tx) error { return tx.AppendAudit(ctx, entry("", "x")) })
	if err := seal(100); err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx Tx) error { return tx.AppendAudit(ctx, entry(alice, "x")) })
	if got := check(); !got.OK() || got.Seals != 2 || got.Entries != 7 || got.Unsealed != 1 {
		t.Errorf("after: %+v", got)
	}
	var marks []uint64
	view(t, s, func(tx Tx) error {
		return tx.AuditEntries(ctx, func(e audit.Entry) error { marks = append(marks, e.Seal); return nil })
	})
	if diff := cmp.Diff([]uint64{1, 2, 1, 2, 0, 2, 2}, marks); diff != "" {
		t.Error(diff)
	}

	stop := errors.New("stop")
	err := s.Update(ctx, func(tx Tx) error {
		last, err := tx.LastAuditSeal(ctx)
		if err != nil {
			return err
		}
		return errors.Join(sealOnce(ctx, tx, last, 1, private), stop)
	})
	if got := check(); !errors.Is(err, stop) || !got.OK() || got.Seals != 2 || got.Unsealed != 1 {
		t.Errorf("rolled back: %+v, %v", got, err)
	}
	if err := s.Update(ctx, func(tx Tx) error { return sealOnce(ctx, tx, audit.Seal{}, 1, private) }); err == nil {
		t.Error("a second seal with number 1 was stored")
	}
}

// sealOnce is what a Sealer does, as plain as it can be said.
func sealOnce(ctx context.Context, tx Tx, last audit.Seal, limit int, private ed25519.PrivateKey) error {
	var hashes []byte
	err := tx.UnsealedAuditEntries(ctx, limit, func(hash [32]byte) error { hashes = append(hashes, hash[:]...); return nil })
	if err != nil {
		return err
	}
	seal := audit.NewSeal(App, last, uint64(len(hashes)/32), sha256.Sum256(hashes), noon())
	seal.Signature = ed25519.Sign(private, seal.Message(App))
	if n, err := tx.SealAuditEntries(ctx, seal.Number, limit); err != nil || uint64(n) != seal.Count {
		return errors.Join(err, errors.New("another number of entries was marked"))
	}
	return tx.AppendAuditSeal(ctx, seal)
}
