package release

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// plan is one of three vaults and a witness, with two of two release keys.
func plan(keys ...ed25519.PrivateKey) *Plan {
	p := &Plan{
		Profile: "kr1-2of3", Policy: "merge", OnAmnesia: "ceremony", Limit: 10,
		Vaults:    []Party{{"v1", "east"}, {"v2", "west"}, {"v3", "north"}},
		Witnesses: []Party{{"w1", "south"}},
		Vouchers:  wire.EdKey{1}, Release: wire.ReleaseKeys{K: uint8(len(keys))}, From: noon,
		Measurements: []wire.Measurement{{Platform: "process", Values: map[string][]byte{"sha256": make([]byte, 32)}, NotBefore: 1}},
	}
	for _, k := range keys {
		p.Release.Keys = append(p.Release.Keys, Public(k))
	}
	return p
}

// TestPlan: the set lists everybody with the hash of what he is started with, and
// what would make no set is refused.
func TestPlan(t *testing.T) {
	key := newKey(t)
	set, configs, err := plan(key).Make()
	if err != nil || set.N != 3 || set.T != 2 || len(set.Vaults) != 3 || len(set.WitnessesOnly) != 1 || len(configs) != 4 || set.Vaults[1].Operator != "west" {
		t.Fatalf("%+v, %v", set, err)
	}
	for _, m := range append(set.Vaults, set.WitnessesOnly...) {
		c := configs[m.Vault]
		if hash, err := c.Hash(); err != nil || hash != m.ConfigHash || c.Vault != m.Vault || len(c.Witnesses) != 4 || c.Freshness != (wire.Freshness{Level: "quorum", W: 4, Q: 3, R: 3, F: 1}) {
			t.Errorf("%+v, %v", c, err)
		}
	}
	for name, change := range map[string]func(*Plan){
		"no profile":           func(p *Plan) { p.Profile = "kr1-9of9" },
		"no policy":            func(p *Plan) { p.Policy = "" },
		"no rule for amnesia":  func(p *Plan) { p.OnAmnesia = "" },
		"two attempts":         func(p *Plan) { p.Limit = 2 },
		"51 attempts":          func(p *Plan) { p.Limit = 51 },
		"two vaults":           func(p *Plan) { p.Vaults = p.Vaults[:2] },
		"no witness":           func(p *Plan) { p.Witnesses = nil },
		"no voucher key":       func(p *Plan) { p.Vouchers = wire.EdKey{} },
		"no release key":       func(p *Plan) { p.Release = wire.ReleaseKeys{} },
		"two of one key":       func(p *Plan) { p.Release.K = 2 },
		"no program":           func(p *Plan) { p.Measurements = nil },
		"a vault twice":        func(p *Plan) { p.Vaults[1].ID = "v1" },
		"a witness as a vault": func(p *Plan) { p.Witnesses[0].ID = "v1" },
		"no id":                func(p *Plan) { p.Vaults[1].ID = "V/1" },
		"nobody runs it":       func(p *Plan) { p.Vaults[1].Operator = "" },
	} {
		p := plan(key)
		change(p)
		if _, _, err := p.Make(); !errors.Is(err, ErrPlan) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSign: each key signs once, and only what it has a word in.
func TestSign(t *testing.T) {
	one, two, stranger := newKey(t), newKey(t), newKey(t)
	set, _, err := plan(one, two).Make()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := Document(&set, one)
	if err != nil {
		t.Fatal(err)
	}
	both, err := Sign(doc, two)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := wire.Decode[wire.KofM](both)
	if err != nil || signed.Verify(set.Release) != nil {
		t.Fatalf("%v, %v", err, signed.Verify(set.Release))
	}
	wrong := signed
	wrong.Sigs = []wire.KeySig{{Key: Public(one)}}
	forged, err := wire.Encode(&wrong)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := Document(&wire.Voucher{Vault: "v1", Purpose: wire.PurposeFirst}, one)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		doc  []byte
		key  ed25519.PrivateKey
		want string
	}{
		{"signed already", both, two, "signed it already"},
		{"not listed", doc, stranger, "none of them"},
		{"beside a wrong signature", forged, two, "a signature that it has is wrong"},
		{"no document of release keys", receipt, two, "neither a vault set nor a ceremony"},
		{"nothing", []byte{1}, two, "cannot be signed"},
	} {
		if _, err := Sign(tt.doc, tt.key); !errors.Is(err, ErrDocument) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	rebase := &Rebase{Kind: wire.CeremonyAmnesia, Vault: "v1", SetVersion: 1, NotBefore: noon, NotAfter: noon.Add(time.Hour)}
	if doc, err = rebase.Document(one); err != nil {
		t.Fatal(err)
	}
	if _, err := Sign(doc, stranger); err != nil {
		t.Errorf("a ceremony lists no keys: %v", err)
	}
}

// TestRebase: what no vault should hold to is not signed.
func TestRebase(t *testing.T) {
	key := newKey(t)
	for name, change := range map[string]func(*Rebase){
		"good":            func(*Rebase) {},
		"hand-over":       func(r *Rebase) { r.Kind = wire.CeremonyHandover },
		"no vault":        func(r *Rebase) { r.Vault = "" },
		"ends first":      func(r *Rebase) { r.NotAfter = r.NotBefore },
		"open for long":   func(r *Rebase) { r.NotAfter = r.NotBefore.Add(8 * 24 * time.Hour) },
		"lists nobody":    func(r *Rebase) { r.Accounts = []wire.Acct{} },
		"lists some":      func(r *Rebase) { r.Accounts = []wire.Acct{{1}} },
		"store went back": func(r *Rebase) { r.Kind = wire.CeremonyRestore },
	} {
		r := &Rebase{Kind: wire.CeremonyAmnesia, Vault: "v1", SetVersion: 3, NotBefore: noon, NotAfter: noon.Add(time.Hour)}
		change(r)
		good := name == "good" || name == "lists some" || name == "store went back"
		if _, err := r.Document(key); errors.Is(err, ErrRebase) == good || good && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWords: who signs can read what, and whether a signature is genuine.
func TestWords(t *testing.T) {
	key := newKey(t)
	set, configs, err := plan(key).Make()
	if err != nil {
		t.Fatal(err)
	}
	config := configs["v2"]
	encoded, err := wire.Encode(&config)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := Document(&set, key)
	if err != nil {
		t.Fatal(err)
	}
	forged := append([]byte{}, doc...)
	forged[len(forged)-1] ^= 1
	rebase := &Rebase{Kind: wire.CeremonyRestore, Vault: "v1", SetVersion: 3, Accounts: []wire.Acct{{1}, {2}}, NotBefore: noon, NotAfter: noon.Add(time.Hour)}
	ceremony, err := rebase.Document(key)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := wire.Sign(key, &wire.Receipt{Vault: "v1", Replica: "v1/a", Op: wire.OpEvaluate, Gen: 2, Ver: 7, Used: 3})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := wire.Encode(receipt)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want []string
	}{
		{"set", doc, []string{"vault set, version 1", `v2, run by "west"`, "1 of 1 keys must sign", Public(key).String() + ", the signature is genuine"}},
		{"forged", forged, []string{"the signature is WRONG"}},
		{"ceremony", ceremony, []string{"ceremony of kind restore for v1, with vault set 3", "from 2026-11-22T12:00:00Z until 2026-11-22T13:00:00Z", "  accounts    01000", "              02000"}},
		{"configuration", encoded, []string{"configuration of v2", set.Vaults[1].ConfigHash.String(), "quorum: W 4, Q 3, R 3, F 1; on total amnesia: ceremony"}},
		{"receipt", signed, []string{"receipt of v1/a", "evaluate: gen 2, ver 7, used 3, active"}},
	} {
		text, err := Words(tt.b)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		for _, w := range tt.want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in\n%s", tt.name, w, text)
			}
		}
	}
	if _, err := Words([]byte("hello")); !errors.Is(err, ErrDocument) {
		t.Errorf("no document: %v", err)
	}
}

// TestKeys: a file that is no such key is named.
func TestKeys(t *testing.T) {
	d := t.TempDir()
	for name, text := range map[string]string{
		"empty": "", "public": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n",
		"no key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	} {
		path := filepath.Join(d, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadKey(path); !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := ReadPublicKey(path); (err == nil) != (name == "public") {
			t.Errorf("public half, %s: %v", name, err)
		}
	}
	if _, err := ReadKey(filepath.Join(d, "nothing")); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
}
