package integrity_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// TestApprovalOnce: an approval is good for what it says, once, by whoever was
// asked, for some minutes.
func TestApprovalOnce(t *testing.T) {
	for _, test := range []struct {
		name string
		// bend spoils something between proposal and confirmation.
		bend func(r *rig, p *phone, in *integrity.Proposed, c *integrity.Confirmation)
		want error
	}{
		{"as proposed", func(*rig, *phone, *integrity.Proposed, *integrity.Confirmation) {}, nil},
		{"too late", func(r *rig, _ *phone, _ *integrity.Proposed, _ *integrity.Confirmation) { r.advance(5 * time.Minute) }, integrity.ErrApprovalExpired},
		{"another approval", func(_ *rig, p *phone, _ *integrity.Proposed, c *integrity.Confirmation) {
			c.Approval = must[*integrity.Proposed](p.r.t)(p.propose(account.RenewFreezeCode)).Approval.ID
		}, passkey.ErrRefused},
		{"no such approval", func(_ *rig, _ *phone, _ *integrity.Proposed, c *integrity.Confirmation) {
			c.Approval = account.NewApprovalID()
		}, integrity.ErrApprovalUnknown},
		{"no approval", func(_ *rig, _ *phone, _ *integrity.Proposed, c *integrity.Confirmation) { c.Approval = "" }, integrity.ErrApprovalUnknown},
		{"a sign-in instead", func(_ *rig, p *phone, _ *integrity.Proposed, c *integrity.Confirmation) {
			c.Response = p.assertion().Response
		}, passkey.ErrRefused},
		{"twice", func(r *rig, p *phone, in *integrity.Proposed, c *integrity.Confirmation) {
			must[*integrity.Confirmed](r.t)(r.Confirm(r.t.Context(), p.caller(), c))
			c.Response = p.answer(in).Response
		}, integrity.ErrApprovalUsed},
		{"denied", func(r *rig, p *phone, in *integrity.Proposed, _ *integrity.Confirmation) {
			if err := r.Deny(r.t.Context(), p.caller(), in.Approval.ID); err != nil {
				r.t.Fatal(err)
			}
		}, integrity.ErrApprovalUsed},
		{"frozen in between", func(r *rig, p *phone, _ *integrity.Proposed, _ *integrity.Confirmation) {
			r.advance(time.Second)
			must[*integrity.Frozen](r.t)(r.Freeze(r.t.Context(), p.caller()))
		}, integrity.ErrApprovalUsed},
		{"changed text", func(r *rig, _ *phone, _ *integrity.Proposed, _ *integrity.Confirmation) {
			r.exec("UPDATE approval SET text = 'Nothing happens.'")
		}, integrity.ErrIntegrity},
		{"changed parameters", func(r *rig, _ *phone, _ *integrity.Proposed, _ *integrity.Confirmation) {
			r.exec(`UPDATE approval SET params = CAST('{"handle":"eve"}' AS BLOB)`)
		}, integrity.ErrIntegrity},
		{"changed parameters under the app's own mark", func(r *rig, _ *phone, in *integrity.Proposed, _ *integrity.Confirmation) {
			row := in.Approval
			row.Params = []byte(`{"handle":"eve"}`)
			r.exec("UPDATE approval SET params = ?, mac = ? WHERE id = ?", []byte(row.Params), row.Seal(r.opts.RowKey), string(row.ID))
		}, integrity.ErrIntegrity},
		{"changed action", func(r *rig, _ *phone, _ *integrity.Proposed, _ *integrity.Confirmation) {
			r.exec("UPDATE approval SET action = 'account.delete'")
		}, integrity.ErrIntegrity},
		{"longer life", func(r *rig, _ *phone, _ *integrity.Proposed, _ *integrity.Confirmation) {
			r.exec("UPDATE approval SET expires_at = expires_at + 60000000")
		}, integrity.ErrIntegrity},
		{"another challenge", func(r *rig, _ *phone, _ *integrity.Proposed, _ *integrity.Confirmation) {
			r.exec("UPDATE approval SET challenge = randomblob(32)")
		}, integrity.ErrIntegrity},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.enrol()
			in := must[*integrity.Proposed](t)(p.propose(account.ChangeHandle, "handle", "Alice"))
			answer := p.answer(in)
			test.bend(r, p, in, answer)
			if _, err := r.Confirm(t.Context(), p.caller(), answer); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if has := r.count("account WHERE handle_key = 'alice'") == 1; has != (test.want == nil || test.name == "twice") {
				t.Errorf("changed: %v", has)
			}
			if test.want != integrity.ErrIntegrity {
				r.checked()
			}
		})
	}
}

// TestApprovalOfSomebodyElse: who was not asked cannot answer.
func TestApprovalOfSomebodyElse(t *testing.T) {
	r := newRig(t)
	first, second := r.couple()
	stranger := r.enrol()
	in := must[*integrity.Proposed](t)(first.propose(account.RenewFreezeCode))
	if _, err := r.Confirm(t.Context(), stranger.caller(), first.answer(in)); !errors.Is(err, integrity.ErrApprovalUnknown) {
		t.Errorf("another account: %v", err)
	}
	if _, err := r.OpenApproval(t.Context(), stranger.caller(), in.Approval.ID, nil); !errors.Is(err, integrity.ErrApprovalUnknown) {
		t.Errorf("another account opens it: %v", err)
	}
	if err := r.Deny(t.Context(), stranger.caller(), in.Approval.ID); !errors.Is(err, integrity.ErrApprovalUnknown) {
		t.Errorf("another account denies it: %v", err)
	}
	if _, err := r.Confirm(t.Context(), second.caller(), first.answer(in)); !errors.Is(err, integrity.ErrCeremonyExpired) {
		t.Errorf("another device without a ceremony of its own: %v", err)
	}
	own := must[*integrity.Proposed](t)(r.OpenApproval(t.Context(), second.caller(), in.Approval.ID, nil))
	again := must[*integrity.Proposed](t)(r.OpenApproval(t.Context(), second.caller(), in.Approval.ID, nil))
	if own.Ceremony == in.Ceremony || own.Ceremony != again.Ceremony {
		t.Errorf("ceremonies %s, %s and %s", in.Ceremony, own.Ceremony, again.Ceremony)
	}
	must[*integrity.Confirmed](t)(r.Confirm(t.Context(), second.caller(), second.answer(again)))
	if _, err := r.Confirm(t.Context(), first.caller(), first.answer(in)); !errors.Is(err, integrity.ErrApprovalUsed) {
		t.Errorf("after the other device: %v", err)
	}
	r.checked()
}

// TestTwoConfirmsAtOnce: of several answers at the same time one counts.
func TestTwoConfirmsAtOnce(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	in := must[*integrity.Proposed](t)(p.propose(account.RenewFreezeCode))
	const at = 6
	errs := make([]error, at)
	var wg sync.WaitGroup
	for i := range at {
		c, answer := p.caller(), p.answer(in)
		wg.Go(func() { _, errs[i] = r.Confirm(t.Context(), c, answer) })
	}
	wg.Wait()
	good := 0
	for _, err := range errs {
		switch {
		case err == nil:
			good++
		case !errors.Is(err, integrity.ErrApprovalUsed) && !errors.Is(err, integrity.ErrCeremonyUsed):
			t.Error(err)
		}
	}
	if good != 1 {
		t.Errorf("%d were done", good)
	}
	r.checked()
}

// TestApprovalInBrowser: with the cookie that asked, on the page that asked.
func TestApprovalInBrowser(t *testing.T) {
	r := newRig(t)
	b := r.signUp()
	propose := func() *integrity.Proposed {
		return must[*integrity.Proposed](t)(r.Propose(t.Context(), b.caller(), &integrity.Proposal{Action: account.RenewFreezeCode}, b.at))
	}
	confirm := func(in *integrity.Proposed, page string, cookie []byte) error {
		_, err := r.Confirm(t.Context(), b.caller(), &integrity.Confirmation{
			Approval: in.Approval.ID, Response: must[[]byte](t)(b.passkey.Get(in.Options, page)), Cookie: cookie,
		})
		return err
	}
	in := propose()
	if err := confirm(in, origin, r.newBrowser().at.Cookie); !errors.Is(err, integrity.ErrCeremonyExpired) {
		t.Errorf("another browser: %v", err)
	}
	if err := confirm(in, origin, nil); !errors.Is(err, integrity.ErrApprovalUnknown) {
		t.Errorf("no cookie: %v", err)
	}
	if err := confirm(in, "https://example.org", b.at.Cookie); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("another page: %v", err)
	}
	if err := confirm(in, origin, b.at.Cookie); err != nil {
		t.Error(err)
	}
	if _, err := r.Propose(t.Context(), b.caller(), &integrity.Proposal{Action: account.RenewFreezeCode}, nil); !errors.Is(err, integrity.ErrMalformed) {
		t.Errorf("a browser that is bound to nothing: %v", err)
	}
	r.advance(24*time.Hour + time.Minute)
	_, err := r.Propose(t.Context(), b.caller(), &integrity.Proposal{Action: account.RenewFreezeCode}, b.at)
	if r := (*account.Refused)(nil); !errors.As(err, &r) || r.Need != account.Person {
		t.Errorf("a session that is old: %v", err)
	}
	r.checked()
}

// TestProposeRefuses what is in no table and what cannot be executed, before
// anybody is asked to sign it.
func TestProposeRefuses(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	other := r.enrol()
	for _, test := range []struct {
		name   string
		action account.Action
		params string
		want   error
	}{
		{"recovery", account.SetupRecovery, `{}`, integrity.ErrNoRecovery},
		{"move", account.ApproveMove, `{}`, integrity.ErrNoMoves},
		{"needs no approval", account.FreezeAccount, `{}`, account.ErrRefused},
		{"the app's own, which its backend proposes", "app.pay", `{}`, account.ErrRefused},
		{"nothing", "", `{}`, account.ErrRefused},
		{"no object", account.RenewFreezeCode, `[]`, integrity.ErrMalformed},
		{"null", account.RenewFreezeCode, `null`, integrity.ErrMalformed},
		{"too long", account.RenewFreezeCode, `{"a":"` + strings.Repeat("x", 9000) + `"}`, integrity.ErrMalformed},
		{"unknown member", account.RenewFreezeCode, `{"handle":"eve"}`, integrity.ErrMalformed},
		{"device is none", account.RemoveDevice, `{"device":"eve"}`, account.ErrMalformed},
		{"own device", account.RemoveDevice, `{"device":"` + string(p.device) + `"}`, integrity.ErrMalformed},
		{"somebody's device", account.RemoveDevice, `{"device":"` + string(other.device) + `"}`, integrity.ErrDeviceUnknown},
		{"no such device", account.UnfreezeDevice, `{"device":"` + string(account.NewDeviceID()) + `"}`, integrity.ErrDeviceUnknown},
		{"no such passkey", account.RemoveCredential, `{"credential":"` + string(account.NewCredentialRef()) + `"}`, integrity.ErrCredentialUnknown},
		{"no handle", account.ChangeHandle, `{"handle":""}`, account.ErrHandle},
		{"no key", account.RotateSealing, `{"alg":"x25519","key":""}`, integrity.ErrMalformed},
		{"the key that it has", account.RotateSealing, `{"alg":"x25519","key":"CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="}`, integrity.ErrMalformed},
		{"not locked", account.Reattest, `{"key":"CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk"}`, integrity.ErrMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := r.Propose(t.Context(), p.caller(), &integrity.Proposal{Action: test.action, Params: []byte(test.params)}, nil)
			if !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
	if n := r.count("approval"); n != 0 {
		t.Errorf("%d approvals are stored", n)
	}
}

// TestDenialIsTold to all devices but the one that denies.
func TestDenialIsTold(t *testing.T) {
	r := newRig(t)
	first, second := r.couple()
	in := must[*integrity.Proposed](t)(first.propose(account.RenewFreezeCode))
	open := must[[]integrity.ApprovalRow](t)(r.Approvals(t.Context(), second.caller()))
	if len(open) != 1 || open[0].ID != in.Approval.ID {
		t.Fatalf("open: %+v", open)
	}
	if err := r.Deny(t.Context(), second.caller(), in.Approval.ID); err != nil {
		t.Fatal(err)
	}
	if open = must[[]integrity.ApprovalRow](t)(r.Approvals(t.Context(), second.caller())); len(open) != 0 {
		t.Errorf("still open: %+v", open)
	}
	last := func(p *phone) string {
		all := must[[]integrity.AlertRow](t)(r.Alerts(t.Context(), p.caller(), 0, 0))
		return all[len(all)-1].Kind
	}
	if last(first) != "approval.denied" || last(second) == "approval.denied" {
		t.Errorf("told: %s and %s", last(first), last(second))
	}
}
