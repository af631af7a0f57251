package rpc_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/rpc"
)

// TestEveryMethodHasARow: the table of TestMethods is whole.
func TestEveryMethodHasARow(t *testing.T) {
	have := map[string]bool{}
	for _, tt := range methodTests() {
		have[tt.path] = true
	}
	for _, file := range []protoreflect.FileDescriptor{
		accountv1.File_staunch_account_v1_account_proto, accountv1.File_staunch_account_v1_join_proto,
		accountv1.File_staunch_account_v1_backend_proto, passkeyv1.File_staunch_passkey_v1_passkey_proto,
	} {
		for i := range file.Services().Len() {
			s := file.Services().Get(i)
			for j := range s.Methods().Len() {
				m := s.Methods().Get(j)
				if path := fmt.Sprintf("/%s/%s", s.FullName(), m.Name()); !have[path] && !m.IsStreamingServer() {
					t.Errorf("%s has no row", path)
				}
			}
		}
	}
}

// TestUnsigned: what needs a key is asked of no flow without one, and a bearer
// token, a cookie, a session or the other party's signature is no key.
func TestUnsigned(t *testing.T) {
	for _, tt := range methodTests() {
		if tt.by == "" || tt.kind == account.Anonymous {
			continue
		}
		other := byBackend
		if tt.by == byBackend {
			other = byPhone
		}
		headers := [][]string{nil, {"Cookie: __Host-staunch=" + someToken}, {session}, {other}}
		if tt.path == passkeyPath+"BeginSignIn" || tt.path == accountPath+"BeginDevice" { // open to strangers
			headers = headers[3:]
		}
		for _, header := range headers {
			b := newBench(t, false, nil)
			a := b.call(t, tt.path, long(tt.body), header...)
			if a.status != http.StatusUnauthorized || a.reason() != "PROOF_INVALID" || b.accounts.method != "" {
				t.Errorf("%s with %q: %d %s, asked %q", tt.path, header, a.status, a.body, b.accounts.method)
			}
		}
		b := newBench(t, false, nil)
		if a := b.call(t, tt.path, long(tt.body), backend, other); a.status == http.StatusOK || b.accounts.method != "" {
			t.Errorf("%s with a bearer token: %d %s", tt.path, a.status, a.body)
		}
	}
}

// TestMessageAsSent: what is verified are the bytes that came in.
func TestMessageAsSent(t *testing.T) {
	b := newBench(t, true, nil)
	const body = "{ \"device\":\"" + someDevice + "\",\n \"name\":\"é\" }"
	b.call(t, accountPath+"Rename?x=%20", body, "Staunch-App: demo", session, byPhone, "Signature: staunch=:AA==:", "Cookie: __Host-staunch=x", "Content-Digest: sha-256=:AA==:")
	m := b.accounts.message
	sum := sha256.Sum256([]byte(body))
	if m == nil || m.Method != http.MethodPost || m.Path != accountPath+"Rename" || m.Query != "?x=%20" || "http://"+m.Authority != b.URL ||
		string(m.BodySHA256) != string(sum[:]) || !m.HasBody || m.Signature != "staunch=:AA==:" {
		t.Errorf("%+v", m)
	}
	want := map[string]string{
		"authorization": "Staunch " + someToken, "staunch-app": "demo", "content-type": "application/json", "content-digest": "sha-256=:AA==:",
	}
	if fmt.Sprint(m.Fields) != fmt.Sprint(want) {
		t.Errorf("fields %v, want %v", m.Fields, want)
	}
	if b.accounts.token == nil || b.accounts.asked() != `RenameDevice "`+someDevice+`" "é"` {
		t.Errorf("asked %s", b.accounts.asked())
	}
}

func TestApps(t *testing.T) {
	tests := []struct {
		name   string
		header []string
		reason string
	}{
		{"named", []string{"Staunch-App: demo", byPhone}, ""},
		{"not named", []string{byPhone}, "APP_REQUIRED"},
		{"unknown", []string{"Staunch-App: nope", byPhone}, "APP_UNKNOWN"},
		{"empty", []string{"Staunch-App: ", byPhone}, "APP_UNKNOWN"},
		{"twice", []string{"Staunch-App: demo", "Staunch-App: demo", byPhone}, "REQUEST_MALFORMED"},
		{"without accounts", []string{"Staunch-App: other", byPhone}, "APP_UNKNOWN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, true, func(o *rpc.Options) { o.Apps[1].Accounts = nil })
			if a := b.call(t, accountPath+"GetStatus", "{}", tt.header...); a.reason() != tt.reason {
				t.Errorf("%s", a.body)
			}
		})
	}
	t.Run("of two, one is asked", func(t *testing.T) {
		b := newBench(t, true, nil)
		b.call(t, accountPath+"GetStatus", "{}", "Staunch-App: other", byPhone)
		if b.accounts.method != "" || b.accounts.message != nil || b.others.method != "Status" {
			t.Errorf("asked %q and %q", b.accounts.method, b.others.method)
		}
	})
}

func TestSessionTokens(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header []string
		reason string
		token  bool
	}{
		{"good", []string{session}, "", true},
		{"scheme in small letters", []string{"Authorization: staunch " + someToken}, "", true},
		{"none", nil, "", false},
		{"bearer", []string{"Authorization: Bearer " + someToken}, "REQUEST_MALFORMED", false},
		{"short", []string{session[:len(session)-2]}, "SESSION_ENDED", false},
		{"long", []string{session + "AA"}, "SESSION_ENDED", false},
		{"padded", []string{session + "="}, "SESSION_ENDED", false},
		{"spare bits", []string{session[:len(session)-1] + "9"}, "SESSION_ENDED", false},
		{"empty", []string{"Authorization: Staunch "}, "SESSION_ENDED", false},
		{"twice", []string{session, session}, "SESSION_ENDED", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, false, nil)
			a := b.call(t, accountPath+"GetStatus", "{}", append(tt.header, byPhone)...)
			if a.reason() != tt.reason || (b.accounts.token != nil) != tt.token {
				t.Errorf("%s, token %v", a.body, b.accounts.token)
			}
			if strings.Contains(a.body+b.log.String(), someToken[:20]) {
				t.Errorf("the token is in %s or in %s", a.body, b.log)
			}
		})
	}
	b := newBench(t, false, nil)
	if a := b.call(t, backendPath+"CheckSession", `{"token":"`+someToken+`="}`, byBackend); a.reason() != "SESSION_ENDED" || strings.Contains(a.body, someToken) {
		t.Errorf("a token that is none: %s", a.body)
	}
}

// TestOnlyLockedDevices: a revoked key whose device is not locked yet proposes
// and confirms nothing.
func TestOnlyLockedDevices(t *testing.T) {
	for path, body := range map[string]string{
		"ProposeAction": `{"action":"device.reattest","params":"{}"}`,
		"ConfirmAction": `{"approval":"v_","response":"{}","locked":true}`,
	} {
		b := newBench(t, false, nil)
		b.accounts.state = account.Active
		if a := b.call(t, accountPath+path, long(body), byPhone); a.reason() != "CALLER_REFUSED" || b.accounts.method != "Status" {
			t.Errorf("%s: %s, asked %s", path, a.body, b.accounts.asked())
		}
	}
}

// TestMalformed: what a flow must never see.
func TestMalformed(t *testing.T) {
	huge := strings.Repeat("x", 64<<10)
	for _, tt := range []struct{ path, body, reason, message string }{
		{accountPath + "GetStatus", `{"app":"demo"}`, "REQUEST_MALFORMED", "unknown field"},
		{accountPath + "GetStatus", ``, "REQUEST_MALFORMED", "empty"},
		{accountPath + "FinishEnrol", `{"ceremony":"y_","response":"{}"}`, "REQUEST_MALFORMED", "phone is missing"},
		{accountPath + "FinishEnrol", `{"ceremony":"x","response":"{}","phone":{}}`, "REQUEST_MALFORMED", "ceremony:"},
		{accountPath + "FinishEnrol", `{"ceremony":"y_","response":"` + huge + `x","phone":{}}`, "PASSKEY_MALFORMED", ""},
		{accountPath + "FinishEnrol", `{"ceremony":"y_","response":"` + huge + `","phone":{}}`, "", ""},
		{accountPath + "FinishEnrol", `{"ceremony":"y_","response":"{}","phone":{"id":1}}`, "REQUEST_MALFORMED", "unknown field"},
		{accountPath + "ConfirmAction", `{"approval":"v_","response":"` + huge + `x"}`, "PASSKEY_MALFORMED", ""},
		{passkeyPath + "FinishSignIn", `{"ceremony":"y_","response":"` + huge + `x"}`, "PASSKEY_MALFORMED", ""},
		{passkeyPath + "FinishStepUp", `{"ceremony":"y_","response":"` + huge + `x"}`, "PASSKEY_MALFORMED", ""},
		{passkeyPath + "FinishAdd", `{"ceremony":"y_","response":"` + huge + `x"}`, "PASSKEY_MALFORMED", ""},
		{joinPath + "FinishJoin", `{"join":"j_","ceremony":"y_","response":"` + huge + `x"}`, "PASSKEY_MALFORMED", ""},
		{accountPath + "Reattest", `{}`, "REQUEST_MALFORMED", "phone is missing"},
		{joinPath + "RequestJoin", `{}`, "REQUEST_MALFORMED", "phone is missing"},
		{joinPath + "GetJoin", `{}`, "REQUEST_MALFORMED", "code or join"},
		{joinPath + "GetJoin", `{"code":"c","join":"j_"}`, "REQUEST_MALFORMED", "not both"},
		{accountPath + "ListAlerts", `{"limit":-1}`, "REQUEST_MALFORMED", "1 to 500"},
		{accountPath + "ListAlerts", `{"limit":501}`, "REQUEST_MALFORMED", "1 to 500"},
		{accountPath + "Rename", `{"device":"a_"}`, "REQUEST_MALFORMED", "device:"},
		{accountPath + "Freeze", `{"device":"x"}`, "REQUEST_MALFORMED", "device:"},
		{accountPath + "Veto", `{}`, "REQUEST_MALFORMED", "name a device or a pending action"},
		{accountPath + "Veto", `{"device":"d_","pending":"p_"}`, "REQUEST_MALFORMED", "oneof"},
		{accountPath + "ProposeAction", `{"approval":"v_","action":"x"}`, "REQUEST_MALFORMED", "not both"},
		{backendPath + "CreateApproval", `{"account":"a_","need":"CLASS_FRESH"}`, "REQUEST_MALFORMED", "need must be"},
		{backendPath + "CreateApproval", `{"account":"a_","need":99}`, "REQUEST_MALFORMED", "need must be"},
		{backendPath + "ReportRisk", `{"account":"a_"}`, "REQUEST_MALFORMED", "level must be"},
		{backendPath + "ReportRisk", `{"account":"a_","level":9}`, "REQUEST_MALFORMED", "level must be"},
		{backendPath + "Freeze", `{}`, "REQUEST_MALFORMED", "account:"},
		{passkeyPath + "BeginAdd", `{"hint":9}`, "REQUEST_MALFORMED", "no hint"},
		{accountPath + "GetStatus", `{"x":"` + strings.Repeat(huge, 4) + `"}`, "REQUEST_TOO_LARGE", "262144"},
	} {
		b := newBench(t, false, nil)
		by := byPhone
		if strings.HasPrefix(tt.path, backendPath) {
			by = byBackend
		}
		a := b.call(t, tt.path, long(tt.body), by)
		if a.reason() != tt.reason || !strings.Contains(a.Message, tt.message) || tt.reason != "" && b.accounts.method != "" {
			t.Errorf("%s %.60s: %.300s, asked %.60s", tt.path, tt.body, a.body, b.accounts.asked())
		}
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte("{}")); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	b := newBench(t, false, nil)
	if a := b.call(t, accountPath+"GetStatus", zipped.String(), byPhone, "Content-Encoding: gzip"); a.status == http.StatusOK || b.accounts.method != "" {
		t.Errorf("a compressed call: %d %s", a.status, a.body)
	}
}

// TestSignedBackend: AttestService takes the signature of a backend as it takes
// its token.
func TestSignedBackend(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header []string
		reason string
	}{
		{"signed", []string{byBackend}, ""},
		{"signed by a phone", []string{byPhone}, "PROOF_INVALID"},
		{"signed, with a token that is wrong", []string{byBackend, backend + "x"}, "TOKEN_INVALID"},
		{"signed by a phone, with the token", []string{byPhone, backend}, ""},
		{"signed for somebody else", []string{`Signature-Input: proxy=();keyid="backend"`}, "TOKEN_REQUIRED"},
		{"a session", []string{session}, "TOKEN_INVALID"},
	} {
		b := newBench(t, false, nil)
		a := b.post(t, "GetKey", `{"keyId":"k"}`, tt.header...)
		if a.reason() != tt.reason || (b.demo.caller.Kind == account.Backend) != (tt.reason == "") {
			t.Errorf("%s: %s, caller %q", tt.name, a.body, b.demo.caller.Kind)
		}
	}
	b := newBench(t, true, nil)
	if b.post(t, "GetKey", `{"app":"other","keyId":"k"}`, byBackend); b.others.message == nil || b.accounts.message != nil {
		t.Error("the signature for one app is verified by another")
	}
}

// TestSecrets: what a client must not send, or must not see again, is in no log
// and no error.
func TestSecrets(t *testing.T) {
	const prf = "c2VjcmV0LXByZi1yZXN1bHQ"
	for _, err := range []error{
		passkey.ErrSecretSent, passkey.ErrMalformed, passkey.ErrRefused, integrity.ErrSessionEnded, errors.New("anything"),
	} {
		b := newBench(t, false, nil)
		b.accounts.err = err
		response := `{\"clientExtensionResults\":{\"prf\":{\"results\":{\"first\":\"` + prf + `\"}}}}`
		a := b.call(t, passkeyPath+"FinishSignIn", long(`{"ceremony":"y_","response":"`+response+`"}`), byPhone, session)
		c := b.call(t, accountPath+"FreezeByCode", `{"code":"aeaa-aaaa-aaaa-aaaa"}`)
		for _, secret := range []string{prf, someToken, "aeaa-aaaa", someCeremony} {
			if strings.Contains(a.body+c.body+b.log.String(), secret) {
				t.Errorf("%v: %q is in %s, %s or %s", err, secret, a.body, c.body, b.log)
			}
		}
	}
}
