package spawn

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/wire"
)

// TestLook: who only looks changes nothing, and is shown nothing that the release
// key has not signed.
func TestLook(t *testing.T) {
	d := dir(t)
	if _, err := Look(d); !errors.Is(err, ErrFolder) {
		t.Errorf("no folder: %v", err)
	}
	if there, _ := exists(d); there {
		t.Error("looking has made the folder")
	}
	s, err := Open(options(d))
	if err != nil {
		t.Fatal(err)
	}
	v, err := Look(d)
	if err != nil || string(v.Signed) != string(s.Signed()) || len(v.Vaults) != 3 || v.Config.Freshness.W != 4 || !strings.HasSuffix(v.Witnesses["w1"], "/w1/peer.sock") {
		t.Fatalf("%+v, %v", v, err)
	}
	v.Close()
	if _, err := newKey(filepath.Join(d, releaseFile)); err != nil {
		t.Fatal(err)
	}
	forger, err := release.ReadKey(filepath.Join(d, releaseFile))
	if err != nil {
		t.Fatal(err)
	}
	forged, err := release.Document(&s.set, forger)
	if err == nil {
		err = os.WriteFile(filepath.Join(d, setFile), forged, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Look(d); !errors.Is(err, ErrFolder) {
		t.Errorf("a set of somebody else: %v", err)
	}
}

// TestRebase: each vault and the witness get a ceremony of their own, and none is
// written if one cannot be made.
func TestRebase(t *testing.T) {
	d := dir(t)
	if _, err := Open(options(d)); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	r := release.Rebase{Kind: wire.CeremonyRestore, NotBefore: now, NotAfter: now.Add(time.Hour)}
	read := func(folder string) (c wire.Ceremony, err error) {
		b, err := os.ReadFile(filepath.Join(d, folder, replica.CeremonyFile))
		if err != nil {
			return c, err
		}
		doc, err := wire.Decode[wire.KofM](b)
		if err != nil {
			return c, err
		}
		return wire.Decode[wire.Ceremony](doc.TBS)
	}
	if _, err := Rebase(d, r, nil, map[string][]wire.Acct{"v1": {{1}}}, nil); !errors.Is(err, release.ErrRebase) {
		t.Errorf("accounts of one vault alone: %v", err)
	}
	if _, err := Rebase(d, r, []string{"v9"}, nil, nil); !errors.Is(err, ErrFolder) {
		t.Errorf("a vault that is not there: %v", err)
	}
	if _, err := read("v1"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
	files, err := Rebase(d, r, nil, nil, nil)
	if err != nil || len(files) != 4 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, id := range []string{"v1", "v2", "v3", "w1"} {
		if c, err := read(id); err != nil || c.Vault != id || c.SetVersion != 1 || c.Accounts != nil {
			t.Errorf("%s: %+v, %v", id, c, err)
		}
	}
	if files, err = Rebase(d, r, []string{"v2"}, map[string][]wire.Acct{"v2": {{2}}}, nil); err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	if c, err := read("v2"); err != nil || len(c.Accounts) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}
