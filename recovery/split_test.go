package recovery_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
)

// TestOldBlob: of blobs under the same keys only those count that a vault names,
// and of these the newest, in whatever order the service shows them.
func TestOldBlob(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "one"))
	var blobs []recovery.BlobView // one, two
	keep := func(all []recovery.BlobView) []recovery.BlobView { blobs = append(blobs, all[0]); return all }
	p.service.EditBlobs(keep)
	p.must(p.client.Update(t.Context(), p.journal(), payloadOf("two")))
	p.service.EditBlobs(keep)

	p.net.Session = func(s *recovery.SessionView) { s.Blobs = blobs[:1] }
	if _, err := p.recover("482915"); !errors.Is(err, recovery.ErrShares) {
		t.Errorf("a blob that no vault names any more: %v", err)
	}
	p.attempt = nil
	for _, order := range [][]recovery.BlobView{{blobs[0], blobs[1]}, {blobs[1], blobs[0]}} {
		p.net.Session = func(s *recovery.SessionView) { s.Blobs = order }
		p.recovers("482915", "two")
	}

	p.vaults.List[2].Stop() // names the second
	p.incomplete(p.client.Update(t.Context(), p.journal(), payloadOf("three")), 2)
	p.vaults.List[2].Start()
	p.service.EditBlobs(keep)
	for _, order := range [][]recovery.BlobView{{blobs[2], blobs[1]}, {blobs[1], blobs[2]}} {
		p.net.Session = func(s *recovery.SessionView) { s.Blobs = order }
		p.recovers("482915", "three")
	}
}

// TestSplitHashes: while an update has reached one vault alone, the old blob
// stays, for the other two name it.
func TestSplitHashes(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "one"))
	p.net.Script = func(c recoverytest.Call) recoverytest.Fault {
		return at(c.Op == wire.OpUpdate && c.Vault != "v1", recoverytest.Drop)
	}
	p.incomplete(p.client.Update(t.Context(), p.journal(), payloadOf("two")), 1)
	p.net.Script = nil
	p.vaults.List[0].Stop()
	p.recovers("482915", "one")
	p.vaults.List[0].Start()
	p.recovers("482915", "two")
	p.must(p.client.Update(t.Context(), p.journal(), payloadOf("three"))) // another payload meanwhile
	for _, v := range p.vaults.List {
		v.Stop()
		p.recovers("482915", "three")
		v.Start()
	}
}

// TestRemaining: the vaults have counted differently, since requests were lost.
// With two of three to be convinced, what counts is the second largest.
func TestRemaining(t *testing.T) {
	tests := []struct {
		reached []string // vaults that an unfinished try has reached
		want    int      // after one more wrong PIN
	}{
		{nil, 9},
		{[]string{"v1"}, 9},
		{[]string{"v1", "v3"}, 8},
		{[]string{"v1", "v2", "v3"}, 8},
	}
	for _, tc := range tests {
		p := newPhone(t, recoverytest.Options{})
		p.must(p.register("482915", "one"))
		p.net.Script = func(c recoverytest.Call) recoverytest.Fault {
			return at(c.Op == wire.OpRelease || c.Op == wire.OpEvaluate && !slices.Contains(tc.reached, c.Vault), recoverytest.Drop)
		}
		if _, err := p.recover("000000"); !errors.Is(err, recovery.ErrUnavailable) {
			t.Fatal(err)
		}
		p.net.Script = nil
		p.wrong("111111", tc.want)
	}
}
