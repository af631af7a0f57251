package request_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/staunchid/staunch/attest/request"
)

// signing signs with one byte, which Parse does not look at.
func signing() *request.Signing {
	return &request.Signing{KeyID: keyID, Sign: func([]byte) ([]byte, error) { return []byte{1}, nil }}
}

func outgoing(t *testing.T, method, url, content string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSign: what the phone signs is what the server reads.
func TestSign(t *testing.T) {
	tests := []struct {
		name, method, url, content string
		covered                    string
	}{
		{"payment", "POST", "https://pay.example.com/v1/remit?dry=0", body, "@method @authority @path @query content-digest"},
		{"nothing to post", "POST", "https://pay.example.com/v1/remit", "", "@method @authority @path @query content-digest"},
		{"put", "PUT", "https://pay.example.com/", "", "@method @authority @path @query content-digest"},
		{"patch", "PATCH", "https://pay.example.com/", "", "@method @authority @path @query content-digest"},
		{"get", "GET", "https://pay.example.com", "", "@method @authority @path @query"},
		{"get without a name", "", "https://pay.example.com/a%2fb?", "", "@method @authority @path @query"},
		{"get with a body", "GET", "https://pay.example.com:443/a?b", body, "@method @authority @path @query content-digest"},
		{"delete", "DELETE", "http://Pay.Example.com:80//a/../b?c=%20", "", "@method @authority @path @query"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := outgoing(t, tt.method, tt.url, tt.content)
			r.Method = tt.method
			var base []byte
			s := signing()
			s.Sign = func(b []byte) ([]byte, error) { base = b; return []byte{1}, nil }
			if err := request.Sign(r, s); err != nil {
				t.Fatal(err)
			}
			m, content, err := request.FromHTTP(r, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			p, err := request.Parse(m)
			if err != nil {
				t.Fatal(err)
			}
			if string(p.Base) != string(base) || string(content) != tt.content || strings.Join(p.Covered, " ") != tt.covered {
				t.Errorf("signed\n%s\nread\n%s\nbody %q", base, p.Base, content)
			}
			if age := time.Since(p.Created); age < -time.Second || age > time.Minute || len(p.Nonce) != 22 || p.KeyID != keyID || p.Alg != "" || !p.Expires.IsZero() {
				t.Errorf("%+v", p)
			}
		})
	}
}

// TestSignAgain: a request that is signed again has one signature, a new nonce,
// and its body.
func TestSignAgain(t *testing.T) {
	r := outgoing(t, "POST", "https://pay.example.com/v1/remit", body)
	nonces := map[string]bool{}
	for range 3 {
		if err := request.Sign(r, signing()); err != nil {
			t.Fatal(err)
		}
		m, _, err := request.FromHTTP(r, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		p, err := request.Parse(m)
		if err != nil || nonces[p.Nonce] {
			t.Fatalf("%+v, %v", p, err)
		}
		nonces[p.Nonce] = true
		if r.Body, err = r.GetBody(); err != nil || r.ContentLength != int64(len(body)) {
			t.Fatal(err)
		}
	}
	r = outgoing(t, "GET", "https://pay.example.com/", "")
	r.Header.Set("Content-Digest", digest("old"))
	if err := request.Sign(r, signing()); err != nil || r.Header.Get("Content-Digest") != "" {
		t.Errorf("a digest of another body stays: %v", err)
	}
}

func TestSigning(t *testing.T) {
	r := outgoing(t, "POST", "https://pay.example.com/v1/remit", body)
	r.Header.Set("Idempotency-Key", " 7 ")
	r.Header.Add("idempotency-key", "8")
	s := signing()
	created := time.Unix(1763700000, 999)
	s.Created, s.Expires, s.Nonce, s.Alg = created, created.Add(time.Minute), strings.Repeat("n", 43), "ed25519"
	s.Fields = []string{"Idempotency-Key", "content-digest", "idempotency-key"}
	if err := request.Sign(r, s); err != nil {
		t.Fatal(err)
	}
	want := `staunch=("@method" "@authority" "@path" "@query" "content-digest" "idempotency-key");created=1763700000;expires=1763700060;` +
		`nonce="` + s.Nonce + `";alg="ed25519";keyid="` + keyID + `";tag="staunch-v1"`
	if got := r.Header.Get("Signature-Input"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	m, _, err := request.FromHTTP(r, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := request.Parse(m); err != nil || !strings.Contains(string(p.Base), "\n\"idempotency-key\": 7, 8\n") {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestSignContent: what the phone says of the content is signed with it.
func TestSignContent(t *testing.T) {
	for _, method := range []string{"POST", "GET"} {
		r := outgoing(t, method, "https://pay.example.com/v1/remit", body)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Content-Encoding", "identity")
		if err := request.Sign(r, signing()); err != nil {
			t.Fatal(err)
		}
		if got, want := r.Header.Get("Signature-Input"), `"content-digest" "content-type" "content-encoding")`; !strings.Contains(got, want) {
			t.Errorf("%s: %s", method, got)
		}
		m, _, err := request.FromHTTP(r, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		p, err := request.Parse(m)
		if err != nil {
			t.Fatal(err)
		}
		if f := p.Demand(nil, []string{"amount"}); f != nil {
			t.Error(f)
		}
	}
}

// TestSignRefuses: what no verifier takes is not sent.
func TestSignRefuses(t *testing.T) {
	cannot := errors.New("cannot")
	tests := []struct {
		name   string
		change func(*http.Request, *request.Signing)
		want   error
	}{
		{"no key id", func(_ *http.Request, s *request.Signing) { s.KeyID = "" }, nil},
		{"no key", func(_ *http.Request, s *request.Signing) { s.Sign = nil }, nil},
		{"a key that cannot", func(_ *http.Request, s *request.Signing) {
			s.Sign = func([]byte) ([]byte, error) { return nil, cannot }
		}, cannot},
		{"an empty signature", func(_ *http.Request, s *request.Signing) {
			s.Sign = func([]byte) ([]byte, error) { return nil, nil }
		}, nil},
		{"a key id that is none", func(_ *http.Request, s *request.Signing) { s.KeyID = `a"b` }, nil},
		{"a short nonce", func(_ *http.Request, s *request.Signing) { s.Nonce = "short" }, nil},
		{"expires too early", func(_ *http.Request, s *request.Signing) { s.Expires = time.Unix(1, 0) }, nil},
		{"a field that is not there", func(_ *http.Request, s *request.Signing) { s.Fields = []string{"idempotency-key"} }, nil},
		{"a derived component", func(_ *http.Request, s *request.Signing) { s.Fields = []string{"@target-uri"} }, nil},
		{"a field with a quotation mark", func(_ *http.Request, s *request.Signing) { s.Fields = []string{`a"`} }, nil},
		{"no ASCII in a field", func(r *http.Request, s *request.Signing) {
			r.Header.Set("X-A", "é")
			s.Fields = []string{"x-a"}
		}, nil},
		{"no ASCII in the query", func(r *http.Request, _ *request.Signing) { r.URL.RawQuery = "é" }, nil},
		{"a body that cannot be read", func(r *http.Request, _ *request.Signing) { r.Body = io.NopCloser(iotest.ErrReader(cannot)) }, cannot},
	}
	for _, tt := range tests {
		r, s := outgoing(t, "POST", "https://pay.example.com/v1/remit", body), signing()
		tt.change(r, s)
		if err := request.Sign(r, s); err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.HasPrefix(err.Error(), "request: ") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := request.Sign(outgoing(t, "GET", "https://a/", ""), nil); err == nil {
		t.Error("nothing to sign with, and it is signed")
	}
}

func TestBase(t *testing.T) {
	if b, err := request.Base(good(), []string{"@method", "@status"}, "x"); err == nil {
		t.Errorf("%q", b)
	}
}
