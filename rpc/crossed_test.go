package rpc_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/request"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
)

// names are identifiers and a token, for the places of a call.
type names struct {
	account, device, session, passkey, ceremony, approval, join, pending, token string
}

func randomNames() names {
	token := make([]byte, 32)
	copy(token, account.NewID())
	return names{
		string(account.NewID()), string(account.NewDeviceID()), string(account.NewSessionID()), string(account.NewCredentialRef()),
		string(account.NewCeremonyID()), string(account.NewApprovalID()), string(account.NewJoinID()), string(account.NewPendingID()),
		base64.RawURLEncoding.EncodeToString(token),
	}
}

func (n names) in(body string) string {
	return strings.NewReplacer(
		`"a_"`, `"`+n.account+`"`, `"d_"`, `"`+n.device+`"`, `"s_"`, `"`+n.session+`"`, `"c_"`, `"`+n.passkey+`"`, `"y_"`, `"`+n.ceremony+`"`,
		`"v_"`, `"`+n.approval+`"`, `"j_"`, `"`+n.join+`"`, `"p_"`, `"`+n.pending+`"`, `"TOKEN"`, `"`+n.token+`"`,
	).Replace(body)
}

// send makes a call in JSON by a phone, or by the backend, and gives status and
// reason.
func (c *caller) send(tt methodTest, body string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, "http://"+flowHost+tt.path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	via := http.RoundTripper(c)
	if tt.by == byBackend {
		r.Header.Set("Staunch-App", string(c.app))
		via = c.f.transport
		err := request.Sign(r, &request.Signing{KeyID: "backend", Sign: func(base []byte) ([]byte, error) { return ed25519.Sign(c.f.backend, base), nil }})
		if err != nil {
			c.t.Fatal(err)
		}
	}
	res, err := via.RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		c.t.Fatalf("%s: %v", data, err)
	}
	return res.StatusCode, a.reason()
}

// TestAppsCrossed: every call of one app with the names of another gets what
// random ones get. Nothing of the other app is touched, nor found.
func TestAppsCrossed(t *testing.T) {
	f := newFlows(t, "demo", "other")
	mine, theirs := f.phone(t, "demo"), f.phone(t, "other")
	mine.enrol()
	mine.stepUp()
	made := theirs.enrol().GetSigned()
	begun, err := theirs.passkeys.BeginSignIn(t.Context(), connect.NewRequest(&passkeyv1.BeginSignInRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	other := randomNames()
	other.account, other.device, other.session, other.passkey = made.GetAccount(), made.GetDevice(), made.GetSession(), made.GetPasskey()
	other.ceremony, other.token = begun.Msg.GetCeremony(), made.GetToken()
	response, err := json.Marshal(mine.answer(theirs.passkey.Get([]byte(begun.Msg.GetOptions()), flowOrigin)))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range methodTests() {
		if !strings.Contains(tt.body, `_"`) && !strings.Contains(tt.body, "TOKEN") {
			continue // without a name, there is nothing to cross
		}
		tt.body = strings.Replace(tt.body, `"response":"{}"`, `"response":`+string(response), 1)
		status, reason := mine.send(tt, other.in(tt.body))
		wantStatus, want := mine.send(tt, randomNames().in(tt.body))
		if status != wantStatus || reason != want {
			t.Errorf("%s %s: %d %s, a random one %d %s", tt.path, tt.body, status, reason, wantStatus, want)
		}
	}
	own := mine.token
	mine.token = made.GetToken()
	if _, reason := mine.status(); reason != "SESSION_ENDED" {
		t.Errorf("the other app's token: %q", reason)
	}
	mine.token, mine.app = own, "other"
	if _, reason := mine.status(); reason != "PROOF_INVALID" {
		t.Errorf("a phone of the other app: %q", reason)
	}
	if s, reason := theirs.status(); reason != "" || s.GetAccount() != made.GetAccount() {
		t.Errorf("the other app's phone: %q %v", reason, s)
	}
}
