package recovery_test

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/storetest"
)

// blobOf makes a blob of a registration with payload text.
func blobOf(t testing.TB, reg byte, text string) []byte {
	t.Helper()
	h := &wire.Header{Suite: wire.Suite1, Reg: wire.RegID{reg}, Argon2: wire.DefaultArgon2(), N: 1, T: 1, Vaults: []wire.Share{{Vault: "v1", K: make(wire.Element, 32)}}}
	b, err := wire.DataKey{Key: wire.NewKey()}.SealBlob(h, &wire.Payload{App: map[string]wire.Secret{"text": wire.Secret(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPutBlob: what is stored, and for whom.
func TestPutBlob(t *testing.T) {
	b := newBackend(t, recoverytest.Options{})
	h := b.handset(alice, phone1)
	ctx := t.Context()
	good := blobOf(t, 1, "x")
	other := h.caller()
	other.Device = phone2
	setUp := func(reg byte) {
		b.do(func(tx storetest.Tx) error { return b.SetUp(ctx, tx, alice, phone1, "v_1", [16]byte{reg}) })
	}
	put := func(c account.Caller, reg byte, blob []byte) error { return b.PutBlob(ctx, c, [16]byte{reg}, blob) }
	if err := put(h.caller(), 1, good); !errors.Is(err, account.ErrRefused) {
		t.Errorf("not confirmed: %v", err)
	}
	setUp(1)
	for _, tt := range []struct {
		name   string
		caller account.Caller
		reg    byte
		blob   []byte
		want   error
	}{
		{"good", h.caller(), 1, good, nil},
		{"again", h.caller(), 1, good, nil},
		{"of another device", other, 1, good, account.ErrRefused},
		{"of another registration", h.caller(), 2, blobOf(t, 2, "x"), account.ErrRefused},
		{"whose header names another", h.caller(), 1, blobOf(t, 2, "x"), recovery.ErrBlob},
		{"too large", h.caller(), 1, make([]byte, wire.MaxBlob+1), recovery.ErrBlob},
		{"no blob", h.caller(), 1, []byte("blob"), recovery.ErrBlob},
		{"cut short", h.caller(), 1, good[:len(good)-1], recovery.ErrBlob},
		{"nothing", h.caller(), 1, nil, recovery.ErrBlob},
	} {
		if err := put(tt.caller, tt.reg, tt.blob); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	// The pointer's blob stays, however many come after it.
	if err := b.CommitBackup(ctx, h.caller(), [16]byte{1}, recovery.Activated, sha256.Sum256(good)); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		b.setClock(func() time.Time { return time.Now().Add(time.Duration(i) * 11 * time.Minute) })
		if err := put(h.caller(), 1, blobOf(t, 1, "update")); err != nil {
			t.Fatal(err)
		}
	}
	for reg := byte(2); reg < 8; reg++ {
		setUp(reg)
		for range 3 {
			if err := put(h.caller(), reg, blobOf(t, reg, "other")); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.do(func(tx storetest.Tx) error {
		all, err := tx.Blobs(ctx, alice)
		if len(all) > 17 {
			t.Errorf("%d blobs are kept", len(all))
		}
		_, found, bad := tx.Blob(ctx, alice, [16]byte{1}, sha256.Sum256(good))
		if !found {
			t.Error("the one that the pointer names is gone")
		}
		return errors.Join(err, bad)
	})
	b.gate.refuse = map[account.Action]error{account.RecoveryUpdate: errStoreDown}
	if err := put(h.caller(), 1, good); !errors.Is(err, errStoreDown) {
		t.Errorf("by a device that may not: %v", err)
	}
}

// TestCommitBackup: the pointer goes on and never back, and only for who may.
func TestCommitBackup(t *testing.T) {
	b := newBackend(t, recoverytest.Options{})
	h := b.handset(alice, phone1)
	ctx := t.Context()
	one, two, three := blobOf(t, 1, "one"), blobOf(t, 1, "two"), blobOf(t, 2, "three")
	commit := func(reg byte, stage recovery.Stage, blob []byte, want error) {
		t.Helper()
		var hash [32]byte
		if blob != nil {
			hash = sha256.Sum256(blob)
		}
		err := b.CommitBackup(ctx, h.caller(), [16]byte{reg}, stage, hash)
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("commit %d %s: %v, want %v", reg, stage, err, want)
		}
	}
	stands := func(reg byte, blob []byte, stage recovery.Stage, blobs int) {
		t.Helper()
		v, err := b.GetBackup(ctx, h.caller())
		if err != nil || v.Found != (blob != nil) {
			t.Fatalf("%+v, %v", v, err)
		}
		if v.Found && (v.Reg != [16]byte{reg} || v.Blob != sha256.Sum256(blob) || v.Stage != stage) || len(v.Blobs) != blobs {
			t.Errorf("registration %x, blob %x, %s, %d blobs; want %d, %s, %d", v.Reg[:1], v.Blob[:2], v.Stage, len(v.Blobs), reg, stage, blobs)
		}
	}
	setUp := func(device account.DeviceID, reg byte) {
		b.do(func(tx storetest.Tx) error { return b.SetUp(ctx, tx, alice, device, "v_1", [16]byte{reg}) })
	}
	put := func(reg byte, blob []byte) {
		t.Helper()
		h.must(b.PutBlob(ctx, h.caller(), [16]byte{reg}, blob))
	}
	name := func(reg byte, gen uint32, blob []byte) {
		b.do(func(tx storetest.Tx) error {
			return tx.NameBlob(ctx, recovery.NamedRow{Account: alice, Reg: [16]byte{reg}, Vault: "v1", Gen: gen, Hash: sha256.Sum256(blob)})
		})
	}
	commit(1, recovery.Activated, one, account.ErrRefused)
	setUp(phone1, 1)
	commit(1, recovery.Activated, one, recovery.ErrBlob) // put it first
	put(1, one)
	commit(1, recovery.Finalized, nil, recovery.ErrNotFound)
	commit(1, recovery.Updated, one, recovery.ErrNotFound)
	commit(2, recovery.Activated, one, account.ErrRefused)
	setUp(phone2, 1)
	commit(1, recovery.Activated, one, account.ErrRefused)
	setUp(phone1, 1)
	commit(1, "flipped", one, recovery.ErrMalformed)
	stands(0, nil, "", 1)
	commit(1, recovery.Activated, one, nil)
	stands(1, one, recovery.Activated, 1)
	commit(1, recovery.Finalized, nil, nil)
	stands(1, one, recovery.Finalized, 1)
	if _, open := b.setup(); open {
		t.Error("the approval is good for more than one registration")
	}
	commit(1, recovery.Activated, one, nil) // late, and again
	stands(1, one, recovery.Finalized, 1)

	put(1, two)
	commit(1, recovery.Updated, three, recovery.ErrBlob)
	commit(1, recovery.Updated, two, recovery.ErrStale) // no vault names it
	name(3, 2, two)                                     // of another registration
	commit(1, recovery.Updated, two, recovery.ErrStale)
	stands(1, one, recovery.Finalized, 2)
	name(1, 2, two)
	commit(1, recovery.Updated, two, nil)
	stands(1, two, recovery.Finalized, 2)

	setUp(phone1, 2)
	put(2, three)
	put(1, one)
	name(1, 3, one)
	commit(1, recovery.Updated, one, nil)
	stands(1, one, recovery.Finalized, 3) // that of the other registration stays
	commit(1, recovery.Finalized, nil, nil)
	if _, open := b.setup(); !open {
		t.Error("the approval for another registration has ended")
	}
	commit(2, recovery.Activated, nil, nil)
	stands(2, three, recovery.Activated, 3) // until all vaults have dropped the one before
	commit(1, recovery.Finalized, nil, recovery.ErrNotFound)
	commit(2, recovery.Finalized, nil, nil)
	stands(2, three, recovery.Finalized, 1)

	commit(2, recovery.Deleting, nil, account.ErrRefused)
	setUp(phone1, 2)
	commit(2, recovery.Deleting, nil, nil)
	stands(2, three, recovery.Deleting, 1)
	if _, err := b.OpenSession(ctx, h.newcomer(), alice, h.ticket()); !errors.Is(err, recovery.ErrNotFound) {
		t.Errorf("a session for what is being deleted: %v", err)
	}
	b.gate.refuse = map[account.Action]error{account.RecoveryUpdate: errStoreDown, account.AccountRead: errStoreDown}
	for _, stage := range []recovery.Stage{recovery.Activated, recovery.Finalized, recovery.Updated, recovery.Deleting} {
		commit(2, stage, three, errStoreDown)
		commit(7, stage, three, errStoreDown)
	}
	if _, err := b.GetBackup(ctx, h.caller()); !errors.Is(err, errStoreDown) {
		t.Errorf("GetBackup by a device that may not read: %v", err)
	}
}
