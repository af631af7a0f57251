package integrity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
)

// HelloMove carries the first message of the current phone: that of the caller's
// device, by the key that the registry has of it.
func (s *Service) HelloMove(ctx context.Context, c account.Caller, turn transfer.Turn) (*transfer.View, error) {
	turn.Step = handover.StepHello
	now := s.now()
	w, err := s.expected(ctx, c, turn, now)
	if err != nil {
		return nil, err
	}
	turn.Value = w.Value
	var out *transfer.View
	err = s.actMove(ctx, turn.ID, func(tx Tx, moves transfer.Tx) error {
		if !w.Repeat {
			if err := s.mayHello(ctx, tx, c, w, now); err != nil {
				return err
			}
		}
		out, err = s.moves.HelloTx(ctx, moves, turn, now)
		return err
	})
	return out, err
}

// mayHello reports whether a hello is of the caller's own device: the new phone
// believes the key in it, from which all that follows is signed.
func (s *Service) mayHello(ctx context.Context, tx Tx, c account.Caller, w *transfer.Wanted, now time.Time) error {
	if _, err := s.current(ctx, tx, c, w.Transfer, now); err != nil {
		return err
	}
	h, ok := w.Message.(*handover.Hello)
	if !ok {
		return fmt.Errorf("%w: a hello is wanted", transfer.ErrMalformed)
	}
	key, err := tx.AttestedKey(ctx, w.Transfer.SenderKey)
	if err != nil {
		return err
	}
	if !bytes.Equal(key.SPKI, h.Device) { // spec/transfer.md, "Checks"
		return fmt.Errorf("%w: the key in the hello is not the device's", transfer.ErrProof)
	}
	return nil
}

// MoveAnswered is the transfer, and the ceremony of the new phone's passkey.
type MoveAnswered struct {
	View     *transfer.View
	Ceremony account.CeremonyID // empty: the passkey is there already
	Options  json.RawMessage
}

// AnswerMove carries the new phone's nonce, and opens the ceremony in which it
// makes its passkey. Sent again, the ceremony is another one.
func (s *Service) AnswerMove(ctx context.Context, c account.Caller, turn transfer.Turn) (*MoveAnswered, error) {
	turn.Step = handover.StepAnswer
	now := s.now()
	w, err := s.expected(ctx, c, turn, now)
	if err != nil {
		return nil, err
	}
	turn.Value = w.Value
	if err := s.takeMove(ctx, "begin_network", c.Network, s.policy.Limits.BeginNetwork); err != nil {
		return nil, err
	}
	out := &MoveAnswered{}
	err = s.actMove(ctx, turn.ID, func(tx Tx, moves transfer.Tx) error {
		out.Ceremony, out.Options = "", nil
		if out.View, err = s.moves.AnswerTx(ctx, moves, turn, now); err != nil {
			return err
		}
		if out.View.State != transfer.Claimed || len(w.Transfer.Matched) > 0 {
			return nil
		}
		out.Ceremony, out.Options, err = s.beginMoved(ctx, tx, w.Transfer, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// beginMoved opens the ceremony of the new phone's passkey. It dies with the time
// in which the transfer must be confirmed.
func (s *Service) beginMoved(ctx context.Context, tx Tx, t transfer.Transfer, now time.Time) (account.CeremonyID, []byte, error) {
	a, err := s.account(ctx, tx, t.Account)
	if err != nil {
		return "", nil, err
	}
	passkeys, err := s.credentials(ctx, tx, a.ID)
	if err != nil {
		return "", nil, err
	}
	known, err := records(passkeys)
	if err != nil {
		return "", nil, err
	}
	ceremony, options, err := s.rp.Create(passkey.Join, user(a), known, now)
	if err != nil {
		return "", nil, err
	}
	row := ceremonyRow(ceremony)
	row.Binding = moveBinding(t)
	if !t.Deadline.IsZero() && row.ExpiresAt.After(t.Deadline) {
		row.ExpiresAt = t.Deadline
	}
	return row.ID, options, tx.AddCeremony(ctx, row)
}

// moveBinding binds that ceremony to the transfer and the new phone's key.
func moveBinding(t transfer.Transfer) []byte {
	return binding("move", []byte(string(t.ID)+"\x00"+t.ReceiverKey))
}

// movedPasskey is what a transfer keeps of the new phone's passkey between Match
// and Commit, which may be days later: it was verified, and is nobody's yet.
type movedPasskey struct {
	Record   json.RawMessage `json:"record"`
	Evidence []byte          `json:"evidence"`
	At       time.Time       `json:"at"`
}

// MatchMove says that the number was typed on the new phone, and brings its
// passkey, which is kept for the commit and signs in nobody until then.
func (s *Service) MatchMove(ctx context.Context, c account.Caller, turn transfer.Turn, id account.CeremonyID) (*transfer.View, error) {
	turn.Step = handover.StepMatched
	now := s.now()
	w, err := s.expected(ctx, c, turn, now)
	if err != nil {
		return nil, err
	}
	turn.Value = w.Value
	var row CeremonyRow
	var kept []byte
	if !w.Repeat {
		if row, kept, err = s.matched(ctx, c, w, id, now); err != nil {
			return nil, err
		}
	}
	var out *transfer.View
	err = s.actMove(ctx, turn.ID, func(tx Tx, moves transfer.Tx) error {
		if out, err = s.moves.MatchTx(ctx, moves, turn, kept, now); err != nil || w.Repeat {
			return err
		}
		a, err := s.account(ctx, tx, w.Transfer.Account)
		if err != nil {
			return err
		}
		return s.use(ctx, tx, row, a, now)
	})
	return out, err
}

// matched verifies the new passkey.
func (s *Service) matched(ctx context.Context, c account.Caller, w *transfer.Wanted, id account.CeremonyID, now time.Time) (row CeremonyRow, kept []byte, err error) {
	m, ok := w.Message.(*handover.Matched)
	if !ok {
		return row, nil, fmt.Errorf("%w: a matched is wanted", transfer.ErrMalformed)
	}
	err = s.look(ctx, func(tx Tx) (err error) {
		if row, err = s.answered(ctx, tx, id, passkey.Join, moveBinding(w.Transfer), now); err != nil {
			return err
		}
		return s.mayFail(ctx, tx, c, w.Transfer.Account, now)
	})
	if err != nil {
		return row, nil, err
	}
	ceremony, err := s.ceremony(row)
	if err != nil {
		return row, nil, err
	}
	made, err := s.created(ceremony, m.Passkey, now)
	if err != nil {
		return row, nil, s.failed(ctx, c, w.Transfer.Account, err)
	}
	record, err := made.Record.Encode()
	if err != nil {
		return row, nil, err
	}
	kept, err = json.Marshal(movedPasskey{Record: record, Evidence: made.Evidence.Encode(), At: now})
	return row, kept, err
}

// registration is the passkey as it was made.
func (m movedPasskey) registration() (*passkey.Registration, error) {
	record, err := passkey.ParseRecord(m.Record)
	if err != nil {
		return nil, err
	}
	evidence, err := passkey.ParseEvidence(m.Evidence)
	if err != nil {
		return nil, err
	}
	return &passkey.Registration{Record: record, Evidence: evidence, BackupEligible: record.BackupEligible()}, nil
}

// keptPasskey reads what a transfer has kept.
func keptPasskey(t transfer.Transfer) (*passkey.Registration, time.Time, error) {
	var m movedPasskey
	if len(t.Passkey) == 0 {
		return nil, time.Time{}, errors.New("integrity: a transfer without the passkey of its new phone")
	}
	if err := json.Unmarshal(t.Passkey, &m); err != nil {
		return nil, time.Time{}, fmt.Errorf("integrity: the passkey of %s: %w", t.ID, err)
	}
	made, err := m.registration()
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("integrity: the passkey of %s: %w", t.ID, err)
	}
	return made, m.At, nil
}
