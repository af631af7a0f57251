package replica

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/vault"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
	"github.com/staunchid/staunch/tee/process"
)

// TestTakeOver: a vault gets another configuration, and keeps its keys: what was
// registered before is opened after, and the counts come from the others.
func TestTakeOver(t *testing.T) {
	h := newHost(t).kr1()
	stops := map[string]func() error{}
	for folder := range h.configs {
		stops[folder] = h.start(folder, func(o *Options) { o.Create = true })
	}
	stop := func(folder string) {
		t.Helper()
		if err := stops[folder](); err != nil {
			t.Fatal(err)
		}
		delete(stops, folder)
	}
	defer func() {
		for folder := range stops {
			stop(folder)
		}
	}()
	record := h.create("v1")
	old := h.info("v1")

	before, err := os.ReadFile(filepath.Join(h.folder("v1"), SetFile))
	if err != nil {
		t.Fatal(err)
	}
	d := &release.Handover{Signed: before, Old: h.configs["v1"], Next: h.configs["v1"], NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	d.Next.Policy = "strict"
	set, ceremony, _, err := d.Documents(h.release)
	if err != nil {
		t.Fatal(err)
	}
	config, err := wire.Encode(&d.Next)
	if err != nil {
		t.Fatal(err)
	}
	write := func(folder, name string, b []byte) {
		t.Helper()
		if err := os.MkdirAll(h.folder(folder), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(h.folder(folder), name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("next", ConfigFile, config)
	write("next", SetFile, set)
	take := &Options{ID: "v1", Dir: h.folder("next"), KeysFrom: "unix:" + filepath.Join(h.folder("v1"), "keys.sock")}
	refused := func(want string) {
		t.Helper()
		if err := TakeOver(t.Context(), take); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	refused("it lists who has the keys")
	write("next", PreviousFile, set)
	refused("is not the set before version 2")
	write("next", PreviousFile, before)
	refused("does the vault run, with the hand-over") // nobody serves keys yet

	stop("v1")
	write("v1", SetFile, set)
	write("v1", CeremonyFile, ceremony)
	stops["v1"] = h.start("v1", nil)
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) { // it has to reach the witnesses, for their clocks
		if err = TakeOver(t.Context(), take); err == nil || time.Now().After(until) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := TakeOver(t.Context(), take); !errors.Is(err, ErrFolder) {
		t.Errorf("twice: %v", err)
	}

	stop("v1")
	for _, folder := range []string{"v2", "v3", "w1"} {
		write(folder, SetFile, set)
	}
	if err := errors.Join(os.Rename(h.folder("v1"), h.folder("old")), os.Rename(h.folder("next"), h.folder("v1"))); err != nil {
		t.Fatal(err)
	}
	stops["v1"] = h.start("v1", nil)
	now := h.info("v1")
	hash, err := d.Next.Hash()
	if err != nil || now.ConfigHash != hash || string(now.HPKE) != string(old.HPKE) || now.Epoch != old.Epoch {
		t.Errorf("before %+v, after %+v, %v", old, now, err)
	}
	status, err := wire.Encode(&wire.Status{})
	if err != nil {
		t.Fatal(err)
	}
	reply, key := h.call("v1", wire.OpStatus, status, record)
	if reply.Result != wire.CodeDone {
		t.Fatal(reply.Result)
	}
	if a, err := key.OpenAnswer(reply.Answer); err != nil || a.Slots == nil || a.Slots.Current == nil {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestTakerProgram: keys go to the program that the vault itself is, and to another
// one only if a hand-over names it, also when the set lists both.
func TestTakerProgram(t *testing.T) {
	h := newHost(t).kr1()
	self, err := process.Self()
	if err != nil {
		t.Fatal(err)
	}
	other := *self
	other.Executable[0]++
	another := wire.Measurement{Platform: process.Platform, Values: map[string][]byte{"sha256": other.Executable[:]}}
	config := h.configs["v1"]
	hash, err := config.Hash()
	if err != nil {
		t.Fatal(err)
	}
	h.sign(&wire.VaultSet{
		Profile: "kr1-2of3", Suite: wire.Suite1, N: 1, T: 1, Limit: 10, Release: h.keys(),
		Vaults: []wire.Member{{Vault: "v1", ConfigHash: hash, Measurements: []wire.Measurement{
			{Platform: process.Platform, Values: map[string][]byte{"sha256": self.Executable[:]}}, another,
		}}},
	})
	binding, err := wire.Encode(&wire.Binding{Vault: "v1", Replica: "v1/b", Boot: wire.ID16{1}, BootKey: wire.EdKey{2}, ConfigHash: hash})
	if err != nil {
		t.Fatal(err)
	}
	named := &vault.Handover{Ceremony: wire.Ceremony{Kind: wire.CeremonyHandover, Vault: "v1", Measurement: &another}}
	for _, c := range []struct {
		name     string
		program  *process.Report
		handover *vault.Handover
		ok       bool
	}{
		{"the same program", self, nil, true},
		{"another", &other, nil, false},
		{"another, with a hand-over to a configuration", &other, &vault.Handover{Ceremony: wire.Ceremony{ConfigHash: &hash}}, false},
		{"the one that a hand-over names", &other, named, true},
	} {
		proof, err := tee.ProcessEvidence(c.program, binding)
		if err != nil {
			t.Fatal(err)
		}
		p := &replica{folder: &folder{dir: h.folder("v1"), config: config}, handover: c.handover}
		if err := p.appraise(binding, proof); err != nil {
			t.Fatalf("%s is no peer: %v", c.name, err)
		}
		if err := p.appraiseTaker(binding, proof); (err == nil) != c.ok || err != nil && !errors.Is(err, errProgram) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
