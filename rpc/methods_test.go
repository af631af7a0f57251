package rpc_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
)

const (
	byPhone   = `Signature-Input: staunch=("@method");keyid="phone";tag="staunch-v1"`
	byBackend = `Signature-Input: staunch=("@method");keyid="backend";tag="staunch-v1"`
	session   = "Authorization: Staunch " + someToken

	accountPath = "/staunch.account.v1.AccountService/"
	joinPath    = "/staunch.account.v1.JoinService/"
	backendPath = "/staunch.account.v1.BackendService/"
	passkeyPath = "/staunch.passkey.v1.PasskeyService/"
)

// short takes the identifiers out of a text, so that the table can be read.
func short(s string) string {
	return strings.NewReplacer(
		someAccount, "a_", someDevice, "d_", someSession, "s_", somePasskey, "c_", someCeremony, "y_", someApproval, "v_", someJoin, "j_", somePending, "p_",
		someTransfer, "t_", someToken, "TOKEN", "2026-11-22T12:00:00Z", "AT",
	).Replace(s)
}

func long(s string) string {
	return strings.NewReplacer(
		`"a_"`, `"`+someAccount+`"`, `"d_"`, `"`+someDevice+`"`, `"s_"`, `"`+someSession+`"`, `"c_"`, `"`+somePasskey+`"`, `"y_"`, `"`+someCeremony+`"`,
		`"v_"`, `"`+someApproval+`"`, `"j_"`, `"`+someJoin+`"`, `"p_"`, `"`+somePending+`"`,
		`"t_"`, `"`+someTransfer+`"`, `"TOKEN"`, `"`+someToken+`"`, `"TOKEN32"`, `"`+someToken+`="`,
	).Replace(s)
}

// methodTest is a call: who makes it, what the flow is asked, and the answer.
type methodTest struct {
	path, body string
	by         string // header that signs; empty: nobody
	kind       account.Kind
	asked      string // "!" and the rest: without the message, which is compared elsewhere
	answer     string
}

func TestMethods(t *testing.T) {
	for _, tt := range slices.Concat(methodTests(), moveTests()) {
		t.Run(tt.path[strings.LastIndex(tt.path, ".")+1:]+" "+tt.body, func(t *testing.T) {
			b := newBench(t, true, nil)
			header := []string{"Staunch-App: demo", session}
			if tt.by != "" {
				header = append(header, tt.by)
			}
			if tt.by == byBackend {
				header = []string{"Staunch-App: demo", tt.by}
			}
			a := b.call(t, tt.path, long(tt.body), header...)
			if a.status != http.StatusOK {
				t.Fatalf("%d %s", a.status, a.body)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, []byte(a.body)); err != nil {
				t.Fatal(err)
			}
			if got := short(compact.String()); got != tt.answer {
				t.Errorf("answer\n%s\nwant\n%s", got, tt.answer)
			}
			if got := short(withoutMessage(b.accounts.asked())); got != tt.asked {
				t.Errorf("asked\n%s\nwant\n%s", got, tt.asked)
			}
			c := b.accounts.caller
			if c.Kind != tt.kind || c.App != "demo" || b.others.method != "" {
				t.Errorf("caller %+v; the other app was asked %q", c, b.others.method)
			}
			if c.Kind != account.Backend && c.Network != "network of 127.0.0.1" {
				t.Errorf("network %q", c.Network)
			}
			if c.Kind == account.Phone && (c.Session != someSession || string(b.accounts.token) == "") {
				t.Errorf("session %q", c.Session)
			}
			if locked := strings.HasSuffix(tt.path, "/GetStatus") || strings.Contains(tt.body, "reattest") || strings.Contains(tt.body, "locked"); b.accounts.revoked != locked {
				t.Errorf("a revoked key is let in: %v", b.accounts.revoked)
			}
			if n := len(b.calls); n != 1 || b.calls[0].Procedure != tt.path || b.calls[0].Caller != tt.kind || b.calls[0].App != "demo" || b.calls[0].Code != "ok" {
				t.Errorf("observed %+v", b.calls)
			}
			for _, secret := range []string{someToken, "abcd", "aaaa-", "Pixel", someAccount, "ada"} {
				if strings.Contains(b.log.String(), secret) {
					t.Errorf("%q is in the log: %s", secret, b.log)
				}
			}
		})
	}
}

// withoutMessage cuts the signed request out of what was asked.
func withoutMessage(s string) string {
	i := strings.Index(s, `"Message":{`)
	if i < 0 {
		return s
	}
	d := json.NewDecoder(strings.NewReader(s[i+len(`"Message":`):]))
	var m map[string]any
	if d.Decode(&m) != nil {
		return s
	}
	rest := s[i+len(`"Message":`)+int(d.InputOffset()):]
	if m["Method"] != http.MethodPost || m["SignatureInput"] != byPhone[len("Signature-Input: "):] {
		return s
	}
	return s[:i] + `"Message":SIGNED` + rest
}
