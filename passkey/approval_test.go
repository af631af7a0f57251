package passkey_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// approvalVector is one case of spec/vectors/approval.json, by which clients
// check that they compute the same.
type approvalVector struct {
	Name       string             `json:"name"`
	App        account.AppID      `json:"app"`
	Account    account.ID         `json:"account"`
	Approval   account.ApprovalID `json:"approval"`
	Action     account.Action     `json:"action"`
	Parameters string             `json:"parameters"` // UTF-8
	Text       string             `json:"text"`
	Nonce      string             `json:"nonce"`   // hex
	Expires    int64              `json:"expires"` // seconds since 1970
	Preimage   string             `json:"preimage"`
	Challenge  string             `json:"challenge"`
}

func (v approvalVector) approval(t *testing.T) *passkey.Approval {
	t.Helper()
	nonce, err := hex.DecodeString(v.Nonce)
	must(t, err)
	return &passkey.Approval{
		App: v.App, Account: v.Account, ID: v.Approval, Action: v.Action, Parameters: []byte(v.Parameters),
		Text: v.Text, Nonce: nonce, Expires: time.Unix(v.Expires, 999),
	}
}

// TestApprovalVectors: the vectors were computed by another program, from the
// text of the format.
func TestApprovalVectors(t *testing.T) {
	file := filepath.Join("..", "spec", "vectors", "approval.json")
	text, err := os.ReadFile(file)
	must(t, err)
	var all struct {
		Vectors []approvalVector `json:"vectors"`
	}
	must(t, json.Unmarshal(text, &all))
	if len(all.Vectors) < 4 {
		t.Fatalf("%d vectors", len(all.Vectors))
	}
	for _, v := range all.Vectors {
		preimage, err := v.approval(t).Preimage()
		must(t, err)
		challenge, err := passkey.ApprovalChallenge(v.approval(t))
		must(t, err)
		if got := hex.EncodeToString(preimage); got != v.Preimage {
			t.Errorf("%s: preimage\nhave %s\nwant %s", v.Name, got, v.Preimage)
		}
		if got := hex.EncodeToString(challenge); got != v.Challenge {
			t.Errorf("%s: challenge %s, want %s", v.Name, got, v.Challenge)
		}
		if sum := sha256.Sum256(preimage); string(sum[:]) != string(challenge) {
			t.Errorf("%s: the challenge is not the SHA-256 of the preimage", v.Name)
		}
	}
}

func approval() *passkey.Approval {
	return &passkey.Approval{
		App: "demo", Account: "a_abcdefghijklmnopqrstuvwxy2", ID: "v_abcdefghijklmnopqrstuvwxy2", Action: "device.add",
		Parameters: []byte(`{"join":"j_abcdefghijklmnopqrstuvwxy2"}`), Text: "Add “Pixel 8” to your account?", Nonce: make([]byte, 32),
		Expires: time.Date(2026, 8, 1, 12, 5, 0, 0, time.UTC),
	}
}

// TestApprovalChallengeDiffers: whatever is changed changes the challenge.
func TestApprovalChallengeDiffers(t *testing.T) {
	seen := map[string]string{}
	for name, change := range map[string]func(*passkey.Approval){
		"nothing":    func(*passkey.Approval) {},
		"app":        func(a *passkey.Approval) { a.App = "demo2" },
		"account":    func(a *passkey.Approval) { a.Account = "a_abcdefghijklmnopqrstuvwxy3" },
		"ID":         func(a *passkey.Approval) { a.ID = "v_abcdefghijklmnopqrstuvwxy3" },
		"action":     func(a *passkey.Approval) { a.Action = "device.remove" },
		"parameters": func(a *passkey.Approval) { a.Parameters = []byte(`{}`) },
		"none":       func(a *passkey.Approval) { a.Parameters = nil },
		"text":       func(a *passkey.Approval) { a.Text += " " },
		"nonce":      func(a *passkey.Approval) { a.Nonce = append(make([]byte, 31), 1) },
		"expiry":     func(a *passkey.Approval) { a.Expires = a.Expires.Add(time.Second) },
		"text moved": func(a *passkey.Approval) { a.Action, a.Text = a.Action+"A", a.Text[1:] },
	} {
		a := approval()
		change(a)
		challenge, err := passkey.ApprovalChallenge(a)
		must(t, err)
		if other, twice := seen[string(challenge)]; twice {
			t.Errorf("%s and %s have the same challenge", name, other)
		}
		seen[string(challenge)] = name
	}
}

func TestApprovalRefuses(t *testing.T) {
	for name, change := range map[string]func(*passkey.Approval){
		"no app":      func(a *passkey.Approval) { a.App = "" },
		"no account":  func(a *passkey.Approval) { a.Account = "" },
		"no ID":       func(a *passkey.Approval) { a.ID = "" },
		"no action":   func(a *passkey.Approval) { a.Action = "" },
		"no text":     func(a *passkey.Approval) { a.Text = "" },
		"not UTF-8":   func(a *passkey.Approval) { a.Text = "\xff" },
		"not NFC":     func(a *passkey.Approval) { a.Text = "e\u0301" },
		"short nonce": func(a *passkey.Approval) { a.Nonce = a.Nonce[1:] },
		"no expiry":   func(a *passkey.Approval) { a.Expires = time.Time{} },
	} {
		a := approval()
		change(a)
		if c, err := passkey.ApprovalChallenge(a); err == nil || c != nil || !strings.HasPrefix(err.Error(), "passkey: ") {
			t.Errorf("%s: %x, %v", name, c, err)
		}
	}
}
