package rpc_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
)

func (f *fake) Stats(_ context.Context, c account.Caller, in *registry.StatFilter) (*registry.StatReport, error) {
	f.stats = in
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	return &registry.StatReport{
		From: at, To: at.Add(time.Hour), By: []registry.Dim{registry.DimModel, registry.DimOS}, Findings: true, More: true,
		Rows:  []registry.StatRow{{By: []string{"Sony SOV37", "16"}, Attempts: 7, Accepted: 1, Rejected: 2, WouldDeny: 4, Accounts: 3, AtLeast: true}},
		Total: registry.StatRow{Attempts: 9},
	}, f.enter(c)
}

func (f *fake) Suspects(_ context.Context, c account.Caller, _ account.AppID) ([]registry.Suspect, error) {
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	return []registry.Suspect{
		{
			Platform: "android", Operation: "register", Model: "Sony SOV37", ModelSource: "attested", Code: "android.ca_bit", Position: 0,
			Attempts: 5, Failed: 4, Tried: 8, Share: 0.5, Abuse: 0.25, Rank: 1.5, First: at, Last: at.Add(time.Hour), Busiest: 2,
			Proposed: true, Why: []string{"because"}, Draft: "[[exception]]",
		},
		{Code: "common.request_clock", Position: -1},
	}, f.enter(c)
}

// TestStats: what is asked reaches the service, and the whole answer comes back.
func TestStats(t *testing.T) {
	b := newBench(t, false, nil)
	a := b.post(t, "Stats", `{"from":"2026-11-20T00:00:00Z","to":"2026-11-21T00:00:00Z","by":["model","os"],"equal":{"country":"JP"},"limit":7}`, backend)
	want := &registry.StatFilter{
		App: "demo", From: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		By: []registry.Dim{registry.DimModel, registry.DimOS}, Equal: map[registry.Dim]string{registry.DimCountry: "JP"}, Limit: 7,
	}
	if d := cmp.Diff(want, b.demo.stats); d != "" {
		t.Error(d)
	}
	const body = `{"from":"2026-11-21T00:00:00Z","to":"2026-11-21T01:00:00Z","findings":true,"rows":[{"by":{"model":"Sony SOV37","os":"16"},` +
		`"attempts":"7","accepted":"1","rejected":"2","wouldDeny":"4","accounts":"3","accountsAtLeast":true}],"more":true,"total":{"attempts":"9"}}`
	if got := strings.ReplaceAll(a.body, ", ", ","); got != body {
		t.Errorf("%d %s", a.status, got)
	}
	b.post(t, "Stats", `{}`, backend)
	if d := cmp.Diff(&registry.StatFilter{App: "demo", Equal: map[registry.Dim]string{}}, b.demo.stats); d != "" {
		t.Error(d)
	}
}

func TestSuspects(t *testing.T) {
	b := newBench(t, false, nil)
	a := b.post(t, "Suspects", `{}`, backend)
	const body = `{"suspects":[{"platform":"PLATFORM_ANDROID","operation":"register","model":"Sony SOV37","modelSource":"attested",` +
		`"code":"android.ca_bit","position":0,"attempts":"5","failed":"4","tried":"8","share":0.5,"abuse":0.25,"rank":1.5,` +
		`"first":"2026-11-21T00:00:00Z","last":"2026-11-21T01:00:00Z","busiestHour":"2","proposed":true,"why":["because"],"draft":"[[exception]]"},` +
		`{"code":"common.request_clock"}]}`
	if got := strings.ReplaceAll(a.body, ", ", ","); got != body {
		t.Errorf("%d %s", a.status, got)
	}
}
