package client_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/client"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
)

// vector is one of spec/vectors/approval.json.
type vector struct {
	Name, App, Account, Approval, Action, Parameters, Text, Nonce, Challenge string
	Expires                                                                  int64
}

func vectors(t *testing.T) []vector {
	t.Helper()
	data, err := os.ReadFile("../spec/vectors/approval.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(data, &file); err != nil || len(file.Vectors) == 0 {
		t.Fatalf("%v, %d vectors", err, len(file.Vectors))
	}
	return file.Vectors
}

// proposed is an approval as the server sends it.
func proposed(t *testing.T, v vector) *accountv1.ProposeActionResponse {
	t.Helper()
	nonce, err := hex.DecodeString(v.Nonce)
	if err != nil {
		t.Fatal(err)
	}
	challenge, err := hex.DecodeString(v.Challenge)
	if err != nil {
		t.Fatal(err)
	}
	return &accountv1.ProposeActionResponse{
		Approval: &accountv1.Approval{Approval: v.Approval, Account: v.Account, Action: v.Action, Params: v.Parameters, Text: v.Text},
		Preimage: &accountv1.ApprovalPreimage{
			App: v.App, Account: v.Account, Approval: v.Approval, Action: v.Action, Params: []byte(v.Parameters), Text: v.Text, Nonce: nonce, Expires: v.Expires,
		},
		Options: `{"challenge":"` + base64.RawURLEncoding.EncodeToString(challenge) + `"}`,
	}
}

// rehash gives m the challenge that its preimage has now: what a server sends
// that is in agreement with itself.
func rehash(m *accountv1.ProposeActionResponse) {
	pre := m.GetPreimage()
	params := sha256.Sum256(pre.GetParams())
	var b bytes.Buffer
	b.WriteString("staunch/approval/v1\x00")
	for _, part := range []string{pre.GetApp(), pre.GetAccount(), pre.GetApproval(), pre.GetAction(), string(params[:]), pre.GetText(), string(pre.GetNonce())} {
		b.Write([]byte{0, 0, byte(len(part) >> 8), byte(len(part))})
		b.WriteString(part)
	}
	var expires [8]byte
	binary.BigEndian.PutUint64(expires[:], uint64(pre.GetExpires()))
	b.Write(expires[:])
	sum := sha256.Sum256(b.Bytes())
	m.Options = `{"challenge":"` + base64.RawURLEncoding.EncodeToString(sum[:]) + `"}`
}

func stateOf(v vector) string {
	return `{"v":1,"app":"` + v.App + `","account":"` + v.Account + `"}`
}

// TestApprovalVectors: the challenge is that of the shared vectors, whoever has
// opened the approval.
func TestApprovalVectors(t *testing.T) {
	for _, v := range vectors(t) {
		f := &fakeServer{propose: func(*accountv1.ProposeActionRequest) (*accountv1.ProposeActionResponse, error) {
			return proposed(t, v), nil
		}}
		p, _ := newPhone(t, f, stateOf(v))
		a, err := p.OpenApproval(t.Context(), account.ApprovalID(v.Approval))
		if err != nil || a.Text != v.Text || string(a.Params) != v.Parameters {
			t.Errorf("%s: %v, %+v", v.Name, err, a)
		}
	}
}

// TestApprovalMismatch: nothing is signed that is not shown, or not asked for.
func TestApprovalMismatch(t *testing.T) {
	v := vectors(t)[0]
	params := map[string]string{"join": "j_abcdefghijklmnopqrstuvwxy2"}
	for _, tt := range []struct {
		name   string
		change func(*accountv1.ProposeActionResponse)
		ok     bool
	}{
		{"other params are shown, and the challenge fits", func(m *accountv1.ProposeActionResponse) {
			m.Approval.Params = `{"join":"j_abcdefghijklmnopqrstuvwxy2","x":1}`
			rehash(m)
		}, false},
		{"another account, and the challenge fits", func(m *accountv1.ProposeActionResponse) {
			m.Preimage.Account = "a_bbcdefghijklmnopqrstuvwxy2"
			rehash(m)
		}, false},
		{"another app, and the challenge fits", func(m *accountv1.ProposeActionResponse) {
			m.Preimage.App = "other"
			rehash(m)
		}, false},
		{"another approval, and the challenge fits", func(m *accountv1.ProposeActionResponse) {
			m.Preimage.Approval = "v_abcdefghijklmnopqrstuvwxy2"
			rehash(m)
		}, false},
		{"a short nonce, and the challenge fits", func(m *accountv1.ProposeActionResponse) {
			m.Preimage.Nonce = m.Preimage.Nonce[:31]
			rehash(m)
		}, false},
		{"as it should be", func(*accountv1.ProposeActionResponse) {}, true},
		{"the challenge made anew", rehash, true},
		{"options with publicKey around them", func(m *accountv1.ProposeActionResponse) { m.Options = `{"publicKey":` + m.Options + `}` }, true},
		{"another text is shown", func(m *accountv1.ProposeActionResponse) { m.Approval.Text = "Log in?" }, false},
		{"another text is shown and hashed", func(m *accountv1.ProposeActionResponse) { m.Approval.Text, m.Preimage.Text = "Log in?", "Log in?" }, false},
		{"other params are shown", func(m *accountv1.ProposeActionResponse) { m.Approval.Params = `{}` }, false},
		{"other params are executed", func(m *accountv1.ProposeActionResponse) { m.Preimage.Params = []byte(`{}`) }, false},
		{"another action", func(m *accountv1.ProposeActionResponse) {
			m.Approval.Action, m.Preimage.Action = "account.delete", "account.delete"
		}, false},
		{"another action is hashed", func(m *accountv1.ProposeActionResponse) { m.Preimage.Action = "account.delete" }, false},
		{"another approval is hashed", func(m *accountv1.ProposeActionResponse) { m.Preimage.Approval = "v_abcdefghijklmnopqrstuvwxy2" }, false},
		{"another account", func(m *accountv1.ProposeActionResponse) { m.Preimage.Account = "a_bbcdefghijklmnopqrstuvwxy2" }, false},
		{"another app", func(m *accountv1.ProposeActionResponse) { m.Preimage.App = "other" }, false},
		{"another nonce", func(m *accountv1.ProposeActionResponse) { m.Preimage.Nonce[0] ^= 1 }, false},
		{"a short nonce", func(m *accountv1.ProposeActionResponse) { m.Preimage.Nonce = m.Preimage.Nonce[:31] }, false},
		{"another expiry", func(m *accountv1.ProposeActionResponse) { m.Preimage.Expires++ }, false},
		{"another challenge", func(m *accountv1.ProposeActionResponse) {
			m.Options = `{"challenge":"` + strings.Repeat("A", 43) + `"}`
		}, false},
		{"no challenge", func(m *accountv1.ProposeActionResponse) { m.Options = `{}` }, false},
		{"no options", func(m *accountv1.ProposeActionResponse) { m.Options = `` }, false},
		{"nothing", func(m *accountv1.ProposeActionResponse) { m.Approval, m.Preimage = nil, nil }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeServer{propose: func(*accountv1.ProposeActionRequest) (*accountv1.ProposeActionResponse, error) {
				m := proposed(t, v)
				tt.change(m)
				return m, nil
			}}
			p, h := newPhone(t, f, stateOf(v))
			_, err := p.Propose(t.Context(), account.Action(v.Action), params)
			if (err == nil) != tt.ok || err != nil && tt.name != "no options" && !errors.Is(err, client.ErrMismatch) {
				t.Error(err)
			}
			if h.asked != 0 {
				t.Error("the person was asked for his passkey")
			}
		})
	}
}

// TestAskedIsProposed: a server that hashes, shows and executes something else
// than what was asked for, all in agreement, is caught as well.
func TestAskedIsProposed(t *testing.T) {
	v := vectors(t)[0]
	f := &fakeServer{propose: func(*accountv1.ProposeActionRequest) (*accountv1.ProposeActionResponse, error) {
		return proposed(t, v), nil
	}}
	p, _ := newPhone(t, f, stateOf(v))
	for _, tt := range []struct {
		action account.Action
		params any
		ok     bool
	}{
		{"device.add", map[string]string{"join": "j_abcdefghijklmnopqrstuvwxy2"}, true},
		{"device.add", struct{}{}, true}, // the server may add to them
		{"device.remove", map[string]string{"join": "j_abcdefghijklmnopqrstuvwxy2"}, false},
		{"device.add", map[string]string{"join": "j_bbcdefghijklmnopqrstuvwxy2"}, false},
		{"device.add", map[string]string{"device": "d_abcdefghijklmnopqrstuvwxy2"}, false},
	} {
		_, err := p.Propose(t.Context(), tt.action, tt.params)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, client.ErrMismatch) {
			t.Errorf("%s %v: %v", tt.action, tt.params, err)
		}
	}
	if _, err := p.OpenApproval(t.Context(), "v_abcdefghijklmnopqrstuvwxy2"); !errors.Is(err, client.ErrMismatch) {
		t.Errorf("another approval than the one that was named: %v", err)
	}
}

// TestJoinKeys: the device that is approved is the one whose code was scanned.
func TestJoinKeys(t *testing.T) {
	sum := sha256.Sum256([]byte("keys"))
	other := sha256.Sum256([]byte("other keys"))
	for _, tt := range []struct {
		name, code string
		hash       []byte
		join       string
		want       error
	}{
		{"good", account.JoinCode(aJoin, sum[:]), sum[:], aJoin, nil},
		{"other keys", account.JoinCode(aJoin, sum[:]), other[:], aJoin, client.ErrJoinKeys},
		{"a piece of the hash", account.JoinCode(aJoin, sum[:]), sum[:8], aJoin, client.ErrJoinKeys},
		{"no hash", account.JoinCode(aJoin, sum[:]), nil, aJoin, client.ErrJoinKeys},
		{"another join", account.JoinCode(aJoin, sum[:]), sum[:], "j_bbcdefghijklmnopqrstuvwxy2", client.ErrJoinKeys},
		{"no code", "j", sum[:], aJoin, client.ErrCode},
	} {
		f := &fakeServer{getJoin: func() *accountv1.GetJoinResponse {
			return &accountv1.GetJoinResponse{Join: tt.join, KeysHash: tt.hash, Name: "New", Kind: accountv1.JoinKind_JOIN_KIND_PHONE}
		}}
		p, _ := newPhone(t, f, enrolled)
		a, err := p.ReadJoin(t.Context(), tt.code)
		if !errors.Is(err, tt.want) || (a == nil) != (tt.want != nil) {
			t.Errorf("%s: %v, %+v", tt.name, err, a)
		}
	}
}

// TestOwnJoinCode: the code that a new phone shows is of its own keys.
func TestOwnJoinCode(t *testing.T) {
	for _, honest := range []bool{true, false} {
		var h *hand
		f := &fakeServer{}
		f.open = func(m *accountv1.RequestJoinRequest) *accountv1.RequestJoinResponse {
			key := h.key
			if !honest {
				key = newKey(t)
			}
			sum := account.JoinKeysHash(key.ID(), m.GetPhone().GetSealingAlg(), m.GetPhone().GetSealingKey())
			return &accountv1.RequestJoinResponse{Join: aJoin, Code: account.JoinCode(aJoin, sum[:]), Number: "42"}
		}
		p, own := newPhone(t, f, "")
		h = own
		shown := errors.New("shown")
		_, err := p.Join(t.Context(), &client.Enrolment{Name: "New", SealingAlg: "X25519", SealingKey: []byte{1}}, func(client.Joining) error { return shown })
		if want := map[bool]error{true: shown, false: client.ErrMismatch}[honest]; !errors.Is(err, want) {
			t.Errorf("honest %v: %v", honest, err)
		}
	}
}

// TestSecretsStayHere: results of prf never leave the phone, in whatever form the
// platform gives them.
func TestSecretsStayHere(t *testing.T) {
	for _, tt := range []struct{ name, response, sent string }{
		{"none", `{"id":"AA","clientExtensionResults":{}}`, `{"clientExtensionResults":{},"id":"AA"}`},
		{"prf", `{"clientExtensionResults":{"prf":{"enabled":true,"results":{"first":"SECRET"}}}}`, `{"clientExtensionResults":{"prf":{"enabled":true}}}`},
		{"another case", `{"clientExtensionResults":{"PRF":{"Results":{"first":"SECRET"}}}}`, `{"clientExtensionResults":{"PRF":{}}}`},
		{"escaped", `{"clientExtensionResults":{"p\u0072f":{"result\u0073":{"first":"SECRET"}}}}`, `{"clientExtensionResults":{"prf":{}}}`},
		{"twice", `{"clientExtensionResults":{"prf":{"results":"SECRET","results":"SECRET"}}}`, `{"clientExtensionResults":{"prf":{}}}`},
		{"deeper", `{"x":[{"prf":[{"y":{"results":"SECRET"}}]}]}`, `{"x":[{"prf":[{"y":{}}]}]}`},
		{"hmac-secret", `{"clientExtensionResults":{"hmacGetSecret":{"output1":"SECRET"}}}`, `{"clientExtensionResults":{}}`},
		{"results of something else", `{"results":1,"n":12345678901234567890}`, `{"n":12345678901234567890,"results":1}`},
		{"no JSON", `SECRET`, ""},
		{"no object", `["SECRET"]`, ""},
		{"two objects", `{}{"prf":{"results":"SECRET"}}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sent := ""
			f := &fakeServer{signIn: func(m *passkeyv1.FinishSignInRequest) (*passkeyv1.FinishSignInResponse, error) {
				sent = m.GetResponse()
				return &passkeyv1.FinishSignInResponse{Result: &passkeyv1.FinishSignInResponse_Signed{Signed: &accountv1.Signed{Account: anAccount, Device: aDevice, Token: aToken}}}, nil
			}}
			p, h := newPhone(t, f, strings.Replace(enrolled, aToken, "", 1))
			h.response = tt.response
			if err := p.SignIn(context.WithoutCancel(t.Context())); (err == nil) != (tt.sent != "") || sent != tt.sent {
				t.Errorf("%v; sent %s", err, sent)
			}
		})
	}
}
