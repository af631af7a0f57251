package storetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
)

// sealedIn is bytes that say they were sealed under an epoch.
func sealedIn(epoch uint32, text string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, epoch), text...)
}

// record has no field at its zero value.
func record(vault string, acct byte, gen uint32, ver uint64) recovery.RecordRow {
	return recovery.RecordRow{
		Vault: vault, Acct: [16]byte{acct}, Account: alice, Profile: "kr1-2of3", Gen: gen, Ver: ver, Used: 3, State: 1,
		Sealed: sealedIn(7, "sealed"), UpdatedAt: at(1), MAC: mac(acct),
	}
}

// testRecoveries: a record only moves on, and is made by CreateRecovery alone.
func testRecoveries(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	have := func(acct byte, wanted bool) recovery.RecordRow {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (recovery.RecordRow, bool, error) { return tx.Recovery(ctx, "v1", [16]byte{acct}) })
	}
	advance := func(r recovery.RecordRow) bool {
		t.Helper()
		return act(t, s, func(tx Tx) (bool, error) { return tx.AdvanceRecovery(ctx, r) })
	}
	any := func(wanted bool) string {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (string, bool, error) { return tx.AnyRecovery(ctx) })
	}
	any(false)
	if advance(record("v1", 1, 1, 1)) {
		t.Error("AdvanceRecovery made a row")
	}
	have(1, false)
	update(t, s, func(tx Tx) error { return tx.CreateRecovery(ctx, record("v1", 1, 2, 5)) })
	same(t, record("v1", 1, 2, 5), have(1, true))
	if p := any(true); p != "kr1-2of3" {
		t.Errorf("profile %q", p)
	}
	now := record("v1", 1, 2, 5)
	for _, tt := range []struct {
		name     string
		gen      uint32
		ver      uint64
		replaces bool
	}{
		{"the same", 2, 5, false},
		{"an older ver", 2, 4, false},
		{"an older gen with a larger ver", 1, 9, false},
		{"a newer ver", 2, 6, true},
		{"a newer gen with a smaller ver", 3, 1, true},
		{"the one before", 2, 6, false},
	} {
		next := record("v1", 1, tt.gen, tt.ver)
		next.Account, next.Profile, next.Used, next.State, next.Sealed, next.UpdatedAt = bob, "kr1-single", 9, 0, sealedIn(8, tt.name), at(2)
		if !advance(next) {
			t.Errorf("%s: not done", tt.name)
		}
		if tt.replaces {
			now = next
		}
		same(t, now, have(1, true))
	}
	// CreateRecovery over one that is there is AdvanceRecovery.
	update(t, s, func(tx Tx) error { return tx.CreateRecovery(ctx, record("v1", 1, 1, 1)) })
	same(t, now, have(1, true))
	other := record("v1", 1, 9, 9)
	update(t, s, func(tx Tx) error { return tx.CreateRecovery(ctx, other) })
	same(t, other, have(1, true))
	refused(t, s, "a record without an epoch", func(tx Tx) error {
		r := record("v1", 3, 1, 1)
		r.Sealed = []byte{1, 2, 3}
		return tx.CreateRecovery(ctx, r)
	})
	onlyOneNewest(t, s, func(tx Tx, ver uint64) error {
		_, err := tx.AdvanceRecovery(ctx, record("v1", 1, 20, ver))
		return err
	})
	if r := have(1, true); r.Ver != 16 {
		t.Errorf("after 16 writes in any order the version is %d", r.Ver)
	}
}

// onlyOneNewest writes the versions 1 to 16 at once.
func onlyOneNewest(t *testing.T, s Store, write func(tx Tx, ver uint64) error) {
	t.Helper()
	done := make(chan error, 16)
	for ver := range uint64(16) {
		go func() { done <- s.Update(t.Context(), func(tx Tx) error { return write(tx, ver+1) }) }()
	}
	for range 16 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// testRecoveryEpochs: which records are to be sealed anew, and which tombstones go.
func testRecoveryEpochs(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	for _, r := range []struct {
		vault string
		acct  byte
		epoch uint32
		state uint8
	}{{"v1", 1, 3, 0}, {"v1", 2, 5, 1}, {"v1", 3, 3, 0}, {"v1", 4, 3, 2}, {"v1", 5, 4, 2}, {"v1", 6, 9, 2}, {"v2", 7, 1, 0}, {"v2", 8, 1, 2}} {
		row := record(r.vault, r.acct, 1, 1)
		row.Sealed, row.State = sealedIn(r.epoch, "x"), r.state
		update(t, s, func(tx Tx) error { return tx.CreateRecovery(ctx, row) })
	}
	epochs := func(vault string) []uint32 {
		t.Helper()
		return look(t, s, func(tx Tx) ([]uint32, error) { return tx.RecoveryEpochs(ctx, vault) })
	}
	in := func(epoch uint32, after byte, limit int) []byte {
		t.Helper()
		rows := look(t, s, func(tx Tx) ([]recovery.RecordRow, error) {
			return tx.RecoveriesIn(ctx, "v1", epoch, [16]byte{after}, limit)
		})
		return names(rows, func(r recovery.RecordRow) byte { return r.Acct[0] })
	}
	same(t, []uint32{3, 5}, epochs("v1"))
	same(t, []uint32{1}, epochs("v2"))
	same(t, []uint32(nil), epochs("v3"))
	same(t, []byte{1, 3}, in(3, 0, 9))
	same(t, []byte{1}, in(3, 0, 1))
	same(t, []byte{3}, in(3, 1, 9))
	same(t, []byte(nil), in(4, 0, 9)) // a tombstone is not sealed anew
	drop := func(vault string, epoch uint32, limit int) int {
		t.Helper()
		return act(t, s, func(tx Tx) (int, error) { return tx.DropTombstones(ctx, vault, epoch, limit) })
	}
	for _, tt := range []struct {
		epoch uint32
		limit int
		want  int
	}{{3, 9, 0}, {5, 1, 1}, {5, 9, 1}, {9, 9, 0}} {
		if n := drop("v1", tt.epoch, tt.limit); n != tt.want {
			t.Errorf("tombstones before epoch %d, at most %d: %d went, want %d", tt.epoch, tt.limit, n, tt.want)
		}
	}
	get(t, s, true, func(tx Tx) (recovery.RecordRow, bool, error) { return tx.Recovery(ctx, "v1", [16]byte{6}) })
	get(t, s, true, func(tx Tx) (recovery.RecordRow, bool, error) { return tx.Recovery(ctx, "v2", [16]byte{8}) })
}

// testRecoveryHistory: each version is noted once, and two of one number are seen.
func testRecoveryHistory(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	note := func(gen uint32, ver uint64, digest byte, n int) recovery.HistoryRow {
		return recovery.HistoryRow{Vault: "v1", Acct: [16]byte{1}, Gen: gen, Ver: ver, Digest: [32]byte{digest}, Used: digest, Session: [32]byte{digest - 1}, At: at(n), MAC: mac(digest)}
	}
	for _, tt := range []struct {
		row   recovery.HistoryRow
		added bool
	}{{note(1, 1, 1, 0), true}, {note(1, 1, 1, 5), false}, {note(1, 9, 2, 1), true}, {note(2, 3, 3, 2), true}, {note(2, 3, 4, 3), true}} {
		added := act(t, s, func(tx Tx) (bool, error) { return tx.AddHistory(ctx, tt.row) })
		if added != tt.added {
			t.Errorf("%+v: added is %v", tt.row, added)
		}
	}
	at23 := look(t, s, func(tx Tx) ([][32]byte, error) { return tx.HistoryAt(ctx, "v1", [16]byte{1}, 2, 3) })
	same(t, [][32]byte{{3}, {4}}, at23)
	same(t, [][32]byte(nil), look(t, s, func(tx Tx) ([][32]byte, error) { return tx.HistoryAt(ctx, "v2", [16]byte{1}, 2, 3) }))
	before := func(gen uint32, ver uint64, wanted bool) recovery.HistoryRow {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (recovery.HistoryRow, bool, error) {
			return tx.HistoryBefore(ctx, "v1", [16]byte{1}, gen, ver)
		})
	}
	before(1, 1, false)
	same(t, note(1, 1, 1, 0), before(1, 9, true))
	same(t, note(1, 9, 2, 1), before(2, 3, true))
	same(t, note(2, 3, 3, 2), before(2, 4, true))
	all := look(t, s, func(tx Tx) ([]recovery.HistoryRow, error) { return tx.History(ctx, "v1", [16]byte{1}, 3) })
	same(t, []recovery.HistoryRow{note(2, 3, 3, 2), note(2, 3, 4, 3), note(1, 9, 2, 1)}, all)
	if n := act(t, s, func(tx Tx) (int, error) { return tx.DeleteHistory(ctx, at(2), 1) }); n != 1 {
		t.Errorf("%d went", n)
	}
	if n := act(t, s, func(tx Tx) (int, error) { return tx.DeleteHistory(ctx, at(2), 9) }); n != 1 {
		t.Errorf("%d went", n)
	}
	before(2, 3, false)
}

// testRecoveryIntents: each until it is ended by its own bytes.
func testRecoveryIntents(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	intent := func(acct, op byte, request string, due int) recovery.IntentRow {
		return recovery.IntentRow{
			Vault: "v1", Acct: [16]byte{acct}, Account: alice, Op: op, Epoch: 4, Request: []byte(request), At: at(1), NextAt: at(due), Tries: 2, MAC: mac(op),
		}
	}
	put := func(i recovery.IntentRow) {
		t.Helper()
		update(t, s, func(tx Tx) error { return tx.PutIntent(ctx, i) })
	}
	due := func(n, limit int) []recovery.IntentRow {
		t.Helper()
		return look(t, s, func(tx Tx) ([]recovery.IntentRow, error) { return tx.Intents(ctx, at(n), limit) })
	}
	put(intent(1, 1, "create", 9))
	put(intent(1, 2, "activate", 5))
	put(intent(2, 1, "other", 7))
	same(t, []recovery.IntentRow{intent(1, 2, "activate", 5), intent(2, 1, "other", 7)}, due(8, 9))
	same(t, []recovery.IntentRow{intent(1, 2, "activate", 5)}, due(8, 1))
	of := func(vault string, acct byte) []recovery.IntentRow {
		t.Helper()
		return look(t, s, func(tx Tx) ([]recovery.IntentRow, error) { return tx.IntentsOf(ctx, vault, [16]byte{acct}) })
	}
	same(t, []recovery.IntentRow{intent(2, 1, "other", 7)}, of("v1", 2))
	same(t, []recovery.IntentRow(nil), of("v2", 2))
	put(intent(1, 1, "create", 9)) // the same again
	later := intent(1, 1, "create again", 3)
	later.At = at(2)
	put(later) // beside it
	same(t, []recovery.IntentRow{later}, due(3, 9))
	if rows := of("v1", 1); len(rows) != 3 || string(rows[2].Request) != "create again" {
		t.Errorf("of one account: %+v", rows)
	}
	later.At = at(1)
	put(later)
	count := func(want int) {
		t.Helper()
		if n := look(t, s, func(tx Tx) (int, error) { return tx.CountIntents(ctx) }); n != want {
			t.Errorf("%d intents, want %d", n, want)
		}
	}
	count(4)
	postponed := intent(1, 1, "create again", 30)
	postponed.Tries = 8
	for i, want := range []bool{false, true} {
		p := postponed
		p.Request = [][]byte{[]byte("another"), []byte("create again")}[i]
		if ok := act(t, s, func(tx Tx) (bool, error) { return tx.PostponeIntent(ctx, p) }); ok != want {
			t.Errorf("postponed %q: %v", p.Request, ok)
		}
	}
	same(t, []recovery.IntentRow{postponed}, due(30, 9)[3:])
	same(t, []recovery.IntentRow{intent(1, 1, "create", 9)}, due(30, 9)[2:3])
	end := func(request string) {
		t.Helper()
		update(t, s, func(tx Tx) error { return tx.EndIntent(ctx, "v1", [16]byte{1}, 1, sha256.Sum256([]byte(request))) })
	}
	end("another")
	count(4)
	end("create again")
	count(3)
}

// testRecoveryBlobs: what phones have encrypted, and which of it is current.
func testRecoveryBlobs(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	blob := func(id account.ID, reg, hash byte, n int) recovery.BlobRow {
		return recovery.BlobRow{Account: id, Reg: [16]byte{reg}, Hash: [32]byte{hash}, Blob: bytes.Repeat([]byte{hash}, 70_000), At: at(n)}
	}
	hashes := func() []byte {
		t.Helper()
		all := look(t, s, func(tx Tx) ([]recovery.BlobRow, error) { return tx.Blobs(ctx, alice) })
		return names(all, func(b recovery.BlobRow) byte { return b.Hash[0] })
	}
	for _, b := range []recovery.BlobRow{blob(alice, 1, 1, 1), blob(alice, 1, 2, 3), blob(alice, 2, 3, 2), blob(bob, 1, 4, 9)} {
		update(t, s, func(tx Tx) error { return tx.PutBlob(ctx, b) })
	}
	same(t, []byte{2, 3, 1}, hashes())
	one := func(reg, hash byte, wanted bool) recovery.BlobRow {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (recovery.BlobRow, bool, error) { return tx.Blob(ctx, alice, [16]byte{reg}, [32]byte{hash}) })
	}
	same(t, blob(alice, 2, 3, 2), one(2, 3, true))
	one(1, 3, false)
	one(1, 4, false) // bob's
	update(t, s, func(tx Tx) error { return tx.PutBlob(ctx, blob(alice, 1, 1, 8)) })
	same(t, []byte{1, 2, 3}, hashes())
	update(t, s, func(tx Tx) error { return tx.DropBlobs(ctx, alice, [][32]byte{{3}, {9}}) })
	same(t, []byte{3}, hashes())
	update(t, s, func(tx Tx) error { return tx.DropBlobs(ctx, alice, nil) })
	same(t, []byte(nil), hashes())
	get(t, s, true, func(tx Tx) (recovery.BlobRow, bool, error) { return tx.Blob(ctx, bob, [16]byte{1}, [32]byte{4}) })

	name := func(id account.ID, reg byte, vault string, gen uint32, hash byte) recovery.NamedRow {
		n := recovery.NamedRow{Account: id, Reg: [16]byte{reg}, Vault: vault, Gen: gen, Hash: [32]byte{hash}}
		update(t, s, func(tx Tx) error { return tx.NameBlob(ctx, n) })
		return n
	}
	named := func() []recovery.NamedRow {
		t.Helper()
		return look(t, s, func(tx Tx) ([]recovery.NamedRow, error) { return tx.NamedBlobs(ctx, alice) })
	}
	name(alice, 1, "v1", 3, 1)
	name(bob, 1, "v1", 3, 4)
	second := name(alice, 1, "v2", 3, 1)
	other := name(alice, 2, "v1", 4, 3)
	again := name(alice, 1, "v1", 5, 2)
	name(alice, 1, "v1", 4, 9) // late
	same(t, []recovery.NamedRow{again, second, other}, named())
	update(t, s, func(tx Tx) error { return tx.DropNamed(ctx, alice, [16]byte{2}) })
	same(t, []recovery.NamedRow{other}, named())
	update(t, s, func(tx Tx) error { return tx.DropNamed(ctx, alice, [16]byte{}) })
	same(t, []recovery.NamedRow(nil), named())

	pointer := func(wanted bool) recovery.PointerRow {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (recovery.PointerRow, bool, error) { return tx.Pointer(ctx, alice) })
	}
	pointer(false)
	for _, p := range []recovery.PointerRow{
		{Account: alice, Reg: [16]byte{1}, Blob: [32]byte{2}, Header: []byte{3}, Stage: recovery.Activated, SetVersion: 4, Profile: "kr1-2of3", At: at(5), MAC: mac(6)},
		{Account: alice, Reg: [16]byte{7}, Stage: recovery.Finalized, SetVersion: 8, Profile: "seed", At: at(9), MAC: mac(10)},
	} {
		update(t, s, func(tx Tx) error { return tx.PutPointer(ctx, p) })
		same(t, p, pointer(true))
	}
	early := pointer(true)
	late := early
	late.Account = bob
	update(t, s, func(tx Tx) error { return tx.PutPointer(ctx, late) })
	if early.Account > late.Account {
		early, late = late, early
	}
	pointers := func(after account.ID, limit int) []recovery.PointerRow {
		t.Helper()
		return look(t, s, func(tx Tx) ([]recovery.PointerRow, error) { return tx.Pointers(ctx, after, limit) })
	}
	same(t, []recovery.PointerRow{early, late}, pointers("", 10))
	same(t, []recovery.PointerRow{early}, pointers("", 1))
	same(t, []recovery.PointerRow{late}, pointers(early.Account, 10))
	update(t, s, func(tx Tx) error { return tx.DropPointer(ctx, bob) })
	pointer(true)
	update(t, s, func(tx Tx) error { return tx.DropPointer(ctx, alice) })
	pointer(false)

	setup := func(wanted bool) recovery.SetupRow {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (recovery.SetupRow, bool, error) { return tx.Setup(ctx, alice) })
	}
	setup(false)
	for _, v := range []recovery.SetupRow{
		{Account: alice, Reg: [16]byte{1}, Device: "d_1", Approval: "v_1", At: at(1), MAC: mac(1)},
		{Account: alice, Reg: [16]byte{2}, Device: "d_2", Approval: "v_2", At: at(2), MAC: mac(2)},
	} {
		update(t, s, func(tx Tx) error { return tx.PutSetup(ctx, v) })
		same(t, v, setup(true))
	}
	update(t, s, func(tx Tx) error { return tx.EndSetup(ctx, alice) })
	setup(false)
}

// testRecoverySessions: by secret, by ticket, by account.
func testRecoverySessions(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	full := recovery.SessionRow{
		Hash: [32]byte{1}, Account: alice, Key: "k", Device: "d_1", Ticket: [32]byte{9}, CreatedAt: at(1), Until: at(16),
		Releases: []string{"v1", "v2"}, Finished: at(3), EndedAt: at(4), MAC: mac(1),
	}
	least := recovery.SessionRow{Hash: [32]byte{2}, Account: alice, Key: "k2", Ticket: [32]byte{9}, CreatedAt: at(0), Until: at(15), MAC: mac(2)}
	bobs := recovery.SessionRow{Hash: [32]byte{3}, Account: bob, Key: "k3", Ticket: [32]byte{8}, CreatedAt: at(0), Until: at(15), MAC: mac(3)}
	for _, v := range []recovery.SessionRow{full, least, bobs} {
		update(t, s, func(tx Tx) error { return tx.AddRecoverySession(ctx, v) })
	}
	one := func(hash byte, wanted bool) recovery.SessionRow {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (recovery.SessionRow, bool, error) { return tx.RecoverySession(ctx, [32]byte{hash}) })
	}
	same(t, full, one(1, true))
	same(t, least, one(2, true))
	one(4, false)
	refused(t, s, "two sessions with one secret", func(tx Tx) error { return tx.AddRecoverySession(ctx, full) })
	refused(t, s, "what became of an unknown session", func(tx Tx) error {
		unknown := full
		unknown.Hash = [32]byte{4}
		return tx.PutRecoverySession(ctx, unknown)
	})
	same(t, []recovery.SessionRow{least, full}, look(t, s, func(tx Tx) ([]recovery.SessionRow, error) { return tx.RecoverySessions(ctx, [32]byte{9}) }))
	same(t, []recovery.SessionRow{least}, look(t, s, func(tx Tx) ([]recovery.SessionRow, error) { return tx.OpenRecoverySessions(ctx, alice) }))
	changed := least
	changed.Releases, changed.Finished, changed.EndedAt, changed.MAC = []string{"v3"}, at(5), at(6), mac(7)
	all := changed
	all.Account, all.Key, all.Until = bob, "other", at(99) // these never change
	update(t, s, func(tx Tx) error { return tx.PutRecoverySession(ctx, all) })
	same(t, changed, one(2, true))
	if n := act(t, s, func(tx Tx) (int, error) { return tx.DeleteRecoverySessions(ctx, at(16), 1) }); n != 1 {
		t.Errorf("%d went", n)
	}
	act(t, s, func(tx Tx) (int, error) { return tx.DeleteRecoverySessions(ctx, at(16), 9) })
	one(1, true)
	one(2, false)
	one(3, false)
}

// testRecoveryReceipts: numbered in order, and no number comes again.
func testRecoveryReceipts(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	add := func(vault string, session byte, n int) recovery.ReceiptRow {
		t.Helper()
		r := recovery.ReceiptRow{Vault: vault, Signed: []byte(vault), At: at(n)}
		r.Session[0] = session
		r.Seq = act(t, s, func(tx Tx) (uint64, error) { return tx.AddReceipt(ctx, r) })
		return r
	}
	first, second, third := add("v1", 0, 1), add("v2", 5, 2), add("v3", 0, 3)
	list := func(after uint64, limit int) []recovery.ReceiptRow {
		t.Helper()
		return look(t, s, func(tx Tx) ([]recovery.ReceiptRow, error) { return tx.Receipts(ctx, after, limit) })
	}
	same(t, []recovery.ReceiptRow{first, second, third}, list(0, 9))
	same(t, []recovery.ReceiptRow{second}, list(first.Seq, 1))
	for _, want := range []int{1, 1, 1, 0} {
		if n := act(t, s, func(tx Tx) (int, error) { return tx.DeleteReceipts(ctx, at(4), 1) }); n != want {
			t.Errorf("%d went, want %d", n, want)
		}
	}
	if next := add("v1", 0, 9); next.Seq <= third.Seq {
		t.Errorf("number %d came after %d", next.Seq, third.Seq)
	}
	rate := func(wanted bool) recovery.RateRow {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (recovery.RateRow, bool, error) { return tx.RecoveryRate(ctx, [32]byte{1}) })
	}
	rate(false)
	for _, r := range []recovery.RateRow{{Key: [32]byte{1}, Tokens: 2.5, At: at(1)}, {Key: [32]byte{1}, Tokens: 1, At: at(1).Add(3 * time.Hour)}} {
		update(t, s, func(tx Tx) error { return tx.PutRecoveryRate(ctx, r) })
		same(t, r, rate(true))
	}
}
