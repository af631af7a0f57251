package spawn

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/wire"
)

// ids are the vaults of a set as they run.
func ids(s *Set) (all []string) {
	for _, v := range s.Vaults() {
		all = append(all, v.ID)
	}
	return all
}

// TestReplace: in the place of a vault whose folder is gone comes another, once,
// with keys of its own; the lost one takes part as a witness.
func TestReplace(t *testing.T) {
	d := dir(t)
	first, stop := running(t, options(d))
	if _, err := Replace(d, "v2", time.Now()); !errors.Is(err, ErrRuns) {
		t.Errorf("while the server runs: %v", err)
	}
	stop()
	for name, want := range map[string]error{"v2": ErrFolder, "v9": release.ErrReplace, "w1": release.ErrReplace} { // v2 has its keys
		if _, err := Replace(d, name, time.Now()); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.RemoveAll(filepath.Join(d, "v2")); err != nil {
		t.Fatal(err)
	}
	got, err := Replace(d, "v2", time.Now())
	if err != nil || got.New != "v4" || got.Version != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	said := &log{}
	o := options(d)
	o.Stderr = said
	s, stop := running(t, o)
	if !slices.Equal(ids(s), []string{"v1", "v4", "v3"}) || *s.set.Previous != wire.Sum(first.Signed()) || !slices.Equal(s.shape.witnesses, []string{"w1", "v2"}) {
		t.Errorf("%v, %+v", ids(s), s.set)
	}
	if there, _ := replica.HasKeys(filepath.Join(d, "v2")); there {
		t.Error("v2 has made itself keys")
	}
	v4, err := s.links["v4/a"].Info(t.Context())
	if err != nil || v4.Vault != "v4" || v4.HPKE == nil {
		t.Fatalf("%+v, %v", v4, err)
	}
	view, err := Look(d)
	if err != nil || len(view.Witnesses) != 2 || !strings.HasSuffix(view.Witnesses["v2"], "/v2/peer.sock") {
		t.Errorf("%+v, %v", view, err)
	}
	view.Close()
	stop()

	// It is the same after a restart, and never begins a second time.
	again, stop := running(t, options(d))
	if b, err := again.links["v4/a"].Info(t.Context()); err != nil || string(b.HPKE) != string(v4.HPKE) {
		t.Errorf("v4 is another vault after a restart: %v", err)
	}
	stop()
	if err := os.Remove(filepath.Join(d, "v4", "keys.sealed")); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(options(d)); err != nil || slices.Contains(s.args(child{vault: "v4", replica: "a"}), "--create") {
		t.Errorf("a vault that has lost its keys is to make new ones: %v", err)
	}

	// It can be lost as well, and was no witness.
	got, err = Replace(d, "v4", time.Now())
	if err != nil || got.New != "v5" || got.Version != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	if s, err = Open(options(d)); err != nil || !slices.Equal(ids(s), []string{"v1", "v5", "v3"}) || len(s.set.WitnessesOnly) != 2 {
		t.Errorf("%v, %v", ids(s), err)
	}
	files, err := Rebase(d, release.Rebase{Kind: wire.CeremonyAmnesia, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}, nil, nil, nil)
	if err != nil || len(files) != 5 { // v1, v5, v3, and w1 and v2
		t.Errorf("%v, %v", files, err)
	}
}

// TestReplaceCutOff: a replacement that was cut off is made whole by another.
func TestReplaceCutOff(t *testing.T) {
	d := dir(t)
	if _, err := Open(options(d)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(d, "v1")); err != nil { // whose configuration others are made like
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(d, setFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Replace(d, "v1", time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d, setFile), before, 0o600); err != nil { // sets/2.cbor is there, and nobody was shown it
		t.Fatal(err)
	}
	got, err := Replace(d, "v1", time.Now())
	if err != nil || got.New != "v5" || got.Version != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	s, err := Open(options(d))
	if err != nil || !slices.Equal(ids(s), []string{"v5", "v2", "v3"}) {
		t.Errorf("%v, %v", s, err)
	}
	if err := os.WriteFile(filepath.Join(d, "v6"), nil, 0o600); err != nil { // in the way of the next
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(d, "v2")); err != nil {
		t.Fatal(err)
	}
	if _, err := Replace(d, "v2", time.Now()); err == nil {
		t.Error("a vault without a folder")
	}
	if after, err := os.ReadFile(filepath.Join(d, setFile)); err != nil || string(after) != string(s.Signed()) {
		t.Errorf("there is another set: %v", err)
	}
}
