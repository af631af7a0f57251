package console_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
)

// hostile is a text that a phone, a backend or somebody in the store chose.
const hostile = `<script>alert(1)</script>"'&`

// reading is a fake with something to read of every kind, full of hostile texts. It
// notes what was read, and of whom.
type reading struct {
	*fake
	mu      sync.Mutex
	reads   []string
	looked  error
	asked   []registry.StatFilter
	query   audit.Query
	page    audit.Page
	chain   audit.ChainReport
	seen    integrity.Inspected
	without bool // the app has no accounts
}

func newReading() *reading {
	e := audit.Entry{
		Account: owner, N: 3, Time: now.Add(-time.Hour), Actor: audit.Actor{Kind: account.Phone, ID: hostile}, Action: "account.freeze", Subject: hostile,
		Reason: hostile, Detail: []byte(`{"steps":[{"of":"device","id":"x","step":"freeze","from":"active","to":"frozen"}],"text":"<script>alert(1)</script>"}`),
	}
	return &reading{
		fake: newFake(), page: audit.Page{Entries: []audit.Judged{{Entry: e}, {Entry: e, Wrong: audit.ChainBreak}}, Looked: 2},
		chain: audit.ChainReport{Head: 3, Looked: 3, Whole: true},
		seen: integrity.Inspected{
			Account: account.Account{ID: owner, Handle: hostile, State: account.Active, CreatedAt: now},
			Devices: []account.Device{{ID: "d_1", Name: hostile, State: account.Held, Hold: account.Hold{Reason: account.HoldNew, Until: now.Add(time.Hour)}, AddedAt: now}},
			Alerts:  []integrity.AlertRow{{Kind: "x", At: now}}, At: now,
		},
	}
}

func (f *reading) read(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads = append(f.reads, what)
}

func (f *reading) Look(_ context.Context, _ operator.Secret, of account.ID) error {
	f.read("look " + string(of))
	return f.looked
}

// Reports answers each question by itself.
func (f *reading) Reports(_ context.Context, _ account.Caller, in []*registry.StatFilter) (all []*registry.StatReport, err error) {
	f.read("statistics")
	for _, one := range in {
		f.asked = append(f.asked, *one)
		all = append(all, report(one))
	}
	return all, f.away
}

// report gives seven rows of hostile names, in whatever it is grouped by, and has
// more of them than it gives.
func report(in *registry.StatFilter) *registry.StatReport {
	row := registry.StatRow{Attempts: 100, Accepted: 90, Rejected: 7, WouldDeny: 3}
	r := &registry.StatReport{From: in.From, To: in.To, By: in.By, Total: row, More: true}
	for i := range 7 {
		one := row
		for _, d := range in.By {
			switch d {
			case registry.DimHour:
				one.By = append(one.By, now.Add(-time.Duration(i)*time.Hour).Format("2006-01-02T15:04Z"))
			case registry.DimDay:
				one.By = append(one.By, now.AddDate(0, 0, -i).Format(time.DateOnly))
			default:
				one.By = append(one.By, fmt.Sprint(hostile, i))
			}
		}
		r.Rows = append(r.Rows, one)
	}
	return r
}

func (f *reading) Suspects(context.Context, account.Caller, account.AppID) ([]registry.Suspect, error) {
	return []registry.Suspect{
		{Model: hostile, ModelSource: "claimed", Code: "android.ca_bit", Position: 1, Failed: 30, Tried: 30, Share: 1, Rank: 30, Proposed: true, Draft: "id = " + hostile},
		{Code: "android.leaf_validity", Position: -1, Why: []string{hostile}},
	}, f.away
}

func (f *reading) Exceptions(context.Context, account.Caller) ([]registry.ExceptionState, error) {
	x := attest.Exception{
		ID: "old-clock", Check: "leaf_validity", Owner: hostile, Reason: hostile, NotBefore: now.AddDate(0, 0, -9), Expires: now.AddDate(0, 0, 3), MaxUsesPerDay: 2,
		Match: &attest.MatchFile{Models: []attest.ModelFile{{Manufacturer: "Example", Model: hostile}}},
	}
	over, later := x, x
	over.ID, over.Expires = "over", now.Add(-time.Hour)
	later.ID, later.NotBefore = "later", now.Add(time.Hour)
	return []registry.ExceptionState{{Exception: x, Days: []registry.ExceptionDay{{Day: now.Unix() / 86400, Uses: 2, Accounts: 1}}}, {Exception: over}, {Exception: later}}, f.away
}

func (f *reading) Stages(context.Context, account.Caller, time.Time) ([]registry.StageState, error) {
	row := registry.StatRow{Attempts: 10, Accepted: 5, WouldDeny: 5}
	return []registry.StageState{
		{Stage: attest.Stage{Name: "japan", Mode: "observe", Countries: []string{"JP"}}, InForce: true, Counted: row, WouldDeny: []registry.StatRow{{By: []string{hostile}, Attempts: 5}}},
		{Stage: attest.Stage{Name: "pilot"}, Counted: row},
	}, f.away
}

func (f *reading) Accounts() bool { return !f.without }

func (f *reading) FindAccount(_ context.Context, _ account.Caller, text string) (account.ID, error) {
	f.read("find")
	if text == owner || text == "alice" {
		return owner, f.away
	}
	return "", integrity.ErrAccountUnknown
}

func (f *reading) Inspect(_ context.Context, who account.Caller, id account.ID) (*integrity.Inspected, error) {
	f.read("inspect " + string(id) + " by " + who.Name)
	return &f.seen, f.away
}

func (f *reading) AlertText(integrity.AlertRow) string { return "Told: " + hostile }

func (f *reading) Holdings(context.Context, account.Caller, account.ID) (*recovery.Holdings, error) {
	f.read("holdings")
	return &recovery.Holdings{Limit: 10, Remaining: 8, Vaults: []recovery.Holding{
		{Vault: "v1", Platform: "process", Found: true, Used: 2, State: wire.StateActive, At: now}, {Vault: "v2", Error: hostile}, {Vault: "v3", Found: true, State: wire.StateLocked},
	}}, f.away
}

func (f *reading) SearchAudit(_ context.Context, _ account.Caller, q *audit.Query) (*audit.Page, error) {
	f.read("search")
	f.query = *q
	return &f.page, f.away
}

func (f *reading) AuditStanding(context.Context, account.Caller) (*audit.Standing, error) {
	return &audit.Standing{Seals: []audit.JudgedSeal{
		{Seal: audit.Seal{Number: 2, Count: 5, Time: now.Add(-time.Hour)}}, {Seal: audit.Seal{Number: 1, Count: 9, Time: now}, Wrong: audit.SealSignature},
	}, Unsealed: 4}, f.away
}

func (f *reading) CheckChain(context.Context, account.Caller, account.ID) (*audit.ChainReport, error) {
	f.read("chain")
	return &f.chain, f.away
}
