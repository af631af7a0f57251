package attest_test

import (
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest"
)

// routes is a policy with a route each for a payment, its status and whatever
// else is below, and one for the rest of a prefix.
func routes(t testing.TB) *attest.Policy {
	t.Helper()
	return policyOf(t, func(f *attest.PolicyFile) {
		f.Route = []attest.RouteFile{
			{Path: "/v1/remit", Methods: []string{"POST"}, Params: []string{"amount", "payee"}, Headers: []string{"Idempotency-Key"}, ServerNonce: true},
			{Path: "/v1/balance", Methods: []string{"GET"}},
			{Path: "/v1/remit/*", Headers: []string{"x-branch"}},
			{Path: "/v2/*", ServerNonce: true},
		}
	})
}

// TestRoute: which route a path matches, read as generously as servers read.
func TestRoute(t *testing.T) {
	p := routes(t)
	for _, tt := range []struct{ method, path, name string }{ // name "": none; "refused"
		{"POST", "/v1/remit", "route[0]"},
		{"post", "/v1/remit", "route[0]"},
		{"POST", "/v1/remit/", "route[0]"},
		{"POST", "/V1/Remit", "route[0]"},
		{"POST", "/v1/remit.json", "route[0]"},
		{"POST", "/v1/remit.", "route[0]"},
		{"POST", "/v1/rem%C4%B0t", "route[0]"}, // İ is i in small letters
		{"POST", "/v1/rem%c4%b1t", "route[0]"}, // ı is I in capital ones
		{"POST", "/v1/remits", ""},
		{"POST", "/v1/remi", ""},
		{"POST", "/v1", ""},
		{"POST", "/", ""},
		{"POST", "", ""},
		{"GET", "/v1/remit", "route[2]"}, // of another method; the prefix is for all
		{"GET", "/v1/balance", "route[1]"},
		{"HEAD", "/v1/balance", "route[1]"},
		{"POST", "/v1/balance", ""},
		{"GET", "/v1/balance/", "route[1]"},
		{"GET", "/v1/balance/x", ""},
		{"POST", "/v1/remit/42", "route[2]"},
		{"POST", "/v1/remit/42/lines", "route[2]"},
		{"POST", "/v1/remit.json/42", ""},
		{"DELETE", "/v2", "route[3]"},
		{"DELETE", "/v2/", "route[3]"},
		{"DELETE", "/v2/a%20b", "route[3]"},
		{"DELETE", "/v2/%E5%90%8D", "route[3]"},
		{"DELETE", "/v20", ""},
		{"GET", "/v3/a:b@c!$&'()*+,=~_-", ""},
		{"GET", "/v3/a%20b/(S)/f(x)/((x))/%E2%82%AC", ""},

		{"POST", "v1/remit", "refused"},
		{"POST", "*", "refused"},
		{"POST", "https://pay.example.com/v1/remit", "refused"},
		{"POST", "//v1/remit", "refused"},
		{"POST", "/v1//remit", "refused"},
		{"POST", "/v1/remit//", "refused"},
		{"POST", "/v1/./remit", "refused"},
		{"POST", "/v1/x/../remit", "refused"},
		{"POST", "/v1/remit/.", "refused"},
		{"POST", "/v1/x/%2e%2e/remit", "refused"},
		{"POST", "/v1/%2E/remit", "refused"},
		{"POST", "/v1/%72emit", "refused"},
		{"POST", "/v1%2Fremit", "refused"},
		{"POST", "/v1%2fremit", "refused"},
		{"POST", "/v1/%2572emit", "refused"},
		{"POST", "/v1/remit%3Fa", "refused"},
		{"POST", "/v1/remit%23a", "refused"},
		{"POST", "/v1/remit%3Ba=b", "refused"},
		{"POST", "/v1/remit;a=b", "refused"},
		{"POST", `/v1\remit`, "refused"},
		{"POST", "/v1%5Cremit", "refused"},
		{"POST", "/v1/remit%00", "refused"},
		{"POST", "/v1/remit%0A", "refused"},
		{"POST", "/v1/remit%7F", "refused"},
		{"POST", "/v1%C0%AFremit", "refused"}, // a slash written too long
		{"POST", "/v1/remit%", "refused"},
		{"POST", "/v1/remit%4", "refused"},
		{"POST", "/v1/remit%4g", "refused"},
		{"POST", "/v1/remit?a=b", "refused"},
		{"POST", "/v1/remit#a", "refused"},
		{"POST", "/v1/remit ", "refused"},
		{"POST", "/v1/名", "refused"},
		{"POST", "/v1/remit%20", "refused"},
		{"POST", "/v1/remit%20/", "refused"},
		{"POST", "/v1/%20remit", "refused"},
		{"POST", "/v1%20/remit", "refused"},
		{"POST", "/v1/%20/remit", "refused"},
		{"POST", "/v1/remit%20.json", "refused"},
		{"POST", "/v1/remit%20.", "refused"},
		{"POST", "/v1/remit%C2%A0", "refused"},    // no-break space
		{"POST", "/v1/remit%C2%85", "refused"},    // next line, which Go trims, too
		{"POST", "/v1/remit%E3%80%80", "refused"}, // ideographic space
		{"POST", "/v1/rem%E2%80%A8it", "refused"}, // line separator
		{"POST", "/v1/remit%E2%80%8B", "refused"}, // zero width space
		{"POST", "/v1/re%C2%ADmit", "refused"},    // soft hyphen
		{"POST", "/v1/%EF%BB%BFremit", "refused"}, // byte order mark
		{"POST", "/v1/%E2%80%AEtimer", "refused"}, // right-to-left override
		{"POST", "/v1/remit%CD%8F", "refused"},    // combining grapheme joiner
		{"POST", "/v1/remit%E3%85%A4", "refused"}, // Hangul filler, a letter that is not seen
		{"POST", "/v1/remit%EF%B8%8F", "refused"}, // variation selector
		{"POST", "/(S(abc))/v1/remit", "refused"},
		{"POST", "/v1/(S(abc))/remit", "refused"},
		{"POST", "/v1/(A(x)F(y))/remit", "refused"},
		{"POST", "/v1/(s(abc))re/(S(abc))mit", "refused"},
		{"POST", "/v1/%28S%28abc%29%29/remit", "refused"},
	} {
		r, ok := p.Route(tt.method, tt.path)
		name := r.Name
		if r.Refused != "" {
			name = "refused"
		}
		if name != tt.name || ok != (name != "") {
			t.Errorf("%s %s: %q, %t, %s; want %q", tt.method, tt.path, r.Name, ok, r.Refused, tt.name)
		}
		if name == "refused" && len(r.Headers) == 0 {
			t.Errorf("%s %s is refused, and nothing is demanded of it", tt.method, tt.path)
		}
	}
}

// TestRouteDemands: what is demanded, and that it is nobody else's to change.
func TestRouteDemands(t *testing.T) {
	p := routes(t)
	want := attest.Route{Name: "route[0]", Params: []string{"amount", "payee"}, Headers: []string{"idempotency-key"}, ServerNonce: true}
	for range 2 {
		got, ok := p.Route("POST", "/v1/remit")
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Error(diff)
		}
		got.Params[0], got.Headers[0] = "changed", "changed"
	}
	none := policyOf(t, func(f *attest.PolicyFile) { f.Route = nil })
	for _, p := range []*attest.Policy{none, {}} {
		if r, ok := p.Route("POST", "/v1//remit"); ok || r.Refused != "" {
			t.Errorf("without routes: %+v", r)
		}
	}
	root := policyOf(t, func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/"}, {Path: "/*", ServerNonce: true}} })
	for path, name := range map[string]string{"/": "route[0]", "": "route[0]", "/x": "route[1]", "/.well-known": "route[1]"} {
		if r, ok := root.Route("GET", path); !ok || r.Name != name {
			t.Errorf("%q: %+v", path, r)
		}
	}
}

// FuzzRoute: whatever a server makes of a path, one that it takes to the handler
// of a route matches that route or is refused.
func FuzzRoute(f *testing.F) {
	for _, seed := range []string{"/v1/remit", "/V1/remit/", "/v1/%72emit", "/v1//remit", "/v1/x/../remit", "/v1/remit;a", "/v1%2fremit", "/v1/rem%C4%B0t", "/v1/remit.json", "/v1/remit%20", "/v1%C2%A0/remit", "/v1/remit%E2%80%8B", "/(S(a))/v1/re(F(b))mit", "/x"} {
		f.Add(seed)
	}
	p := policyOf(f, func(file *attest.PolicyFile) { file.Route = []attest.RouteFile{{Path: "/v1/remit"}} })
	f.Fuzz(func(t *testing.T, raw string) {
		r, ok := p.Route("POST", raw)
		if ok {
			if (r.Name == "") == (r.Refused == "") {
				t.Errorf("%q: %+v", raw, r)
			}
			return
		}
		for _, read := range readings(raw) {
			if read == "/v1/remit" {
				t.Errorf("%q can be read as /v1/remit, and matches no route", raw)
			}
		}
	})
}

// readings are what servers make of a path: unescaped once or twice, cut at
// what some cut at, without sessions and what is not seen, trimmed, cleaned, in
// small letters.
func readings(raw string) (all []string) {
	all = []string{raw}
	session := regexp.MustCompile(`\(([A-Za-z]\([^()]*\))+\)/?`)
	for _, step := range []func(string) string{
		func(s string) string { u, err := url.PathUnescape(s); return orSame(u, err, s) },
		func(s string) string { u, err := url.PathUnescape(s); return orSame(u, err, s) },
		func(s string) string { return strings.ReplaceAll(s, `\`, "/") },
		func(s string) string { return cutAny(s, ";?#\x00") },
		func(s string) string { return strings.TrimSuffix(s, path.Ext(s)) },
		func(s string) string { return session.ReplaceAllString(s, "") },
		func(s string) string { return strings.Map(printed, s) },
		func(s string) string { return trimSegments(s) },
		path.Clean,
		strings.ToLower,
		func(s string) string { return strings.ToLower(strings.ToUpper(s)) },
	} {
		for _, s := range all {
			if read := step(s); read != s {
				all = append(all, read)
			}
		}
	}
	return all
}

func orSame(text string, err error, same string) string {
	if err != nil {
		return same
	}
	return text
}

func printed(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return -1
}

func trimSegments(s string) string {
	parts := strings.Split(s, "/")
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
	}
	return strings.Join(parts, "/")
}

func cutAny(s, chars string) string {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i]
	}
	return s
}

func BenchmarkRoute(b *testing.B) {
	p := routes(b)
	b.ReportAllocs()
	for b.Loop() {
		p.Route("POST", "/v1/remit")
	}
}
