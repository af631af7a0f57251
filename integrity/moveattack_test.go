package integrity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
)

// TestUnlockedPhoneNeedsStepUp: a thief with the unlocked phone, and with its session,
// has no passkey: nothing is sent.
func TestUnlockedPhoneNeedsStepUp(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("match")
	before := m.before(handover.StepConfirm)
	good := m.approval(p, account.ApproveMove, before)
	thief := r.newPhone(nil)
	for _, tt := range []struct {
		name string
		up   handover.StepUp
		want error
	}{
		{"no approval", handover.StepUp{Approval: string(account.NewApprovalID()), Assertion: good.Assertion}, integrity.ErrApprovalUnknown},
		{"no assertion", handover.StepUp{Approval: good.Approval, Assertion: []byte(`{}`)}, nil},
		{"another assertion", handover.StepUp{Approval: good.Approval, Assertion: must[[]byte](t)(p.passkey.Get(m.stepOptions(p), origin))}, nil},
		{"a passkey of nobody", handover.StepUp{Approval: good.Approval, Assertion: must[[]byte](t)(thief.passkey.Create(m.createOptions(), origin))}, nil},
	} {
		e, _, err := m.forge(handover.StepConfirm, &handover.Confirm{Bytes: 1, StepUp: tt.up})
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.ConfirmMove(t.Context(), p.caller(), transfer.Turn{ID: m.id, Token: m.sendTok, Envelope: e}, [32]byte{})
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if got := m.standing(); got.State != transfer.Claimed || len(got.Confirm) != 0 {
		t.Errorf("it is %s", got.State)
	}
}

// forge is a message of the old phone that its half would not make.
func (m *move) forge(step handover.Step, c *handover.Confirm) (envelope []byte, value [32]byte, err error) {
	message, err := handover.Encode(c)
	if err != nil {
		return nil, value, err
	}
	value = handover.Value(step, m.before(step), message)
	proof, err := m.c.prove(value)
	if err != nil {
		return nil, value, err
	}
	return m.encode(handover.Envelope{Message: message, MAC: make([]byte, 32), Proof: proof}), value, nil
}

// stepOptions are those of a step-up, createOptions those of a new account.
func (m *move) stepOptions(p *phone) []byte {
	m.r.t.Helper()
	return must[*integrity.Begun](m.r.t)(m.r.BeginStepUp(m.r.t.Context(), p.caller(), nil)).Options
}

func (m *move) createOptions() []byte {
	m.r.t.Helper()
	return must[*integrity.Begun](m.r.t)(m.r.BeginEnrol(m.r.t.Context(), m.r.anonymous(), nil)).Options
}

// TestStepUpOfOtherTransfer: a yes is for one transfer, one moment of it and one
// action, and is confirmed in no other call.
func TestStepUpOfOtherTransfer(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	first := p.moving().to("match")
	old := first.approval(p, account.ApproveMove, first.before(handover.StepConfirm))
	must[*transfer.View](t)(r.CancelMove(t.Context(), p.caller(), first.id, first.sendTok, transfer.UserCancelled))
	m := p.moving().to("match")
	other := must[*integrity.Proposed](t)(p.propose(account.RenewFreezeCode))
	for _, tt := range []struct {
		name string
		up   handover.StepUp
	}{
		{"of another transfer", old},
		{"of another action", handover.StepUp{Approval: string(other.Approval.ID), Assertion: p.answer(other).Response}},
	} {
		e, _, err := m.forge(handover.StepConfirm, &handover.Confirm{Bytes: 1, StepUp: tt.up})
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.ConfirmMove(t.Context(), p.caller(), transfer.Turn{ID: m.id, Token: m.sendTok, Envelope: e}, [32]byte{})
		if !errors.Is(err, integrity.ErrApprovalOther) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for name, value := range map[string]string{"of an earlier moment": "00", "no value": ""} {
		if _, err := p.propose(account.ApproveMove, "transfer", m.id, "value", value); !errors.Is(err, integrity.ErrMalformed) {
			t.Errorf("proposed %s: %v", name, err)
		}
	}
	if _, err := p.propose(account.RecallMove, "transfer", m.id, "value", ""); !errors.Is(err, transfer.ErrState) {
		t.Errorf("a recall of what is not committed: %v", err)
	}
	in := m.proposed(p)
	if _, err := p.confirm(in); !errors.Is(err, integrity.ErrApprovalApart) {
		t.Errorf("confirmed by itself: %v", err)
	}
	if got := m.standing().State; got != transfer.Claimed {
		t.Errorf("it is %s", got)
	}
	if err := m.confirm(); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

// proposed is a proposal that waits for its yes.
func (m *move) proposed(p *phone) *integrity.Proposed {
	m.r.t.Helper()
	v := m.before(handover.StepConfirm)
	return must[*integrity.Proposed](m.r.t)(p.propose(account.ApproveMove, "transfer", m.id, "value", hexOf(v)))
}

// TestQRJackingIsHeld: a phisher shows the code of his own phone, from where the victim
// is not. The transfer is held, all devices are told, nothing can be granted before
// the hold is over, and then the owner is asked once more.
func TestQRJackingIsHeld(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving()
	m.class = handover.ClassNone
	m.to("put")
	if m.view.State != transfer.Held || !m.view.Opens.Equal(r.clock().Add(12*time.Hour)) {
		t.Fatalf("it is %s, until %s", m.view.State, m.view.Opens)
	}
	if !has(r.kinds(p.account), "transfer.held") {
		t.Errorf("nobody is told: %q", r.kinds(p.account))
	}
	if _, err := p.propose(account.ApproveMove, "transfer", m.id, "value", hexOf(m.before(handover.StepGrant))); !errors.Is(err, transfer.ErrTooEarly) {
		t.Errorf("approved too early: %v", err)
	}
	m.grant(false)
	if err := m.seal(); !errors.Is(err, transfer.ErrTooEarly) && !errors.Is(err, transfer.ErrMalformed) {
		t.Errorf("sealed too early: %v", err)
	}
	r.advance(12 * time.Hour)
	p.signIn()
	if err := m.seal(); !errors.Is(err, transfer.ErrMalformed) {
		t.Errorf("sealed without a second yes: %v", err)
	}
}

// TestHeldCannotOpen: the new phone gets the share without which it opens nothing when
// the hold is over, and not before.
func TestHeldCannotOpen(t *testing.T) {
	r := moveRig(t)
	m := r.mover().moving()
	m.class = handover.ClassNone
	m.to("put")
	for _, held := range []bool{true, false} {
		v := must[*transfer.View](t)(r.WaitMove(t.Context(), r.anonymous(), &integrity.MoveWait{ID: m.id, Token: m.recvTok}))
		if (v.HoldShare == nil) != held || v.CommitShare != nil {
			t.Errorf("held: %v, and the share has %d bytes", held, len(v.HoldShare))
		}
		r.advance(12 * time.Hour)
	}
}

// TestHeldIsAskedTwice: after the hold, with a second yes, the move goes on.
func TestHeldIsAskedTwice(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving()
	m.class = handover.ClassNone
	m.to("put")
	r.advance(12 * time.Hour)
	p.signIn()
	m.grant(true)
	for _, do := range []func() error{m.seal, m.commit, m.ack} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	r.checked()
}

// TestMoveRisks: what holds a transfer of phones that are next to each other.
func TestMoveRisks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(r *rig, p *phone, m *move)
	}{
		{"recent_credential_change", func(r *rig, p *phone, _ *move) {
			must[*integrity.Added](r.t)(r.FinishAdd(r.t.Context(), p.caller(), p.adding()))
		}},
		{"recent_recovery", func(r *rig, p *phone, _ *move) {
			r.signal(p, account.Signal{Name: account.SignalRecentRecovery, Until: r.clock().Add(time.Hour)})
		}},
		{"device_warning", func(r *rig, p *phone, _ *move) {
			r.signal(p, account.Signal{Name: account.SignalAttestWarning, Device: p.device, Until: r.clock().Add(time.Hour)})
		}},
		{"new_network", func(_ *rig, _ *phone, m *move) { m.network = "net-9" }},
		{"new_country", func(_ *rig, _ *phone, m *move) { m.place = "Lima, Peru" }},
		{"new_country", func(_ *rig, _ *phone, m *move) { m.place = "192.0.2.0/24" }}, // an unknown one
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := moveRig(t)
			p := r.mover()
			m := p.moving()
			tt.change(r, p, m)
			m.to("confirm")
			if m.view.State != transfer.Held || len(m.view.HoldReasons) != 1 || m.view.HoldReasons[0] != tt.name {
				t.Errorf("it is %s for %q", m.view.State, m.view.HoldReasons)
			}
		})
	}
}

// TestMoveCountriesUntold: where nobody tells countries any more, an unknown one is no
// reason, though the account's are known from before; another one is, if it is told.
func TestMoveCountriesUntold(t *testing.T) {
	for place, want := range map[string]int{"192.0.2.0/24": 0, "": 0, "Lima, Peru": 1} {
		r := moveRig(t)
		r.reopen(func(o *integrity.Options) { o.Moves, o.Policy.CountriesUntold = r.moves, true })
		m := r.mover().moving()
		m.place = place
		m.to("confirm")
		if len(m.view.HoldReasons) != want {
			t.Errorf("from %q: held for %q", place, m.view.HoldReasons)
		}
	}
}

// signal lets one stand.
func (r *rig) signal(p *phone, s account.Signal) {
	r.t.Helper()
	s.Source, s.FirstAt, s.LastAt = "staunch", r.clock(), r.clock()
	err := r.opts.Update(r.t.Context(), func(tx integrity.Tx) error { return tx.PutSignal(r.t.Context(), p.account, s) })
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestSessionIDTwice: an ID is good for one offer, whoever else knows it.
func TestSessionIDTwice(t *testing.T) {
	r := moveRig(t)
	m := r.mover().moving().to("claim")
	m.recvTok = [32]byte{7}
	if err := m.offer(); !errors.Is(err, transfer.ErrConflict) {
		t.Errorf("offered again: %v", err)
	}
}

// TestReplayedQR: a code is good for one transfer; when that has ended, nobody claims
// it again.
func TestReplayedQR(t *testing.T) {
	r := moveRig(t)
	p, other := r.mover(), r.mover()
	m := p.moving().to("claim")
	must[*transfer.View](t)(r.CancelMove(t.Context(), r.anonymous(), m.id, m.recvTok, transfer.UserCancelled))
	for _, c := range []*phone{p, other} {
		if _, err := r.ClaimMove(t.Context(), c.caller(), m.id, [32]byte{8}); !errors.Is(err, transfer.ErrEnded) && !errors.Is(err, transfer.ErrNotFound) {
			t.Errorf("claimed again: %v", err)
		}
	}
	if err := m.offer(); err == nil && m.view.State != transfer.Aborted {
		t.Errorf("offered again, it is %s", m.view.State)
	}
}

// TestSecondReceiver: a phone with another transfer's token, or with a key of its own,
// is not the one that the grant is for.
func TestSecondReceiver(t *testing.T) {
	r := moveRig(t)
	m := r.mover().moving().to("seal")
	second := r.mover().moving().to("offer")
	view := func(token [32]byte) error {
		_, err := r.WaitMove(t.Context(), r.anonymous(), &integrity.MoveWait{ID: m.id, Token: token})
		return err
	}
	if err := view(second.recvTok); !errors.Is(err, transfer.ErrNotFound) {
		t.Errorf("another transfer's token: %v", err)
	}
	m.receipt()
	e := must[handover.Envelope](t)(handover.DecodeEnvelope(m.all[handover.StepReceipt]))
	e.Proof = must[[]byte](t)(second.n.prove(handover.Value(handover.StepReceipt, m.before(handover.StepReceipt), e.Message)))
	m.all[handover.StepReceipt] = m.encode(e)
	if err := m.commit(); !errors.Is(err, transfer.ErrProof) {
		t.Errorf("another phone's receipt: %v", err)
	}
	if got := m.standing().State; got != transfer.Sealed {
		t.Errorf("it is %s", got)
	}
}

// TestExpiredQR: a code that nobody has claimed in time is worth nothing.
func TestExpiredQR(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("offer")
	r.advance(2 * time.Minute)
	if err := m.claim(); !errors.Is(err, transfer.ErrEnded) && !errors.Is(err, transfer.ErrNotFound) {
		t.Errorf("claimed too late: %v", err)
	}
	r.tick()
	if got := m.standing(); got.State != transfer.Aborted || got.Reason != transfer.Expired {
		t.Errorf("it is %s, %s", got.State, got.Reason)
	}
}

// TestFirstToScanDoesNotWin: a second device that scans ends it for both, and the
// account that was first is told.
func TestFirstToScanDoesNotWin(t *testing.T) {
	r := moveRig(t)
	shoulder := r.mover()
	p := r.mover()
	m := p.moving().to("offer")
	if _, err := r.ClaimMove(t.Context(), shoulder.caller(), m.id, [32]byte{5}); err != nil {
		t.Fatal(err)
	}
	var ended *transfer.EndedError
	if err := m.claim(); !errors.As(err, &ended) || ended.Reason != transfer.Contended {
		t.Fatalf("the second: %v", err)
	}
	if !has(r.kinds(shoulder.account), "transfer.contended") || has(r.kinds(p.account), "transfer.contended") {
		t.Errorf("told: %q and %q", r.kinds(shoulder.account), r.kinds(p.account))
	}
	if got := m.standing(); got.State != transfer.Aborted || got.Reason != transfer.Contended {
		t.Errorf("it is %s, %s", got.State, got.Reason)
	}
}

// TestPhisherCannotFinalize: the new phone ends the window only if it was next to the
// old one, and neither it, nor what it lets in, stops the old phone from taking the
// account back.
func TestPhisherCannotFinalize(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("ack")
	r.advance(r.opts.Policy.Holds.Add)
	r.tick()
	m.n.signIn()
	e, err := m.receive.Final(handover.StepUp{Approval: string(account.NewApprovalID()), Assertion: []byte(`{}`)})
	if err == nil {
		_, err = r.FinishMove(t.Context(), r.anonymous(), transfer.Turn{ID: m.id, Token: m.recvTok, Envelope: m.encode(e)})
	}
	if err == nil {
		t.Error("the new phone has ended the window")
	}
	if _, err := r.FreezeDevice(t.Context(), m.n.caller(), p.device); !errors.Is(err, account.ErrRefused) {
		t.Errorf("it freezes the old phone: %v", err)
	}
	if _, err := m.n.do(account.RemoveDevice, "device", p.device); !errors.Is(err, account.ErrRefused) {
		t.Errorf("it removes the old phone: %v", err)
	}
	if err := m.recall(); err != nil {
		t.Errorf("the recall: %v", err)
	}
}

// TestNothingOutlivesRecall: while the old phone can take the account back, the new one
// sets nothing up that would stay after that: a freeze code, a handle, a PIN. When the
// time for it is over, it may.
func TestNothingOutlivesRecall(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("ack")
	r.advance(r.opts.Policy.Holds.Add)
	r.tick()
	m.n.signIn()
	for _, c := range []struct {
		action account.Action
		params []any
	}{
		{account.RenewFreezeCode, nil},
		{account.ChangeHandle, []any{"handle", "mallory"}},
		{account.SetupRecovery, []any{"reg_id", "00112233445566778899aabbccddeeff"}},
	} {
		var refused *account.Refused
		if _, err := m.n.do(c.action, c.params...); !errors.As(err, &refused) || refused.Why != account.WhyNotOlder {
			t.Errorf("%s: %v", c.action, err)
		}
	}
	r.advance(72 * time.Hour)
	r.tick()
	m.n.signIn()
	if _, err := m.n.do(account.RenewFreezeCode); err != nil {
		t.Errorf("after the window: %v", err)
	}
}
