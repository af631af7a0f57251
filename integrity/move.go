package integrity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/transfer"
)

// A move takes an account from its current phone to a new one. Pillar transfer
// has the messages of the two, the states and the data; the flows here add to each
// message what only the accounts know: whose device has signed it, whether that
// device may still do so, which passkey has approved it, and, when it is
// committed, that one device leaves and another one comes, in the same
// transaction.
//
// Each is called with a turn: the transfer, the token of the phone that sends,
// and its envelope. What is in it is verified outside the transaction; within, the
// pillar looks at it again. The same bytes sent again get the same answer, and are
// verified no more, for approvals and ceremonies work once.

// moving reports an error where there is no pillar transfer.
func (s *Service) moving(c account.Caller) error {
	switch {
	case s.moves == nil:
		return ErrNoMoves
	case !c.In(s.app):
		return ErrNotAllowed
	}
	return nil
}

// transferTx is the transaction of the store as pillar transfer has it.
func transferTx(tx Tx) (transfer.Tx, error) {
	t, ok := beneath(tx).(transfer.Tx)
	if !ok {
		return nil, fmt.Errorf("integrity: the store keeps no transfers: %T", beneath(tx))
	}
	return t, nil
}

// actMove is act with the transaction of pillar transfer. Whoever waits for that
// transfer is woken after the commit.
func (s *Service) actMove(ctx context.Context, id transfer.ID, fn func(tx Tx, moves transfer.Tx) error) error {
	return s.act(ctx, func(tx Tx) error {
		moves, err := transferTx(tx)
		if err != nil {
			return err
		}
		s.woken(tx, id)
		return fn(tx, moves)
	})
}

// lookMove is look with it.
func (s *Service) lookMove(ctx context.Context, fn func(tx Tx, moves transfer.Tx) error) error {
	return s.look(ctx, func(tx Tx) error {
		moves, err := transferTx(tx)
		if err != nil {
			return err
		}
		return fn(tx, moves)
	})
}

// woken notes a transfer that the transaction changes.
func (*Service) woken(tx Tx, id transfer.ID) {
	if n, ok := tx.(*noting); ok && id != "" {
		n.touched.moves.add(id)
	}
}

// expected reads what pillar transfer expects of a turn, and verifies the device
// proof in it: over the transcript value, by the key that the row names. Bytes that
// are stored already were verified when they came.
func (s *Service) expected(ctx context.Context, c account.Caller, turn transfer.Turn, now time.Time) (*transfer.Wanted, error) {
	if err := s.moving(c); err != nil {
		return nil, err
	}
	var w *transfer.Wanted
	err := s.lookMove(ctx, func(_ Tx, moves transfer.Tx) (err error) {
		w, err = s.moves.Expect(ctx, moves, turn, now)
		return err
	})
	if err != nil || w.Repeat {
		return w, err
	}
	err = s.attest.VerifyProof(ctx, w.KeyID, w.Value, w.Proof)
	if errors.Is(err, registry.ErrProofRefused) {
		err = fmt.Errorf("%w: %v", transfer.ErrProof, err) //nolint:errorlint // one reason, and not that of a signed call
		return nil, s.refusedMove(ctx, c, w.Transfer, err, now)
	}
	return w, err
}

// step is a turn of a phone in which the accounts have no part.
func (s *Service) step(ctx context.Context, c account.Caller, turn transfer.Turn,
	do func(context.Context, transfer.Tx, transfer.Turn, time.Time) (*transfer.View, error),
) (*transfer.View, error) {
	now := s.now()
	w, err := s.expected(ctx, c, turn, now)
	if err != nil {
		return nil, err
	}
	turn.Value = w.Value
	var out *transfer.View
	err = s.actMove(ctx, turn.ID, func(_ Tx, moves transfer.Tx) (err error) {
		out, err = do(ctx, moves, turn, now)
		return err
	})
	return out, err
}

// current loads the current phone of a move: the very device that has claimed it,
// active, with a session, and no risk in its way. For anybody else the transfer is
// not there.
func (s *Service) current(ctx context.Context, tx Tx, c account.Caller, t transfer.Transfer, now time.Time) (*actor, error) {
	a, err := s.load(ctx, tx, c, now)
	switch {
	case err != nil:
		return nil, err
	case c.Device == "" || c.Account != t.Account || c.Device != t.SenderDevice:
		return nil, transfer.ErrNotFound
	}
	return a, s.require(a, account.MoveClaim)
}

// refusedMove writes down, in the record of the account that moves, what was
// refused of its transfer, and gives the error back.
func (s *Service) refusedMove(ctx context.Context, c account.Caller, t transfer.Transfer, cause error, now time.Time) error {
	if t.Account == "" { // nobody has claimed it
		return cause
	}
	err := s.act(ctx, func(tx Tx) error {
		c.Account = t.Account
		return s.recordRefusal(ctx, tx, c, t.Account, "transfer.refused", refusalCode(cause), now)
	})
	if err != nil {
		return err
	}
	return cause
}

// warnMove tells all devices but the cause of what has become of a move.
func (s *Service) warnMove(ctx context.Context, tx Tx, a *actor, kind string, t transfer.Transfer, more map[string]any) error {
	d := s.deed(a, kind, string(t.ID))
	d.alert = kind
	if t.Account != "" {
		d.account = t.Account
	}
	d.data = map[string]any{"transfer": t.ID}
	if p := t.Peer(); p != "" {
		d.data["name"] = p
	}
	if t.Place != "" {
		d.data["near"] = t.Place
	}
	for k, v := range more {
		d.data[k] = v
	}
	return s.warn(ctx, tx, d)
}

// untrustedMove is evidence of a new phone that is refused, with the registry's
// advice for it.
func untrustedMove(advice string) error {
	return fmt.Errorf("%w: %w", transfer.ErrUntrusted, &Untrusted{Advice: advice})
}
