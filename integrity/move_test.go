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

// mover is a phone with an account that may move.
func (r *rig) mover() *phone {
	r.t.Helper()
	p := r.enrol()
	p.signIn()
	return p
}

// device is a device as it stands; deleted ones too.
func (r *rig) device(id account.DeviceID) account.Device {
	r.t.Helper()
	return read(r, func(tx integrity.Tx) (account.Device, error) {
		d, _, err := tx.Device(r.t.Context(), id)
		return d, err
	})
}

// standing is the state of a transfer, with its clock run up to now.
func (m *move) standing() transfer.Transfer {
	m.r.t.Helper()
	return read(m.r, func(tx integrity.Tx) (transfer.Transfer, error) {
		return m.r.moves.Standing(m.r.t.Context(), tx.(transfer.Tx), m.id, m.r.clock())
	})
}

// kinds are the kinds of the account's alerts, in order.
func (r *rig) kinds(id account.ID) (all []string) {
	r.t.Helper()
	rows := read(r, func(tx integrity.Tx) ([]integrity.AlertRow, error) { return tx.Alerts(r.t.Context(), id, 0, 100) })
	for _, a := range rows {
		all = append(all, a.Kind)
	}
	return all
}

func has(all []string, kind string) bool {
	for _, k := range all {
		if k == kind {
			return true
		}
	}
	return false
}

// TestMove: an account moves, and each step sent again gets the same answer.
func TestMove(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving()
	for _, s := range m.steps() {
		for range 2 {
			if err := s.do(); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if s.name == "put" {
				break // another sealing of it is another segment
			}
		}
	}
	if m.view.State != transfer.Acked || m.standing().NewDevice != m.n.device {
		t.Fatalf("it is %+v", m.view)
	}
	s := m.n.status()
	if s.DeviceState != account.Held || s.Hold.Reason != account.HoldNew || s.AccountState != account.Active || s.Class != account.Person {
		t.Errorf("the new phone: %+v", s)
	}
	if old, n := r.device(p.device), r.device(m.n.device); old.Hold.Reason != account.HoldLeaving || !old.Hold.Until.IsZero() || string(n.SealingKey) != string(old.SealingKey) || n.AddedBy != p.device || n.Name != "Pixel 10" {
		t.Errorf("old %+v, new %+v", old, n)
	}
	if _, err := r.Prove(t.Context(), p.message(p.token), p.token, false); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("the old phone's session: %v", err)
	}
	for _, kind := range []string{"transfer.claimed", "transfer.committed"} {
		if !has(r.kinds(p.account), kind) {
			t.Errorf("no alert %s: %q", kind, r.kinds(p.account))
		}
	}
	r.checked()
	r.advance(r.opts.Policy.Holds.Add)
	r.tick()
	m.n.signIn() // with the passkey that came with it
	if s := m.n.status(); s.DeviceState != account.Active {
		t.Errorf("after its hold: %s", s.DeviceState)
	}
	r.advance(72 * time.Hour)
	r.tick()
	if got := m.standing(); got.State != transfer.Final || r.device(p.device).State != account.Deleted {
		t.Errorf("after the window: %s, the old device %s", got.State, r.device(p.device).State)
	}
	r.checked()
}

// TestOldPhoneInChargeUntilReceipt: until the receipt the old phone can do all that it
// could, and the new one nothing; with it the two change places.
func TestOldPhoneInChargeUntilReceipt(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving()
	for _, s := range m.steps()[:8] { // up to the seal
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got := p.status(); got.DeviceState != account.Active || got.Class != account.Fresh {
			t.Fatalf("after %s the old phone is %s, %s", s.name, got.DeviceState, got.Class)
		}
		if n := len(read(r, func(tx integrity.Tx) ([]account.Device, error) { return tx.Devices(t.Context(), p.account) })); n != 1 {
			t.Fatalf("after %s there are %d devices", s.name, n)
		}
	}
	if err := m.commit(); err != nil {
		t.Fatal(err)
	}
	p.token = nil
	if got := p.status(); got.DeviceState != account.Held || got.Hold.Reason != account.HoldLeaving {
		t.Errorf("after the commit the old phone is %+v", got)
	}
	if _, err := p.propose(account.RenewFreezeCode); !errors.Is(err, account.ErrRefused) {
		t.Errorf("the old phone proposes: %v", err)
	}
}

// TestMoveCallers: a step is for the phone that it is of, with its token, its key and,
// while it has one, its session.
func TestMoveCallers(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	other := r.mover()
	m := p.moving().to("answer")
	for _, tt := range []struct {
		name string
		do   func() error
		want error
	}{
		{"hello by another account", func() error {
			m := p.r.mover().moving().to("claim")
			e, err := m.send.Hello(handover.ClassNone, nil)
			m.made(handover.StepHello, e, err)
			_, err = r.HelloMove(t.Context(), other.caller(), m.turn(handover.StepHello))
			return err
		}, transfer.ErrNotFound},
		{"match with another token", func() error {
			turn := m.turn(handover.StepMatched)
			turn.Token = [32]byte{1}
			_, err := r.MatchMove(t.Context(), r.anonymous(), turn, m.ceremony)
			return err
		}, transfer.ErrNotFound},
		{"match with the old phone's token", func() error {
			turn := m.turn(handover.StepMatched)
			turn.Token = m.sendTok
			_, err := r.MatchMove(t.Context(), r.anonymous(), turn, m.ceremony)
			return err
		}, transfer.ErrNotFound},
		{"match without a proof", func() error {
			turn := m.turn(handover.StepMatched)
			e := must[handover.Envelope](t)(handover.DecodeEnvelope(turn.Envelope))
			e.Proof = make([]byte, 64)
			turn.Envelope = m.encode(e)
			_, err := r.MatchMove(t.Context(), r.anonymous(), turn, m.ceremony)
			return err
		}, transfer.ErrProof},
		{"match with another ceremony", func() error {
			_, err := r.MatchMove(t.Context(), r.anonymous(), m.turn(handover.StepMatched), account.NewCeremonyID())
			return err
		}, integrity.ErrCeremonyExpired},
		{"a claim without a session", func() error {
			c := other.caller()
			c.Session, c.Proofs = "", c.Proofs[:1]
			_, err := r.ClaimMove(t.Context(), c, m.id, [32]byte{2})
			return err
		}, account.ErrRefused},
		{"match", m.match, nil},
		{"confirm by another device", func() error {
			_, err := r.ConfirmMove(t.Context(), other.caller(), transfer.Turn{ID: m.id, Token: m.sendTok, Envelope: m.confirming()}, [32]byte{})
			return err
		}, transfer.ErrNotFound},
		{"a cancel by another account", func() error {
			_, err := r.CancelMove(t.Context(), other.caller(), m.id, [32]byte{}, "")
			return err
		}, transfer.ErrNotFound},
		{"a look by another account", func() error {
			_, err := r.WaitMove(t.Context(), other.caller(), &integrity.MoveWait{ID: m.id})
			return err
		}, transfer.ErrNotFound},
	} {
		if err := tt.do(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if got := m.standing().State; got != transfer.Claimed {
		t.Errorf("it is %s", got)
	}
}

// confirming makes the confirm, with its yes.
func (m *move) confirming() []byte {
	m.r.t.Helper()
	e, hold, err := m.send.Confirm(m.approval(m.c, account.ApproveMove, m.before(handover.StepConfirm)), 100)
	m.made(handover.StepConfirm, e, err)
	m.hold = hold
	return m.all[handover.StepConfirm]
}

// TestEvidenceOfOffer: the key in an offer is the one in its evidence, which has
// proved it, under a challenge that is good once.
func TestEvidenceOfOffer(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	for _, tt := range []struct {
		name   string
		change func(m *move, o *handover.Offer)
		prove  func(m *move) func([32]byte) ([]byte, error)
		want   error
	}{
		{"good", nil, nil, nil},
		{"another key's proof", nil, func(*move) func([32]byte) ([]byte, error) { return p.prove }, transfer.ErrProof},
		{"another key", func(_ *move, o *handover.Offer) { o.Device = p.key.PublicKey() }, func(*move) func([32]byte) ([]byte, error) { return p.prove }, transfer.ErrProof},
		{"another key than the evidence's, which has proved it", func(_ *move, o *handover.Offer) { o.Device = p.key.PublicKey() }, nil, transfer.ErrProof},
		{"another challenge", func(_ *move, o *handover.Offer) { o.Challenge = [32]byte{1} }, nil, integrity.ErrCeremonyExpired},
		{"a device's key", func(_ *move, o *handover.Offer) {
			o.Challenge = [32]byte(r.challenge())
			ev := handover.Evidence{Platform: handover.Android, Chain: p.attestAgain(o.Challenge[:]).Evidence.CertificateChain}
			o.Evidence, o.Device = must[[]byte](t)(handover.Encode(&ev)), p.key.PublicKey()
		}, func(*move) func([32]byte) ([]byte, error) { return p.prove }, integrity.ErrDeviceKeyKnown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := p.moving()
			e := m.receive.Offer()
			o := must[handover.Offer](t)(handover.Decode[handover.Offer](e.Message))
			if tt.change != nil {
				tt.change(m, &o)
			}
			prove := m.n.prove
			if tt.prove != nil {
				prove = tt.prove(m)
			}
			e.Message = must[[]byte](t)(handover.Encode(&o))
			e.Proof = must[[]byte](t)(prove(handover.Value(handover.StepOffer, [32]byte{}, e.Message)))
			m.all[handover.StepOffer] = m.encode(e)
			if err := m.offer(); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

// TestHelloKey: the new phone believes the key in the hello, so it is the one that the
// registry has of the old phone.
func TestHelloKey(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("claim")
	e := must[handover.Envelope](t)(m.send.Hello(handover.ClassNone, nil))
	h := must[handover.Hello](t)(handover.Decode[handover.Hello](e.Message))
	h.Device = m.n.key.PublicKey()
	e.Message = must[[]byte](t)(handover.Encode(&h))
	e.Proof = must[[]byte](t)(p.prove(handover.Value(handover.StepHello, m.before(handover.StepHello), e.Message)))
	turn := transfer.Turn{ID: m.id, Token: m.sendTok, Envelope: m.encode(e)}
	if _, err := r.HelloMove(t.Context(), p.caller(), turn); !errors.Is(err, transfer.ErrProof) {
		t.Errorf("another key: %v", err)
	}
}
