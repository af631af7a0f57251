package rpc_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	recoveryv1 "github.com/staunchid/staunch/gen/staunch/recovery/v1"
	"github.com/staunchid/staunch/gen/staunch/recovery/v1/recoveryv1connect"
	"github.com/staunchid/staunch/integrity"
)

// pinSet is a pillar recovery in whose accounts a PIN was set, and never proved.
type pinSet struct{}

func (pinSet) SetUp(context.Context, integrity.Tx, account.ID, account.DeviceID, account.ApprovalID, [16]byte, time.Time) error {
	return nil
}
func (pinSet) Has(context.Context, integrity.Tx, account.ID) (bool, error) { return true, nil }
func (pinSet) Finished(context.Context, integrity.Tx, account.ID, [32]byte) (bool, error) {
	return false, nil
}
func (pinSet) End(context.Context, integrity.Tx, account.ID, string, time.Time) error { return nil }

// recovers is the phone's way to pillar recovery.
func (c *caller) recovers() recoveryv1connect.RecoveryServiceClient {
	return recoveryv1connect.NewRecoveryServiceClient(&http.Client{Transport: c}, "http://"+flowHost)
}

// starts begins to recover an account on a new phone.
func (f *flows) starts(t *testing.T, app account.AppID, id string) *caller {
	t.Helper()
	c := f.phone(t, app)
	begun := call(t, c.accounts.BeginDevice, &accountv1.BeginDeviceRequest{})
	s := call(t, c.accounts.StartRecovery, &accountv1.StartRecoveryRequest{Account: id, Phone: c.attest(begun.GetChallenge())})
	if s.GetPending() == "" || len(s.GetTicket()) > 0 || s.GetOpensAt().AsTime().Sub(s.GetServerTime().AsTime()) < time.Hour {
		t.Errorf("started: %v", s)
	}
	return c
}

// TestRecoveryOverHTTP: pillar recovery learns which key has really signed a call
// of a ticket or a session. A key that nobody knows, a call that comes twice, one
// that was changed on its way, and the key of another app get nothing.
func TestRecoveryOverHTTP(t *testing.T) {
	f := newFlows(t, "demo", "other")
	old := f.phone(t, "demo")
	id := old.enrol().GetSigned().GetAccount()
	mine := f.starts(t, "demo", id)
	if s := call(t, mine.accounts.StartRecovery, &accountv1.StartRecoveryRequest{Account: id}); s.GetPending() == "" {
		t.Errorf("asked: %v", s)
	}
	if s, reason := old.status(); reason != "" || len(s.GetRest().GetPending()) != 1 || s.GetRest().GetAlertsUnread() == 0 {
		t.Errorf("the old phone: %q %v", reason, s)
	}
	theirs := f.phone(t, "demo")
	second := f.starts(t, "demo", theirs.enrol().GetSigned().GetAccount())
	vault := f.vaults["demo"]
	open := &recoveryv1.OpenSessionRequest{Account: id, Ticket: make([]byte, 32)}
	evaluate := &recoveryv1.CallVaultRequest{Vault: "v1", Op: recoveryv1.Op_OP_EVALUATE, Request: []byte{1}, Session: []byte{7}}
	keys := map[*caller]string{}
	for _, c := range []*caller{mine, second, old} {
		call(t, c.recovers().OpenSession, open)
		keys[c] = vault.caller.Key
		if vault.caller.Account != "" || vault.caller.Device != "" || vault.caller.Session != "" || vault.caller.Key == "" || vault.caller.App != "demo" {
			t.Errorf("opened by %+v", vault.caller)
		}
		call(t, c.recovers().CallVault, evaluate)
		call(t, c.recovers().FinishSession, &recoveryv1.FinishSessionRequest{Session: []byte{7}})
		if vault.caller.Key != keys[c] {
			t.Errorf("two calls of one phone are of %s and %s", keys[c], vault.caller.Key)
		}
	}
	if keys[mine] == keys[second] || keys[mine] == keys[old] {
		t.Error("two phones have one key")
	}

	refused := func(what string, c *caller) {
		t.Helper()
		vault.asked, f.vaults["other"].asked = "", ""
		_, opened := c.recovers().OpenSession(t.Context(), connect.NewRequest(open))
		_, called := c.recovers().CallVault(t.Context(), connect.NewRequest(evaluate))
		_, finished := c.recovers().FinishSession(t.Context(), connect.NewRequest(&recoveryv1.FinishSessionRequest{Session: []byte{7}}))
		for _, err := range []error{opened, called, finished} {
			if reason := reasonOf(err); reason != "PROOF_INVALID" && reason != "REQUEST_MALFORMED" {
				t.Errorf("%s: %v", what, err)
			}
		}
		if vault.asked != "" || f.vaults["other"].asked != "" {
			t.Errorf("%s: the pillar was asked %s%s", what, vault.asked, f.vaults["other"].asked)
		}
	}
	stranger := f.phone(t, "demo")
	refused("nobody has signed", stranger)
	stranger.attest(make([]byte, 32))
	refused("a key that nobody knows", stranger)
	mine.app = "other"
	refused("in another app", mine)
	mine.app = "demo"
	mine.spoil = func(r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(append(body[:len(body)-1:len(body)-1], body[len(body)-1]^1)))
	}
	refused("changed on its way", mine)
	mine.spoil = nil
	var first http.Header
	mine.spoil = func(r *http.Request) {
		if first == nil {
			first = r.Header.Clone()
		} else {
			r.Header = first.Clone()
		}
	}
	call(t, mine.recovers().OpenSession, open)
	if _, err := mine.recovers().OpenSession(t.Context(), connect.NewRequest(open)); reasonOf(err) != "PROOF_INVALID" {
		t.Errorf("the same call twice: %v", err)
	}
	mine.spoil = nil
	for what, err := range map[string]error{
		"GetBackup":    errOf(mine.recovers().GetBackup(t.Context(), connect.NewRequest(&recoveryv1.GetBackupRequest{}))),
		"PutBlob":      errOf(mine.recovers().PutBlob(t.Context(), connect.NewRequest(&recoveryv1.PutBlobRequest{RegId: make([]byte, 16)}))),
		"ListReceipts": errOf(mine.recovers().ListReceipts(t.Context(), connect.NewRequest(&recoveryv1.ListReceiptsRequest{}))),
		"CallVault without a session": errOf(mine.recovers().CallVault(t.Context(), connect.NewRequest(&recoveryv1.CallVaultRequest{
			Vault: "v1", Op: recoveryv1.Op_OP_EVALUATE, Request: []byte{1},
		}))),
		"ListReceipts of a device": errOf(old.recovers().ListReceipts(t.Context(), connect.NewRequest(&recoveryv1.ListReceiptsRequest{}))),
	} {
		if err == nil {
			t.Errorf("%s by a phone that has no account, or is no backend", what)
		}
	}
}

func errOf[T any](_ T, err error) error { return err }
