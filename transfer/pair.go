package transfer

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/transfer/handover"
)

// terms are what an app's transfers are judged by.
type terms struct {
	Policy
	audience string // app ID "@" host
}

// allows says whether the row has a place for a message of a phone now, and whether
// the message says what it must. What a message brings beside it, shares and sealed
// secrets, is checked where it is taken.
func (t *Transfer) allows(c *terms, step handover.Step, by Party, message any, now time.Time) error {
	if err := t.may(step, by); err != nil {
		return err
	}
	switch m := message.(type) {
	case *handover.Hello: // spec/transfer.md, "Messages": a grant is void for another account, device or server
		switch {
		case m.Account != string(t.Account):
			return fmt.Errorf("%w: the hello names account %.40q, which is not the one that has claimed", ErrMalformed, m.Account)
		case m.DeviceID != string(t.SenderDevice):
			return fmt.Errorf("%w: the hello names device %.40q, which is not the one that has claimed", ErrMalformed, m.DeviceID)
		case m.Audience != c.audience:
			return fmt.Errorf("%w: the hello names %.80q, this is %q", ErrMalformed, m.Audience, c.audience)
		}
	case *handover.Confirm:
		if m.Bytes > uint64(c.MaxBytes) {
			return &WaitError{Err: fmt.Errorf("%w: %d bytes are announced, a transfer may have %d", ErrQuota, m.Bytes, c.MaxBytes)}
		}
	case *handover.Grant:
		return t.granted(m, now)
	case *handover.Receipt:
		return t.received(m)
	case *handover.Ack:
		g, err := t.grant()
		if err != nil {
			return err
		}
		if m.SealingKeyHash != g.SealingKeyHash { // spec/transfer.md, "States", row 9
			return fmt.Errorf("%w: the acknowledgement names another sealing key than the grant", ErrMalformed)
		}
	}
	return nil
}

// may is the table of states (spec/transfer.md, "States"): which message has a place
// in which one.
func (t *Transfer) may(step handover.Step, by Party) error {
	var err error
	var first []byte // what must be there before it
	switch step {
	case handover.StepHello:
		return t.in(Claimed)
	case handover.StepAnswer:
		err, first = t.in(Claimed), t.Hello
	case handover.StepMatched:
		err, first = t.in(Claimed), t.Answer
	case handover.StepConfirm:
		err, first = t.in(Claimed), t.Matched
	case handover.StepGrant:
		if t.State == Held {
			return &EarlyError{t.Opens}
		}
		return t.in(Streaming)
	case handover.StepReceipt:
		return t.in(Sealed)
	case handover.StepAck:
		return t.in(Committed)
	case handover.StepRecall:
		return t.in(Committed, Acked)
	case handover.StepFinal:
		// A phisher's phone would end the window at once.
		if err := t.in(Acked); err != nil || by == Sender || t.Class == handover.ClassNear {
			return err
		}
		return fmt.Errorf("%w: the phones were not next to each other, so the old one alone can end the window early", &StateError{t.State})
	default:
		return fmt.Errorf("%w: there is no step %.16q", ErrMalformed, string(step))
	}
	if err == nil && len(first) == 0 {
		return fmt.Errorf("%w: the message before the %s has not come", &StateError{t.State}, step)
	}
	return err
}

// offer is row 1.
func offer(p *Policy, id ID, in *Offering, now time.Time) *Transfer {
	t := &Transfer{ID: id, Version: 1, State: Offered, ReceiverKey: in.KeyID, Verdict: in.Verdict, Place: in.Place, Network: in.Network, CreatedAt: now, Deadline: now.Add(p.OfferTTL)}
	t.keep(handover.StepOffer, in.Envelope)
	return t
}

// claim is rows 2 and 3. contended: another device had claimed it, and now it is
// nobody's.
func (t *Transfer) claim(p *Policy, in *Claiming, now time.Time) (contended bool, err error) {
	switch {
	case t.State == Offered:
		t.Account, t.SenderDevice, t.SenderKey = in.Account, in.Device, in.Key
		t.HoldReasons = slices.Clone(in.Risks)
		t.to(Claimed, now.Add(p.ClaimTTL))
		return false, nil
	case t.State == Claimed && (t.Account != in.Account || t.SenderDevice != in.Device):
		t.abort(Contended, now) // row 3
		return true, nil
	case t.State == Claimed:
		return false, fmt.Errorf("%w: this device has claimed it already, with another token", ErrConflict)
	case t.Account != "" && t.Account != in.Account && t.Reason != Contended: // nobody is told what others do, but who has ended it
		return false, ErrNotFound
	}
	return false, t.in(Offered)
}

// hello, answer and match are row 4.
func (t *Transfer) hello(m *handover.Hello, envelope []byte) {
	t.Class = m.Class
	t.Version++
	t.keep(handover.StepHello, envelope)
}

func (t *Transfer) answer(envelope []byte) {
	t.Version++
	t.keep(handover.StepAnswer, envelope)
}

func (t *Transfer) match(envelope, passkey []byte) {
	t.Passkey = passkey
	t.Version++
	t.keep(handover.StepMatched, envelope)
}

// confirm is row 5. risks are those that stand now: they join those of the claim.
func (t *Transfer) confirm(p *Policy, m *handover.Confirm, envelope []byte, share [32]byte, risks []string, now time.Time) error {
	if sha256.Sum256(share[:]) != m.HoldShareHash {
		return fmt.Errorf("%w: the hold share is not the one that the message names", ErrMalformed)
	}
	for _, r := range risks {
		if !slices.Contains(t.HoldReasons, r) {
			t.HoldReasons = append(slices.Clone(t.HoldReasons), r)
		}
	}
	hold, reasons := p.hold(t.Class, t.HoldReasons)
	t.HoldReasons, t.HoldShare = reasons, share[:]
	t.Revision, t.BytesExpected = 1, m.Bytes
	t.ConfirmedAt, t.Moved, t.Opens = now, now, now.Add(hold)
	next := Streaming
	if hold > 0 {
		next = Held
	}
	t.to(next, t.moving(p))
	t.keep(handover.StepConfirm, envelope)
	return nil
}

// held reports whether the transfer was ever held: its seal needs the owner again.
func (t *Transfer) held() bool { return t.Opens.After(t.ConfirmedAt) }

// cancels reports whether a party may give a reason.
func (t *Transfer) cancels(by Party, why Reason) bool {
	switch why {
	case UserCancelled, DeviceRejected, SchemaTooNew, NoSpace, Integrity:
		return by == Sender || by == Receiver
	case NumberMismatch:
		return by == Receiver
	case Expired: // that its code's time is over N may know before the server does
		return by == Receiver && t.State == Offered
	case CancelledElsewhere:
		return by == ""
	}
	return false
}

func malformedReason(by Party, why Reason) error {
	return fmt.Errorf("%w: a %s does not cancel with reason %.40q", ErrMalformed, by, string(why))
}
