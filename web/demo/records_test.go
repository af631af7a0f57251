package demo_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/web/demo"
)

type told struct {
	Run     string
	Next    uint64
	Records []struct {
		Seq                  uint64
		ID, Kind, Action     string
		Account, Code, Words string
		Left                 *int
		Refused              bool
	}
}

func (a told) ids() string {
	var ids []string
	for _, r := range a.Records {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, " ")
}

func look(t *testing.T, s *demo.Site, after uint64, run string) told {
	t.Helper()
	return read[told](t, send(s, http.MethodGet, fmt.Sprintf("/demo/records?after=%d&run=%s", after, run), ""))
}

func entry(id account.ID, n uint64, at time.Time, action, reason, detail string) audit.Entry {
	return audit.Entry{Account: id, N: n, Time: at, Actor: audit.Actor{Kind: account.Phone}, Action: action, Reason: reason, Detail: json.RawMessage(detail)}
}

// TestRecords: each entry is told once, in the order in which it is seen, also one
// whose call began before that of another; and a call that was refused.
func TestRecords(t *testing.T) {
	begin := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f := &fakeServer{entries: []audit.Entry{
		entry("", 1, begin, "attest.policy", "the first one", ""),
		entry(marie, 1, begin.Add(time.Second), "attest.register", "", `{"decision":"ALLOW"}`),
	}}
	s := newSite(t, f)
	got := look(t, s, 0, "")
	if got.ids() != "app/1 "+string(marie)+"/1" || got.Next != 2 || got.Records[1].Refused {
		t.Fatalf("%+v", got)
	}
	if again := look(t, s, got.Next, got.Run); len(again.Records) != 0 || again.Next != 2 {
		t.Fatalf("told twice: %+v", again)
	}
	f.entries = append(f.entries,
		entry("", 2, begin.Add(-20*time.Second), "attest.request", "common.request_digest", `{"decision":"DENY"}`), // it took 20 seconds
		entry(marie, 2, begin.Add(2*time.Second), "recovery.attempt", "", `{"remaining":9}`),
	)
	s.Called("/staunch.account.v1.AccountService/GetAccount", "demo", account.Phone, "unauthenticated", "SESSION_ENDED")
	s.Called("/staunch.account.v1.AccountService/GetAccount", "demo", account.Phone, "ok", "")
	s.Called("/staunch.account.v1.AccountService/GetAccount", "another", account.Phone, "unauthenticated", "SESSION_ENDED")
	next := look(t, s, got.Next, got.Run)
	if next.ids() != "app/2 "+string(marie)+"/2 call/1" || next.Records[0].Seq != 3 || next.Next != 5 {
		t.Fatalf("%+v", next)
	}
	if r := next.Records[2]; !r.Refused || r.Code != "SESSION_ENDED" || r.Action != "GetAccount" || r.Kind != "call" {
		t.Errorf("the call: %+v", r)
	}
	if r := next.Records[0]; !r.Refused || r.Code != "common.request_digest" || !strings.HasSuffix(r.Words, "is refused") {
		t.Errorf("the refusal: %+v", r)
	}
	if r := next.Records[1]; r.Refused || r.Left == nil || *r.Left != 9 {
		t.Errorf("the attempt: %+v", r)
	}
	if all := look(t, s, next.Next, "another-server"); len(all.Records) != 5 {
		t.Errorf("to who knows another server: %+v", all)
	}
}

// TestOrder: what comes of one call is told in the order in which it rests on each
// other, whatever pillar has written first.
func TestOrder(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	late := at.Add(4 * time.Millisecond) // the registry reads the clock by itself
	for name, tt := range map[string]struct {
		entries []audit.Entry
		want    string
	}{
		"evidence, then the account":  {[]audit.Entry{entry(marie, 1, at, "account.enrol", "", ""), entry(marie, 2, late, "attest.register", "", "")}, "attest.register account.enrol"},
		"evidence, then the code":     {[]audit.Entry{entry("", 1, at, "transfer.offered", "", ""), entry("", 2, late, "attest.register", "", "")}, "attest.register transfer.offered"},
		"evidence of a later call":    {[]audit.Entry{entry(marie, 1, at, "account.enrol", "", ""), entry("", 1, at.Add(2*time.Second), "attest.register", "", "")}, "account.enrol attest.register"},
		"a new key":                   {[]audit.Entry{entry(marie, 1, at, "device.freeze", "", ""), entry(marie, 2, late, "attest.register", "", "")}, "device.freeze attest.register"},
		"consent, then what it is to": {[]audit.Entry{entry(marie, 1, at, "recovery.setup", "", ""), entry(marie, 2, at, "approval.confirmed", "", "")}, "approval.confirmed recovery.setup"},
		"one chain by its numbers":    {[]audit.Entry{entry(marie, 1, at, "transfer.contended", "", ""), entry(marie, 2, at, "transfer.aborted", "", "")}, "transfer.contended transfer.aborted"},
	} {
		var got []string
		for _, r := range look(t, newSite(t, &fakeServer{entries: tt.entries}), 0, "").Records {
			got = append(got, r.Action)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestOldRecords: what was there long before the page is not told, and does not come
// later either.
func TestOldRecords(t *testing.T) {
	begin := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f := &fakeServer{}
	for n := range uint64(300) {
		f.entries = append(f.entries, entry(marie, n+1, begin.Add(time.Duration(n)*time.Millisecond), "account.freeze", "", ""))
	}
	s := newSite(t, f)
	got := look(t, s, 0, "")
	if len(got.Records) != 100 || got.Records[0].ID != string(marie)+"/201" {
		t.Fatalf("%d records from %s", len(got.Records), got.ids()[:40])
	}
	if more := look(t, s, got.Next, got.Run); len(more.Records) != 0 {
		t.Errorf("later: %s", more.ids())
	}
	if w := send(s, http.MethodGet, "/demo/records?after=x", ""); w.Code != 400 {
		t.Errorf("no number: %d", w.Code)
	}
}
