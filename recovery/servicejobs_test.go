package recovery_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/storetest"
)

// TestRates: how often one account, and one network, may ask the vaults.
func TestRates(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	ctx := t.Context()
	session := h.open()
	// A vault that does nothing, so that the test is short.
	for i := range b.ways {
		b.ways[i].Replicas[0].Link = dead{}
	}
	b.restart()
	call := func(vault string, session recovery.SessionSecret, c account.Caller) error {
		_, err := b.CallVault(ctx, c, &recovery.VaultCall{Vault: vault, Op: wire.OpEvaluate, Request: []byte{1}, Session: session})
		return err
	}
	limited := func(what string, err error) {
		t.Helper()
		var rate *recovery.RateError
		if !errors.As(err, &rate) || !errors.Is(err, recovery.ErrRate) || !rate.RetryAt.After(b.now()) || rate.RetryAt.After(b.now().Add(time.Minute)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	frozen := time.Now().Add(time.Minute)
	b.setClock(func() time.Time { return frozen })
	for i := range 120 {
		if err := call("v1", session, h.newcomer()); !errors.Is(err, recovery.ErrVaultUnavailable) {
			t.Fatalf("evaluation %d: %v", i, err)
		}
	}
	limited("an account at a vault", call("v1", session, h.newcomer()))
	for i := range 120 {
		if err := call("v2", session, h.newcomer()); errors.Is(err, recovery.ErrRate) {
			t.Fatalf("at another vault, evaluation %d: %v", i, err)
		}
	}
	// What is refused takes nothing from the network: 240 of 600 are gone.
	for i := range 3 {
		other := b.handset(account.NewID(), phone1)
		other.key += fmt.Sprint(i)
		s := other.openWithout(t)
		for n := range 120 {
			if err := call("v3", s, other.newcomer()); errors.Is(err, recovery.ErrRate) {
				t.Fatalf("account %d, evaluation %d: %v", i, n, err)
			}
		}
	}
	last := b.handset(account.NewID(), phone1)
	s := last.openWithout(t)
	limited("a network", call("v3", s, last.newcomer()))
	elsewhere := last.newcomer()
	elsewhere.Network = "m"
	if err := call("v3", s, elsewhere); errors.Is(err, recovery.ErrRate) {
		t.Errorf("from another network: %v", err)
	}
	frozen = frozen.Add(30 * time.Second)
	if err := call("v1", session, h.newcomer()); errors.Is(err, recovery.ErrRate) {
		t.Errorf("half a minute later: %v", err)
	}
}

// TestFreeCallsAreCounted: what costs no attempt leaves rows too, so a ticket, and a
// device, may have so much of it an hour; the owner's phone has its own.
func TestFreeCallsAreCounted(t *testing.T) {
	b, old, h := backedUp(t, recoverytest.Options{})
	for i := range b.ways {
		b.ways[i].Replicas[0].Link = dead{}
	}
	b.restart()
	frozen := time.Now().Add(time.Minute)
	b.setClock(func() time.Time { return frozen })
	session := h.open()
	call := func(c account.Caller, vault string, op wire.Op, session recovery.SessionSecret) bool {
		t.Helper()
		_, err := b.CallVault(t.Context(), c, &recovery.VaultCall{Vault: vault, Op: op, Request: []byte{1}, Session: session})
		if !errors.Is(err, recovery.ErrRate) && !errors.Is(err, recovery.ErrVaultUnavailable) {
			t.Fatal(err)
		}
		return errors.Is(err, recovery.ErrRate)
	}
	drain := func(c account.Caller, vault string, op wire.Op, session recovery.SessionSecret) (n int) {
		t.Helper()
		for ; n < 10_000 && !call(c, vault, op, session); n++ {
		}
		return n
	}
	if n := drain(h.newcomer(), "v1", wire.OpRelease, session); n != 600 {
		t.Errorf("%d releases of a ticket at a vault", n)
	}
	if !call(h.newcomer(), "v1", wire.OpStatus, session) {
		t.Error("a status of the same ticket is not counted with them")
	}
	if n := drain(old.caller(), "v1", wire.OpStatus, nil); n != 600 {
		t.Errorf("%d statuses of a device at a vault", n)
	}
	again := h.open() // the sessions of a ticket are one caller
	if !call(h.newcomer(), "v1", wire.OpRelease, again) {
		t.Error("another session begins anew")
	}
	if call(h.newcomer(), "v2", wire.OpRelease, again) || call(old.caller(), "v2", wire.OpUpdate, nil) {
		t.Error("at another vault it is refused")
	}
	// 601 of the network's 1800 are gone.
	left := 1800 - 601
	for i := 0; left > 0; i++ {
		other := b.handset(account.NewID(), phone1)
		other.key += fmt.Sprint(i)
		left -= drain(other.newcomer(), "v3", wire.OpRelease, other.openWithout(t))
		if i > 10 {
			t.Fatal("the network is not counted")
		}
	}
	if left != 0 {
		t.Errorf("%d more than the network may", -left)
	}
}

// openWithout opens a session for an account that gets a backup for it.
func (h *handset) openWithout(t *testing.T) recovery.SessionSecret {
	t.Helper()
	h.do(func(tx storetest.Tx) error {
		p := recovery.PointerRow{Account: h.id, Stage: recovery.Finalized, Profile: recovery.ProfileKR1, At: noon}
		p.MAC = p.Seal(h.backend.key)
		return tx.PutPointer(t.Context(), p)
	})
	return h.open()
}

// dead is a link to nobody.
type dead struct{}

func (dead) Call(context.Context, *wire.Call) (*wire.Reply, error) {
	return nil, errors.New("no route")
}

func (dead) Evidence(context.Context, []byte) ([]byte, error) { return nil, errors.New("no route") }

// TestIntentsEnd: an intent is kept until its record is stored, and dropped when
// its vault says that it will never execute it, or nobody has for a month.
func TestIntentsEnd(t *testing.T) {
	b, old, _ := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
	l := &link{Link: b.ways[0].Replicas[0].Link}
	b.ways[0].Replicas[0].Link = l
	b.restart()
	in, _ := b.sealed("v1", alice, wire.OpUpdate, &wire.Managed{TBS: []byte{1}})
	call := func() error {
		_, err := b.CallVault(t.Context(), old.caller(), in)
		return err
	}
	for _, tt := range []struct {
		code wire.Code
		want int
	}{{wire.CodeDone, 0}, {wire.CodeEpoch, 0}, {wire.CodeUnreadable, 0}, {wire.CodeVoucher, 0}, {wire.CodeStale, 1}, {wire.CodeBusy, 1}, {wire.CodeAmnesia, 1}, {wire.CodeFuture, 1}, {wire.CodeBadRecord, 1}} {
		l.change = func(r *wire.Reply) {
			if tt.code != wire.CodeDone {
				*r = wire.Reply{Result: tt.code}
			}
		}
		_ = call()
		if n := intents(b); n != tt.want {
			t.Errorf("%s: %d intents", tt.code, n)
		}
		l.change = nil
		if err := call(); err != nil { // the same again, which ends it
			t.Fatal(err)
		}
	}
	// An intent that cannot be kept does not reach the vault.
	asked := false
	l.seen = func(*wire.Call) { asked = true }
	b.storeDown = true
	if err := call(); !errors.Is(err, errStoreDown) || asked {
		t.Errorf("%v; the vault was asked: %v", err, asked)
	}
	b.storeDown = false
	l.change = func(r *wire.Reply) { *r = wire.Reply{Result: wire.CodeBusy} }
	_ = call()
	b.ahead.Store(int64(31 * 24 * time.Hour))
	l.change, asked = nil, false
	b.runOnce()
	if n := intents(b); n != 0 || asked {
		t.Errorf("a month later: %d intents; the vault was asked: %v", n, asked)
	}
}

// runOnce does what Run does at the start.
func (b *backend) runOnce() {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error)
	go func() { done <- b.Run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); intents(b) > 0 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
	}
	stop()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// TestReseal: when a vault has new keys, each record is sealed with them, and the
// owner notices nothing. Tombstones go when nobody can open them any more.
func TestReseal(t *testing.T) {
	b, old, h := backedUp(t, recoverytest.Options{})
	gone := b.handset(bob, phone1)
	gone.must(gone.register("482915", "two"))
	have, err := recovery.ParseBackup(gone.backup)
	gone.must(err)
	if _, err := gone.client.Delete(t.Context(), have); err != nil {
		t.Fatal(err)
	}
	sealed := func() (epochs []uint32) {
		b.do(func(tx storetest.Tx) (err error) {
			epochs, err = tx.RecoveryEpochs(t.Context(), "v1")
			return err
		})
		return epochs
	}
	first := sealed()
	if len(first) != 1 {
		t.Fatal(first)
	}
	renew := func() {
		b.ahead.Add(int64(31 * 24 * time.Hour))
		for _, v := range b.vaults.List {
			if err := v.Renew(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := recovery.TestingOnlyReseal(b.Service, t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	renew()
	if now := sealed(); len(now) != 1 || now[0] != first[0]+1 {
		t.Errorf("sealed under %v, was %v", now, first)
	}
	old.must(b.Sweep(t.Context()))
	if _, found := b.row("v1", bob); !found {
		t.Error("a tombstone went while its keys were there")
	}
	renew()
	old.must(b.Sweep(t.Context()))
	if _, found := b.row("v1", bob); found {
		t.Error("a tombstone that nobody can open is still there")
	}
	h.wrong("000000", 9)
	h.right("482915", "one")
	status := b.status()
	if status.Assurance != "process" || status.Operators != 1 || len(status.Vaults) != 3 || status.Vaults[0].Epoch != first[0]+2 ||
		status.Vaults[0].Replicas[0].Platform != "process" || status.Vaults[0].Replicas[0].Boot == "" {
		t.Errorf("%+v", status)
	}
	b.vaults.List[1].Stop()
	if status = b.status(); status.Vaults[1].Replicas[0].Error == "" || status.Vaults[0].Replicas[0].Error != "" {
		t.Errorf("one is away: %+v", status)
	}
}

// TestSweep: what is kept for a time goes when it is over.
func TestSweep(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
	h.right("482915", "one")
	count := func() (history, receipts int, session bool) {
		b.do(func(tx storetest.Tx) error {
			hs, err := tx.History(t.Context(), "v1", wire.DerivePepper(b.key, "v1").Acct(string(alice)), 1000)
			if err != nil {
				return err
			}
			rs, err := tx.Receipts(t.Context(), 0, 1000)
			if err != nil {
				return err
			}
			open, err := tx.OpenRecoverySessions(t.Context(), alice)
			history, receipts, session = len(hs), len(rs), len(open) > 0
			return err
		})
		return history, receipts, session
	}
	for _, tt := range []struct {
		ahead                      time.Duration
		history, receipts, session bool
	}{
		{24 * time.Hour, true, true, true},
		{29 * 24 * time.Hour, true, true, false},
		{31 * 24 * time.Hour, false, true, false},
		{401 * 24 * time.Hour, false, false, false},
	} {
		b.ahead.Store(int64(tt.ahead))
		h.must(b.Sweep(t.Context()))
		history, receipts, session := count()
		if history > 0 != tt.history || receipts > 0 != tt.receipts || session != tt.session {
			t.Errorf("after %v: %d versions, %d receipts, session %v", tt.ahead, history, receipts, session)
		}
	}
}

// TestListReceipts: for backends, in pages.
func TestListReceipts(t *testing.T) {
	b, old, h := backedUp(t, recoverytest.Options{})
	h.right("482915", "one")
	if _, err := b.ListReceipts(t.Context(), old.caller(), 0, 0); !errors.Is(err, account.ErrRefused) {
		t.Errorf("for a phone: %v", err)
	}
	c := account.Caller{Kind: account.Backend, App: "demo"}
	var all []recovery.ReceiptRow
	for after := uint64(0); ; {
		page, err := b.ListReceipts(t.Context(), c, after, 5)
		if err != nil || len(page) > 5 {
			t.Fatal(len(page), err)
		}
		if len(page) == 0 {
			break
		}
		all = append(all, page...)
		after = page[len(page)-1].Seq
	}
	byOp := map[wire.Op]int{}
	prev := map[string]wire.Hash{}
	for _, r := range all {
		signed, err := wire.Decode[wire.Signed](r.Signed)
		if err != nil {
			t.Fatal(err)
		}
		v, err := wire.Decode[wire.Receipt](signed.TBS)
		if err != nil {
			t.Fatal(err)
		}
		if v.Prev != prev[v.Replica] {
			t.Errorf("a receipt of %s is missing", v.Replica)
		}
		prev[v.Replica] = wire.Sum(signed.TBS)
		byOp[v.Op]++
		if of := r.Session != [32]byte{}; of != (v.Op == wire.OpEvaluate || v.Op == wire.OpRelease || v.Op == wire.OpStatus && of) {
			t.Errorf("%s of a session: %v", v.Op, of)
		}
	}
	if byOp[wire.OpCreate] != 3 || byOp[wire.OpRelease] != 3 {
		t.Errorf("receipts by op: %v", byOp)
	}
}
