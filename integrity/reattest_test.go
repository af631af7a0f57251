package integrity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/integrity"
)

// renewed makes a new key in the phone, and what Reattest wants of it. The old
// key's proof is over the new one.
func (p *phone) renewed() (in *integrity.NewPhone, oldProof []byte) {
	t := p.r.t
	t.Helper()
	begun := must[*integrity.Begun](t)(p.r.BeginDevice(t.Context(), p.r.anonymous()))
	old := p.key
	in = p.attest(begun.Challenge)
	in.Name, in.SealingAlg, in.SealingKey = "", "", nil
	in.Message = p.message(p.token)
	value := integrity.ReattestValue(p.key.PublicKey())
	return in, must[[]byte](t)(old.Sign(request.DeviceProof(value)))
}

// revoke revokes the key of a phone, and lets the clock see it.
func (r *rig) revoke(p *phone) {
	r.t.Helper()
	must[registry.Key](r.t)(r.reg.RevokeKey(r.t.Context(), account.Caller{Kind: account.Backend, App: "demo"}, "demo", p.keyID(), "lost"))
	r.tick()
}

func (p *phone) keyID() string { return p.key.ID() }

func TestReattest(t *testing.T) {
	for _, test := range []struct {
		name string
		bend func(r *rig, p *phone, in *integrity.NewPhone, proof *[]byte)
		why  account.Why
		want error
	}{
		{"as it should be", func(*rig, *phone, *integrity.NewPhone, *[]byte) {}, 0, nil},
		{"not fresh", func(r *rig, p *phone, in *integrity.NewPhone, _ *[]byte) {
			r.advance(6 * time.Minute)
			in.Message = p.message(p.token)
		}, account.WhyStepUp, nil},
		{"no session", func(_ *rig, p *phone, in *integrity.NewPhone, _ *[]byte) { in.Message = p.message(nil) }, 0, integrity.ErrSessionRequired},
		{"somebody else's session", func(r *rig, p *phone, in *integrity.NewPhone, _ *[]byte) {
			other := r.enrol()
			other.signIn()
			in.Message = p.message(other.token)
		}, 0, integrity.ErrProofInvalid},
		{"no proof by the old key", func(_ *rig, _ *phone, _ *integrity.NewPhone, proof *[]byte) { *proof = nil }, 0, integrity.ErrProofInvalid},
		{"a proof over something else", func(_ *rig, _ *phone, _ *integrity.NewPhone, proof *[]byte) { (*proof)[len(*proof)-1] ^= 1 }, 0, integrity.ErrProofInvalid},
		{"not signed", func(_ *rig, _ *phone, in *integrity.NewPhone, _ *[]byte) { in.Message = nil }, 0, integrity.ErrMalformed},
		{"an approval that nobody gave", func(_ *rig, _ *phone, _ *integrity.NewPhone, proof *[]byte) {
			*proof = []byte(account.NewApprovalID())
		}, 0, integrity.ErrApprovalUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.enrol()
			p.signIn()
			old := p.keyID()
			in, proof := p.renewed()
			test.bend(r, p, in, &proof)
			err := r.Reattest(t.Context(), r.anonymous(), in, proof)
			if why(err) != test.why || test.want != nil && !errors.Is(err, test.want) || test.why == 0 && test.want == nil && err != nil {
				t.Fatalf("%v, want %q or %v", err, test.why, test.want)
			}
			if err != nil {
				if n := r.count("device WHERE key_id = ?", old); n != 1 {
					t.Error("the device has another key")
				}
				return
			}
			if c := p.caller(); c.Device != p.device || p.status().DeviceState != account.Active {
				t.Errorf("the new key is that of %+v", c)
			}
			if err := r.Reattest(t.Context(), r.anonymous(), in, proof); err == nil {
				t.Error("again")
			}
			r.checked()
		})
	}
}

// TestReattestLocked: a device whose key was revoked is locked; its owner gives
// it a new key with his passkey, and it is held like a new one.
func TestReattestLocked(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	r.revoke(p)
	old := must[account.Caller](t)(r.Prove(t.Context(), p.message(nil), nil, true))
	if s := must[*integrity.Status](t)(r.Status(t.Context(), old)); s.DeviceState != account.Locked || s.Rest != nil {
		t.Fatalf("status %+v", s)
	}
	p.token = nil
	propose := func(action account.Action, kv ...any) (*integrity.Proposed, error) {
		return r.Propose(t.Context(), old, &integrity.Proposal{Action: action, Params: params(t, kv...)}, nil)
	}
	if _, err := propose(account.RenewFreezeCode); err == nil {
		t.Error("a locked device proposes something else")
	}
	in, _ := p.renewed()
	asked, err := propose(account.Reattest, "key", p.keyID())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Reattest(t.Context(), r.anonymous(), in, []byte(asked.Approval.ID)); !errors.Is(err, integrity.ErrApprovalUnknown) {
		t.Errorf("before it is confirmed: %v", err)
	}
	must[*integrity.Confirmed](t)(r.Confirm(t.Context(), old, p.answer(asked)))
	stranger := r.newPhone(nil)
	other := stranger.attest(must[*integrity.Begun](t)(r.BeginDevice(t.Context(), r.anonymous())).Challenge)
	if err := r.Reattest(t.Context(), r.anonymous(), other, []byte(asked.Approval.ID)); !errors.Is(err, integrity.ErrApprovalUnknown) {
		t.Errorf("another key: %v", err)
	}
	if err := r.Reattest(t.Context(), r.anonymous(), in, []byte(asked.Approval.ID)); err != nil {
		t.Fatal(err)
	}
	if s := p.status(); s.DeviceState != account.Held || s.Device != p.device || !s.Hold.Until.Equal(r.clock().Add(day)) {
		t.Errorf("status %+v", s)
	}
	r.checked()
}

// TestReattestLockedTooLate: the approval is good for minutes.
func TestReattestLockedTooLate(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	r.revoke(p)
	p.token = nil
	old := must[account.Caller](t)(r.Prove(t.Context(), p.message(nil), nil, true))
	in, _ := p.renewed()
	asked := must[*integrity.Proposed](t)(r.Propose(t.Context(), old, &integrity.Proposal{Action: account.Reattest, Params: params(t, "key", p.keyID())}, nil))
	must[*integrity.Confirmed](t)(r.Confirm(t.Context(), old, p.answer(asked)))
	r.advance(5*time.Minute + time.Second)
	in.Message = p.message(nil)
	if err := r.Reattest(t.Context(), r.anonymous(), in, []byte(asked.Approval.ID)); why(err) != account.WhyStepUp {
		t.Errorf("%v", err)
	}
}
