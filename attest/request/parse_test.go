package request_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/request"
)

const (
	keyID = "EYUqA3MjpVPaS1zoM6GPCTA6_D5lKU4HPI7jpbvd1Mc"
	nonce = "k2v3Yw9tJmQ4s6t7u8v9wA"
	body  = `{"amount":1200,"payee":"a_payee"}`

	// signed is what the good request covers, and says of itself.
	components = `"@method" "@authority" "@path" "@query" "content-digest"`
	parameters = `;created=1763700000;nonce="` + nonce + `";keyid="` + keyID + `";tag="staunch-v1"`
	signed     = `(` + components + `)` + parameters
)

func digest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// good is a request whose form is good.
func good() *request.Message {
	m := &request.Message{
		Method: "POST", Authority: "pay.example.com", Path: "/v1/remit", Query: "?dry=0",
		Fields:         map[string]string{"content-digest": digest(body)},
		SignatureInput: "staunch=" + signed,
		Signature:      "staunch=:AQIDBA==:",
	}
	m.SetBody([]byte(body))
	return m
}

// get is a good request without a body.
func get() *request.Message {
	m := good()
	m.Method, m.Fields = "GET", map[string]string{}
	m.SetBody(nil)
	m.SignatureInput = strings.Replace(m.SignatureInput, ` "content-digest"`, "", 1)
	return m
}

// with changes the Signature-Input of a message.
func with(m *request.Message, old, new string) {
	if !strings.Contains(m.SignatureInput, old) {
		panic("nothing to change: " + old)
	}
	m.SignatureInput = strings.Replace(m.SignatureInput, old, new, 1)
}

func TestParse(t *testing.T) {
	m := good()
	p, err := request.Parse(m)
	if err != nil {
		t.Fatal(err)
	}
	base := `"@method": POST
"@authority": pay.example.com
"@path": /v1/remit
"@query": ?dry=0
"content-digest": ` + digest(body) + `
"@signature-params": ` + signed
	if string(p.Base) != base {
		t.Errorf("base\n%s\nwant\n%s", p.Base, base)
	}
	if p.KeyID != keyID || p.Nonce != nonce || !p.Created.Equal(time.Unix(1763700000, 0)) || !p.Expires.IsZero() || p.Alg != "" ||
		p.Authority != "pay.example.com" || string(p.Signature) != "\x01\x02\x03\x04" {
		t.Errorf("%+v", p)
	}
	if got := strings.Join(p.Covered, " "); got != "@method @authority @path @query content-digest" {
		t.Errorf("covered %s", got)
	}
}

// TestForms: what else is good, and the base that it gives.
func TestForms(t *testing.T) {
	tests := []struct {
		name   string
		change func(*request.Message)
		line   string // of the base
	}{
		{"another order", func(m *request.Message) { with(m, `"@method" "@authority"`, `"@authority" "@method"`) },
			"\"@authority\": pay.example.com\n\"@method\": POST\n"},
		{"upper case in the host", func(m *request.Message) { m.Authority = "Pay.Example.COM" }, "\"@authority\": pay.example.com\n"},
		{"port 443", func(m *request.Message) { m.Authority = "pay.example.com:443" }, "\"@authority\": pay.example.com\n"},
		{"port 80", func(m *request.Message) { m.Authority = "pay.example.com:80" }, "\"@authority\": pay.example.com\n"},
		{"another port", func(m *request.Message) { m.Authority = "pay.example.com:8443" }, "\"@authority\": pay.example.com:8443\n"},
		{"IPv4 address", func(m *request.Message) { m.Authority = "127.0.0.1:8080" }, "\"@authority\": 127.0.0.1:8080\n"},
		{"IPv6 address", func(m *request.Message) { m.Authority = "[2001:DB8::80]:80" }, "\"@authority\": [2001:db8::80]\n"},
		{"empty path", func(m *request.Message) { m.Path = "" }, "\"@path\": /\n"},
		{"percent-encoding stays as sent", func(m *request.Message) { m.Path = "/v1/%72emit%2f%2F" }, "\"@path\": /v1/%72emit%2f%2F\n"},
		{"two slashes stay as sent", func(m *request.Message) { m.Path = "//v1//remit/" }, "\"@path\": //v1//remit/\n"},
		{"dots stay as sent", func(m *request.Message) { m.Path = "/v1/../remit/." }, "\"@path\": /v1/../remit/.\n"},
		{"no query", func(m *request.Message) { m.Query = "?" }, "\"@query\": ?\n"},
		{"no query, left out", func(m *request.Message) { m.Query = "" }, "\"@query\": ?\n"},
		{"query of question marks", func(m *request.Message) { m.Query = "???" }, "\"@query\": ???\n"},
		{"lower-case method", func(m *request.Message) { m.Method = "post" }, "\"@method\": post\n"},
		{"a covered field", func(m *request.Message) {
			m.Fields["idempotency-key"] = "a, b"
			with(m, `"@path"`, `"@path" "idempotency-key"`)
		}, "\"idempotency-key\": a, b\n"},
		{"an empty field", func(m *request.Message) {
			m.Fields["x-empty"] = ""
			with(m, `"@path"`, `"@path" "x-empty"`)
		}, "\"x-empty\": \n"},
		{"host as a field", func(m *request.Message) {
			m.Fields["host"] = "pay.example.com"
			with(m, `"@path"`, `"@path" "host"`)
		}, "\"host\": pay.example.com\n"},
		{"parameters in another order", func(m *request.Message) {
			with(m, parameters, `;tag="staunch-v1";keyid="`+keyID+`";nonce="`+nonce+`";created=1763700000`)
		}, ";tag=\"staunch-v1\";keyid=\"" + keyID},
		{"expires and alg", func(m *request.Message) { with(m, ";nonce", `;expires=1763700000;alg="ecdsa-p256-sha256";nonce`) },
			`created=1763700000;expires=1763700000;alg="ecdsa-p256-sha256";nonce`},
		{"created at 0", func(m *request.Message) { with(m, "1763700000", "0") }, ";created=0;"},
		{"other signatures beside it", func(m *request.Message) {
			m.SignatureInput = `sig1=("@status";req "x" 1.5 -3 tok/en:x ?1 :AAA=: @12 %"f%c3%bc");a;b="\"\\";tag="other",` + "\t " +
				m.SignatureInput + ` , bare, *n=7`
			m.Signature = "sig1=:AAAA:;x, " + m.Signature + ", n=(1 2)"
		}, "\"@signature-params\": (\"@method\""},
		{"the same other label twice", func(m *request.Message) { m.SignatureInput = `a=(), a=(), ` + m.SignatureInput }, "\"@path\": "},
		{"other digests beside it", func(m *request.Message) { m.Fields["content-digest"] = "md5=:AAAA:, x, " + m.Fields["content-digest"] },
			"md5=:AAAA:, x, sha-256=:"},
		{"nonce of 64 characters", func(m *request.Message) { with(m, nonce, strings.Repeat("A-_z", 16)) }, "A-_zA-_z"},
		{"a POST without a body", func(m *request.Message) {
			m.SetBody(nil)
			m.Fields["content-digest"] = digest("")
		}, digest("")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := good()
			tt.change(m)
			p, err := request.Parse(m)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains("\n"+string(p.Base), tt.line) {
				t.Errorf("no line %q in\n%s", tt.line, p.Base)
			}
		})
	}
}

// TestRefused: every rule, one small change of a good request each.
func TestRefused(t *testing.T) {
	field := func(name, value string) func(*request.Message) {
		return func(m *request.Message) {
			m.Fields[name] = value
			with(m, `"@path"`, `"@path" "`+name+`"`)
		}
	}
	edit := func(old, new string) func(*request.Message) { return func(m *request.Message) { with(m, old, new) } }
	const (
		missing   = request.CodeSignatureMissing
		component = request.CodeComponents
		content   = request.CodeDigest
		once      = request.CodeNonce
	)
	tests := []struct {
		name   string
		change func(*request.Message)
		code   string
		detail string // part of it
	}{
		{"no Signature-Input", func(m *request.Message) { m.SignatureInput = "" }, missing, "no Signature-Input"},
		{"blank Signature-Input", func(m *request.Message) { m.SignatureInput = "  " }, missing, "no signature has the tag"},
		{"no Signature", func(m *request.Message) { m.Signature = "" }, missing, "no Signature"},
		{"signature of another label only", func(m *request.Message) { m.Signature = "sig1=:AQ==:" }, missing, "no member"},
		{"another tag", edit("staunch-v1", "staunch-v2"), missing, "has the tag"},
		{"no tag", edit(`;tag="staunch-v1"`, ""), missing, "has the tag"},
		{"tag as a token", edit(`tag="staunch-v1"`, "tag=staunch-v1"), missing, "has the tag"},
		{"another label", edit("staunch=", "sig1="), component, `"sig1"`},
		{"another label beside ours", func(m *request.Message) { m.SignatureInput = "staunch=(), sig1=" + signed }, component, `"sig1"`},
		{"our tag twice", func(m *request.Message) { m.SignatureInput += ", sig1=" + signed }, component, "2 signatures"},
		{"our label twice", func(m *request.Message) { m.SignatureInput = "staunch=(), " + m.SignatureInput }, component, "label"},
		{"our signature twice", func(m *request.Message) { m.Signature += ", staunch=:AQ==:" }, component, "twice"},
		{"signature with a parameter", func(m *request.Message) { m.Signature += ";a" }, component, "byte sequence"},
		{"signature as a string", func(m *request.Message) { m.Signature = `staunch="AQ=="` }, component, "byte sequence"},
		{"signature without padding", func(m *request.Message) { m.Signature = "staunch=:AQ:" }, component, "byte sequence"},
		{"signature with bits behind it", func(m *request.Message) { m.Signature = "staunch=:AR==:" }, component, "byte sequence"},
		{"empty signature", func(m *request.Message) { m.Signature = "staunch=::" }, component, "byte sequence"},
		{"signature in base64url", func(m *request.Message) { m.Signature = "staunch=:_-8=:" }, component, "base64"},
		{"signature over two lines", func(m *request.Message) { m.Signature = "staunch=:AQ\n==:" }, component, "base64"},
		{"large Signature", func(m *request.Message) { m.Signature += ", a=:" + strings.Repeat("A", 16<<10) + ":" }, component, "more than 16384"},
		{"large Signature-Input", func(m *request.Message) { m.SignatureInput += `, a="` + strings.Repeat("a", 4<<10) + `"` }, component, "more than 4096"},
		{"many signatures", func(m *request.Message) { m.SignatureInput += strings.Repeat(", a=()", 16) }, component, "more than 16"},
		{"comma at the end", func(m *request.Message) { m.SignatureInput += "," }, component, "comma"},
		{"no comma between", func(m *request.Message) { m.SignatureInput += " a=()" }, component, "comma"},
		{"another member that cannot be read", func(m *request.Message) { m.SignatureInput += `, a="` }, component, "dictionary"},
		{"not ASCII in another member", func(m *request.Message) { m.SignatureInput += `, a="é"` }, component, "dictionary"},
		{"label in upper case", edit("staunch=", "Staunch="), component, "lower-case"},

		{"no inner list", edit("("+components+")", "1"), component, "no inner list"},
		{"two spaces", edit(`"@method" "`, `"@method"  "`), component, `"`},
		{"a space in front", edit("(", "( "), component, `"`},
		{"a space at the end", edit(`digest")`, `digest" )`), component, `"`},
		{"no space", edit(`"@method" "`, `"@method""`), component, "space"},
		{"a space before a parameter", edit(";created", "; created"), component, "key"},
		{"component as a token", edit(`"@method"`, "a"), component, `"`},
		{"escape in a component", edit(`"@method"`, `"@met\"hod"`), component, ""},
		{"component with a parameter", edit(`"@path"`, `"@path";req`), component, "parameters"},
		{"component twice", edit(`"@path"`, `"@path" "@path"`), component, "twice"},
		{"many components", edit(`"@path"`, `"@path"`+strings.Repeat(` "x`, 0)+many(32)), component, "more than 32"},
		{"no method", edit(`"@method" `, ""), component, "@method"},
		{"no authority", edit(`"@authority" `, ""), component, "@authority"},
		{"no path", edit(`"@path" `, ""), component, "@path"},
		{"no query", edit(`"@query" `, ""), component, "@query"},
		{"@target-uri", edit(`"@path"`, `"@path" "@target-uri"`), component, "derived"},
		{"@query-param", edit(`"@path"`, `"@path" "@query-param"`), component, "derived"},
		{"@status", edit(`"@path"`, `"@path" "@status"`), component, "derived"},
		{"@signature-params", edit(`"@path"`, `"@path" "@signature-params"`), component, "derived"},
		{"empty name", edit(`"@path"`, `"@path" ""`), component, "no name"},
		{"name in upper case", edit(`"@path"`, `"@path" "Date"`), component, "no name"},
		{"field that is not there", edit(`"@path"`, `"@path" "date"`), component, "no such"},
		{"Signature covered", field2("signature"), component, "itself"},
		{"Signature-Input covered", field2("signature-input"), component, "itself"},
		{"line end in a field", field("x-a", "a\nb"), component, "ASCII"},
		{"carriage return in a field", field("x-a", "a\rb"), component, "ASCII"},
		{"NUL in a field", field("x-a", "a\x00b"), component, "ASCII"},
		{"not ASCII in a field", field("x-a", "é"), component, "ASCII"},
		{"large fields", field("x-a", strings.Repeat("a", 32<<10)), component, "more than 32768"},

		{"no created", edit(";created=1763700000", ""), component, "created"},
		{"no keyid", edit(`;keyid="`+keyID+`"`, ""), component, "keyid"},
		{"created as a decimal", edit("1763700000", "1763700000.0"), component, "semicolon"},
		{"created as a string", edit("1763700000", `"1763700000"`), component, "created"},
		{"created below 0", edit("1763700000", "-1"), component, "created"},
		{"created with zeros in front", edit("1763700000", "01763700000"), component, "zeros"},
		{"created after the year 9999", edit("1763700000", "253402300800"), component, "created"},
		{"created with 16 digits", edit("1763700000", "1763700000000000"), component, ""},
		{"created without a value", edit("created=1763700000", "created"), component, "no value"},
		{"created twice", edit(";nonce", ";created=1763700000;nonce"), component, "twice"},
		{"expires twice", edit(";nonce", ";expires=1763700001;expires=1763700001;nonce"), component, "twice"},
		{"nonce twice", edit(";nonce", `;nonce="`+nonce+`";nonce`), component, "twice"},
		{"keyid twice", edit(";keyid", `;keyid="a";keyid`), component, "twice"},
		{"alg twice", edit(";keyid", `;alg="a";alg="a";keyid`), component, "twice"},
		{"tag twice", edit(";tag", `;tag="staunch-v1";tag`), component, "twice"},
		{"expires before created", edit(";nonce", ";expires=1763699999;nonce"), component, "before created"},
		{"another parameter", edit(";tag", `;x="y";tag`), component, "only created"},
		{"empty keyid", edit(keyID, ""), component, "keyid"},
		{"long keyid", edit(keyID, strings.Repeat("a", 129)), component, "keyid"},
		{"keyid with another character", edit(keyID, "a b"), component, "keyid"},
		{"empty alg", edit(";tag", `;alg="";tag`), component, "alg"},
		{"long alg", edit(";tag", `;alg="`+strings.Repeat("a", 65)+`";tag`), component, "alg"},
		{"alg with another character", edit(";tag", `;alg="a;b";tag`), component, "alg"},
		{"no nonce", edit(`;nonce="`+nonce+`"`, ""), once, "missing"},
		{"nonce of 21 characters", edit(nonce, nonce[1:]), once, "22 to 64"},
		{"nonce of 65 characters", edit(nonce, strings.Repeat("a", 65)), once, "22 to 64"},
		{"nonce with padding", edit(nonce, nonce+"=="), once, "22 to 64"},
		{"nonce in base64", edit(nonce, "+"+nonce), once, "22 to 64"},

		{"no Content-Digest", func(m *request.Message) {
			delete(m.Fields, "content-digest")
			with(m, ` "content-digest"`, "")
		}, content, "there is no Content-Digest"},
		{"Content-Digest covered and not there", func(m *request.Message) { delete(m.Fields, "content-digest") }, content, "not there"},
		{"Content-Digest not covered", edit(` "content-digest"`, ""), content, "not covered"},
		{"another body", func(m *request.Message) { m.SetBody([]byte(strings.Replace(body, "1200", "1201", 1))) }, content, "not that of the body"},
		{"another sha-512", func(m *request.Message) {
			m.Fields["content-digest"] += ", sha-512=:" + base64.StdEncoding.EncodeToString(make([]byte, 64)) + ":"
			m.SetBody([]byte(body))
		}, content, "sha-512 is not"},
		{"sha-512 alone", func(m *request.Message) {
			m.Fields["content-digest"] = helloSHA512
			m.SetBody([]byte(hello))
		}, content, "no sha-256"},
		{"empty Content-Digest", func(m *request.Message) { m.Fields["content-digest"] = "" }, content, "no sha-256"},
		{"sha-256 twice", func(m *request.Message) { m.Fields["content-digest"] += ", " + digest(body) }, content, "twice"},
		{"a wrong and a right sha-256", func(m *request.Message) { m.Fields["content-digest"] = digest("") + ", " + digest(body) }, content, "not that of the body"},
		{"sha-512 twice", func(m *request.Message) {
			m.Fields["content-digest"] = helloSHA256 + ", " + helloSHA512 + ", " + helloSHA512
			m.SetBody([]byte(hello))
		}, content, "twice"},
		{"SHA-256 in upper case", func(m *request.Message) {
			m.Fields["content-digest"] = strings.Replace(m.Fields["content-digest"], "sha", "SHA", 1)
		}, content, "lower-case"},
		{"sha-256 with a parameter", func(m *request.Message) { m.Fields["content-digest"] += ";a=:AA==:" }, content, "byte sequence"},
		{"sha-256 in hex", func(m *request.Message) { m.Fields["content-digest"] = "sha-256=ab" }, content, "byte sequence"},
		{"sha-256 without a value", func(m *request.Message) { m.Fields["content-digest"] = "sha-256" }, content, "byte sequence"},
		{"31 bytes of sha-256", func(m *request.Message) {
			m.Fields["content-digest"] = "sha-256=:" + base64.StdEncoding.EncodeToString(m.BodySHA256[:31]) + ":"
		}, content, "not that of the body"},
		{"large Content-Digest", func(m *request.Message) { m.Fields["content-digest"] += `, a="` + strings.Repeat("a", 1<<10) + `"` }, content, "more than 1024"},

		{"no method", func(m *request.Message) { m.Method = "" }, component, "method"},
		{"a space in the method", func(m *request.Message) { m.Method = "POST /" }, component, "method"},
		{"a long method", func(m *request.Message) { m.Method = strings.Repeat("A", 33) }, component, "method"},
		{"no authority", func(m *request.Message) { m.Authority = "" }, component, "authority"},
		{"a user in the authority", func(m *request.Message) { m.Authority = "a@pay.example.com" }, component, "authority"},
		{"a line end in the authority", func(m *request.Message) { m.Authority = "pay.example.com\n" }, component, "authority"},
		{"not ASCII in the authority", func(m *request.Message) { m.Authority = "päy.example.com" }, component, "authority"},
		{"no host", func(m *request.Message) { m.Authority = ":80" }, component, "authority"},
		{"no port behind the colon", func(m *request.Message) { m.Authority = "pay.example.com:" }, component, "authority"},
		{"two ports", func(m *request.Message) { m.Authority = "pay.example.com:80:80" }, component, "authority"},
		{"a long port", func(m *request.Message) { m.Authority = "pay.example.com:000080" }, component, "authority"},
		{"a port in letters", func(m *request.Message) { m.Authority = "pay.example.com:http" }, component, "authority"},
		{"an address without its bracket", func(m *request.Message) { m.Authority = "[::1" }, component, "authority"},
		{"something behind the bracket", func(m *request.Message) { m.Authority = "[::1]80" }, component, "authority"},
		{"a zone in the address", func(m *request.Message) { m.Authority = "[fe80::1%25eth0]" }, component, "authority"},
		{"a long authority", func(m *request.Message) { m.Authority = strings.Repeat("a", 262) }, component, "authority"},
		{"OPTIONS *", func(m *request.Message) { m.Path = "*" }, component, "begin"},
		{"the target of CONNECT", func(m *request.Message) { m.Path = "pay.example.com:443" }, component, "begin"},
		{"a whole URL", func(m *request.Message) { m.Path = "https://pay.example.com/v1/remit" }, component, "begin"},
		{"a query in the path", func(m *request.Message) { m.Path = "/v1/remit?dry=0" }, component, "percent-encode"},
		{"a fragment", func(m *request.Message) { m.Path = "/v1/remit#a" }, component, "percent-encode"},
		{"a backslash", func(m *request.Message) { m.Path = `/v1\remit` }, component, "percent-encode"},
		{"a space in the path", func(m *request.Message) { m.Path = "/v1/re mit" }, component, "percent-encode"},
		{"a line end in the path", func(m *request.Message) { m.Path = "/v1/remit\n\"@query\": ?" }, component, "percent-encode"},
		{"not ASCII in the path", func(m *request.Message) { m.Path = "/v1/rémit" }, component, "percent-encode"},
		{"half a percent-encoding", func(m *request.Message) { m.Path = "/v1/remit%2" }, component, "percent-encode"},
		{"a wrong percent-encoding", func(m *request.Message) { m.Path = "/v1/%zz" }, component, "percent-encode"},
		{"a query without its mark", func(m *request.Message) { m.Query = "dry=0" }, component, "query"},
		{"a space in the query", func(m *request.Message) { m.Query = "?a b" }, component, "query"},
		{"a line end in the query", func(m *request.Message) { m.Query = "?a\nb" }, component, "query"},
		{"not ASCII in the query", func(m *request.Message) { m.Query = "?é" }, component, "query"},
		{"a fragment behind the query", func(m *request.Message) { m.Query = "?a#b" }, component, "query"},
		{"a long path", func(m *request.Message) { m.Path = "/" + strings.Repeat("a", 8<<10) }, component, "more than 8192"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := good()
			tt.change(m)
			p, err := request.Parse(m)
			var f *request.Failure
			if p != nil || !errors.As(err, &f) {
				t.Fatalf("%+v, %v", p, err)
			}
			if f.Code != tt.code || !strings.Contains(f.Detail, tt.detail) {
				t.Errorf("%v, want %s with %q", f, tt.code, tt.detail)
			}
			if len(f.Error()) > 300 {
				t.Errorf("%d characters: %s", len(f.Error()), f)
			}
		})
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(` "x-` + string(rune('a'+i%26)) + string(rune('a'+i/26)) + `"`)
	}
	return b.String()
}

func field2(name string) func(*request.Message) {
	return func(m *request.Message) {
		m.Fields[name] = "a"
		with(m, `"@path"`, `"@path" "`+name+`"`)
	}
}

// TestDigestDemanded: which requests need a Content-Digest.
func TestDigestDemanded(t *testing.T) {
	for _, tt := range []struct {
		method, content string
		demanded        bool
	}{
		{"GET", "", false}, {"HEAD", "", false}, {"DELETE", "", false}, {"QUERY", "", false},
		{"GET", "a", true}, {"DELETE", "a", true},
		{"POST", "", true}, {"PUT", "", true}, {"PATCH", "", true}, {"POST", "a", true},
	} {
		m := get()
		m.Method = tt.method
		m.SetBody([]byte(tt.content))
		_, err := request.Parse(m)
		var f *request.Failure
		if errors.As(err, &f); (err == nil) == tt.demanded || err != nil && f.Code != request.CodeDigest {
			t.Errorf("%s with %q: %v", tt.method, tt.content, err)
		}
	}
	// One that is there must be right and covered, also where none is demanded.
	m := get()
	m.Fields["content-digest"] = digest("a")
	if _, err := request.Parse(m); err == nil || !strings.Contains(err.Error(), "not covered") {
		t.Errorf("not covered: %v", err)
	}
	with(m, `"@query"`, `"@query" "content-digest"`)
	if _, err := request.Parse(m); err == nil || !strings.Contains(err.Error(), "not that of the body") {
		t.Errorf("wrong: %v", err)
	}
	m.Fields["content-digest"] = digest("")
	if _, err := request.Parse(m); err != nil {
		t.Error(err)
	}
}

// TestMalformed: what only a program gets wrong is no finding about a phone.
func TestMalformed(t *testing.T) {
	for name, change := range map[string]func(*request.Message){
		"body without hash":        func(m *request.Message) { m.BodySHA256 = nil },
		"digest without hash":      func(m *request.Message) { m.HasBody, m.BodySHA256 = false, nil },
		"31 bytes":                 func(m *request.Message) { m.BodySHA256 = m.BodySHA256[1:] },
		"63 bytes":                 func(m *request.Message) { m.BodySHA512 = make([]byte, 63) },
		"sha-512 without hash":     func(m *request.Message) { m.Fields["content-digest"] += ", " + helloSHA512 },
		"field in upper case":      func(m *request.Message) { m.Fields["Content-Digest"] = "" },
		"field without a name":     func(m *request.Message) { m.Fields[""] = "" },
		"field with a line end":    func(m *request.Message) { m.Fields["a\n"] = "" },
		"field of another header:": func(m *request.Message) { m.Fields["a:"] = "" },
	} {
		m := good()
		change(m)
		var f *request.Failure
		if _, err := request.Parse(m); !errors.Is(err, request.ErrMalformed) || errors.As(err, &f) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := request.Parse(nil); !errors.Is(err, request.ErrMalformed) {
		t.Error(err)
	}
	if _, err := request.Parse(&request.Message{}); err == nil {
		t.Error("the zero Message is good")
	}
}

func TestClock(t *testing.T) {
	now := time.Unix(1763700000, 0)
	for _, tt := range []struct {
		name    string
		created int64
		expires int64
		ok      bool
	}{
		{"now", 0, 0, true},
		{"oldest", -120, 0, true},
		{"too old", -121, 0, false},
		{"most ahead", 30, 0, true},
		{"too far ahead", 31, 0, false},
		{"expires now", -10, now.Unix(), true},
		{"has expired", -10, now.Unix() - 1, false},
		{"too old, expires later", -121, now.Unix() + 60, false},
	} {
		p := &request.Parsed{Created: now.Add(time.Duration(tt.created) * time.Second)}
		if tt.expires != 0 {
			p.Expires = time.Unix(tt.expires, 0)
		}
		f := p.Clock(now, 120*time.Second, 30*time.Second)
		if (f == nil) != tt.ok || f != nil && f.Code != request.CodeClock {
			t.Errorf("%s: %v", tt.name, f)
		}
	}
	p := &request.Parsed{Created: now}
	if p.Clock(now, 0, 0) != nil || p.Clock(now.Add(1), 0, 0) == nil || p.Clock(now.Add(-1), 0, 0) == nil {
		t.Error("a window of nothing")
	}
}

func TestDemand(t *testing.T) {
	m := good()
	m.Fields["idempotency-key"], m.Fields["content-type"] = "1", "application/json"
	with(m, `"@path"`, `"@path" "idempotency-key" "content-type"`)
	p, err := request.Parse(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name             string
		headers, members []string
		code             string
	}{
		{"nothing", nil, nil, ""},
		{"what is there", []string{"idempotency-key", "Idempotency-Key"}, []string{"amount", "payee"}, ""},
		{"another header", []string{"idempotency-key", "authorization"}, nil, request.CodeComponents},
		{"another member", nil, []string{"amount", "note"}, request.CodeParams},
		{"a member in another case", nil, []string{"Amount"}, request.CodeParams},
	} {
		f := p.Demand(tt.headers, tt.members)
		if (f == nil) != (tt.code == "") || f != nil && f.Code != tt.code {
			t.Errorf("%s: %v", tt.name, f)
		}
	}
	if f := p.At([]string{"other.example.com", "pay.example.com"}); f != nil {
		t.Error(f)
	}
	for _, list := range [][]string{nil, {"other.example.com"}, {"example.com"}, {"pay.example.com:8080"}} {
		if f := p.At(list); f == nil || f.Code != request.CodeComponents {
			t.Errorf("%q: %v", list, f)
		}
	}
}

func TestCovered(t *testing.T) {
	m := good()
	with(m, `"@path"`, `"@path" "idempotency-key" "signature" "Date"`)
	if got := request.Covered(m.SignatureInput); !slices.Equal(got, []string{"idempotency-key", "content-digest"}) {
		t.Errorf("%q", got)
	}
	for _, input := range []string{"", "(", "sig1=" + signed, "staunch=1;tag=\"staunch-v1\"", m.SignatureInput + strings.Repeat(" ", 4<<10)} {
		if got := request.Covered(input); got != nil {
			t.Errorf("%.40q: %q", input, got)
		}
	}
}

// TestParseLeavesMessage: the message is the caller's.
func TestParseLeavesMessage(t *testing.T) {
	m, same := good(), good()
	if _, err := request.Parse(m); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(m.Fields, same.Fields) || m.Authority != same.Authority || !slices.Equal(m.BodyMembers, same.BodyMembers) {
		t.Errorf("%+v", m)
	}
}

func BenchmarkParse(b *testing.B) {
	m := good()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := request.Parse(m); err != nil {
			b.Fatal(err)
		}
	}
}
