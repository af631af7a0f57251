package transfer

import (
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer/handover"
)

// grant is what C has granted.
func (t *Transfer) grant() (*handover.Grant, error) {
	e, err := handover.DecodeEnvelope(t.Grant)
	if err != nil {
		return nil, fmt.Errorf("transfer: the stored grant of %s: %w", t.ID, err)
	}
	g, err := handover.Decode[handover.Grant](e.Message)
	if err != nil {
		return nil, fmt.Errorf("transfer: the stored grant of %s: %w", t.ID, err)
	}
	return &g, nil
}

// received holds a receipt against the grant (spec/transfer.md, "Commit", step 1).
func (t *Transfer) received(m *handover.Receipt) error {
	g, err := t.grant()
	if err != nil {
		return err
	}
	if m.Root != g.Root || m.Bytes != g.Bytes || m.Objects != g.Objects {
		return fmt.Errorf("%w: the receipt is not for what was granted", ErrMalformed)
	}
	return nil
}

// commit is row 8: from here on the account is N's.
func (t *Transfer) commit(envelope []byte, device account.DeviceID, now time.Time) {
	t.NewDevice, t.CommittedAt, t.Passkey = device, now, nil
	t.to(Committed, time.Time{})
	t.keep(handover.StepReceipt, envelope)
}

// ack is row 9: N has opened the keys, and the recall window begins.
func (t *Transfer) ack(p *Policy, envelope []byte, now time.Time) {
	t.AckedAt, t.RecallUntil = now, now.Add(p.RecallWindow)
	t.to(Acked, time.Time{})
	t.keep(handover.StepAck, envelope)
	t.forget()
}

// recall is row 12, by C.
func (t *Transfer) recall(envelope []byte, now time.Time) {
	t.end(Recalled, now)
	t.keep(handover.StepRecall, envelope)
}

// finish is row 10 by one of the phones.
func (t *Transfer) finish(envelope []byte, now time.Time) {
	t.end(Final, now)
	t.keep(handover.StepFinal, envelope)
}
