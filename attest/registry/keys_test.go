package registry_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
)

// TestListKeys: every filter, and pages that follow each other without a gap.
func TestListKeys(t *testing.T) {
	r := newRig(t, withPolicy(t))
	android, other, apple := r.androidKey(), r.androidKey(), r.appleKey()
	appleID := r.check(r.sign(apple)).Key.ID
	r.change(other.ID(), func(k *registry.Key) { k.Account = bob })
	if _, err := r.RevokeKey(t.Context(), backend, "demo", other.ID(), "lost"); err != nil {
		t.Fatal(err)
	}
	all := []string{android.ID(), other.ID(), appleID}
	slices.Sort(all)
	serial := r.key(android.ID()).Serials[0]
	var sharing []string // of the one CA
	for _, id := range all {
		if slices.Contains(r.key(id).Serials, serial) {
			sharing = append(sharing, id)
		}
	}
	model := r.key(android.ID()).Model
	androids := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return id == appleID })
	tests := []struct {
		name   string
		filter registry.KeyFilter
		want   []string
	}{
		{"all", registry.KeyFilter{}, all},
		{"of an account", registry.KeyFilter{Account: bob}, []string{other.ID()}},
		{"of an account without keys", registry.KeyFilter{Account: account.NewID()}, nil},
		{"revoked", registry.KeyFilter{State: registry.StateRevoked}, []string{other.ID()}},
		{"pending", registry.KeyFilter{State: registry.StatePending}, nil},
		{"active", registry.KeyFilter{State: registry.StateActive}, slices.DeleteFunc(slices.Clone(all), func(id string) bool { return id == other.ID() })},
		{"under a serial", registry.KeyFilter{Serial: serial}, sharing},
		{"under a serial in another spelling", registry.KeyFilter{Serial: "00" + strings.ToUpper(serial)}, sharing},
		{"under a serial that nobody has", registry.KeyFilter{Serial: "abcdef0123"}, nil},
		{"under a serial, of an account", registry.KeyFilter{Serial: serial, Account: alice}, slices.DeleteFunc(slices.Clone(sharing), func(id string) bool { return id == other.ID() })},
		{"of a model", registry.KeyFilter{Model: model}, androids},
		{"of a model, of an account", registry.KeyFilter{Model: model, Account: bob}, []string{other.ID()}},
		{"of a model, in a state", registry.KeyFilter{Model: model, State: registry.StateRevoked}, []string{other.ID()}},
		{"of another account, in a state", registry.KeyFilter{Account: alice, State: registry.StateRevoked}, nil},
	}
	for _, tt := range tests {
		for _, size := range []int{0, 1, 2, 500} {
			var got []string
			f := tt.filter
			for pages := 0; ; pages++ {
				page, err := r.ListKeys(t.Context(), backend, "demo", f, size)
				if err != nil {
					t.Fatal(err)
				}
				if size > 0 && len(page.Keys) > size || pages > len(all) {
					t.Fatalf("%s: a page of %d, of %d", tt.name, len(page.Keys), size)
				}
				for _, k := range page.Keys {
					got = append(got, k.ID)
				}
				if f.After = page.Next; f.After == "" {
					break
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s, %d a page: %q, want %q", tt.name, size, got, tt.want)
			}
		}
	}

	for name, f := range map[string]registry.KeyFilter{
		"account": {Account: "bob"}, "state": {State: "dead"}, "serial": {Serial: "12:34"}, "long serial": {Serial: strings.Repeat("1", 129)},
		"model": {Model: strings.Repeat("x", 257)}, "token": {After: "x"},
	} {
		if page, err := r.ListKeys(t.Context(), backend, "demo", f, 0); !errors.Is(err, registry.ErrMalformed) || page != nil {
			t.Errorf("%s: %+v, %v", name, page, err)
		}
	}
	for _, size := range []int{-1, 501} {
		if _, err := r.ListKeys(t.Context(), backend, "demo", registry.KeyFilter{}, size); !errors.Is(err, registry.ErrMalformed) {
			t.Errorf("a page of %d: %v", size, err)
		}
	}
}

// TestRevokeKey: a revoked key signs nothing and does not come back; who did it
// and why is on record, once.
func TestRevokeKey(t *testing.T) {
	r := newRig(t, withPolicy(t))
	key := r.androidKey()
	r.mustPass(r.check(r.sign(key)))
	r.advance(time.Minute)
	for range 2 {
		k, err := r.RevokeKey(t.Context(), backend, "demo", key.ID(), "phone was stolen")
		if err != nil || k.State != registry.StateRevoked || k.ID != key.ID() {
			t.Fatalf("%+v, %v", k, err)
		}
	}
	r.mustRefuse(r.check(r.sign(key)), "common.key_revoked")
	entries, events := r.record()
	revoked := slices.DeleteFunc(entries, func(e audit.Entry) bool { return e.Action != "attest.revoke" })
	if len(revoked) != 1 {
		t.Fatalf("%d entries", len(revoked))
	}
	e, digest := revoked[0], r.key(key.ID()).Digest()
	if e.Account != alice || e.Subject != key.ID() || e.Reason != "phone was stolen" || string(e.Object) != string(digest[:]) || e.Actor.Kind != account.Backend || !e.Time.Equal(noon.Add(time.Minute)) {
		t.Errorf("%+v", e)
	}
	var body struct{ Key, Platform, Was string }
	told := 0
	for _, e := range events {
		if e.Type == "attest.key_revoked" {
			told++
			if err := json.Unmarshal(e.Body, &body); err != nil {
				t.Error(err)
			}
		}
	}
	if told != 1 || body.Key != key.ID() || body.Platform != "android" || body.Was != "active" {
		t.Errorf("told %d times: %+v", told, body)
	}
	r.mustCheck()

	if _, err := r.RevokeKey(t.Context(), backend, "demo", strings.Repeat("A", 43), "x"); !errors.Is(err, registry.ErrKeyUnknown) {
		t.Errorf("a key that is not there: %v", err)
	}
	for name, reason := range map[string]string{"none": "", "blank": " \t", "long": strings.Repeat("x", 501), "control": "a\x00b", "no text": "\xff"} {
		if _, err := r.RevokeKey(t.Context(), backend, "demo", key.ID(), reason); !errors.Is(err, registry.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.RevokeKey(t.Context(), backend, "demo", "key", "x"); !errors.Is(err, registry.ErrMalformed) {
		t.Errorf("no key id: %v", err)
	}
}

// TestKeyCallers: keys are listed and revoked by backends and operators only.
func TestKeyCallers(t *testing.T) {
	r := newRig(t, withPolicy(t))
	key := r.androidKey()
	calls := map[string]func(c account.Caller, app account.AppID) error{
		"ListKeys": func(c account.Caller, app account.AppID) error {
			_, err := r.ListKeys(t.Context(), c, app, registry.KeyFilter{}, 0)
			return err
		},
		"RevokeKey": func(c account.Caller, app account.AppID) error {
			_, err := r.RevokeKey(t.Context(), c, app, key.ID(), "lost")
			return err
		},
	}
	for name, call := range calls {
		for _, c := range []account.Caller{
			{}, {Kind: account.Anonymous, App: "demo"}, {Kind: account.Phone, App: "demo", Account: alice}, {Kind: account.Backend, App: "other"},
		} {
			if err := call(c, "demo"); !errors.Is(err, registry.ErrNotAllowed) {
				t.Errorf("%s by %+v: %v", name, c, err)
			}
		}
		if err := call(backend, "other"); !errors.Is(err, registry.ErrAppUnknown) {
			t.Errorf("%s of another app: %v", name, err)
		}
		if err := call(account.Caller{Kind: account.Operator, App: "demo"}, "demo"); err != nil {
			t.Errorf("%s by an operator: %v", name, err)
		}
	}
}
