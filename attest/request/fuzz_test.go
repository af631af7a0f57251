package request_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest/request"
)

// FuzzSignatureInput: whatever is accepted has a base whose last line is the
// member as sent, and whose parameters, written anew, are that text again.
func FuzzSignatureInput(f *testing.F) {
	for _, seed := range []string{
		signed,
		`("@method" "@authority" "@path" "@query" "content-digest" "x-a");created=0;expires=9;nonce="` + nonce + `";alg="a";keyid="a";tag="staunch-v1"`,
		`("@query" "@path" "@authority" "@method" "content-digest");tag="staunch-v1";keyid="a";nonce="` + nonce + `";created=1`,
		`("@method";req "a\"b" 1.5 :AA==: ?1 @1 %"x" tok/en);tag="staunch-v1"`,
	} {
		f.Add("staunch="+seed, "staunch=:AQID:", digest(body))
		f.Add(`a=("b");tag="c", staunch=`+seed+", d", "a=:AA==:, staunch=:AQ==:;b", "sha-512=:AA==:, "+digest(body))
	}
	f.Fuzz(func(t *testing.T, input, signature, contentDigest string) {
		m := good()
		m.SignatureInput, m.Signature = input, signature
		m.Fields["content-digest"], m.Fields["x-a"] = contentDigest, "a"
		m.SetBody([]byte(body))
		covered := request.Covered(input)
		p, err := request.Parse(m)
		if err != nil {
			if p != nil {
				t.Fatal("a result and an error")
			}
			return
		}
		var b strings.Builder
		b.WriteString(`("` + strings.Join(p.Covered, `" "`) + `")`)
		raw := string(p.Base[strings.LastIndex(string(p.Base), "\n")+1:])
		raw, ok := strings.CutPrefix(raw, `"@signature-params": `)
		if !ok || !strings.Contains(input, raw) || !strings.HasPrefix(raw, b.String()) {
			t.Fatalf("%q is not in %q, or does not begin with %s", raw, input, &b)
		}
		// The parameters come in any order: write each where it stands.
		rest := strings.TrimPrefix(raw, b.String())
		for part := range strings.SplitSeq(strings.TrimPrefix(rest, ";"), ";") {
			name, _, _ := strings.Cut(part, "=")
			want := map[string]string{
				"created": strconv.FormatInt(p.Created.Unix(), 10), "expires": strconv.FormatInt(p.Expires.Unix(), 10),
				"nonce": `"` + p.Nonce + `"`, "keyid": `"` + p.KeyID + `"`, "alg": `"` + p.Alg + `"`, "tag": `"` + request.Tag + `"`,
			}[name]
			if part != name+"="+want {
				t.Fatalf("%q is not %s=%s", part, name, want)
			}
		}
		lines := strings.Split(string(p.Base), "\n")
		if len(lines) != len(p.Covered)+1 {
			t.Fatalf("%d lines for %d components", len(lines), len(p.Covered))
		}
		for i, name := range p.Covered {
			if !strings.HasPrefix(lines[i], `"`+name+`": `) {
				t.Fatalf("line %q for %q", lines[i], name)
			}
			if !strings.HasPrefix(name, "@") && (len(covered) == 0 || covered[0] != name) {
				t.Fatalf("Covered gives %q, and %q is covered", covered, name)
			}
			if !strings.HasPrefix(name, "@") {
				covered = covered[1:]
			}
		}
		for _, name := range []string{"@method", "@authority", "@path", "@query", "content-digest"} {
			if !p.Covers(name) {
				t.Fatalf("%s is not covered", name)
			}
		}
	})
}

// FuzzTarget: whatever line a client sends, an accepted one gives a base of as
// many lines as there are components, with the bytes as sent.
func FuzzTarget(f *testing.F) {
	f.Add("POST", "pay.example.com", "/v1/remit", "?dry=0")
	f.Add("post", "[::1]:80", "", "")
	f.Add("A", "A.b:443", "//a/%2e%2E/..", "???")
	f.Add("POST\n", "a\n:80", "/\n", "?\n")
	f.Fuzz(func(t *testing.T, method, authority, path, query string) {
		m := good()
		m.Method, m.Authority, m.Path, m.Query = method, authority, path, query
		p, err := request.Parse(m)
		if err != nil {
			return
		}
		lines := strings.Split(string(p.Base), "\n")
		if len(lines) != 6 || lines[0] != `"@method": `+method || lines[1] != `"@authority": `+p.Authority ||
			path != "" && lines[2] != `"@path": `+path || query != "" && lines[3] != `"@query": `+query {
			t.Fatalf("%q", lines)
		}
		if p.Authority != strings.ToLower(p.Authority) || !strings.HasPrefix(strings.ToLower(authority), p.Authority) {
			t.Fatalf("authority %q", p.Authority)
		}
	})
}
