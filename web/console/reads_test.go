package console_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/web/console"
)

func readingSite(t *testing.T, f *reading) *console.Site {
	t.Helper()
	return newSite(t, f.fake, func(o *console.Options) { o.Operators, o.Reader = f, f })
}

// TestPages: each page says what it should, and makes markup of no text.
func TestPages(t *testing.T) {
	f := newReading()
	s := readingSite(t, f)
	for path, want := range map[string][]string{
		"/health":                              {"Attestation health", "90 %", "Success by platform", "The most frequent 5 are shown."},
		"/health?span=90d&by=code&model=x":     {"Reasons of rejections", "model x"},
		"/health?span=24h&code=android.ca_bit": {"Findings, by the verdict"},
		"/health/suspects":                     {"1 exception is proposed", "(claimed)", "not proposed"},
		"/health/exceptions":                   {"expires in 3 days", "expired 1 h ago", "begins in 1 h", "2 of 2 a day", "spent for today", "attested model Example"},
		"/health/stages":                       {"observes", "JP", "not in the policy any more", "What would be refused"},
		"/accounts":                            {"nobody browses people"},
		"/accounts/" + owner:                   {"it is new; until", "2 of 10 guesses used", "locked for ever", "the account is frozen", "device active → frozen", "not as it was written"},
		"/audit":                               {"Nothing is being sealed", "1 entry on this page", "no known key has signed it", "the account is frozen"},
	} {
		r := ask(t, s, path, "", signedIn)
		body := text(t, r)
		if r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", path, r.StatusCode)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s does not say %q", path, w)
			}
		}
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "style=") {
			t.Errorf("%s makes markup of a text, or has a style of its own", path)
		}
	}
}

// TestLookedAtFirst: of an account nothing is read before it is on its record who
// looks, and nothing is shown if that fails.
func TestLookedAtFirst(t *testing.T) {
	f := newReading()
	s := readingSite(t, f)
	ask(t, s, "/accounts/"+owner, "", signedIn)
	if want := []string{"find", "look " + owner, "inspect " + owner + " by mika"}; !slices.Equal(f.reads[:3], want) {
		t.Errorf("read: %q, want first %q", f.reads, want)
	}
	f.reads, f.looked = nil, errors.New("the store is full")
	r := ask(t, s, "/accounts/"+owner, "", signedIn)
	if body := text(t, r); r.StatusCode != http.StatusInternalServerError || strings.Contains(body, "d_1") || strings.Contains(body, "Told") || len(f.reads) != 2 {
		t.Errorf("the look could not be recorded: status %d, read %q", r.StatusCode, f.reads)
	}
	for path, what := range map[string]string{
		"/accounts/alice": "by a handle in the address", "/accounts/a_zzzzzzzzzzzzzzzzzzzzzzzzzz": "nobody's",
	} {
		f.reads, f.looked = nil, nil
		if r := ask(t, s, path, "", signedIn); r.StatusCode != http.StatusNotFound || slices.ContainsFunc(f.reads, func(s string) bool { return s != "find" }) {
			t.Errorf("%s: status %d, read %q", what, r.StatusCode, f.reads)
		}
	}
	f.without = true
	if r := ask(t, s, "/accounts/"+owner, "", signedIn); r.StatusCode != http.StatusNotFound {
		t.Errorf("an app without accounts: status %d", r.StatusCode)
	}
}

// TestRecordLookedAt: whoever asks for the record of an account has looked at it, also
// by its handle, and the record of all tells no more than that something happened.
func TestRecordLookedAt(t *testing.T) {
	f := newReading()
	s := readingSite(t, f)
	const words, behind = "the account is frozen", "device active → frozen"
	empty := func() { f.page = audit.Page{} }
	for _, row := range []struct {
		path          string
		first         func()
		looked, shown bool // at the account; what is behind its entries
	}{
		{"/audit?account=" + owner, nil, true, true},
		{"/audit?account=" + owner + "&action=account.freeze&kind=phone", nil, true, true},
		{"/audit", nil, false, false},
		{"/audit?action=account.freeze", nil, false, false},
		{"/accounts?find=alice", nil, true, false},
		{"/audit?account=" + owner + "&action=account.lock", empty, true, false},
		{"/audit?account=app", empty, false, false},
		{"/audit?account=a_zzzzzzzzzzzzzzzzzzzzzzzzzz", empty, false, false},
	} {
		if row.first != nil {
			row.first()
		}
		f.reads = nil
		body := text(t, ask(t, s, row.path, "", signedIn))
		if looked := slices.Contains(f.reads, "look "+owner); looked != row.looked || strings.Contains(body, behind) != row.shown {
			t.Errorf("%s: looked %t, shown %t; read %q", row.path, looked, strings.Contains(body, behind), f.reads)
		}
		if !row.shown && strings.Contains(body, "alert(1)&lt;/script&gt;&#34;&#39;&amp;</code>") {
			t.Errorf("%s tells the subject of an account's entry", row.path)
		}
	}
	f = newReading()
	f.looked = errors.New("the store is full")
	r := ask(t, readingSite(t, f), "/audit?account="+owner, "", signedIn)
	if body := text(t, r); r.StatusCode != http.StatusInternalServerError || strings.Contains(body, words) {
		t.Errorf("the look could not be recorded: status %d", r.StatusCode)
	}
}

// TestFind: an id or a handle leads to the account, and to nothing else.
func TestFind(t *testing.T) {
	s := readingSite(t, newReading())
	for find, want := range map[string]int{owner: 303, "alice": 303, " alice ": 303, "bob": 404, "": 200} {
		r := ask(t, s, "/accounts?find="+url.QueryEscape(find), "", signedIn)
		if r.StatusCode != want || want == 303 && r.Header.Get("Location") != "/accounts/"+owner {
			t.Errorf("%q: status %d, to %q", find, r.StatusCode, r.Header.Get("Location"))
		}
	}
}

// TestAsked: what an address asks is what is read, and an address that asks what
// there is not is refused: numbers of something else would be worse.
func TestAsked(t *testing.T) {
	f := newReading()
	s := readingSite(t, f)
	for path, want := range map[string]int{
		"/health?span=30d&operation=register&platform=apple&by=country&country=JP&stage=japan&os=18&app_version=7": 200,
		"/health?span=": 400, "/health?span=1y": 400, "/health?by=account": 400, "/health?platform=windows": 400, "/health?hour=1": 400,
		"/health?model=a&model=b": 400, "/health?model=" + strings.Repeat("x", 200): 400,
		"/audit?account=" + owner + "&kind=operator&action=operator.view&from=2026-11-01&to=2026-11-20": 200,
		"/audit?kind=god": 400, "/audit?from=yesterday": 400, "/audit?after=1": 400, "/audit?after=1.2.bob": 400, "/audit?who=me": 400, "/audit?action=a&action=b": 400,
	} {
		f.asked = nil
		if r := ask(t, s, path, "", signedIn); r.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, r.StatusCode, want)
		}
		if want != http.StatusOK && len(f.asked) > 0 {
			t.Errorf("%s was refused, and read", path)
		}
		for _, in := range f.asked {
			for d, value := range map[registry.Dim]string{"operation": "register", "platform": "apple", "stage": "japan", "os": "18", "app_version": "7"} {
				if in.Equal[d] != value {
					t.Errorf("%s: asked for %s %q", path, d, in.Equal[d])
				}
			}
			if in.App != "demo" || in.To.Sub(in.From) != 30*24*time.Hour {
				t.Errorf("%s: asked %s of %s to %s", path, in.App, in.From, in.To)
			}
		}
	}
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	ask(t, s, "/audit?account="+owner+"&kind=operator&action=operator.view&from=2026-11-01&to=2026-11-20", "", signedIn)
	if q := f.query; q.Account == nil || *q.Account != owner || q.Kind != account.Operator || q.Action != "operator.view" || !q.From.Equal(day(1)) || !q.To.Equal(day(21)) {
		t.Errorf("searched for %+v", q)
	}
	ask(t, s, "/audit?account=app", "", signedIn)
	if q := f.query; q.Account == nil || *q.Account != "" {
		t.Errorf("the app's own chain: %+v", q)
	}
}

// TestHealthSpan: a page of health tells of no time that is still to come.
func TestHealthSpan(t *testing.T) {
	s := readingSite(t, newReading())
	for _, span := range []string{"24h", "7d", "30d", "90d"} {
		if body := text(t, ask(t, s, "/health?span="+span, "", signedIn)); !strings.Contains(body, "to <time datetime=\""+now.Format(time.RFC3339)) {
			t.Errorf("%s: %.600s", span, body)
		}
	}
}

// TestNextPage: the address of the next page asks for what comes behind this one.
func TestNextPage(t *testing.T) {
	f := newReading()
	f.page.Next = audit.Place{Time: now, Account: owner, N: 7}
	s := readingSite(t, f)
	body := text(t, ask(t, s, "/audit?kind=phone", "", signedIn))
	want := fmt.Sprintf("/audit?after=%d.7.%s&amp;kind=phone", now.UnixMicro(), owner)
	if !strings.Contains(body, want) {
		t.Fatalf("there is no link to %s", want)
	}
	ask(t, s, strings.ReplaceAll(want, "&amp;", "&"), "", signedIn)
	if f.query.After != f.page.Next || f.query.Kind != account.Phone {
		t.Errorf("the next page asks for %+v", f.query)
	}
}

// TestReadsFail: a store that is away is said, and nothing half is shown.
func TestReadsFail(t *testing.T) {
	f := newReading()
	f.away = errors.New("away")
	s := newSite(t, f.fake, func(o *console.Options) {
		o.Operators, o.Reader, o.Away = f, f, func(err error) bool { return errors.Is(err, f.away) }
	})
	for _, path := range []string{"/health", "/health/suspects", "/health/exceptions", "/health/stages", "/accounts?find=alice", "/accounts/" + owner, "/audit"} {
		if r := ask(t, s, path, "", signedIn); r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d", path, r.StatusCode)
		}
	}
}
