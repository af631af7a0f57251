package fetch

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/android"
)

func fuzzNow() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// FuzzReplace: what is taken as a list can be kept and read again as the same
// list, follows itself, and has not lost more than half of the one before.
func FuzzReplace(f *testing.F) {
	const before = `{"entries": {"a": {"status": "REVOKED"}, "0b": {"status": "REVOKED"}, "C": {"status": "SUSPENDED"}}}`
	for _, seed := range []string{
		before, "", "{}", `{"entries": {}}`, `{"entries": {"a": {"status": "REVOKED"}, "b": {"status": "REVOKED"}}}`, `{"entries": {"0": {"status": "x"}, "000": {"status": "y"}}}`,
		`{"fetched_at": "2026-11-21T00:00:00Z", "list": ` + before + `}`, `{"list": {}, "entries": {"a": {"status": "REVOKED"}}}`, "\ufeff" + before, `{"entries": {"\u0061": {"status": "REVOKED"}, "b": {"status": "REVOKED"}}}`,
	} {
		f.Add([]byte(seed))
	}
	first, err := (*kept)(nil).replace([]byte(before), stampAt(fuzzNow()), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, last := range []*kept{nil, first} {
			k, err := last.replace(text, stampAt(fuzzNow()), nil)
			if err != nil {
				continue
			}
			if k.list.Len() == 0 || !k.list.FetchedAt.Equal(fuzzNow()) {
				t.Fatalf("%d entries, fetched at %s", k.list.Len(), k.list.FetchedAt)
			}
			data, err := snapshot(k.text, k.list.FetchedAt)
			if err != nil {
				t.Fatal(err)
			}
			list, again, err := parseSnapshot(data)
			if err != nil || list.Digest != k.list.Digest || !list.FetchedAt.Equal(fuzzNow()) || string(again) != string(k.text) {
				t.Fatalf("kept %q: %v", data, err)
			}
			if err := k.compare(k.list); err != nil {
				t.Fatalf("does not follow itself: %v", err)
			}
			if last != nil {
				if k.list.Lookup("a") != android.StatusRevoked && k.list.Lookup("b") != android.StatusRevoked {
					t.Fatal("both are freed")
				}
			}
		}
	})
}

// FuzzHeader: whatever the vendor says, the waits are within their bounds.
func FuzzHeader(f *testing.F) {
	f.Add("public, max-age=3600", "60", "120", "Sat, 21 Nov 2026 12:00:00 GMT")
	f.Add(`max-age="-1",,=`, "-1", "Sat, 21 Nov 2026 13:00:00 GMT", "")
	f.Add("MAX-AGE=99999999999999999999, no-cache=x", "99999999999999999999", "99999999999999999999", "0")
	f.Fuzz(func(t *testing.T, cacheControl, age, retry, date string) {
		h := http.Header{"Cache-Control": {cacheControl}, "Age": {age}, "Retry-After": {retry}, "Date": {date}}
		if d := freshness(h); d < minFresh || d > maxFresh {
			t.Errorf("fresh for %s", d)
		}
		if d := early(freshness(h)); d < minFresh || d > maxFresh {
			t.Errorf("asked after %s", d)
		}
		if d := retryAfter(h, fuzzNow()); d != 0 && (d < minRetryAfter || d > maxRetryAfter) {
			t.Errorf("again after %s", d)
		}
	})
}

// FuzzOutcome: an outcome has a kind, a receipt if and only if it is new, and
// no credentials.
func FuzzOutcome(f *testing.F) {
	const token = "header.claims.signature"
	f.Add(200, []byte("bmV3ZXI="))
	f.Add(200, []byte("bmV3ZXI=\n"))
	f.Add(400, []byte("you sent "+token))
	f.Add(404, []byte("\xff\x00\x1b[0m"))
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		resp := &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(""))}
		o := outcome(resp, body, token, fuzzNow())
		if o.Kind == "" || (o.Kind == OutcomeNew) != (o.Receipt != nil) || (o.Kind == OutcomeNew) != (o.Detail == "") || o.Kind == OutcomeNew && code != http.StatusOK {
			t.Errorf("%+v", o)
		}
		if len(o.Receipt) > maxReceipt || len(o.Detail) > 300 || strings.Contains(o.Detail, token) || strings.ContainsAny(o.Detail, "\x1b\n\x00") {
			t.Errorf("%+v", o)
		}
		if o.Kind == OutcomeNew && base64.StdEncoding.EncodeToString(o.Receipt) != strings.NewReplacer("\r", "", "\n", "").Replace(strings.TrimSpace(string(body))) {
			t.Errorf("%q is not %q", o.Receipt, body)
		}
	})
}
