package recovery_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/storetest"
)

// sealed seals a request for v1 as a phone does, and gives what opens the answer.
func (b *backend) sealed(vault string, id account.ID, op wire.Op, body wire.Coded) (*recovery.VaultCall, *wire.AnswerKey) {
	b.Helper()
	binding := b.binding(vault)
	plain, err := wire.Encode(body)
	if err != nil {
		b.Fatal(err)
	}
	e := &wire.Envelope{
		Suite: wire.Suite1, Vault: vault, Epoch: binding.Epoch, Config: binding.ConfigHash, Op: op, Acct: wire.DerivePepper(b.key, vault).Acct(string(id)),
	}
	request, key, err := e.SealRequest(binding.HPKE, plain)
	if err != nil {
		b.Fatal(err)
	}
	return &recovery.VaultCall{Vault: vault, Op: op, Epoch: binding.Epoch, Request: request}, key
}

// open opens a session for a phone.
func (h *handset) open() recovery.SessionSecret {
	h.Helper()
	v, err := h.OpenSession(h.Context(), h.newcomer(), h.id, h.ticket())
	if err != nil {
		h.Fatal(err)
	}
	return v.Secret
}

// garbage is a release that no vault takes.
func garbage() *wire.Release {
	none := make(wire.Element, 32)
	return &wire.Release{B: none, E: none, Ya: none, Yb: none}
}

// TestGarbageRelease: somebody with a ticket and without the PIN sends releases
// that the vaults refuse. Their receipts say used 0, and prove nothing.
func TestGarbageRelease(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	session := h.open()
	send := func() {
		t.Helper()
		for _, v := range b.vaults.List {
			in, key := b.sealed(v.ID, alice, wire.OpRelease, garbage())
			in.Session = session
			out, err := b.CallVault(t.Context(), h.newcomer(), in)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := key.OpenAnswer(out.Answer)
			if err != nil || answer.Verdict == wire.VerdictOK || out.Used != 0 {
				t.Fatalf("%s: verdict %v, used %d, %v", v.ID, answer.Verdict, out.Used, err)
			}
		}
	}
	refused := func() {
		t.Helper()
		if err := b.FinishSession(t.Context(), h.newcomer(), session); !errors.Is(err, recovery.ErrUnfinished) {
			t.Fatalf("FinishSession: %v", err)
		}
		finished(h, false)
	}
	send()
	refused()
	// The owner recovers meanwhile: his proof is his own.
	owner := b.handset(alice, phone1)
	owner.right("482915", "one")
	send()
	refused()
	finished(owner, true)
}

// TestTwoVaultsFinish: t vaults are enough, and fewer are not.
func TestTwoVaultsFinish(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	b.vaults.List[0].Stop()
	h.right("482915", "one")
	finished(h, true)
	b.vaults.List[1].Stop()
	other := b.handset(alice, phone2)
	unavailable(other, "482915")
	finished(other, false)
}

// TestMayCall: who may make which call. A test of one good case and small changes.
func TestMayCall(t *testing.T) {
	b, old, h := backedUp(t, recoverytest.Options{})
	session := h.open()
	status := &wire.Status{}
	evaluate := &wire.Evaluate{Reg: wire.RegID{1}, B: make(wire.Element, 32)}
	managed := &wire.Managed{TBS: []byte{1}}
	far := func(c account.Caller, change func(*account.Caller)) account.Caller {
		change(&c)
		return c
	}
	tests := []struct {
		name    string
		caller  account.Caller
		op      wire.Op
		body    wire.Coded
		session recovery.SessionSecret
		setup   account.DeviceID // of whom the owner has confirmed one
		refuse  account.Action
		want    error
	}{
		{"status by a device", old.caller(), wire.OpStatus, status, nil, "", "", nil},
		{"status by a device that may not read", old.caller(), wire.OpStatus, status, nil, "", account.AccountRead, errStoreDown},
		{"status by nobody", far(old.caller(), func(c *account.Caller) { c.Device = "" }), wire.OpStatus, status, nil, "", "", account.ErrRefused},
		{"status by a browser", far(old.caller(), func(c *account.Caller) { c.Kind = account.Browser }), wire.OpStatus, status, nil, "", "", account.ErrRefused},
		{"status in a session", h.newcomer(), wire.OpStatus, status, session, "", "", nil},
		{"evaluate in a session", h.newcomer(), wire.OpEvaluate, evaluate, session, "", "", nil},
		{"evaluate without a session", old.caller(), wire.OpEvaluate, evaluate, nil, phone1, "", recovery.ErrTicket},
		{"release without a session", old.caller(), wire.OpRelease, evaluate, nil, phone1, "", recovery.ErrTicket},
		{"evaluate in another key's session", old.caller(), wire.OpEvaluate, evaluate, session, "", "", recovery.ErrSession},
		{"evaluate without a key", far(h.newcomer(), func(c *account.Caller) { c.Key = "" }), wire.OpEvaluate, evaluate, session, "", "", recovery.ErrSession},
		{"evaluate by a browser", far(h.newcomer(), func(c *account.Caller) { c.Kind = account.Browser }), wire.OpEvaluate, evaluate, session, "", "", recovery.ErrSession},
		{"evaluate in no session", h.newcomer(), wire.OpEvaluate, evaluate, recovery.SessionSecret("guessed"), "", "", recovery.ErrSession},
		{"create in a session", h.newcomer(), wire.OpCreate, managed, session, phone1, "", recovery.ErrMalformed},
		{"update in a session", h.newcomer(), wire.OpUpdate, managed, session, phone1, "", recovery.ErrMalformed},
		{"create that was confirmed", old.caller(), wire.OpCreate, managed, nil, phone1, "", nil},
		{"create that was not", old.caller(), wire.OpCreate, managed, nil, "", "", account.ErrRefused},
		{"create that was for another device", old.caller(), wire.OpCreate, managed, nil, phone2, "", account.ErrRefused},
		{"create by a device that is held meanwhile", old.caller(), wire.OpCreate, managed, nil, phone1, account.RecoveryUpdate, errStoreDown},
		{"activate that was not confirmed", old.caller(), wire.OpActivate, managed, nil, "", "", account.ErrRefused},
		{"finalize that was not confirmed", old.caller(), wire.OpFinalize, managed, nil, "", "", account.ErrRefused},
		{"delete that was not confirmed", old.caller(), wire.OpDelete, managed, nil, "", "", account.ErrRefused},
		{"update needs no confirmation", old.caller(), wire.OpUpdate, managed, nil, "", "", nil},
		{"update by a device that may not", old.caller(), wire.OpUpdate, managed, nil, "", account.RecoveryUpdate, errStoreDown},
		{"an op of profile seed", h.newcomer(), wire.OpSeedRestore, status, session, "", "", recovery.ErrProfile},
		{"no op", h.newcomer(), 99, status, session, "", "", recovery.ErrProfile},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b.gate.refuse = map[account.Action]error{tt.refuse: errStoreDown}
			b.do(func(tx storetest.Tx) error {
				if tt.setup == "" {
					return tx.EndSetup(t.Context(), alice)
				}
				return b.SetUp(t.Context(), tx, alice, tt.setup, "v_1", [16]byte{1})
			})
			in, _ := b.sealed("v1", alice, tt.op, tt.body)
			in.Session = tt.session
			_, err := b.CallVault(t.Context(), tt.caller, in)
			if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if n := len(b.queue.held); n > 0 {
				t.Errorf("%d entries in the retry stream", n)
			}
		})
	}
}

// TestSessions: how a session begins and ends.
func TestSessions(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	ctx := t.Context()
	call := func(s recovery.SessionSecret) error {
		in, _ := b.sealed("v1", alice, wire.OpStatus, &wire.Status{})
		in.Session = s
		_, err := b.CallVault(ctx, h.newcomer(), in)
		return err
	}
	over := func(what string, s recovery.SessionSecret) {
		t.Helper()
		if err := call(s); !errors.Is(err, recovery.ErrSession) {
			t.Errorf("%s: %v", what, err)
		}
		if err := b.FinishSession(ctx, h.newcomer(), s); !errors.Is(err, recovery.ErrSession) {
			t.Errorf("%s, finish: %v", what, err)
		}
	}
	first := h.open()
	if err := call(first); err != nil {
		t.Fatal(err)
	}
	second := h.open()
	over("another was opened with the ticket", first)
	b.ahead.Store(int64(15 * time.Minute))
	over("after a quarter of an hour", second)
	b.ahead.Store(int64(0))
	end := func(key string) {
		b.do(func(tx storetest.Tx) error { return b.EndSessions(ctx, tx, alice, key, b.now()) })
	}
	end("another key")
	if err := call(second); err != nil {
		t.Error(err)
	}
	end(h.key)
	over("the key was revoked", second)
	third := h.open()
	end("")
	over("the account was revoked", third)

	// Tickets.
	ticket := h.ticket()
	hash := sha256.Sum256(ticket)
	for name, change := range map[string]func(*account.Caller, *recovery.Ticket) (account.ID, recovery.TicketSecret){
		"another secret": func(*account.Caller, *recovery.Ticket) (account.ID, recovery.TicketSecret) {
			return alice, []byte("guessed")
		},
		"no secret":       func(*account.Caller, *recovery.Ticket) (account.ID, recovery.TicketSecret) { return alice, nil },
		"another account": func(*account.Caller, *recovery.Ticket) (account.ID, recovery.TicketSecret) { return bob, ticket },
		"another key": func(c *account.Caller, _ *recovery.Ticket) (account.ID, recovery.TicketSecret) {
			c.Key = "other"
			return alice, ticket
		},
		"no phone": func(c *account.Caller, _ *recovery.Ticket) (account.ID, recovery.TicketSecret) {
			c.Kind = account.Browser
			return alice, ticket
		},
		"over": func(_ *account.Caller, tk *recovery.Ticket) (account.ID, recovery.TicketSecret) {
			tk.Until = b.now()
			return alice, ticket
		},
	} {
		c, tk := h.newcomer(), b.gate.tickets[hash]
		id, secret := change(&c, &tk)
		b.gate.tickets[hash] = tk
		if _, err := b.OpenSession(ctx, c, id, secret); !errors.Is(err, recovery.ErrTicket) {
			t.Errorf("%s: %v", name, err)
		}
		h.ticket()
	}
	tk := b.gate.tickets[hash]
	tk.Until = b.now().Add(time.Minute)
	b.gate.tickets[hash] = tk
	v, err := b.OpenSession(ctx, h.newcomer(), alice, ticket)
	if err != nil || v.Until.After(tk.Until) {
		t.Errorf("a session until %v, longer than its ticket: %v", v.Until, err)
	}
}

// TestForgedRows: a row that was changed past the program is used for nothing.
func TestForgedRows(t *testing.T) {
	forge := func(t *testing.T, change func(b *backend, tx storetest.Tx) error, use func(b *backend, old, h *handset, s recovery.SessionSecret) error) {
		t.Helper()
		b, old, h := backedUp(t, recoverytest.Options{})
		s := h.open()
		if err := use(b, old, h, s); err != nil {
			t.Fatalf("before: %v", err)
		}
		b.do(func(tx storetest.Tx) error { return change(b, tx) })
		if err := use(b, old, h, s); err == nil || !strings.Contains(err.Error(), "mark") {
			t.Errorf("used: %v", err)
		}
	}
	ctx := t.Context()
	t.Run("session", func(t *testing.T) {
		forge(t, func(_ *backend, tx storetest.Tx) error {
			all, err := tx.OpenRecoverySessions(ctx, alice)
			if err != nil {
				return err
			}
			all[0].Releases = []string{"v1", "v2"}
			return tx.PutRecoverySession(ctx, all[0])
		}, func(b *backend, _, h *handset, s recovery.SessionSecret) error {
			in, _ := b.sealed("v1", alice, wire.OpStatus, &wire.Status{})
			in.Session = s
			_, err := b.CallVault(ctx, h.newcomer(), in)
			return err
		})
	})
	t.Run("finished session", func(t *testing.T) {
		forge(t, func(_ *backend, tx storetest.Tx) error {
			all, err := tx.OpenRecoverySessions(ctx, alice)
			if err != nil {
				return err
			}
			all[0].Finished = noon
			return tx.PutRecoverySession(ctx, all[0])
		}, func(b *backend, _, h *handset, _ recovery.SessionSecret) (err error) {
			b.do(func(tx storetest.Tx) error {
				_, err = b.Finished(ctx, tx, alice, sha256.Sum256(h.ticket()))
				return nil
			})
			return err
		})
	})
	t.Run("setup", func(t *testing.T) {
		forge(t, func(_ *backend, tx storetest.Tx) error {
			return tx.PutSetup(ctx, recovery.SetupRow{Account: alice, Reg: [16]byte{1}, Device: phone2, At: noon, MAC: []byte{1}})
		}, func(b *backend, old, _ *handset, _ recovery.SessionSecret) error {
			c := old.caller()
			in, _ := b.sealed("v1", alice, wire.OpFinalize, &wire.Managed{TBS: []byte{1}})
			if _, open := b.setup(); !open {
				return nil // before
			}
			c.Device = phone2
			_, err := b.CallVault(ctx, c, in)
			return err
		})
	})
	t.Run("pointer", func(t *testing.T) {
		forge(t, func(_ *backend, tx storetest.Tx) error {
			p, _, err := tx.Pointer(ctx, alice)
			if err != nil {
				return err
			}
			p.Reg = [16]byte{9}
			return tx.PutPointer(ctx, p)
		}, func(b *backend, old, _ *handset, _ recovery.SessionSecret) error {
			_, err := b.GetBackup(ctx, old.caller())
			return err
		})
	})
}

func (b *backend) setup() (v recovery.SetupRow, open bool) {
	b.do(func(tx storetest.Tx) (err error) {
		v, open, err = tx.Setup(b.Context(), alice)
		return err
	})
	return v, open
}

// TestReplies: what a link brings is believed only with the receipt of the vault
// for this very call; else the next replica is asked, and at last nobody has
// answered. Nothing of it is stored.
func TestReplies(t *testing.T) {
	_, other, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(r *wire.Reply, change func(*wire.Receipt), key ed25519.PrivateKey) {
		receipt, err := wire.Decode[wire.Receipt](r.Receipt.TBS)
		if err != nil {
			t.Fatal(err)
		}
		change(&receipt)
		if r.Receipt, err = wire.Sign(key, &receipt); err != nil {
			t.Fatal(err)
		}
	}
	u32, u64 := uint32(7), uint64(1<<40)
	tests := []struct {
		name   string
		change func(*wire.Reply)
		want   error
	}{
		{"as it is", func(*wire.Reply) {}, nil},
		{"another record", func(r *wire.Reply) { r.Record[100] ^= 1 }, recovery.ErrVaultUnavailable},
		{"a short record", func(r *wire.Reply) { r.Record = r.Record[:500] }, recovery.ErrVaultUnavailable},
		{"another gen", func(r *wire.Reply) { r.Gen = &u32 }, recovery.ErrVaultUnavailable},
		{"another ver", func(r *wire.Reply) { r.Ver = &u64 }, recovery.ErrVaultUnavailable},
		{"no receipt", func(r *wire.Reply) { r.Receipt = nil }, recovery.ErrVaultUnavailable},
		{"no record", func(r *wire.Reply) { r.Record = nil }, recovery.ErrVaultUnavailable},
		{"no version", func(r *wire.Reply) { r.Ver = nil }, recovery.ErrVaultUnavailable},
		{"garbage", func(r *wire.Reply) { r.Receipt.TBS = []byte{1} }, recovery.ErrVaultUnavailable},
		{"a signature changed", func(r *wire.Reply) { r.Receipt.Sig[1] ^= 1 }, recovery.ErrVaultUnavailable},
		{"signed by another", func(r *wire.Reply) { sign(r, func(*wire.Receipt) {}, other) }, recovery.ErrVaultUnavailable},
		{"of another boot", func(r *wire.Reply) { sign(r, func(v *wire.Receipt) { v.Boot[0] ^= 1 }, other) }, recovery.ErrVaultUnavailable},
		{"amnesia", func(r *wire.Reply) { *r = wire.Reply{Result: wire.CodeAmnesia} }, recovery.ErrAmnesia},
		{"future", func(r *wire.Reply) { *r = wire.Reply{Result: wire.CodeFuture} }, recovery.ErrFuture},
		{"epoch", func(r *wire.Reply) { *r = wire.Reply{Result: wire.CodeEpoch} }, recovery.ErrEpoch},
		{"stale", func(r *wire.Reply) { *r = wire.Reply{Result: wire.CodeStale} }, recovery.ErrStale},
		{"busy", func(r *wire.Reply) { *r = wire.Reply{Result: wire.CodeBusy} }, recovery.ErrVaultUnavailable},
		{"unreadable", func(r *wire.Reply) { *r = wire.Reply{Result: wire.CodeUnreadable} }, recovery.ErrMalformed},
		{"bad record", func(r *wire.Reply) { *r = wire.Reply{Result: wire.CodeBadRecord} }, recovery.ErrVaultUnavailable},
		{"voucher", func(r *wire.Reply) { *r = wire.Reply{Result: wire.CodeVoucher} }, recovery.ErrVaultUnavailable},
	}
	b, _, h := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
	l := &link{Link: b.ways[0].Replicas[0].Link}
	b.ways[0].Replicas[0].Link = l
	b.restart()
	session := h.open()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, _ := b.row("v1", alice)
			l.change = tt.change
			in, _ := b.sealed("v1", alice, wire.OpStatus, &wire.Status{})
			in.Session = session
			_, err := b.CallVault(t.Context(), h.newcomer(), in)
			if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if after, _ := b.row("v1", alice); tt.want != nil && after.Ver != before.Ver {
				t.Error("it was stored")
			}
		})
	}
	for _, kind := range []string{"amnesia", "future", "stale", "bad_record", "refused"} {
		if got := b.told("recovery." + kind); len(got) != 1 {
			t.Errorf("%s: told %v", kind, got)
		}
	}
}

// link changes what a link brings.
type link struct {
	recovery.Link
	change func(*wire.Reply)
	seen   func(*wire.Call)
}

func (l *link) Call(ctx context.Context, c *wire.Call) (*wire.Reply, error) {
	if l.seen != nil {
		l.seen(c)
	}
	r, err := l.Link.Call(ctx, c)
	if err == nil && l.change != nil {
		l.change(r)
	}
	return r, err
}
