package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// keysEnv is how many keys BenchmarkReevaluate registers: 1000000 for the goal
// of a minute.
const keysEnv = "STAUNCH_BENCH_KEYS"

// BenchmarkReevaluate applies a list to a store in which each key is of an
// account of its own and has three serials. In the worst case every key is
// under a serial that the list has REVOKED. Beside it stands what it costs to
// read the table of keys once.
func BenchmarkReevaluate(b *testing.B) {
	b.Run("all-revoked", func(b *testing.B) { reevaluate(b, 1) })
	b.Run("one-in-100-revoked", func(b *testing.B) { reevaluate(b, 100) })
}

// reevaluate revokes one key in so many.
func reevaluate(b *testing.B, oneIn int) {
	b.Helper()
	n := 20_000
	if text := os.Getenv(keysEnv); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatalf("%s: %v", keysEnv, err)
		}
	}
	list, err := android.ParseStatusList([]byte(`{"entries": {"f00d": {"status": "REVOKED"}, "dead": {"status": "REVOKED"}}}`))
	if err != nil {
		b.Fatal(err)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		b.Fatal(err)
	}
	var scan, work time.Duration
	for b.Loop() {
		b.StopTimer()
		s, err := Open(b.Context(), &Options{Path: filepath.Join(b.TempDir(), "a.db"), App: "demo"})
		if err != nil {
			b.Fatal(err)
		}
		register(b, s, n, oneIn)
		service, err := registry.New(&registry.Options{
			App: "demo", Policy: func() *attest.Policy { return nil }, Verifier: verifier, HashKey: make([]byte, 32),
			Status: func() *android.StatusList { return list },
			Update: func(ctx context.Context, fn func(registry.Tx) error) error {
				return s.Update(ctx, func(tx *Tx) error { return fn(tx) })
			},
			View: func(ctx context.Context, fn func(registry.Tx) error) error {
				return s.View(ctx, func(tx *Tx) error { return fn(tx) })
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		start := time.Now()
		err = s.View(b.Context(), func(tx *Tx) error {
			var rows, bytes int
			_, err := tx.row(b.Context(), "key", `SELECT count(*), sum(length(spki)) FROM attest_key`, nil, &rows, &bytes)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		r, err := service.Reevaluate(b.Context())
		if err != nil || r.Revoked != (n+oneIn-1)/oneIn {
			b.Fatalf("%+v, %v", r, err)
		}
		scan, work = scan+middle.Sub(start), work+time.Since(middle)
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(n*b.N)/work.Seconds(), "keys/s")
	b.ReportMetric(float64(n*b.N)/scan.Seconds(), "scanned-keys/s")
}

// register stores n keys as Register does, with their entries and events, but
// many in one transaction. One in so many is under the serial f00d.
func register(b *testing.B, s *Store, n, oneIn int) {
	b.Helper()
	const part = 1000
	for from := 0; from < n; from += part {
		err := s.Update(b.Context(), func(tx *Tx) error {
			var entries []audit.Entry
			var events []event.Event
			for i := from; i < min(from+part, n); i++ {
				id := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
				root := "f00d"
				if i%oneIn != 0 {
					root = "900d"
				}
				k := registry.Key{
					ID: base64.RawURLEncoding.EncodeToString(id[:]), App: "demo", Account: account.NewID(), Platform: "android",
					SPKI: make([]byte, 91), Algorithm: "EC-P256", Tier: attest.TierAffirming, State: registry.StateActive,
					Model: "Sony SOV37", OS: "16.0.0", PolicyDigest: list64, Evidence: "e_aaaaaaaaaaaaaaaaaaaaaaaaaa", RegisteredAt: noon,
					Serials: []string{fmt.Sprintf("b%09x", i/100), fmt.Sprintf("c%09x", i/10_000), root},
				}
				if err := tx.PutAttestedKey(b.Context(), k); err != nil {
					return err
				}
				digest := k.Digest()
				body := []byte(`{"decision":"ALLOW","platform":"android","tier":"affirming","key":"` + k.ID + `","codes":[],"policy":"` + list64 + `"}`)
				entries = append(entries, audit.Entry{
					Account: k.Account, Time: noon, Actor: audit.Actor{Kind: account.Backend, ID: "backend"}, Action: "attest.register",
					Subject: k.ID, Object: digest[:], Detail: body,
				})
				events = append(events, event.Event{Type: "attest.key_registered", Account: k.Account, Body: body, At: noon})
			}
			if err := tx.AppendAudits(b.Context(), entries); err != nil {
				return err
			}
			return tx.AppendEvents(b.Context(), events)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// list64 is as long as a digest.
const list64 = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
