package storetest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/attest/registry"
)

// statKey has no field at its zero value.
func statKey() registry.StatKey {
	return registry.StatKey{
		Hour: 500_000, Platform: "android", Operation: "register", Model: "Sony SOV37", ModelSource: "attested", OS: "16.0.0",
		AppVersion: "42", Country: "JP", Stage: "rollout[1]", Verdict: "reject", Code: "android.ca_bit", Class: "honest",
		Effect: "reject", Position: 1, Batch: "aa", Manufacturer: "Sony",
	}
}

func testStats(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	add := func(k registry.StatKey, n int64, create bool) (c registry.StatCount) {
		t.Helper()
		update(t, s, func(tx Tx) (err error) { c, err = tx.AddStat(ctx, k, n, create); return err })
		return c
	}
	hashes := func(row int64, limit int, bs ...byte) (n int) {
		t.Helper()
		var all [][]byte
		for _, b := range bs {
			all = append(all, bytes.Repeat([]byte{b}, 16))
		}
		update(t, s, func(tx Tx) (err error) { n, err = tx.AddStatAccounts(ctx, row, all, limit); return err })
		return n
	}

	if c := add(statKey(), 3, false); c != (registry.StatCount{}) {
		t.Errorf("a row that may not be made: %+v", c)
	}
	first := add(statKey(), 3, true)
	if first.Row == 0 || first.Count != 3 || first.Accounts != 0 {
		t.Errorf("a new row: %+v", first)
	}
	if n := hashes(first.Row, 4, 1, 2, 1); n != 2 {
		t.Errorf("two hashes, one of them twice: %d", n)
	}
	if n := hashes(first.Row, 4, 1, 2, 3, 4, 5, 6); n != 4 {
		t.Errorf("up to a limit of 4: %d", n)
	}
	for _, create := range []bool{false, true} {
		if c := add(statKey(), 1, create); c.Row != first.Row || c.Accounts != 4 {
			t.Errorf("the same row: %+v", c)
		}
	}
	for i, change := range []func(*registry.StatKey){
		func(k *registry.StatKey) { k.Hour++ },
		func(k *registry.StatKey) { k.Platform = "apple" },
		func(k *registry.StatKey) { k.Operation = "request" },
		func(k *registry.StatKey) { k.Model = "x" },
		func(k *registry.StatKey) { k.ModelSource = "claimed" },
		func(k *registry.StatKey) { k.OS = "x" },
		func(k *registry.StatKey) { k.AppVersion = "x" },
		func(k *registry.StatKey) { k.Country = "ZZ" },
		func(k *registry.StatKey) { k.Stage = "" },
		func(k *registry.StatKey) { k.Verdict = "accept" },
		func(k *registry.StatKey) { k.Verdict = "would_deny" },
		func(k *registry.StatKey) { k.Code = "x" },
		func(k *registry.StatKey) { k.Class = "x" },
		func(k *registry.StatKey) { k.Effect = "x" },
		func(k *registry.StatKey) { k.Position = -1 },
		func(k *registry.StatKey) { k.Batch = "" },
		func(k *registry.StatKey) { k.Manufacturer = "" },
	} {
		k := statKey()
		change(&k)
		if c := add(k, 10, true); c.Row == first.Row || c.Count != 10 {
			t.Errorf("change %d falls into the same row: %+v", i, c)
		}
	}
	attempts := statKey()
	attempts.Code, attempts.Class, attempts.Effect, attempts.Position = "", "", "", -1
	hashes(add(attempts, 7, true).Row, 9, 1, 7)
	attempts.Hour += 24
	late := add(attempts, 5, true)
	hashes(late.Row, 9, 1)
	update(t, s, func(tx Tx) error { return tx.SetStatAccounts(ctx, late.Row, 513) })
	if c := add(attempts, 1, true); c.Accounts != 513 {
		t.Errorf("set to 513: %+v", c)
	}

	view(t, s, func(tx Tx) error {
		n, err := tx.StatSize(ctx, statKey().Hour)
		if want := (registry.StatSize{Rows: 18, Claimed: 1, Hashes: 6}); n != want {
			t.Errorf("size %+v, want %+v", n, want)
		}
		return err
	})
	testStatQueries(t, s)

	for _, want := range []int{10, 8, 0} {
		update(t, s, func(tx Tx) error {
			n, err := tx.DeleteStats(ctx, statKey().Hour+1, 10)
			if n != want {
				t.Errorf("deleted %d rows, want %d", n, want)
			}
			return err
		})
	}
	view(t, s, func(tx Tx) error {
		n, err := tx.StatSize(ctx, statKey().Hour+24)
		if n.Rows != 1 {
			t.Errorf("%d rows of a later hour are left", n.Rows)
		}
		return err
	})
	mustCheck(t, s)
}

// testStatQueries asks for what testStats has put in.
func testStatQueries(t *testing.T, s Store) {
	ctx := t.Context()
	hour := statKey().Hour
	sums := func(q registry.StatQuery) (all []registry.StatSum) {
		t.Helper()
		view(t, s, func(tx Tx) error {
			return tx.SumStats(ctx, []*registry.StatQuery{&q}, func(_ int, s registry.StatSum) error { all = append(all, s); return nil })
		})
		return all
	}
	tests := []struct {
		name  string
		query registry.StatQuery
		want  []registry.StatSum
	}{
		{"attempts", registry.StatQuery{From: hour, To: hour + 25}, []registry.StatSum{{By: []string{}, Attempts: 13, Rejected: 13, Accounts: 513}}},
		{"nothing", registry.StatQuery{From: hour + 25, To: hour + 26}, nil},
		{"nothing by model", registry.StatQuery{From: 0, To: hour, By: []registry.Dim{registry.DimModel}}, nil},
		{"by day", registry.StatQuery{From: hour, To: hour + 25, By: []registry.Dim{registry.DimDay}}, []registry.StatSum{
			{By: []string{fmt.Sprint(hour / 24)}, Attempts: 7, Rejected: 7, Accounts: 2},
			{By: []string{fmt.Sprint(hour/24 + 1)}, Attempts: 6, Rejected: 6, Accounts: 513},
		}},
		{"one hour, findings by verdict", registry.StatQuery{From: hour, To: hour + 1, Findings: true, By: []registry.Dim{registry.DimVerdict}}, []registry.StatSum{
			{By: []string{"reject"}, Attempts: 5 + 14*10, Rejected: 145, Accounts: 4},
			{By: []string{"accept"}, Attempts: 10, Accepted: 10},
			{By: []string{"would_deny"}, Attempts: 10, WouldDeny: 10},
		}},
		{"limited", registry.StatQuery{From: hour, To: hour + 1, Findings: true, By: []registry.Dim{registry.DimVerdict, registry.DimCode}, Limit: 1}, []registry.StatSum{
			{By: []string{"reject", "android.ca_bit"}, Attempts: 5 + 13*10, Rejected: 135, Accounts: 4},
		}},
		{"filtered", registry.StatQuery{
			From: hour, To: hour + 1, Findings: true, By: []registry.Dim{registry.DimPosition, registry.DimHour},
			Equal: map[registry.Dim]string{registry.DimPosition: "-1", registry.DimHour: fmt.Sprint(hour), registry.DimDay: fmt.Sprint(hour / 24)},
		}, []registry.StatSum{{By: []string{"-1", fmt.Sprint(hour)}, Attempts: 10, Rejected: 10}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, sums(tt.query)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	var queries []*registry.StatQuery // all of the same hours, which must not mix
	var want, got [][]registry.StatSum
	for _, equal := range []map[registry.Dim]string{nil, {registry.DimVerdict: "reject"}, {registry.DimModel: "Sony SOV37", registry.DimVerdict: "accept"}} {
		for _, findings := range []bool{false, true} {
			for _, by := range [][]registry.Dim{nil, {registry.DimCode}, {registry.DimDay, registry.DimHour, registry.DimPosition}} {
				q := registry.StatQuery{From: hour, To: hour + 25, Findings: findings, By: by, Equal: equal, Limit: 2}
				queries, want, got = append(queries, &q), append(want, sums(q)), append(got, nil)
			}
		}
	}
	few := func(from, to int) { // of a few, more can be left to the condition
		t.Helper()
		got := make([][]registry.StatSum, to-from)
		view(t, s, func(tx Tx) error {
			return tx.SumStats(ctx, queries[from:to], func(i int, s registry.StatSum) error { got[i] = append(got[i], s); return nil })
		})
		if diff := cmp.Diff(want[from:to], got); diff != "" {
			t.Errorf("queries %d to %d in one read: %s", from, to, diff)
		}
	}
	for i := range queries {
		few(i, i+1)
		few(i, min(i+4, len(queries)))
	}
	view(t, s, func(tx Tx) error {
		return tx.SumStats(ctx, queries, func(i int, s registry.StatSum) error { got[i] = append(got[i], s); return nil })
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("several queries in one read: %s", diff)
	}
	for _, d := range registry.Dims() { // each filters by its own column
		k := statKey()
		value := map[registry.Dim]string{
			registry.DimHour: fmt.Sprint(k.Hour), registry.DimDay: fmt.Sprint(k.Hour / 24), registry.DimPlatform: k.Platform,
			registry.DimOperation: k.Operation, registry.DimModel: k.Model, registry.DimModelSource: k.ModelSource, registry.DimOS: k.OS,
			registry.DimAppVersion: k.AppVersion, registry.DimCountry: k.Country, registry.DimStage: k.Stage, registry.DimVerdict: k.Verdict,
			registry.DimCode: k.Code, registry.DimClass: k.Class, registry.DimEffect: k.Effect, registry.DimPosition: fmt.Sprint(k.Position),
			registry.DimBatch: k.Batch, registry.DimManufacturer: k.Manufacturer,
		}[d]
		q := registry.StatQuery{From: hour, To: hour + 2, Findings: true, By: []registry.Dim{d}, Equal: map[registry.Dim]string{d: value}}
		want := int64(5 + 16*10)
		if d == registry.DimDay {
			want += 10 // the next hour is of the same day
		}
		if d == registry.DimVerdict {
			want -= 10 // two rows have another one
		}
		if got := sums(q); len(got) != 1 || got[0].By[0] != value || got[0].Attempts != want {
			t.Errorf("%s = %s: %+v, want %d", d, value, got, want)
		}
	}

	view(t, s, func(tx Tx) error {
		q := registry.StatQuery{From: hour, To: hour + 25, By: []registry.Dim{registry.DimModel}}
		got := map[string]int64{}
		err := tx.CountStatAccounts(ctx, &q, hour+24, func(by []string, period, n int64) error { // between the two
			got[fmt.Sprint(by, period)] = n
			return nil
		})
		if diff := cmp.Diff(map[string]int64{"[Sony SOV37] 0": 2, "[Sony SOV37] 1": 1}, got); diff != "" {
			t.Errorf("distinct accounts: %s", diff)
		}
		if err != nil {
			return err
		}
		seen := map[string]int{}
		err = tx.StatAccounts(ctx, &q, func(by []string, hashes [][]byte) error {
			for _, hash := range hashes {
				seen[fmt.Sprintf("%s of %d: %x", by, len(hashes), hash[:1])]++
			}
			return nil
		})
		if diff := cmp.Diff(map[string]int{"[Sony SOV37] of 2: 01": 1, "[Sony SOV37] of 2: 07": 1, "[Sony SOV37] of 1: 01": 1}, seen); diff != "" {
			t.Errorf("accounts: %s", diff)
		}
		return err
	})
	for name, q := range map[string]registry.StatQuery{
		"group":  {To: 1, By: []registry.Dim{"count"}},
		"filter": {To: 1, Equal: map[registry.Dim]string{"1 = 1 OR code": "x"}},
		"number": {To: 1, Equal: map[registry.Dim]string{registry.DimHour: "x"}},
	} {
		err := s.View(ctx, func(tx Tx) error {
			return tx.SumStats(ctx, []*registry.StatQuery{&q}, func(int, registry.StatSum) error { return nil })
		})
		if err == nil {
			t.Errorf("%s that does not exist", name)
		}
	}
	err := s.View(ctx, func(tx Tx) error {
		return tx.SumStats(ctx, []*registry.StatQuery{{To: 1}, {To: 2}}, func(int, registry.StatSum) error { return nil })
	})
	if err == nil {
		t.Error("queries of different hours are read together")
	}
}
