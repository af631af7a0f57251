package sqlite

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// BenchmarkUpdate/sqlite commits what one registration writes, and reports how
// much longer that takes than to append as many bytes as it added to the WAL
// file, and fsync. The two take turns, so that both see the same disk.
func BenchmarkUpdate(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		s, err := Open(b.Context(), &Options{Path: filepath.Join(b.TempDir(), "a.db"), App: "demo"})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		// So that the file grows by what is written.
		err = s.writer.with(b.Context(), func(c *conn) error { return c.db.Exec("PRAGMA wal_autocheckpoint = 0") })
		if err != nil {
			b.Fatal(err)
		}
		bare, err := os.Create(filepath.Join(b.TempDir(), "bare"))
		if err != nil {
			b.Fatal(err)
		}
		defer bare.Close()
		registration(b, s, 0)
		before := walSize(b, s)
		for i := uint64(1); i <= 20; i++ {
			registration(b, s, i)
		}
		page := make([]byte, (walSize(b, s)-before)/20)

		var ours, floor time.Duration
		b.ReportAllocs()
		n := uint64(20)
		for b.Loop() {
			n++
			start := time.Now()
			registration(b, s, n)
			middle := time.Now()
			if _, err := bare.Write(page); err != nil {
				b.Fatal(err)
			}
			if err := bare.Sync(); err != nil {
				b.Fatal(err)
			}
			ours, floor = ours+middle.Sub(start), floor+time.Since(middle)
		}
		b.ReportMetric(float64(ours)/float64(floor), "x-fsync")
		b.ReportMetric(float64(len(page)), "B-written/op")
		b.ReportMetric(0, "ns/op") // of both together: it says nothing
	})
}

// registration writes the rows of one Register for an account of its own.
func registration(b *testing.B, s *Store, n uint64) {
	b.Helper()
	ctx := b.Context()
	c := challenge(0)
	binary.BigEndian.PutUint64(c.Hash[8:], n)
	id := account.NewID()
	k := registry.Key{ID: string(id), App: "demo", Account: id, SPKI: make([]byte, 91), State: registry.StateActive, Serials: []string{"1a", "2b", "3c", "4d"}, RegisteredAt: noon}
	e := registry.Evidence{ID: string(id), Account: id, At: noon, Until: noon, Verdict: make([]byte, 300), Bundle: make([]byte, 9000)}
	digest := k.Digest()
	steps := func(tx *Tx) error {
		if _, err := tx.Challenge(ctx, c.Hash); err != registry.ErrChallengeUnknown {
			return err
		}
		if err := tx.AddChallenge(ctx, c); err != nil {
			return err
		}
		if _, err := tx.UseChallenge(ctx, c.Hash, noon); err != nil {
			return err
		}
		if _, err := tx.AttestedKey(ctx, k.ID); err != registry.ErrKeyUnknown {
			return err
		}
		if err := tx.PutAttestedKey(ctx, k); err != nil {
			return err
		}
		if err := tx.AddEvidence(ctx, e); err != nil {
			return err
		}
		err := tx.AppendAudit(ctx, audit.Entry{Account: id, Time: noon, Actor: audit.Actor{Kind: account.Backend}, Action: "attest.register", Subject: k.ID, Object: digest[:], Detail: []byte(`{}`)})
		if err != nil {
			return err
		}
		return tx.AppendEvent(ctx, event.Event{Type: "attest.key_registered", Account: id, Body: []byte(`{}`), At: noon})
	}
	if err := s.Update(ctx, steps); err != nil {
		b.Fatal(err)
	}
}

func walSize(b *testing.B, s *Store) int64 {
	b.Helper()
	info, err := os.Stat(s.path + "-wal")
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}
