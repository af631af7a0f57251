package integrity_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
)

var atConsole = account.Caller{Kind: account.Operator, App: "demo", Name: "o_1"}

// TestInspect shows a family, and leaves out what is secret.
func TestInspect(t *testing.T) {
	r := newRig(t)
	first, second := r.family()
	got := must[*integrity.Inspected](t)(r.Inspect(t.Context(), atConsole, first.account))
	if got.Account.ID != first.account || got.Account.State != account.Active || len(got.Devices) != 2 || len(got.Passkeys) != 1 || !got.Passkeys[0].Synced {
		t.Errorf("%+v", got)
	}
	if len(got.Sessions) != 2 || len(got.Tampered) != 0 || !got.At.Equal(r.clock()) {
		t.Errorf("%d sessions, tampered: %v, at %s", len(got.Sessions), got.Tampered, got.At)
	}
	if len(got.Alerts) == 0 || !slices.IsSortedFunc(got.Alerts, func(a, b integrity.AlertRow) int { return int(b.Seq) - int(a.Seq) }) {
		t.Errorf("alerts: %+v", got.Alerts)
	}
	held := slices.IndexFunc(got.Devices, func(d account.Device) bool { return d.ID == second.device })
	if held < 0 || got.Devices[held].Hold.Reason == "" {
		t.Errorf("the second phone cools off, and: %+v", got.Devices)
	}
	text := must[[]byte](t)(json.Marshal(got))
	row := r.row(first.account)
	for name, secret := range map[string][]byte{"the freeze code": row.FreezeCode, "the account's MAC": row.MAC} {
		if bytes.Contains(text, must[[]byte](t)(json.Marshal(secret))) {
			t.Errorf("%s is in it", name)
		}
	}
	for _, s := range got.Sessions {
		if s.TokenHash != [32]byte{} || s.MAC != nil {
			t.Error("the hash of a session's token, or its MAC, is in it")
		}
	}
}

// TestInspectTampered: what was changed in the store is told, and does not lock
// the account.
func TestInspectTampered(t *testing.T) {
	for name, change := range map[string]string{
		"account": "UPDATE account SET created_at = created_at + 1 WHERE id = ?1",
		"device":  "UPDATE device SET tier = 'affirming ' WHERE account = ?1",
		"passkey": "UPDATE credential SET sign_count = 7 WHERE account = ?1",
		"session": "UPDATE session SET until = until + 1 WHERE account = ?1",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			p := r.enrol()
			r.exec(change, string(p.account))
			got := must[*integrity.Inspected](t)(r.Inspect(t.Context(), atConsole, p.account))
			if len(got.Tampered) != 1 {
				t.Errorf("tampered: %v", got.Tampered)
			}
			if state := r.row(p.account).State; state != account.Active {
				t.Errorf("looking has made the account %s", state)
			}
		})
	}
}

// TestInspectMoves: one that goes on, and one that has ended.
func TestInspectMoves(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("ack")
	if err := m.recall(); err != nil {
		t.Fatal(err)
	}
	got := must[*integrity.Inspected](t)(r.Inspect(t.Context(), atConsole, p.account))
	if len(got.Moves) != 1 || got.Moves[0].State != transfer.Recalled || got.Moves[0].SenderDevice != p.device {
		t.Fatalf("%+v", got.Moves)
	}
	if v := got.Moves[0]; v.Offer != nil || v.SealedKeys != nil || v.CommitShare != nil || v.MAC != nil {
		t.Errorf("what no operator needs is in it: %+v", v)
	}
	r.exec("UPDATE transfer SET place = 'elsewhere', class = 'kept' WHERE account = ?1", string(p.account))
	got = must[*integrity.Inspected](t)(r.Inspect(t.Context(), atConsole, p.account))
	if !slices.Equal(got.Tampered, []string{string(got.Moves[0].ID)}) {
		t.Errorf("tampered: %v", got.Tampered)
	}
}

// TestInspectWaiting: a recovery waits; the ticket that a device has got for
// itself does not.
func TestInspectWaiting(t *testing.T) {
	r, vault := pinRig(t)
	old := r.enrol()
	s := must[*integrity.RecoveryStarted](t)(old.recoverer(vault).start())
	if got := must[*integrity.Inspected](t)(r.Inspect(t.Context(), atConsole, old.account)); len(got.Waiting) != 1 || got.Waiting[0].ID != s.Pending {
		t.Errorf("a recovery: %+v", got.Waiting)
	}
	p := r.enrol()
	p.signIn()
	must[*integrity.Confirmed](t)(p.do(account.SetupRecovery, "reg_id", "00112233445566778899aabbccddeeff"))
	must[*integrity.Confirmed](t)(p.do(account.OpenRecovery))
	if got := must[*integrity.Inspected](t)(r.Inspect(t.Context(), atConsole, p.account)); len(got.Waiting) != 0 {
		t.Errorf("a ticket: %+v", got.Waiting)
	}
}

// TestFindAccount takes an exact id, or a handle as its owner may write it.
func TestFindAccount(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	r.name(p.account, "Alice.W")
	for text, found := range map[string]bool{
		string(p.account): true, " " + string(p.account) + "\n": true, "Alice.W": true, "alice.w": true,
		"": false, "ali": false, "%": false, string(p.account[:20]): false, "a_aaaaaaaaaaaaaaaaaaaaaaaaaa": false,
	} {
		id, err := r.FindAccount(t.Context(), atConsole, text)
		switch {
		case found && (err != nil || id != p.account):
			t.Errorf("%q: %q, %v", text, id, err)
		case !found && !errors.Is(err, integrity.ErrAccountUnknown):
			t.Errorf("%q: %q, %v", text, id, err)
		}
	}
}

// TestInspectIsForOperators alone, of this app.
func TestInspectIsForOperators(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	for _, c := range []account.Caller{{}, r.anonymous(), p.caller(), r.backend(), {Kind: account.Operator, App: "other"}, {Kind: account.System, App: "demo"}} {
		if _, err := r.Inspect(t.Context(), c, p.account); !errors.Is(err, integrity.ErrNotAllowed) {
			t.Errorf("%s of %q inspects: %v", c.Kind, c.App, err)
		}
		if _, err := r.FindAccount(t.Context(), c, string(p.account)); !errors.Is(err, integrity.ErrNotAllowed) {
			t.Errorf("%s of %q finds: %v", c.Kind, c.App, err)
		}
	}
	if _, err := r.Inspect(t.Context(), atConsole, "a_aaaaaaaaaaaaaaaaaaaaaaaaaa"); !errors.Is(err, integrity.ErrAccountUnknown) {
		t.Errorf("nobody's account: %v", err)
	}
}
