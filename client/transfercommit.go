package client

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
)

// commit signs for what has arrived, if it is what was granted. With that the
// account is this phone's, in one transaction at the server.
func (r *receiving) commit(ctx context.Context) error {
	if _, err := r.half.Value(handover.StepReceipt); err != nil {
		if err := r.receipt(ctx); err != nil {
			return err
		}
	}
	if v, _, _ := r.watch.seen(); reached(v, transferv1.TransferState_TRANSFER_STATE_COMMITTED) && r.file.Result.Account != "" {
		return nil
	}
	r.tell.phase(PhaseCommit)
	e, err := r.half.Receipt(*r.file.Receipt)
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	b, err := e.Encode()
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	res, err := r.p.moves.Commit(unsigned(ctx), connect.NewRequest(&transferv1.CommitRequest{Transfer: string(r.file.Transfer), Token: r.file.Token, Envelope: b}))
	if err != nil {
		return r.refused(err)
	}
	r.watch.take(res.Msg.GetView())
	m := res.Msg.GetSigned()
	if account.ID(m.GetAccount()) != r.file.Account { // what the old phone has signed names one
		return fmt.Errorf("%w: the server gives this phone the account %.40q, and the old phone has granted %s", ErrMoveCheck, m.GetAccount(), r.file.Account)
	}
	r.file.Result.Account, r.file.Result.Device = account.ID(m.GetAccount()), account.DeviceID(m.GetDevice())
	r.file.State = "committed"
	if err := r.dir.save(r.file); err != nil {
		return err
	}
	r.tell.tell(MoveEvent{Event: EventCommitted, Account: r.file.Result.Account})
	return r.session(ctx, m)
}

// receipt compares what has arrived with the grant.
func (r *receiving) receipt(ctx context.Context) error {
	r.tell.phase(PhaseCheck)
	for { // until the grant is there, the old phone may begin anew
		v, err := r.watch.until(ctx, func(v *transferv1.View) bool {
			return r.watch.has(handover.StepGrant) || v.GetRevision() != r.taken.stream.Revision()
		})
		if err != nil {
			return err
		}
		if v.GetRevision() == r.taken.stream.Revision() {
			break
		}
		r.restarted()
		if err := r.take(ctx); err != nil {
			return err
		}
	}
	e, err := r.watch.envelope(ctx, handover.StepGrant)
	if err != nil {
		return err
	}
	g, err := r.half.HandleGrant(e)
	if err != nil {
		return r.cancel(ctx, "integrity", checked(err))
	}
	t := r.taken
	if g.Revision != uint64(t.stream.Revision()) {
		return r.cancel(ctx, "integrity", fmt.Errorf("%w: revision %d was granted, and revision %d has come", ErrMoveCheck, g.Revision, t.stream.Revision()))
	}
	totals := t.reader.Totals()
	in := handover.Receipt{Root: t.stream.Root(), Bytes: t.stream.Bytes(), Objects: t.reader.Objects(), Quarantined: r.o.Importer.Quarantined()}
	if _, err := r.half.Receipt(in); err != nil {
		return r.cancel(ctx, "integrity", checked(err))
	}
	r.tell.tell(MoveEvent{Event: EventSealed, Root: in.Root, Bytes: totals.Bytes, Objects: totals.Objects})
	r.file.Receipt = &in
	r.file.Result = &Moved{
		Role: RoleReceiver, Transfer: r.file.Transfer, Objects: totals.Objects, Bytes: totals.Bytes, Quarantined: in.Quarantined,
		SealingKeySHA256: g.SealingKeyHash, MailboxCursor: g.Cursor,
	}
	return r.save(r.half)
}

// session keeps the session that came with the account; once more it comes without.
func (r *receiving) session(ctx context.Context, m *accountv1.Signed) error {
	if r.p.State().Began == nil {
		return nil
	}
	over := func(s *PhoneState) { s.Began = nil }
	if m.GetToken() != "" {
		return r.p.signed(ctx, m, over)
	}
	if err := r.p.change(ctx, func(s *PhoneState) { s.Began = &Began{Flow: FlowMove, Account: r.file.Account} }); err != nil {
		return err
	}
	if err := r.p.signIn(ctx); err != nil {
		return err
	}
	return r.p.change(ctx, over)
}

// open opens the keys and stores them, puts the history in place, and says so. If
// the keys cannot be opened nothing is said, and the old phone can take the account
// back.
func (r *receiving) open(ctx context.Context) error {
	if err := r.session(ctx, nil); err != nil {
		return err
	}
	r.tell.phase(PhaseOpen)
	v, err := r.watch.until(ctx, func(v *transferv1.View) bool {
		return reached(v, transferv1.TransferState_TRANSFER_STATE_COMMITTED) && (len(v.GetCommitShare()) > 0 || r.file.Placed)
	})
	if err != nil {
		return err
	}
	if !r.file.Placed {
		if err := r.keys(ctx, v); err != nil {
			return err
		}
		if err := r.o.Importer.Place(ctx); err != nil {
			return err //nolint:wrapcheck // the importer's own
		}
		r.file.Placed = true
		if err := r.dir.save(r.file); err != nil {
			return err
		}
	}
	e, err := r.half.Ack(r.file.Sealing)
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	b, err := e.Encode()
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	if err := r.save(r.half); err != nil {
		return err
	}
	res, err := r.p.moves.Acknowledge(unsigned(ctx), connect.NewRequest(&transferv1.AcknowledgeRequest{Transfer: string(r.file.Transfer), Token: r.file.Token, Envelope: b}))
	if err != nil {
		return r.refused(err)
	}
	v = res.Msg.GetView()
	if t := v.GetRecallUntil(); t.IsValid() {
		r.file.Result.RecallUntil = t.AsTime()
	}
	r.recallWithin(recallTime(v))
	r.half.Erase()
	r.file.Closed, r.file.State, r.file.Passkey = true, "acked", nil
	if err := r.save(r.half); err != nil {
		return err
	}
	return removeAll(r.dir.dir, markName, goodName, spoolName)
}

// keys opens what came along and stores it.
func (r *receiving) keys(ctx context.Context, v *transferv1.View) error {
	share, err := fixed32(v.GetCommitShare())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeysClosed, err)
	}
	secrets, err := r.half.Open(share, v.GetSealed())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeysClosed, err)
	}
	defer secrets.Erase()
	sealing, err := r.o.Home.SealingKey(secrets)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeysClosed, err)
	}
	if sha256.Sum256(sealing) != r.file.Result.SealingKeySHA256 {
		return fmt.Errorf("%w: %w", ErrKeysClosed, handover.ErrKey)
	}
	r.recallWithin(mostRecall) // kept before there is anything to wipe: no answer of the server's ends it otherwise
	if err := r.dir.save(r.file); err != nil {
		return err
	}
	if err := r.o.Home.Take(ctx, secrets); err != nil {
		return fmt.Errorf("client: store the keys: %w", errors.Join(err))
	}
	r.file.Sealing = sealing
	return r.save(r.half)
}
