package integrity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// TestJoinConfirmedWhereTyped: who has a phone unlocked, or the cookie of a
// browser, types the number of his own device there. That does not put a yes in
// front of the owner on another of his devices, who has typed nothing.
func TestJoinConfirmedWhereTyped(t *testing.T) {
	open := func(owner *phone, id account.ApprovalID) error {
		in, err := owner.r.OpenApproval(owner.r.t.Context(), owner.caller(), id, nil)
		if err != nil {
			return err
		}
		_, err = owner.confirm(in)
		return err
	}
	t.Run("phone", func(t *testing.T) {
		r := newRig(t)
		stolen, owner := r.couple()
		j := r.join()
		in := must[*integrity.Proposed](t)(stolen.propose(account.AddDevice, "join", j.open.Join, "number", j.open.Number))
		if err := open(owner, in.Approval.ID); why(err) != account.WhyFrom {
			t.Errorf("on the owner's other phone: %v", err)
		}
		must[*integrity.Confirmed](t)(stolen.confirm(in)) // the same person, with his passkey
	})
	t.Run("browser", func(t *testing.T) {
		r := newRig(t)
		owner, _ := r.couple()
		thief, tv := r.newBrowser(), r.newBrowser()
		thief.passkey = owner.passkey
		thief.signIn()
		o := tv.join(integrity.JoinGuest)
		in := must[*integrity.Proposed](t)(r.Propose(t.Context(), owner.caller(), &integrity.Proposal{
			Action: account.ApproveGuest, Params: params(t, "join", o.Join, "number", o.Number),
		}, nil))
		must[*integrity.Confirmed](t)(owner.confirm(in))
		j := r.join()
		in, err := r.Propose(t.Context(), thief.caller(), &integrity.Proposal{
			Action: account.AddDevice, Params: params(t, "join", j.open.Join, "number", j.open.Number),
		}, thief.at)
		if err != nil {
			t.Fatal(err)
		}
		if err := open(owner, in.Approval.ID); why(err) != account.WhyFrom {
			t.Errorf("on the owner's phone: %v", err)
		}
		if err := r.Deny(t.Context(), owner.caller(), in.Approval.ID); err != nil {
			t.Errorf("he may say no: %v", err)
		}
	})
}

// TestJoinDiesWithItsApprover: what a browser has let in does not come in after
// that browser, or its passkey, is gone.
func TestJoinDiesWithItsApprover(t *testing.T) {
	for _, gone := range []string{"session", "passkey", "passkey of another session", "nothing"} {
		t.Run(gone, func(t *testing.T) {
			r := newRig(t)
			owner := r.enrol()
			owner.signIn()
			thief := r.newBrowser()
			begun := must[*integrity.Begun](t)(r.BeginAdd(t.Context(), owner.caller(), &integrity.AddStart{}))
			added := must[*integrity.Added](t)(r.FinishAdd(t.Context(), owner.caller(), &integrity.AddAnswer{
				Ceremony: begun.Ceremony, Response: must[[]byte](t)(thief.passkey.Create(begun.Options, origin)),
			}))
			r.advance(25 * time.Hour) // it is new no more
			owner.signIn()
			if own := thief.passkey; gone == "passkey of another session" {
				thief.passkey = owner.passkey
				thief.signIn()
				thief.passkey = own
			} else {
				thief.signIn()
			}
			j := r.join()
			must[*integrity.Confirmed](t)(thief.do(account.AddDevice, "join", j.open.Join, "number", j.open.Number))
			asked := must[*integrity.Proposed](t)(r.Propose(t.Context(), thief.caller(), &integrity.Proposal{Action: account.DeleteAccount}, thief.at))
			c, err := r.BrowserCaller(t.Context(), thief.token, network, "")
			if err != nil {
				t.Fatal(err)
			}
			switch gone {
			case "session":
				must[*integrity.Ended](t)(r.EndSession(t.Context(), owner.caller(), c.Session))
			case "passkey", "passkey of another session":
				must[*integrity.Confirmed](t)(owner.do(account.RemoveCredential, "credential", added.Passkey.Ref))
			}
			s, err := j.status()
			if err != nil {
				t.Fatal(err)
			}
			if comes := s.State == integrity.StateConfirmed; comes != (gone == "nothing") {
				t.Errorf("the join is %s", s.State)
			}
			_, err = r.OpenApproval(t.Context(), owner.caller(), asked.Approval.ID, nil)
			if ended := errors.Is(err, integrity.ErrApprovalUsed); ended != (gone == "session" || gone == "passkey") {
				t.Errorf("what it has asked for: %v", err)
			}
			r.checked()
		})
	}
}

// TestNameIsNoText: what a stranger calls his device cannot be read as words of
// the approval.
func TestNameIsNoText(t *testing.T) {
	r := newRig(t)
	owner := r.enrol()
	_, in := r.joining()
	in.Phone.Name = "Pixel” to the list of stolen phones? Yes keeps you safe. „It"
	o := must[*integrity.JoinOpened](t)(r.RequestJoin(t.Context(), r.anonymous(), in))
	text := must[*integrity.Proposed](t)(owner.propose(account.AddDevice, "join", o.Join, "number", o.Number)).Approval.Text
	if !strings.HasPrefix(text, "Add “Pixel' to the list of stolen phones? Yes keeps you safe. 'It”, near ") {
		t.Errorf("the owner reads %s", text)
	}
}

// TestBrowserAlertSaysNoHold: a browser that is let in can do all at once, and
// the alert does not say otherwise.
func TestBrowserAlertSaysNoHold(t *testing.T) {
	r := newRig(t)
	owner, b := r.enrol(), r.newBrowser()
	o := b.join(integrity.JoinBrowser)
	owner.letIn(o)
	s := must[*integrity.JoinStatus](t)(b.joinStatus(o.Join))
	must[*integrity.Signed](t)(r.FinishJoin(t.Context(), elsewhere(r.anonymous()), &integrity.JoinAnswer{
		Join: o.Join, Ceremony: s.Ceremony, Response: must[[]byte](t)(b.passkey.Create(s.Options, origin)), Browser: b.at,
	}))
	alerts := must[[]integrity.AlertRow](t)(r.Alerts(t.Context(), owner.caller(), 0, 100))
	text := r.AlertText(alerts[len(alerts)-1])
	if strings.Contains(text, "can do little") || !strings.Contains(text, "browser") {
		t.Errorf("the owner reads %q", text)
	}
}

// TestGuestOfRemovedDevice: the guest whom a device has let in goes with it.
func TestGuestOfRemovedDevice(t *testing.T) {
	r := newRig(t)
	owner, second := r.couple()
	tv, other := r.newBrowser(), r.newBrowser()
	let := func(b *browser, p *phone) integrity.Token {
		o := b.join(integrity.JoinGuest)
		must[*integrity.Confirmed](t)(p.do(account.ApproveGuest, "join", o.Join, "number", o.Number))
		return must[*integrity.JoinStatus](t)(b.joinStatus(o.Join)).Guest.Token
	}
	gone, stays := let(tv, second), let(other, owner)
	must[*integrity.Confirmed](t)(owner.do(account.RemoveDevice, "device", second.device))
	if _, err := r.CheckSession(t.Context(), r.backend(), gone); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("the guest of the removed device: %v", err)
	}
	if _, err := r.CheckSession(t.Context(), r.backend(), stays); err != nil {
		t.Errorf("the other guest: %v", err)
	}
	r.checked()
}

// TestHeldTriesNoJoin: a device that cools off neither uses up the joins of its
// account nor ends one by wrong numbers.
func TestHeldTriesNoJoin(t *testing.T) {
	r := newRig(t)
	owner, thief := r.family()
	j := r.join()
	for range 12 {
		if _, err := thief.propose(account.AddDevice, "join", j.open.Join, "number", "x"); why(err) != account.WhyDeviceHeld {
			t.Fatalf("the thief: %v", err)
		}
	}
	must[*integrity.Proposed](t)(owner.propose(account.AddDevice, "join", j.open.Join, "number", j.open.Number))
}
