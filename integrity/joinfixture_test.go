package integrity_test

import (
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/integrity"
)

// joiner is a phone on its way into an account.
type joiner struct {
	*phone
	open *integrity.JoinOpened
}

// joining is a new phone's request to join, with what it brings.
func (r *rig) joining() (*phone, *integrity.JoinRequest) {
	r.t.Helper()
	p := r.newPhone(nil)
	issued := must[*registry.IssuedChallenge](r.t)(r.reg.CreateChallenge(r.t.Context(), r.anonymous(), &registry.ChallengeRequest{
		App: "demo", Purpose: registry.PurposeRegister,
	}))
	return p, &integrity.JoinRequest{Kind: integrity.JoinPhone, Phone: p.attest(issued.Challenge)}
}

// join opens a join for a new phone.
func (r *rig) join() *joiner {
	r.t.Helper()
	p, in := r.joining()
	return &joiner{p, must[*integrity.JoinOpened](r.t)(r.RequestJoin(r.t.Context(), elsewhere(r.anonymous()), in))}
}

// status is how the phone finds its join.
func (j *joiner) status() (*integrity.JoinStatus, error) {
	j.r.t.Helper()
	return j.r.JoinStatus(j.r.t.Context(), elsewhere(j.r.anonymous()), &integrity.JoinWait{Join: j.open.Join, Message: j.message(nil)})
}

// answer makes the passkey that finishes the join, which is confirmed.
func (j *joiner) answer() *integrity.JoinAnswer {
	j.r.t.Helper()
	s := must[*integrity.JoinStatus](j.r.t)(j.status())
	response := must[[]byte](j.r.t)(j.passkey.Create(s.Options, origin))
	return &integrity.JoinAnswer{Join: j.open.Join, Ceremony: s.Ceremony, Response: response, Message: j.message(nil)}
}

// finish answers it.
func (j *joiner) finish(in *integrity.JoinAnswer) (*integrity.Signed, error) {
	j.r.t.Helper()
	out, err := j.r.FinishJoin(j.r.t.Context(), elsewhere(j.r.anonymous()), in)
	if err == nil {
		j.account, j.device, j.token = out.Account, out.Device, out.Token
	}
	return out, err
}

// joinBrowser opens a join for a browser.
func (b *browser) join(kind string) *integrity.JoinOpened {
	b.r.t.Helper()
	return must[*integrity.JoinOpened](b.r.t)(b.r.RequestJoin(b.r.t.Context(), elsewhere(b.r.anonymous()), &integrity.JoinRequest{Kind: kind, Browser: b.at}))
}

func (b *browser) joinStatus(id account.JoinID) (*integrity.JoinStatus, error) {
	b.r.t.Helper()
	return b.r.JoinStatus(b.r.t.Context(), elsewhere(b.r.anonymous()), &integrity.JoinWait{Join: id, Browser: b.at})
}

// TestJoin: a new phone comes into the account of one that lets it in, and is
// held.
func TestJoin(t *testing.T) {
	r := newRig(t)
	old := r.enrol()
	j := r.join()
	if s, err := j.status(); err != nil || s.State != integrity.StateOpen || s.Account != "" || s.Ceremony != "" {
		t.Fatalf("%+v, %v", s, err)
	}
	v := must[*integrity.JoinView](t)(r.Join(t.Context(), old.caller(), "", j.open.Code))
	if v.Join != j.open.Join || v.Kind != integrity.JoinPhone || v.Name != "Pixel" || v.Platform != "android" || v.Place != "Oslo, Norway" {
		t.Errorf("view %+v", v)
	}
	old.letIn(j.open)
	out := must[*integrity.Signed](t)(j.finish(j.answer()))
	if out.Account != old.account || out.DeviceState != account.Held || out.Hold.Reason != account.HoldNew || out.Hold.By != old.device {
		t.Errorf("signed in as %+v", out)
	}
	if c := j.caller(); c.Device != out.Device || c.Session != out.Session || c.Account != old.account {
		t.Errorf("caller %+v", c)
	}
	if n := r.count("alert WHERE kind = 'device.add' AND device = ? AND cause = ?", string(out.Device), string(out.Device)); n != 1 {
		t.Errorf("%d alerts", n)
	}
	r.checked()
}

// letIn lets a join in from an old phone.
func (p *phone) letIn(o *integrity.JoinOpened) {
	p.r.t.Helper()
	must[*integrity.Confirmed](p.r.t)(p.do(account.AddDevice, "join", o.Join, "number", o.Number))
}
