package integrity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// TestWeakProofAsStepUp: no cookie, no sign-in however fresh, no step-up and no
// approval of something else stands in for the assertion over this action
// (GHSA-hp74-gm6m-2qm5).
func TestWeakProofAsStepUp(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	p.signIn()
	digest := make([]byte, 32)
	for name, weak := range map[string][]account.Proof{
		"nothing":                       nil,
		"a fresh sign-in":               {{Method: account.ByAssertion, At: r.clock()}},
		"the approval of a join":        {{Method: account.ByApproval, At: r.clock()}},
		"a recovery PIN":                {{Method: account.ByPIN, At: r.clock()}},
		"an operator":                   {{Method: account.ByOperator, At: r.clock()}},
		"a freeze code":                 {{Method: account.ByFreezeCode, At: r.clock()}},
		"the backend":                   {{Method: account.ByBackend, At: r.clock()}},
		"another action":                {{Method: account.ByAction, At: r.clock(), Action: account.RenewFreezeCode, Digest: digest}},
		"an old assertion":              {{Method: account.ByAction, At: r.clock().Add(-time.Hour), Action: account.DeleteAccount, Digest: digest}},
		"an assertion without a digest": {{Method: account.ByAction, At: r.clock(), Action: account.DeleteAccount}},
	} {
		c := p.caller()
		in := must[*integrity.Proposed](t)(p.propose(account.DeleteAccount))
		c.Proofs = append(c.Proofs, weak...)
		// What the caller has besides changes nothing: without the answer there is none.
		if _, err := r.Confirm(t.Context(), c, &integrity.Confirmation{Approval: in.Approval.ID, Response: p.assertion().Response}); !errors.Is(err, passkey.ErrRefused) {
			t.Fatalf("%s: %v", name, err)
		}
		r.exec("DELETE FROM rate")
		r.exec("DELETE FROM risk")
		if n := r.count("pending"); n != 0 {
			t.Fatalf("%s: %d actions wait", name, n)
		}
	}
}

// TestSingleOperatorCannotUnlock: nobody can unlock an account, neither its
// owner nor an operator alone, and the refusal says so.
func TestSingleOperatorCannotUnlock(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	p.signIn()
	r.exec("UPDATE credential SET name = 'mine' WHERE account = ?", string(p.account))
	if _, err := r.Status(t.Context(), p.caller()); !errors.Is(err, integrity.ErrIntegrity) {
		t.Fatal(err)
	}
	p.token = nil
	if a := r.row(p.account); a.State != account.Locked {
		t.Fatalf("the account is %s", a.State)
	}
	for _, operators := range [][]string{nil, {"ada"}, {"ada", "ada"}, {"ada", ""}} {
		if _, err := r.row(p.account).Apply(account.Step{Name: account.StepUnlock, Operators: operators}, r.clock()); !errors.Is(err, account.ErrStep) {
			t.Errorf("operators %q: %v", operators, err)
		}
	}
	_, err := p.propose(account.UnfreezeAccount)
	if why(err) != account.WhyAccountLocked || !strings.Contains(err.Error(), "until there are operators nobody can") {
		t.Errorf("the owner: %v", err)
	}
	for _, kind := range []account.Kind{account.Operator, account.Backend, account.System} {
		c := account.Caller{Kind: kind, App: "demo", Account: p.account, Name: "ada", Proofs: []account.Proof{{Method: account.ByOperator, At: r.clock()}}}
		if _, err := r.Propose(t.Context(), c, &integrity.Proposal{Action: account.UnfreezeAccount}, nil); err == nil {
			t.Errorf("%s proposes", kind)
		}
	}
	r.tick()
	if a := r.row(p.account); a.State != account.Locked {
		t.Errorf("the account is %s", a.State)
	}
}

// TestGuestCannotApprove: a session that another device has opened proposes,
// opens, confirms and denies nothing, whatever passkey it shows
// (oauth-wg/oauth-cross-device-security#9).
func TestGuestCannotApprove(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	in := must[*integrity.Proposed](t)(p.propose(account.RenewFreezeCode))
	b := r.newBrowser()
	b.passkey, b.account = p.passkey, p.account
	b.signIn()
	guest := b.caller()
	guest.Proofs = []account.Proof{{Method: account.ByApproval, At: r.clock()}}
	for name, do := range map[string]func() error{
		"propose": func() error {
			_, err := r.Propose(t.Context(), guest, &integrity.Proposal{Action: account.RenewFreezeCode}, b.at)
			return err
		},
		"open":            func() error { _, err := r.OpenApproval(t.Context(), guest, in.Approval.ID, b.at); return err },
		"deny":            func() error { return r.Deny(t.Context(), guest, in.Approval.ID) },
		"list":            func() error { _, err := r.Approvals(t.Context(), guest); return err },
		"read":            func() error { _, err := r.Account(t.Context(), guest); return err },
		"alerts":          func() error { _, err := r.Alerts(t.Context(), guest, 0, 0); return err },
		"freeze":          func() error { _, err := r.Freeze(t.Context(), guest); return err },
		"veto":            func() error { _, err := r.Veto(t.Context(), guest, p.device, ""); return err },
		"rename":          func() error { return r.RenameDevice(t.Context(), guest, p.device, "mine") },
		"ack":             func() error { return r.AckAlerts(t.Context(), guest, 1) },
		"freeze a device": func() error { _, err := r.FreezeDevice(t.Context(), guest, p.device); return err },
	} {
		if err := do(); why(err) == account.WhyUnset {
			t.Errorf("%s: %v", name, err)
		}
	}
	// It has the ceremony that a person in this browser has opened, and the passkey.
	own := must[*integrity.Proposed](t)(r.OpenApproval(t.Context(), b.caller(), in.Approval.ID, b.at))
	_, err := r.Confirm(t.Context(), guest, &integrity.Confirmation{
		Approval: in.Approval.ID, Response: must[[]byte](t)(b.passkey.Get(own.Options, origin)), Cookie: b.at.Cookie,
	})
	if why(err) != account.WhyStepUp {
		t.Errorf("confirm: %v", err)
	}
}
