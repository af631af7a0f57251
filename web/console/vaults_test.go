package console_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/web/console"
)

// well is vaults that are as they should be.
func well() *console.Vaults {
	return &console.Vaults{
		Profile: "kr1", Policy: "standard", SetVersion: 3, N: 3, T: 2, Limit: 10, Operators: 2, Assurance: "tee", Freshness: "quorum of 5 witnesses",
		Replicas: []console.Replica{
			{Vault: "v1", Name: "v1/a", Operator: "Alpha", Platform: "sevsnp", Epoch: 4, Sealed: []uint32{3, 4}, Boot: "0123456789abcdef", Issued: now.Add(-time.Minute)},
			{Vault: "v2", Name: "v2/a", Operator: "<b>Beta", Platform: "nitro", Epoch: 4, Boot: "fedcba9876543210", Issued: now.Add(-time.Minute)},
		},
		Witnesses: []console.Witness{{ID: "w1"}}, EvidenceMaxAge: time.Hour, AskedAt: now,
	}
}

// TestVaults: what is well, and each thing that is not.
func TestVaults(t *testing.T) {
	tests := []struct {
		name   string
		change func(*console.Vaults)
		want   string // among the problems, there and in the overview; empty: none
	}{
		{"well", func(*console.Vaults) {}, ""},
		{"a replica away", func(v *console.Vaults) { v.Replicas[1].Error = "it does not answer: refused <b>" }, "v2/a: it does not answer: refused &lt;b&gt;"},
		{"old evidence", func(v *console.Vaults) { v.Replicas[0].Issued = now.Add(-2 * time.Hour) }, "v1/a: its evidence is 2 h old"},
		{"a witness away", func(v *console.Vaults) { v.Witnesses[0].Error = "no route" }, "witness w1: no route"},
		{"none answers", func(v *console.Vaults) { v.Replicas[0].Platform, v.Replicas[1].Platform = "", "" }, "no vault answers"},
		{"a request that waits", func(v *console.Vaults) { v.Intents, v.Oldest = 1, now.Add(-6*time.Minute) }, "on its way to a vault for 6 min"},
		{"a request of just now", func(v *console.Vaults) { v.Intents, v.Oldest = 1, now.Add(-time.Minute) }, ""},
	}
	for _, tt := range tests {
		f := newFake()
		f.home.Recovery, f.queue, f.vaults = true, &console.Queue{Kind: "wal"}, well()
		tt.change(f.vaults)
		s := newSite(t, f)
		page := text(t, ask(t, s, "/vaults", "", signedIn))
		home := text(t, ask(t, s, "/", "", signedIn))
		if good := strings.Contains(page, "All vaults and witnesses answer") && strings.Contains(home, "Nothing needs you"); good != (tt.want == "") {
			t.Errorf("%s: said to be well: %v", tt.name, good)
		}
		if !strings.Contains(page, tt.want) || !strings.Contains(home, tt.want) || strings.Contains(page, "<b>Beta") || strings.Contains(page, "refused <b>") {
			t.Errorf("%s: want %q in\n%s\n%s", tt.name, tt.want, page, home)
		}
	}
	f := newFake()
	f.vaults = well()
	f.vaults.Assurance = "process"
	if page := text(t, ask(t, newSite(t, f), "/vaults", "", signedIn)); !strings.Contains(page, "NOT a TEE") || !strings.Contains(page, "3, 4") || !strings.Contains(page, "Read-only") {
		t.Errorf("%s", page)
	}
	f.vaults = nil
	if page := text(t, ask(t, newSite(t, f), "/vaults", "", signedIn)); !strings.Contains(page, "Nothing is brought back by a PIN") {
		t.Errorf("%s", page)
	}
}

// TestQueue: what waits, and what was given up.
func TestQueue(t *testing.T) {
	letter := console.Letter{ID: "5bd1a9d0c1f7e2a4", Vault: "v1", Account: owner, Gen: 2, Ver: 9, Attempts: 12, Reason: "no such app <b>", At: now}
	tests := []struct {
		name string
		q    *console.Queue
		want []string
	}{
		{"none", nil, []string{"There is no queue"}},
		{"empty", &console.Queue{Kind: "wal"}, []string{"Nothing waits", "a log in data_dir", "None was given up"}},
		{"at work", &console.Queue{Kind: "kafka", Depth: 1200, Oldest: now.Add(-time.Minute)}, []string{"It is being worked off", "Kafka", "1\u202f200 records"}},
		{"stuck", &console.Queue{Kind: "wal", Depth: 1, Oldest: now.Add(-time.Hour)}, []string{"has waited for its store for 1 h", "1 record,"}},
		{"unreadable", &console.Queue{Kind: "wal", Error: "permission denied"}, []string{"it cannot be read: permission denied"}},
		{"letters", &console.Queue{Kind: "wal", Dead: 5, Elsewhere: 2, More: 2, Letters: []console.Letter{letter}},
			[]string{"5 records were given up", "5bd1a9d0c1f7e2a4", `href="/accounts/` + owner + `"`, "2.9", "no such app &lt;b&gt;", "of which 2 of other apps", "And 2 more"}},
	}
	for _, tt := range tests {
		f := newFake()
		f.queue = tt.q
		page := text(t, ask(t, newSite(t, f), "/queue", "", signedIn))
		for _, want := range tt.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: %q is not in\n%s", tt.name, want, page)
			}
		}
	}
}

// TestOverview: a record that is not sealed is told, and a store that is away.
func TestOverview(t *testing.T) {
	f := newFake()
	f.home.Seal = console.Seal{Number: 7, At: now.Add(-6 * time.Minute), Unsealed: 3}
	if page := text(t, ask(t, newSite(t, f), "/", "", signedIn)); !strings.Contains(page, "The audit record is not sealed") {
		t.Errorf("%s", page)
	}
	f.home.Seal.Unsealed = 0 // nothing has happened since
	if page := text(t, ask(t, newSite(t, f), "/", "", signedIn)); strings.Contains(page, "is not sealed") {
		t.Errorf("%s", page)
	}
	f.away = errors.New("disk I/O error at sector 42")
	s := newSite(t, f, func(o *console.Options) { o.Away = func(error) bool { return true } })
	res := ask(t, s, "/", "", signedIn)
	if page := text(t, res); res.StatusCode != http.StatusServiceUnavailable || strings.Contains(page, "42") || !strings.Contains(page, "The store can") {
		t.Errorf("%d: %s", res.StatusCode, page)
	}
}
