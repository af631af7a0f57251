package integrity_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// pay is an approval as an app's backend asks for one.
func pay(p *phone) *integrity.AppApproval {
	return &integrity.AppApproval{
		Account: p.account, Kind: "pay", Params: json.RawMessage(`{"amount":"5.00"}`), Text: "Pay 5.00 to Bakery Müller", Need: account.Exact,
	}
}

// TestBackendOnly: nobody else is the backend.
func TestBackendOnly(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	b := r.signUp()
	other := r.backend()
	other.App = "other"
	for name, c := range map[string]account.Caller{"a phone": p.caller(), "a browser": b.caller(), "a stranger": r.anonymous(), "another app's": other, "nobody": {}} {
		ctx := t.Context()
		_, err1 := r.CheckSession(ctx, c, p.token)
		_, err2 := r.CreateApproval(ctx, c, pay(p))
		_, err3 := r.BackendApproval(ctx, c, account.NewApprovalID())
		err4 := r.CancelApproval(ctx, c, account.NewApprovalID())
		_, err5 := r.FreezeAccount(ctx, c, p.account)
		err6 := r.ReportRisk(ctx, c, &integrity.RiskReport{Account: p.account, Name: "x", Level: account.LevelNote, For: time.Hour})
		_, err7 := r.PollEvents(ctx, c, 0, 10)
		for i, err := range []error{err1, err2, err3, err4, err5, err6, err7} {
			if !errors.Is(err, integrity.ErrNotAllowed) {
				t.Errorf("%s, call %d: %v", name, i+1, err)
			}
		}
	}
}

// TestCheckSession: what a backend learns of a token, and that it learns nothing
// of one that is over.
func TestCheckSession(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	out := must[*integrity.SessionCheck](t)(r.CheckSession(t.Context(), r.backend(), p.token))
	if out.Account != p.account || out.Device != p.device || out.Kind != account.PhoneSession || out.Class != account.Person || out.AccountState != account.Active ||
		out.DeviceState != account.Active || len(out.Proofs) != 1 || out.Hold != nil {
		t.Errorf("%+v", out)
	}
	p.stepUp()
	if out = must[*integrity.SessionCheck](t)(r.CheckSession(t.Context(), r.backend(), p.token)); out.Class != account.Fresh {
		t.Errorf("stepped up: %s", out.Class)
	}
	r.advance(24*time.Hour + time.Second)
	if out = must[*integrity.SessionCheck](t)(r.CheckSession(t.Context(), r.backend(), p.token)); out.Class != account.OnDevice {
		t.Errorf("a day later: %s", out.Class)
	}
	p.signIn()
	must[*integrity.Ended](t)(r.SignOut(t.Context(), p.caller()))
	for name, token := range map[string]integrity.Token{"ended": p.token, "unknown": make(integrity.Token, 32), "none": nil} {
		if _, err := r.CheckSession(t.Context(), r.backend(), token); !errors.Is(err, integrity.ErrSessionEnded) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, second := r.family()
	if out = must[*integrity.SessionCheck](t)(r.CheckSession(t.Context(), r.backend(), second.token)); out.DeviceState != account.Held || out.Hold == nil {
		t.Errorf("a held device: %+v", out)
	}
}

// TestCreateApproval: what a backend may ask for.
func TestCreateApproval(t *testing.T) {
	tests := []struct {
		name   string
		change func(*rig, *phone, *integrity.AppApproval)
		want   error
	}{
		{"good", func(*rig, *phone, *integrity.AppApproval) {}, nil},
		{"bound", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Need = account.Bound }, nil},
		{"fresh", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Need = account.Fresh }, integrity.ErrMalformed},
		{"no class", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Need = account.NoClass }, integrity.ErrMalformed},
		{"no kind", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Kind = "" }, integrity.ErrMalformed},
		{"a kind in capitals", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Kind = "Pay" }, integrity.ErrMalformed},
		{"no text", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Text = " " }, integrity.ErrMalformed},
		{"the longest text", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Text = strings.Repeat("語", 500) }, nil},
		{"a text too long", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Text = strings.Repeat("語", 501) }, integrity.ErrMalformed},
		{"a text on two lines", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Text = "Pay\n5.00" }, integrity.ErrMalformed},
		{"a text that turns round", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Text = "Pay \u202e00.5" }, integrity.ErrMalformed},
		{"a text not in NFC", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Text = "Mu\u0308ller" }, integrity.ErrMalformed},
		{"a text that is not UTF-8", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Text = "\xff" }, integrity.ErrMalformed},
		{"params that are no object", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Params = json.RawMessage(`[1]`) }, integrity.ErrMalformed},
		{"nobody's account", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Account = account.NewID() }, integrity.ErrAccountUnknown},
		{"no account", func(_ *rig, _ *phone, a *integrity.AppApproval) { a.Account = "" }, integrity.ErrAccountUnknown},
		{"frozen", func(r *rig, p *phone, _ *integrity.AppApproval) { r.set(p, "account", account.Frozen) }, account.ErrRefused},
		{"locked", func(r *rig, p *phone, _ *integrity.AppApproval) { r.set(p, "account", account.Locked) }, account.ErrRefused},
		{"held", func(r *rig, p *phone, _ *integrity.AppApproval) { r.set(p, "account", account.Held) }, account.ErrRefused},
		{"held, and it may be", func(r *rig, p *phone, a *integrity.AppApproval) { r.set(p, "account", account.Held); a.Held = true }, nil},
		{"a risk holds", func(r *rig, p *phone, _ *integrity.AppApproval) { r.risk(p, account.LevelHold) }, account.ErrRefused},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.enrol()
			in := pay(p)
			test.change(r, p, in)
			out, err := r.CreateApproval(t.Context(), r.backend(), in)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if n := r.count("approval"); (n == 1) != (err == nil) || (out == nil) != (err != nil) {
				t.Errorf("%d approvals", n)
			}
		})
	}
}

// TestAppApproval: the owner answers what the backend has asked, and the backend
// gets the proof, which anybody can verify.
func TestAppApproval(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	row := must[*integrity.ApprovalRow](t)(r.CreateApproval(t.Context(), r.backend(), pay(p)))
	if got := must[*integrity.ApprovalRow](t)(r.BackendApproval(t.Context(), r.backend(), row.ID)); got.State != integrity.StateOpen || len(got.Proof) != 0 {
		t.Errorf("before: %+v", got)
	}
	in := must[*integrity.Proposed](t)(r.OpenApproval(t.Context(), p.caller(), row.ID, nil))
	must[*integrity.Confirmed](t)(p.confirm(in))
	got := must[*integrity.ApprovalRow](t)(r.BackendApproval(t.Context(), r.backend(), row.ID))
	if got.State != integrity.StateConfirmed || len(got.Proof) == 0 {
		t.Fatalf("%+v", got)
	}
	cred := must[[]integrity.PasskeyView](t)(func() ([]integrity.PasskeyView, error) {
		views, _, err := r.Passkeys(t.Context(), p.caller())
		return views, err
	}())[0]
	record := read(r, func(tx integrity.Tx) (passkey.Record, error) {
		c, _, err := tx.Credential(t.Context(), cred.Ref)
		if err != nil {
			return passkey.Record{}, err
		}
		return passkey.ParseRecord(c.Record)
	})
	proved := must[*integrity.Approved](t)(integrity.VerifyProof(r.opts.Passkey, record, got.Proof))
	if proved.Text != row.Text || proved.Approval != row.ID || proved.Action != "app.pay" {
		t.Errorf("proves %+v", proved)
	}
	if err := r.CancelApproval(t.Context(), r.backend(), row.ID); !errors.Is(err, integrity.ErrApprovalUsed) {
		t.Errorf("taken back afterwards: %v", err)
	}
	r.checked()
}

// TestBackendApproval: a backend sees, and takes back, what it has asked for
// itself, and nothing of the owner's.
func TestBackendApproval(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	own := must[*integrity.Proposed](t)(p.propose(account.RenewFreezeCode)).Approval.ID
	row := must[*integrity.ApprovalRow](t)(r.CreateApproval(t.Context(), r.backend(), pay(p)))
	for name, id := range map[string]account.ApprovalID{"the owner's": own, "nobody's": account.NewApprovalID(), "none": ""} {
		_, err1 := r.BackendApproval(t.Context(), r.backend(), id)
		err2 := r.CancelApproval(t.Context(), r.backend(), id)
		if !errors.Is(err1, integrity.ErrApprovalUnknown) || !errors.Is(err2, integrity.ErrApprovalUnknown) {
			t.Errorf("%s: %v, %v", name, err1, err2)
		}
	}
	for _, want := range []error{nil, integrity.ErrApprovalUsed} {
		if err := r.CancelApproval(t.Context(), r.backend(), row.ID); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if _, err := r.OpenApproval(t.Context(), p.caller(), row.ID, nil); !errors.Is(err, integrity.ErrApprovalUsed) {
		t.Errorf("answered after it was taken back: %v", err)
	}
	r.checked()
}

// TestAppApprovalRate: 30 an hour for an account.
func TestAppApprovalRate(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	for i := range 31 {
		if _, err := r.CreateApproval(t.Context(), r.backend(), pay(p)); errors.Is(err, integrity.ErrRateLimited) != (i == 30) {
			t.Fatalf("approval %d: %v", i+1, err)
		}
	}
}

// TestBackendFreeze: a backend stops an account, once, and never starts it.
func TestBackendFreeze(t *testing.T) {
	r := newRig(t)
	p, b := r.enrol(), r.signUp()
	for _, changed := range []bool{true, false} {
		if out, err := r.FreezeAccount(t.Context(), r.backend(), p.account); err != nil || out.Changed != changed || out.State != account.Frozen {
			t.Errorf("%+v, %v", out, err)
		}
	}
	if s := p.status(); s.AccountState != account.Frozen {
		t.Errorf("the account is %s", s.AccountState)
	}
	if n := r.count("alert WHERE kind = 'account.freeze' AND cause = ''"); n != 1 {
		t.Errorf("%d alerts", n)
	}
	must[*integrity.Frozen](t)(r.FreezeAccount(t.Context(), r.backend(), b.account))
	if _, err := r.BrowserCaller(t.Context(), b.token, network, ""); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("the browser's session: %v", err)
	}
	r.checked()
	r.set(p, "account", account.Locked)
	if _, err := r.FreezeAccount(t.Context(), r.backend(), p.account); !errors.Is(err, account.ErrRefused) {
		t.Errorf("a locked one: %v", err)
	}
	for _, id := range []account.ID{"", account.NewID()} {
		if _, err := r.FreezeAccount(t.Context(), r.backend(), id); !errors.Is(err, integrity.ErrAccountUnknown) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// TestPollEvents: events come in order and page by page, and none has a name, a
// place or a handle in it.
func TestPollEvents(t *testing.T) {
	r := newRig(t)
	old, j := r.enrol(), r.join()
	r.name(old.account, "secret-handle")
	old.letIn(j.open)
	must[*integrity.Signed](t)(j.finish(j.answer()))
	must[*integrity.Frozen](t)(r.Freeze(t.Context(), old.caller()))
	var all []event.Event
	for after := uint64(0); ; {
		page := must[[]event.Event](t)(r.PollEvents(t.Context(), r.backend(), after, 3))
		if len(page) == 0 {
			break
		}
		all, after = append(all, page...), page[len(page)-1].ID
	}
	if n := r.count("outbox"); len(all) != n || n < 8 {
		t.Errorf("%d events of %d", len(all), n)
	}
	for i, e := range all {
		if i > 0 && e.ID <= all[i-1].ID {
			t.Errorf("event %d comes after %d", e.ID, all[i-1].ID)
		}
		for _, word := range []string{"Pixel", "secret-handle", "Berlin", "Oslo", j.open.Number + `"`} {
			if strings.Contains(string(e.Body), word) {
				t.Errorf("%s has %q: %s", e.Type, word, e.Body)
			}
		}
	}
	for _, limit := range []int{0, -1, 1001} {
		if _, err := r.PollEvents(t.Context(), r.backend(), 0, limit); !errors.Is(err, integrity.ErrMalformed) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}
