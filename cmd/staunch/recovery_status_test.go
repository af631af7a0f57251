package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/server"
	"github.com/staunchid/staunch/stream"
)

const statusText = `profile     kr1-2of3, policy merge, 10 attempts, set version 3
vaults      3, of which 2 are needed; 2 operators; assurance process, NOT a TEE
freshness   quorum of 4 witnesses: write 3, read 3, liars tolerated 1; on total amnesia: ceremony
retry       wal: 2 records wait, the oldest for 4 min, 1 dead letter

REPLICA  OPERATOR  PLATFORM  EPOCH  SEALED  BOOT       EVIDENCE  STATE
v1/a     east      process       4  3 4     00112233…     2 min  answers
v1/b     east      -             -  3 4     -                 -  recovery: evidence of v1/b: no route
v2/a     west      process       4  -       44556677…       1 h  answers
w1       -         -             -  -       -                 -  witness, listens

app demo: no request is on its way to a vault
app shop: 1 request on the way to a vault, the oldest for 3 min
app shop: 2 accounts have not set the PIN anew since a vault was replaced
`

// statusAt is how recovery stands at a time, when one replica is away.
func statusAt(now time.Time) *server.RecoveryStatus {
	return &server.RecoveryStatus{
		VaultsStatus: recovery.VaultsStatus{
			Profile: "kr1-2of3", Policy: "merge", SetVersion: 3, N: 3, T: 2, Limit: 10, Operators: 2, Assurance: "process", Witnesses: []string{"w1"},
			Vaults: []recovery.VaultHealth{
				{ID: "v1", Operator: "east", Epoch: 4, Replicas: []recovery.ReplicaHealth{
					{Name: "v1/a", Platform: "process", Epoch: 4, Boot: "00112233445566778899aabbccddeeff", Issued: now.Add(-2 * time.Minute)},
					{Name: "v1/b", Error: "recovery: evidence of v1/b: no route"},
				}},
				{ID: "v2", Operator: "west", Epoch: 4, Replicas: []recovery.ReplicaHealth{
					{Name: "v2/a", Platform: "process", Epoch: 4, Boot: "445566778899aabbccddeeff00112233", Issued: now.Add(-time.Hour)},
				}},
			},
		},
		Freshness: wire.Freshness{Level: "quorum", W: 4, Q: 3, R: 3, F: 1}, OnAmnesia: "ceremony", WitnessErrors: map[string]string{"w1": ""},
		Apps: []server.AppRecovery{
			{App: "demo", Waiting: recovery.Waiting{Sealed: map[string][]uint32{"v1": {3}}}},
			{App: "shop", Waiting: recovery.Waiting{Sealed: map[string][]uint32{"v1": {3, 4}}, Intents: 1, Oldest: now.Add(-3 * time.Minute)}, Behind: recovery.Behind{Accounts: 2}},
		},
		Retry: stream.Stats{Depth: 2, Oldest: now.Add(-4 * time.Minute), Dead: 1},
	}
}

// TestRecoveryStatus: what stands there, and what is wrong.
func TestRecoveryStatus(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	cfg := config.Defaults()
	var b strings.Builder
	if err := writeRecoveryStatus(&b, statusAt(now), &cfg, now); err != nil || b.String() != statusText {
		t.Errorf("%v\n%s", err, b.String())
	}
	for _, tt := range []struct {
		name   string
		change func(*server.RecoveryStatus)
		want   []string // the beginning of each
	}{
		{"as it stands", func(*server.RecoveryStatus) {}, []string{"vault v1/b: recovery: ", "1 dead letter: "}},
		{"all is well", func(s *server.RecoveryStatus) { well(s) }, nil},
		{"old evidence", func(s *server.RecoveryStatus) { well(s); s.Vaults[1].Replicas[0].Issued = now.Add(-25 * time.Hour) }, []string{"vault v2/a: its evidence is 25h0m0s old"}},
		{"a witness is away", func(s *server.RecoveryStatus) { well(s); s.WitnessErrors["w1"] = "no route" }, []string{"witness w1: no route"}},
		{"a record waits", func(s *server.RecoveryStatus) { well(s); s.Retry.Oldest = now.Add(-6 * time.Minute) }, []string{"retry stream: a record has waited for its store since 2026-11-22T11:54:00Z"}},
		{"a request waits", func(s *server.RecoveryStatus) { well(s); s.Apps[1].Oldest = now.Add(-6 * time.Minute) }, []string{"app shop: a request has been on its way"}},
		{"too few vaults are left", func(s *server.RecoveryStatus) { well(s); s.Apps[1].Behind.Lost = 1 }, []string{"app shop: too few of the vaults are left where 1 account has set the PIN"}},
		{"no stream", func(s *server.RecoveryStatus) { well(s); s.RetryError = "no broker" }, []string{"retry stream: no broker"}},
		{"nobody answers", func(s *server.RecoveryStatus) {
			well(s)
			for i := range s.Vaults {
				s.Vaults[i].Replicas = []recovery.ReplicaHealth{{Name: "x", Error: "no route"}}
			}
		}, []string{"vault x: no route", "vault x: no route", "no vault answers"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := statusAt(now)
			tt.change(s)
			got := recoveryProblems(s, &cfg, now)
			if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func well(s *server.RecoveryStatus) {
	s.Vaults[0].Replicas = s.Vaults[0].Replicas[:1]
	s.Retry.Dead = 0
}
