package sqlite

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// statRowsWanted is how many rows of statistics the benchmarks lay over 90 days.
const statRowsWanted = 100_000

// statStore makes a store with statistics of 90 days up to noon: phones of 80
// models, some of them frequent, on 6 systems and 5 versions of the app, in 40
// countries. Two attempts in five have a finding, half of these reject.
func statStore(b *testing.B) *Store {
	b.Helper()
	s, err := Open(b.Context(), &Options{Path: filepath.Join(b.TempDir(), "a.db"), App: "demo", DangerousNoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	r := rand.New(rand.NewPCG(1, 2))
	some := func(n int) int { return int(float64(n) * r.Float64() * r.Float64() * r.Float64()) } // the first ones are frequent
	last := noon.Unix() / 3600
	for rows, hour := 0, last-90*24+1; rows < statRowsWanted; hour++ {
		if hour > last {
			hour = last - 90*24 + 1
		}
		err := s.Update(b.Context(), func(tx *Tx) error {
			for range 30 {
				k := registry.StatKey{
					Hour: hour, Platform: "android", Operation: "request", Model: fmt.Sprint("Maker Model ", some(80)), ModelSource: "attested",
					OS: fmt.Sprint(11 + some(6)), AppVersion: fmt.Sprint(100 + some(5)), Country: fmt.Sprint(some(40)), Stage: "all", Verdict: "accept", Position: -1,
				}
				if some(9) == 1 {
					k.Operation = "register"
				}
				found := r.IntN(5)
				if found == 0 {
					k.Verdict = "reject"
				}
				n := int64(1 + some(40))
				if err := addStat(b.Context(), tx, k, n); err != nil {
					return err
				}
				rows++
				if found > 1 {
					continue
				}
				k.Code, k.Class, k.Effect, k.Position = "android.leaf_validity", "honest", "note", 0
				if found == 0 {
					k.Code, k.Effect = []string{"android.ca_bit", "android.cert_expired", "android.path_length", "android.key_cert_sign"}[some(4)], "reject"
				}
				if err := addStat(b.Context(), tx, k, n); err != nil {
					return err
				}
				rows++
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func addStat(ctx context.Context, tx *Tx, k registry.StatKey, n int64) error {
	c, err := tx.AddStat(ctx, k, n, true)
	if err != nil {
		return err
	}
	hashes := make([][]byte, n)
	for i := range hashes {
		hashes[i] = binary.BigEndian.AppendUint64(make([]byte, 8), rand.Uint64N(1<<16))
	}
	_, err = tx.AddStatAccounts(ctx, c.Row, hashes, 513)
	return err
}

// BenchmarkStatistics reads what pages of the console ask for, over 90 days, and
// reports how much longer that takes than one bare sum over the same rows. The two
// take turns; the fastest of each counts.
func BenchmarkStatistics(b *testing.B) {
	s := statStore(b)
	to := noon.Truncate(time.Hour).Add(time.Hour)
	from := to.Add(-90 * 24 * time.Hour)
	view := func(fn func(tx *Tx) error) time.Duration {
		start := time.Now()
		if err := s.View(b.Context(), fn); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	bare := func(tx *Tx) error {
		return tx.statRows(b.Context(), `SELECT sum(count) FROM attest_stat WHERE hour >= ? AND hour < ?`,
			[]any{from.Unix() / 3600, to.Unix() / 3600}, func(*engine.Stmt) error { return nil })
	}
	report := func(equal map[registry.Dim]string, by ...registry.Dim) func(tx *Tx) error {
		in := registry.StatFilter{From: from, To: to, By: by, Equal: equal, NoAccounts: true, NoTotal: len(by) > 0, Limit: 10_000}
		return func(tx *Tx) error {
			_, err := registry.ReadStats(b.Context(), tx, &in, noon)
			return err
		}
	}
	reports := func(all ...registry.StatFilter) func(tx *Tx) error {
		return func(tx *Tx) error {
			var in []*registry.StatFilter
			for _, one := range all {
				one.From, one.To, one.NoAccounts, one.NoTotal, one.Limit = from, to, true, len(one.By) > 0, 10_000
				in = append(in, &one)
			}
			_, err := registry.ReadReports(b.Context(), tx, in, noon)
			return err
		}
	}
	refused := map[registry.Dim]string{registry.DimEffect: "reject"}
	for _, one := range []struct {
		name string
		read func(tx *Tx) error
	}{
		{"health", reports( // the page as it opens
			registry.StatFilter{}, registry.StatFilter{By: []registry.Dim{registry.DimDay}}, registry.StatFilter{By: []registry.Dim{registry.DimPlatform, registry.DimDay}},
			registry.StatFilter{By: []registry.Dim{registry.DimPlatform}}, registry.StatFilter{By: []registry.Dim{registry.DimModel}},
			registry.StatFilter{By: []registry.Dim{registry.DimCountry}}, registry.StatFilter{By: []registry.Dim{registry.DimCode}, Equal: refused})},
		{"total", report(nil)},
		{"by-day", report(nil, registry.DimDay)},
		{"by-platform-and-day", report(nil, registry.DimPlatform, registry.DimDay)},
		{"by-model", report(nil, registry.DimModel)},
		{"by-reason", report(refused, registry.DimCode)},
		{"one-model-by-country", report(map[registry.Dim]string{registry.DimModel: "Maker Model 3"}, registry.DimCountry)},
		{"suspects", func(tx *Tx) error {
			_, err := registry.ReadSuspects(b.Context(), tx, "demo", noon)
			return err
		}},
	} {
		b.Run(one.name, func(b *testing.B) {
			ours, floor := time.Hour, time.Hour
			b.ReportAllocs()
			for b.Loop() {
				ours, floor = min(ours, view(one.read)), min(floor, view(bare))
			}
			b.ReportMetric(float64(ours)/float64(floor), "x-bare")
			b.ReportMetric(float64(ours)/1e6, "ms")
			b.ReportMetric(float64(floor)/1e6, "ms-bare")
			b.ReportMetric(0, "ns/op") // of both together: it says nothing
		})
	}
}
