package registry_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/config"
)

const someBatch = "b1b57b863ddc7a80e168a13df545939ec227a38e4472fd49b146ec0ba3d587f5"

// class is a class of devices: how many fail, and how.
type class struct {
	fail, succeed, abuse int // accounts
	hours                int // between the first failure and the last
	first                int // of the failures in the first hour
	change               func(i int, t *registry.Try)
}

// suspicious is at the boundary of a proposal in every condition.
func suspicious() class { return class{fail: 50, succeed: 50, abuse: 1, hours: 48, first: 25} }

// fill registers the accounts of a class.
func (r *rig) fill(c class) {
	r.t.Helper()
	start := noon.Add(-72 * time.Hour)
	var all []registry.Try
	put := func(i int, t registry.Try, at time.Time) {
		t.Account, t.At, t.Batch = person(i), at, someBatch
		if c.change != nil {
			c.change(i, &t)
		}
		all = append(all, t)
	}
	for i := range c.fail {
		when := start
		if i >= c.first && c.fail > c.first {
			when = start.Add(time.Hour * time.Duration(c.hours*(i-c.first+1)/(c.fail-c.first))) // the last at the end
		}
		put(i, bad(at("android.ca_bit", 1)), when)
	}
	for i := range c.succeed {
		put(c.fail+i, good(), start)
	}
	for i := range c.abuse {
		t := bad(attest.NewFinding("android.signature", ""))
		t.Model, t.Source, t.Maker, t.Account, t.At = "", "", "", person(i), start.Add(-time.Hour) // with another phone
		all = append(all, t)
	}
	r.tally(all...)
}

func (r *rig) suspects() []registry.Suspect {
	r.t.Helper()
	all, err := r.Suspects(r.t.Context(), backend, "demo")
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// TestSuspects: every condition of a proposal, at its boundary.
func TestSuspects(t *testing.T) {
	tests := []struct {
		name   string
		change func(*class)
		why    string // empty: proposed
	}{
		{"at every boundary", func(*class) {}, ""},
		{"20 accounts", func(c *class) { c.fail, c.succeed, c.abuse, c.first = 20, 20, 0, 10 }, ""},
		{"19 accounts", func(c *class) { c.fail, c.succeed, c.abuse, c.first = 19, 19, 0, 9 }, "19 accounts failed, and not 20"},
		{"less than half fail", func(c *class) { c.succeed = 51 }, "49.5 % of the class fail, and not 50 %"},
		{"more abuse", func(c *class) { c.abuse = 2 }, "4.0 % of them show abuse, which is more than 2 %"},
		{"47 hours", func(c *class) { c.hours = 47 }, "they failed within 47 hours, and not over 48"},
		{"one hour", func(c *class) { c.first = 26 }, "one hour holds 26 of them, more than half"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			c := suspicious()
			tt.change(&c)
			r.fill(c)
			all := r.suspects()
			if len(all) != 1 {
				t.Fatalf("%d suspects", len(all))
			}
			s := all[0]
			if s.Proposed != (tt.why == "") || strings.Join(s.Why, "; ") != tt.why || (s.Draft != "") != s.Proposed {
				t.Errorf("proposed %v, why %q, want %q; draft %q", s.Proposed, s.Why, tt.why, s.Draft)
			}
			n, f, a := float64(c.fail), float64(c.fail)/float64(c.fail+c.succeed), float64(c.abuse)/float64(c.fail)
			if s.Failed != int64(c.fail) || s.Tried != int64(c.fail+c.succeed) || s.Share != f || s.Abuse != a || math.Abs(s.Rank-n*f*(1-a)) > 1e-9 {
				t.Errorf("%+v", s)
			}
			if s.Model != "Sony SOV37" || s.ModelSource != "attested" || s.Code != "android.ca_bit" || s.Position != 1 ||
				s.First != noon.Add(-72*time.Hour) || s.Last != s.First.Add(time.Duration(c.hours)*time.Hour) || s.Attempts != int64(c.fail) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestSuspectsLookAt: which failures count, and whose.
func TestSuspectsLookAt(t *testing.T) {
	tests := []struct {
		name   string
		change func(i int, t *registry.Try)
		models int // suspects
		failed int64
	}{
		{"as they are", nil, 1, 50},
		{"the same person again", func(i int, t *registry.Try) { t.Account = person(i % 7) }, 1, 7},
		{"nobody", func(_ int, t *registry.Try) { t.Account = "" }, 1, 0},
		{"let pass by a rollout", func(_ int, t *registry.Try) { t.Allowed = true }, 1, 50},
		{"only warned", func(_ int, t *registry.Try) { warn(t) }, 0, 0},
		{"not of class honest", func(_ int, t *registry.Try) {
			if len(t.Findings) > 0 {
				t.Findings[0].Class = attest.Environment
			}
		}, 0, 0},
		{"longer than 30 days ago", func(_ int, t *registry.Try) { t.At = t.At.AddDate(0, 0, -30) }, 0, 0},
		{"of 50 models", func(i int, t *registry.Try) { t.Model = fmt.Sprint("Sony ", i) }, 50, 1},
		{"too many models to tell apart", func(i int, t *registry.Try) { t.Model = strings.Repeat("x", 65) }, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			c := suspicious()
			c.change = tt.change
			r.fill(c)
			all := r.suspects()
			if len(all) != tt.models || len(all) > 0 && all[0].Failed != tt.failed {
				t.Errorf("%d suspects, want %d with %d accounts: %+v", len(all), tt.models, tt.failed, all)
			}
		})
	}
}

func warn(t *registry.Try) {
	for i := range t.Findings {
		t.Findings[i].Effect = attest.Warn
	}
}

// TestSuspectRank: the highest rank comes first, whoever has more attempts.
func TestSuspectRank(t *testing.T) {
	r := newRig(t)
	r.fill(suspicious())
	few := suspicious()
	few.fail, few.succeed, few.abuse, few.first = 40, 0, 0, 20
	few.change = func(_ int, t *registry.Try) { t.Model = "Sony SO-01" }
	r.fill(few)
	all := r.suspects()
	if len(all) != 2 || all[0].Model != "Sony SO-01" || all[1].Model != "Sony SOV37" {
		t.Errorf("%+v", all)
	}
}

// TestSuspectRotation: the accounts of two periods of the hashes are not added
// up, for they may be the same.
func TestSuspectRotation(t *testing.T) {
	change := time.Unix(230*90*24*3600, 0).UTC()
	r := newRig(t)
	r.now = change.Add(100 * time.Hour)
	for _, part := range []struct {
		from  time.Time
		fail  int
		first int
	}{{change.Add(-60 * time.Hour), 15, 1}, {change, 19, 1}} {
		c := class{fail: part.fail, succeed: 3, hours: 50, first: part.first}
		c.change = func(_ int, t *registry.Try) { t.At = t.At.Add(part.from.Sub(noon.Add(-72 * time.Hour))) }
		r.fill(c)
	}
	all := r.suspects()
	if len(all) != 1 || all[0].Failed != 19 || all[0].Tried != 22 || all[0].First != change || all[0].Proposed {
		t.Errorf("%+v", all)
	}
}

// TestSuspectIncomplete: where hashes are missing, the share is never taken for
// more than the attempts say, and no abuse is overlooked.
func TestSuspectIncomplete(t *testing.T) {
	t.Run("tried", func(t *testing.T) {
		r := newRig(t)
		c := suspicious()
		c.succeed = 0
		r.fill(c)
		var batch []registry.Try
		for i := range 600 {
			try := good()
			try.Account, try.At = person(1000+i), noon.Add(-10*time.Hour)
			batch = append(batch, try)
		}
		r.tally(batch...)
		s := r.suspects()[0]
		if want := 50.0 / 650; s.Share != want || s.Tried != 563 || s.Proposed {
			t.Errorf("%+v, want a share of %v", s, want)
		}
	})
	t.Run("abuse", func(t *testing.T) {
		r := newRig(t)
		r.fill(suspicious())
		var batch []registry.Try
		for i := range 513 {
			try := bad(attest.NewFinding("android.signature", ""))
			try.Account, try.At = person(1000+i), noon.Add(-10*time.Hour)
			batch = append(batch, try)
		}
		c := class{succeed: 600}
		r.fill(c)
		r.tally(batch...)
		s := r.suspects()[0]
		if s.Proposed || !strings.Contains(strings.Join(s.Why, "; "), "not all of them were kept") {
			t.Errorf("%+v", s)
		}
	})
}

// TestSuspectCallers: who may ask.
func TestSuspectCallers(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		caller account.Caller
		app    account.AppID
		want   error
	}{
		{backend, "demo", nil},
		{account.Caller{Kind: account.Operator, App: "demo"}, "demo", nil},
		{account.Caller{Kind: account.Phone, App: "demo", Account: alice}, "demo", registry.ErrNotAllowed},
		{account.Caller{Kind: account.Backend, App: "other"}, "demo", registry.ErrNotAllowed},
		{backend, "other", registry.ErrAppUnknown},
	} {
		if _, err := r.Suspects(t.Context(), tt.caller, tt.app); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%+v: %v, want %v", tt.caller, err, tt.want)
		}
	}
}

// loads reports what a policy says that holds a draft.
func loads(t *testing.T, draft string) (*attest.Policy, error) {
	t.Helper()
	var f attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()+"\n"+draft), &f); err != nil {
		t.Fatalf("%v in\n%s", err, draft)
	}
	return attest.NewPolicy(&f)
}

// TestDrafts: what a draft matches, and that it loads once two people have
// written into it, and not before.
func TestDrafts(t *testing.T) {
	tests := []struct {
		name   string
		change func(i int, t *registry.Try)
		match  string // empty: no draft
		why    string
	}{
		{"model", nil, `match = { models = [{ manufacturer = "Sony", model = "SOV37" }] }`, ""},
		{"odd model", func(_ int, t *registry.Try) { t.Model, t.Maker = `LG "E" Ö\n`, `LG "E"` },
			`match = { models = [{ manufacturer = "LG \"E\"", model = "Ö\\n" }] }`, ""},
		{"two manufacturers of one text", func(i int, t *registry.Try) {
			if t.Model = "A B C"; i%2 == 0 {
				t.Maker = "A"
			} else {
				t.Maker = "A B"
			}
		}, `match = { models = [{ manufacturer = "A", model = "B C" }, { manufacturer = "A B", model = "C" }] }`, ""},
		{"claimed model", func(_ int, t *registry.Try) { t.Source = "claimed" }, `match = { batch_spki = ["` + someBatch + `"] }`, ""},
		{"no model", func(_ int, t *registry.Try) { t.Model, t.Source, t.Maker = "", "", "" }, `match = { batch_spki = ["` + someBatch + `"] }`, ""},
		{"batch of five", func(i int, t *registry.Try) {
			if t.Source = "claimed"; i >= 5 {
				t.Batch = fmt.Sprintf("%064x", i/4)
			}
		}, `match = { batch_spki = ["` + someBatch + `"] }`, ""},
		{"batches of four", func(i int, t *registry.Try) { t.Source, t.Batch = "claimed", fmt.Sprintf("%064x", i/4) },
			"", "no attested model, and no batch key that 5 of the accounts share: an exception could match nothing"},
		{"no factory chain", func(_ int, t *registry.Try) { t.Batch = "" },
			"", "an exception can relax android.ca_bit in factory chains only, and these are none"},
		{"a code that nothing relaxes", func(_ int, t *registry.Try) {
			if len(t.Findings) > 0 {
				t.Findings = []attest.Finding{attest.NewFinding("android.kd_malformed", "")}
			}
		}, "", "no exception can relax android.kd_malformed: look for what these phones have in common"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			c := suspicious()
			c.change = tt.change
			r.fill(c)
			all := r.suspects()
			if len(all) != 1 || !all[0].Proposed {
				t.Fatalf("%+v", all)
			}
			s := all[0]
			if strings.Join(s.Why, "; ") != tt.why {
				t.Errorf("why %q, want %q", s.Why, tt.why)
			}
			if tt.match == "" {
				if s.Draft != "" {
					t.Errorf("draft\n%s", s.Draft)
				}
				return
			}
			if !strings.Contains(s.Draft, tt.match+"\n") {
				t.Errorf("no %s in\n%s", tt.match, s.Draft)
			}
			if _, err := loads(t, s.Draft); err == nil {
				t.Error("the draft loads as it is")
			}
			owned := strings.Replace(s.Draft, `owner = ""`, `owner = "security-rd"`, 1)
			if _, err := loads(t, owned); err == nil {
				t.Error("the draft loads without a ticket")
			}
			if _, err := loads(t, strings.Replace(s.Draft, `ticket = ""`, `ticket = "SEC-1"`, 1)); err == nil {
				t.Error("the draft loads without an owner")
			}
			if _, err := loads(t, strings.Replace(owned, `ticket = ""`, `ticket = "SEC-1"`, 1)); err != nil {
				t.Errorf("%v in\n%s", err, s.Draft)
			}
		})
	}
}

// TestDraftText is one draft as a person sees it.
func TestDraftText(t *testing.T) {
	r := newRig(t)
	r.fill(suspicious())
	want := `[[exception]]
id = "sony-sov37-ca-bit-1"
apps = ["demo"]
check = "ca_bit"
position = 1
match = { models = [{ manufacturer = "Sony", model = "SOV37" }] }
owner = ""  # who answers for it
ticket = ""  # where it was decided
reason = "50 of 100 accounts failed (50 %) from 2026-11-18 to 2026-11-20, 2.0 % of them with signs of abuse"
not_before = 2026-11-21T12:00:00Z
expires = 2027-05-20T12:00:00Z
max_uses_per_day = 62
`
	if got := r.suspects()[0].Draft; got != want {
		t.Errorf("draft\n%s", got)
	}
}

// TestRelaxable: what the drafts go by is what a policy takes.
func TestRelaxable(t *testing.T) {
	draft := func(check string, position int) string {
		return fmt.Sprintf(`[[exception]]
id = "x"
apps = ["demo"]
check = %q
position = %d
match = { batch_spki = [%q] }
owner = "a"
ticket = "b"
reason = "c"
not_before = 2026-11-21T12:00:00Z
expires = 2027-05-20T12:00:00Z
`, check, position, someBatch)
	}
	var checks []string
	for _, c := range attest.Codes() {
		for position := -1; position <= 8; position++ {
			check, isAndroid := strings.CutPrefix(c.Name, "android.")
			_, err := loads(t, draft(check, position))
			if ok, _ := attest.Relaxable(c.Name, position); ok != (isAndroid && err == nil) {
				t.Errorf("%s at %d: %v, and a policy says %v", c.Name, position, ok, err)
			}
			if err == nil && isAndroid && !slices.Contains(checks, check) {
				checks = append(checks, check)
			}
		}
	}
	if len(checks) != 9 {
		t.Errorf("checks %v", checks)
	}
	if ok, factoryOnly := attest.Relaxable("ca_bit", 1); ok || factoryOnly {
		t.Error("the name of a check is taken for a code")
	}
}
