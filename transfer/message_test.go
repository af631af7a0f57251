package transfer_test

import (
	"context"
	"errors"
	"testing"

	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
)

// TestMACs: hello, answer, matched and confirm carry a MAC, and no other message does.
func TestMACs(t *testing.T) {
	r := to(t, transfer.Streaming, "lan")
	r.walk(want{"put first=0", nil})
	for step, has := range map[handover.Step]bool{
		handover.StepOffer: false, handover.StepHello: true, handover.StepAnswer: true, handover.StepMatched: true, handover.StepConfirm: true,
		handover.StepGrant: false, handover.StepReceipt: false, handover.StepAck: false, handover.StepRecall: false, handover.StepFinal: false,
	} {
		e, err := handover.DecodeEnvelope(r.message("t", step, nil))
		r.must(err)
		e.MAC = nil
		if !has {
			e.MAC = make([]byte, 32)
		}
		b, err := e.Encode()
		r.must(err)
		r.must(r.store.view(t.Context(), func(tx transfer.Tx) error {
			if _, err := r.Expect(t.Context(), tx, transfer.Turn{ID: idOf("t"), Token: r.n, Step: step, Envelope: b}, r.at); !errors.Is(err, transfer.ErrMalformed) {
				t.Errorf("%s with a MAC %t: %v", step, !has, err)
			}
			return nil
		}))
	}
}

// TestMalformed is what is no message.
func TestMalformed(t *testing.T) {
	r := to(t, transfer.Claimed, "lan")
	good := r.message("t", handover.StepHello, nil)
	for name, turn := range map[string]transfer.Turn{
		"nothing":           {Step: handover.StepHello},
		"no envelope":       {Step: handover.StepHello, Envelope: []byte("hello")},
		"cut short":         {Step: handover.StepHello, Envelope: good[:len(good)-1]},
		"longer":            {Step: handover.StepHello, Envelope: append(good, 0)},
		"another message":   {Step: handover.StepAnswer, Envelope: good},
		"no step":           {Envelope: good},
		"a step that is no": {Step: "goodbye", Envelope: good},
		"an empty message":  {Step: handover.StepHello, Envelope: []byte{0x83, 0x40, 0x40, 0x41, 0}},
	} {
		turn.ID, turn.Token = idOf("t"), r.c
		r.must(r.store.view(t.Context(), func(tx transfer.Tx) error {
			if _, err := r.Expect(t.Context(), tx, turn, r.at); !errors.Is(err, transfer.ErrMalformed) {
				t.Errorf("%s: %v", name, err)
			}
			return nil
		}))
	}
}

// TestEndForgets: shares, sealed secrets and what is known of the passkey do not
// outlive any end.
func TestEndForgets(t *testing.T) {
	for _, command := range []string{"cancel by=alice", "receipt", "after 24h"} {
		r := to(t, transfer.Sealed, "lan")
		if row := r.row("t"); len(row.HoldShare)*len(row.CommitShare)*len(row.SealedKeys)*len(row.Passkey) == 0 {
			t.Fatal("there is nothing to forget")
		}
		r.walk(want{command, nil})
		if command == "receipt" {
			r.walk(want{"recall", nil})
		}
		r.walk(want{"sweep", nil})
		if row := r.row("t"); len(row.HoldShare)+len(row.CommitShare)+len(row.SealedKeys)+len(row.Passkey) != 0 || row.EndedAt.IsZero() {
			t.Errorf("after %s it is %s, ended at %s, and has shares", command, row.State, row.EndedAt)
		}
	}
}

// stale is a transaction that another one has overtaken.
type stale struct{ transfer.Tx }

func (stale) PutTransfer(context.Context, transfer.Transfer, uint64) (bool, error) { return false, nil }

func TestLostUpdate(t *testing.T) {
	r := to(t, transfer.Claimed, "lan")
	turn, err := r.turn("t", r.c, handover.StepHello, nil)
	r.must(err)
	_, err = r.in(func(tx transfer.Tx) (*transfer.View, error) { return r.HelloTx(t.Context(), stale{tx}, turn, r.at) })
	if !errors.Is(err, transfer.ErrConflict) {
		t.Errorf("%v", err)
	}
}
