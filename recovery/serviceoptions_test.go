package recovery_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// TestServiceOptions: what is missing or wrong is refused by its name.
func TestServiceOptions(t *testing.T) {
	b := newBackend(t, recoverytest.Options{})
	for _, tt := range []struct {
		want   string
		change func(*recovery.Options)
	}{
		{"", func(*recovery.Options) {}},
		{"Update", func(o *recovery.Options) { o.Update = nil }},
		{"View", func(o *recovery.Options) { o.View = nil }},
		{"Accounts", func(o *recovery.Options) { o.Accounts = nil }},
		{"Retry", func(o *recovery.Options) { o.Retry = nil }},
		{"Pepper", func(o *recovery.Options) { o.Pepper = o.Pepper[:31] }},
		{"RowKey", func(o *recovery.Options) { o.RowKey = nil }},
		{"RateKey", func(o *recovery.Options) { o.RateKey = nil }},
		{"Vouchers", func(o *recovery.Options) { o.Vouchers = o.Vouchers[:32] }},
		{"policy", func(o *recovery.Options) { o.Policy = "" }},
		{"PIN", func(o *recovery.Options) { o.PINMin = 3 }},
		{"PIN", func(o *recovery.Options) { o.PINMin = 33 }},
		{"app", func(o *recovery.Options) { o.App = "" }},
		{"vault set", func(o *recovery.Options) { o.Set = []byte{1} }},
		{"no way to vault v3", func(o *recovery.Options) { o.Vaults = o.Vaults[:2] }},
		{"no way to vault v3", func(o *recovery.Options) { o.Vaults = append(o.Vaults[:2:2], recovery.Vault{ID: "v3"}) }},
		{"not in the set", func(o *recovery.Options) {
			o.Vaults = append(o.Vaults[:3:3], recovery.Vault{ID: "v4", Replicas: o.Vaults[0].Replicas})
		}},
	} {
		o := b.options()
		tt.change(o)
		_, err := recovery.NewService(o)
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
	seed := newBackend(t, recoverytest.Options{Profile: recovery.ProfileSeed})
	o := seed.options()
	o.Policy = recovery.PolicyMerge
	if _, err := recovery.NewService(o); err == nil {
		t.Error("profile seed takes policy merge")
	}
}

// TestGetConfig: evidence of each vault, made for the caller's nonce if he has one.
func TestGetConfig(t *testing.T) {
	b := newBackend(t, recoverytest.Options{})
	c := account.Caller{Kind: account.Anonymous, App: "demo", Network: "n"}
	get := func(nonce []byte) (*recovery.Config, []wire.Binding) {
		t.Helper()
		out, err := b.GetConfig(t.Context(), c, nonce)
		if err != nil {
			t.Fatal(err)
		}
		var all []wire.Binding
		for _, raw := range out.Evidence {
			var v wire.Binding
			if raw != nil {
				e, err := tee.ParseEvidence(raw)
				if err != nil {
					t.Fatal(err)
				}
				if v, err = wire.Decode[wire.Binding](e.Binding); err != nil {
					t.Fatal(err)
				}
			}
			all = append(all, v)
		}
		return out, all
	}
	vaults := func(all []wire.Binding) (out []string) {
		for _, v := range all {
			out = append(out, v.Vault)
		}
		return out
	}
	out, all := get(nil)
	if out.Profile != recovery.ProfileKR1 || out.Limit != 10 || out.PINMin != 6 || out.Operators != 1 || out.Assurance != "process" || !bytes.Equal(out.Set, b.vaults.Set()) {
		t.Errorf("%+v", out)
	}
	if got := vaults(all); !slices.Equal(got, []string{"v1", "v2", "v3"}) {
		t.Errorf("evidence of %v", got)
	}
	nonce := []byte("my nonce")
	if _, all = get(nonce); !bytes.Equal(all[1].Nonce, nonce) {
		t.Errorf("evidence for nonce %q", all[1].Nonce)
	}
	b.vaults.List[1].Stop()
	if _, all = get(nonce); !slices.Equal(vaults(all), []string{"v1", "", "v3"}) {
		t.Errorf("one is away, and there is evidence of %v", vaults(all))
	}
	if _, err := b.GetConfig(t.Context(), c, make([]byte, 65)); !errors.Is(err, recovery.ErrMalformed) {
		t.Errorf("a nonce of 65 bytes: %v", err)
	}
	for range 58 {
		get(nonce)
	}
	if _, err := b.GetConfig(t.Context(), c, nonce); !errors.Is(err, recovery.ErrRate) {
		t.Errorf("the 61st in an hour: %v", err)
	}
	get(nil)
}

// TestForeignReplica: a replica of another vault, or with another configuration,
// is none of this vault's.
func TestForeignReplica(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	session := h.open()
	b.ways[0].Replicas[0].Link = b.ways[1].Replicas[0].Link
	b.restart()
	in, _ := b.sealed("v2", alice, wire.OpStatus, &wire.Status{})
	in.Session = session
	if _, err := b.CallVault(t.Context(), h.newcomer(), in); err != nil {
		t.Fatal(err)
	}
	status := b.status()
	if !strings.Contains(status.Vaults[0].Replicas[0].Error, "of vault v2, not of v1") {
		t.Errorf("%+v", status.Vaults[0])
	}
	other := newBackend(t, recoverytest.Options{Limit: 5})
	b.ways[0] = other.ways[0]
	b.restart()
	status = b.status()
	if !strings.Contains(status.Vaults[0].Replicas[0].Error, "another configuration") {
		t.Errorf("%+v", status.Vaults[0])
	}
}

// TestApplyPermanent: an entry of the retry stream that no repetition can store.
func TestApplyPermanent(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	b.blocked = true
	h.wrong("000000", 9)
	b.blocked = false
	good := b.queue.held[0]
	for name, change := range map[string]func(*recovery.Record){
		"another app's":          func(r *recovery.Record) { r.App = "chat" },
		"another vault's":        func(r *recovery.Record) { r.Vault = "v9" },
		"another account's":      func(r *recovery.Record) { r.Account = bob },
		"no record":              func(r *recovery.Record) { r.Sealed = r.Sealed[:100] },
		"a note that is none":    func(r *recovery.Record) { r.Notes = [][]byte{[]byte("note")} },
		"a receipt that is none": func(r *recovery.Record) { r.Notes = [][]byte{[]byte(`{"receipt":"AA=="}`)} },
	} {
		r := good
		change(&r)
		if err := b.Apply(t.Context(), r); !errors.Is(err, recovery.ErrPermanent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.Apply(t.Context(), good); err != nil {
		t.Error(err)
	}
	// There is no row that it could replace: it is tried again.
	r := good
	r.Account, r.Create = bob, false
	r.Acct = wire.DerivePepper(b.key, r.Vault).Acct(string(bob))
	r, err := recovery.SealEntry(b.key, r)
	h.must(err)
	if err := b.Apply(t.Context(), r); err == nil || errors.Is(err, recovery.ErrPermanent) {
		t.Errorf("without a row: %v", err)
	}
}
