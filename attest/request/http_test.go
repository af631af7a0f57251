package request_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/staunchid/staunch/attest/request"
)

// wire sends text, as it is, to a real server, and returns the Message that the
// handler makes of it, or the status with which net/http refuses it.
func wire(t *testing.T, text string) (m *request.Message, body []byte, status int) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var err error
		if m, body, err = request.FromHTTP(r, 1<<20); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m, body, answer.StatusCode
}

// crlf writes lines as HTTP does.
func crlf(lines ...string) string { return strings.Join(lines, "\r\n") }

// TestRequestLine: the bytes as sent, whatever net/http makes of them.
func TestRequestLine(t *testing.T) {
	tests := []struct {
		line, host        string
		method, authority string
		path, query       string
		status            int // net/http refuses it by itself
		refused           bool
	}{
		{line: "GET /v1/remit?dry=0", host: "pay.example.com", method: "GET", authority: "pay.example.com", path: "/v1/remit", query: "?dry=0"},
		{line: "GET /", host: "pay.example.com:8443", method: "GET", authority: "pay.example.com:8443", path: "/", query: "?"},
		{line: "GET /?", host: "a", method: "GET", authority: "a", path: "/", query: "?"},
		{line: "GET /a?b?c", host: "a", method: "GET", authority: "a", path: "/a", query: "?b?c"},
		{line: "GET /%72emit%2fx%2F?a=%20", host: "a", method: "GET", authority: "a", path: "/%72emit%2fx%2F", query: "?a=%20"},
		{line: "GET //a//b", host: "a", method: "GET", authority: "a", path: "//a//b", query: "?"},
		{line: "GET //evil.example.com/b", host: "a", method: "GET", authority: "a", path: "//evil.example.com/b", query: "?"},
		{line: "GET /a/../b/.", host: "a", method: "GET", authority: "a", path: "/a/../b/.", query: "?"},
		{line: "GET /a;b=c,d", host: "a", method: "GET", authority: "a", path: "/a;b=c,d", query: "?"},
		{line: "GET /a://b?c", host: "a", method: "GET", authority: "a", path: "/a://b", query: "?c"},
		{line: "GET /a?b=http://c/d", host: "a", method: "GET", authority: "a", path: "/a", query: "?b=http://c/d"},
		{line: "get /", host: "A.Example.COM", method: "get", authority: "a.example.com", path: "/", query: "?"},
		// The absolute form names the host itself (RFC 9112, Section 3.2.2).
		{line: "GET http://pay.example.com/v1/remit?dry=0", host: "pay.example.com", method: "GET", authority: "pay.example.com", path: "/v1/remit", query: "?dry=0"},
		{line: "GET http://pay.example.com:80/a", host: "other.example.com", method: "GET", authority: "pay.example.com", path: "/a", query: "?"},
		{line: "GET http://pay.example.com", host: "pay.example.com", method: "GET", authority: "pay.example.com", path: "/", query: "?"},
		{line: "GET http://pay.example.com?a=/b", host: "pay.example.com", method: "GET", authority: "pay.example.com", path: "/", query: "?a=/b"},
		{line: "GET /a b", host: "a", status: 400},
		{line: "GET /a%zz", host: "a", status: 400},
		{line: "GET /a#b", host: "a", refused: true},
		{line: "GET /é", host: "a", refused: true},
		{line: "GET /a?é", host: "a", refused: true},
		{line: `GET /a\b`, host: "a", refused: true},
		{line: "OPTIONS *", host: "a", status: 200},
		{line: "CONNECT a:443", host: "a:443", refused: true},
		{line: "GET /", host: "a@b", refused: true, status: 400},
		{line: "GET /", host: "", refused: true},
		{line: "GET /", host: "a\r\nHost: b", status: 400},
	}
	for _, tt := range tests {
		t.Run(tt.line+" "+tt.host, func(t *testing.T) {
			input := "staunch=" + strings.Replace(signed, ` "content-digest"`, "", 1)
			m, _, status := wire(t, crlf(tt.line+" HTTP/1.1", "Host: "+tt.host, "Signature-Input: "+input, "Signature: staunch=:AQ==:", "", ""))
			if m == nil {
				if status != tt.status {
					t.Fatalf("status %d, want %d", status, tt.status)
				}
				return
			}
			p, err := request.Parse(m)
			if err != nil {
				if !tt.refused {
					t.Fatal(err)
				}
				return
			}
			if tt.refused || tt.status != 0 {
				t.Fatalf("is taken: %+v", m)
			}
			want := "\"@method\": " + tt.method + "\n\"@authority\": " + tt.authority + "\n\"@path\": " + tt.path + "\n\"@query\": " + tt.query + "\n"
			if !strings.HasPrefix(string(p.Base), want) {
				t.Errorf("base\n%s\nwant\n%s", p.Base, want)
			}
		})
	}
}

// TestFields: lines are combined, folded lines joined, white space trimmed, and
// nothing is read that is not covered, but what says what the content is.
func TestFields(t *testing.T) {
	input := strings.Replace(signed, `"@path"`, `"@path" "x-twice" "x-folded" "x-empty" "x-space" "host" "x-none"`, 1)
	m, content, _ := wire(t, crlf("POST /v1/remit HTTP/1.1", "Host: pay.example.com", "Content-Length: 3",
		"X-Twice: a", "X-Folded: a", "  b", "\tc", "X-Empty:", "X-Space: \t a  b \t ", "x-twice:  b, c",
		"Cookie: secret", "Authorization: secret", "X-Other: a", "Content-Type: text/plain", "Content-Encoding: br", "Content-Encoding: gzip",
		"Content-Digest: a=:AA==:", "Content-Digest: "+digest("abc"),
		"Signature-Input: sig1=()", "Signature-Input: staunch="+input, "Signature: sig1=:AA==:", "Signature: staunch=:AQ==:", "", "abc"))
	want := map[string]string{
		"x-twice": "a, b, c", "x-folded": "a b c", "x-empty": "", "x-space": "a  b", "content-digest": "a=:AA==:, " + digest("abc"),
		"content-type": "text/plain", "content-encoding": "br, gzip",
	}
	if len(m.Fields) != len(want) {
		t.Errorf("fields %q", m.Fields)
	}
	for name, value := range want {
		if got, ok := m.Fields[name]; !ok || got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	if m.SignatureInput != "sig1=(), staunch="+input || m.Signature != "sig1=:AA==:, staunch=:AQ==:" || string(content) != "abc" {
		t.Errorf("%+v", m)
	}
	// net/http takes Host away, and x-none was never there.
	if _, err := request.Parse(m); err == nil || !strings.Contains(err.Error(), `"host"`) {
		t.Errorf("%v", err)
	}
	// Twice the same digest is not one.
	m, _, _ = wire(t, crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 3", "Content-Digest: "+digest("abc"), "Content-Digest: "+digest("abc"),
		"Signature-Input: staunch="+signed, "Signature: staunch=:AQ==:", "", "abc"))
	if _, err := request.Parse(m); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("two lines of Content-Digest: %v", err)
	}
	// Nor are two lines with our label.
	m, _, _ = wire(t, crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 3", "Content-Digest: "+digest("abc"),
		"Signature-Input: staunch="+signed, "Signature: staunch=:AQ==:", "Signature: staunch=:AQ==:", "", "abc"))
	if _, err := request.Parse(m); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("two lines of Signature: %v", err)
	}
	// Bytes outside ASCII reach us, and are refused.
	m, _, _ = wire(t, crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 3", "X-A: \xe9", "Content-Digest: "+digest("abc"),
		"Signature-Input: staunch="+strings.Replace(signed, `"@path"`, `"@path" "x-a"`, 1), "Signature: staunch=:AQ==:", "", "abc"))
	if _, err := request.Parse(m); err == nil || !strings.Contains(err.Error(), "ASCII") {
		t.Errorf("not ASCII: %v", err)
	}
}

// TestBodies: the content as sent, however it came.
func TestBodies(t *testing.T) {
	head := []string{"Host: a", "Content-Digest: " + digest("abc"), "Signature-Input: staunch=" + signed, "Signature: staunch=:AQ==:"}
	send := func(method string, more ...string) (*request.Message, string) {
		m, content, status := wire(t, crlf(append(append([]string{method + " / HTTP/1.1"}, head...), more...)...))
		if m == nil {
			t.Fatalf("%s %q: status %d", method, more, status)
		}
		return m, string(content)
	}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		if m, content := send(method, "Content-Length: 3", "", "abc"); content != "abc" || !m.HasBody {
			t.Errorf("%s: %q", method, content)
		} else if _, err := request.Parse(m); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	m, content := send("POST", "Transfer-Encoding: chunked", "", "1;ext=1", "a", "2", "bc", "0", "", "")
	if _, err := request.Parse(m); err != nil || content != "abc" {
		t.Errorf("chunks: %q, %v", content, err)
	}
	m, content = send("POST", "Transfer-Encoding: chunked", "Trailer: Content-Digest, X-A", "", "3", "abc", "0", "Content-Digest: "+digest("x"), "X-A: b", "", "")
	if _, err := request.Parse(m); err != nil || content != "abc" {
		t.Errorf("trailers: %q, %v", content, err)
	}
	m, content = send("POST", "Content-Encoding: gzip", "Content-Length: 3", "", "abc")
	if _, err := request.Parse(m); err == nil || content != "abc" {
		t.Errorf("content coding that nobody signed: %q, %v", content, err)
	}
	with(m, `"content-digest"`, `"content-digest" "content-encoding"`)
	if _, err := request.Parse(m); err != nil {
		t.Errorf("content coding: %v", err)
	}
	m, content = send("GET", "Content-Length: 0", "", "")
	if _, err := request.Parse(m); err == nil || content != "" || m.HasBody {
		t.Errorf("the digest of a body that is not there: %v", err)
	}
	if m.BodyMembers != nil {
		t.Errorf("members %q", m.BodyMembers)
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if m, _, err := request.FromHTTP(r, 1<<10); err != nil || !slices.Equal(m.BodyMembers, []string{"amount", "payee"}) || m.BodySHA512 != nil {
		t.Errorf("%+v, %v", m, err)
	}
	r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(hello))
	r.Header.Set("Content-Digest", helloSHA512)
	if m, _, err := request.FromHTTP(r, 1<<10); err != nil || len(m.BodySHA512) != 64 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestBodyTooLarge(t *testing.T) {
	for limit, ok := range map[int64]bool{11: true, 12: true, 10: false, 0: false, -1: false} {
		eleven := bytes.NewReader(make([]byte, 11))
		for name, reader := range map[string]io.Reader{"announced": eleven, "not announced": iotest.OneByteReader(eleven)} {
			eleven.Reset(make([]byte, 11))
			_, content, err := request.FromHTTP(httptest.NewRequest(http.MethodPost, "/", reader), limit)
			if (err == nil) != ok || err != nil && !errors.Is(err, request.ErrBodyTooLarge) || ok && len(content) != 11 {
				t.Errorf("%s, %d allowed: %d bytes, %v", name, limit, len(content), err)
			}
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(strings.NewReader("abc")), 2)
	if _, _, err := request.FromHTTP(r, 10); !errors.Is(err, request.ErrBodyTooLarge) {
		t.Errorf("a limit in front: %v", err)
	}
	r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, _, err := request.FromHTTP(r, 10); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, request.ErrBodyTooLarge) {
		t.Errorf("a body that breaks off: %v", err)
	}
	if m, content, err := request.FromHTTP(httptest.NewRequest(http.MethodGet, "/", nil), 0); err != nil || content != nil || m.HasBody {
		t.Errorf("no body: %q, %v", content, err)
	}
}

// TestHTTP2: what a phone signs is what the server reads over HTTP/2 as well.
func TestHTTP2(t *testing.T) {
	var failed error
	var major int
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		major = r.ProtoMajor
		m, _, err := request.FromHTTP(r, 1<<20)
		if err == nil {
			_, err = request.Parse(m)
		}
		if err == nil && ("https://"+m.Authority+m.Path+m.Query != "https://"+r.Host+"/a%2fb//c?d=%20" || !strings.Contains(m.Fields["x-a"], "b, c")) {
			t.Errorf("%+v", m)
		}
		failed = err
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	r := outgoing(t, http.MethodPost, server.URL+"/a%2fb//c?d=%20", body)
	r.Header["X-A"] = []string{" b ", "c"}
	s := signing()
	s.Fields = []string{"x-a"}
	if err := request.Sign(r, s); err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if failed != nil || major != 2 {
		t.Errorf("HTTP/%d: %v", major, failed)
	}
}
