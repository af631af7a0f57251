package client

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/staunchid/staunch/account"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
	"github.com/staunchid/staunch/transfer/sealed"
)

// grantFor is how long a grant may be taken; the server may allow less.
const grantFor = 24 * time.Hour

// send uploads the history and grants the account over it, until the server has
// both. A source that changes makes a new revision; what has arrived of the old one
// is given up.
func (s *sending) send(ctx context.Context) error {
	if v, _, _ := s.watch.seen(); reached(v, transferv1.TransferState_TRANSFER_STATE_SEALED) {
		return nil
	}
	bulkKey, err := s.half.BulkKey()
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	key, err := sealed.NewKey(bulkKey)
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	defer key.Wipe()
	j, err := openJournal(s.dir.path(journalName))
	if err != nil {
		return err
	}
	defer j.close() //nolint:errcheck // each line of it is synced
	had := new(spans)
	for {
		stream, err := s.upload(ctx, key, j, had)
		if err == nil {
			err = s.seal(ctx, stream)
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, sealed.ErrChanged):
			if err := s.revise(ctx, err); err != nil {
				return err
			}
			had = new(spans)
		case reason(err) == "TRANSFER_INCOMPLETE": // the server has lost some of it
			s.retry(err, 0)
		default:
			return s.refused(err)
		}
	}
}

// upload sends what the server does not have, while a transfer that ends stops it.
func (s *sending) upload(ctx context.Context, key sealed.Key, j *journal, had *spans) (*sealed.Stream, error) {
	if err := s.announce(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { // a transfer that ends stops it
		if _, err := s.watch.until(ctx, func(*transferv1.View) bool { return false }); err != nil {
			cancel(err)
		}
	}()
	u := &upload{
		plan: s.file.Plan, src: s.o.Source, key: key, bulk: s.bulk(), journal: j, patient: s.p.patience, now: s.p.now, retry: s.retry,
		stored: had,
		news:   func() <-chan struct{} { _, changed, _ := s.watch.seen(); return changed },
	}
	stream, err := u.run(ctx)
	return stream, s.better(ctx, err)
}

// announce tells the server of a plan that it does not know yet.
func (s *sending) announce(ctx context.Context) error {
	v, err := s.watch.until(ctx, func(v *transferv1.View) bool { return reached(v, transferv1.TransferState_TRANSFER_STATE_HELD) })
	if err != nil || v.GetRevision() == s.file.Plan.Revision {
		return err
	}
	for {
		m, err := ask(ctx, s.p, s.p.moves.Revise, &transferv1.ReviseRequest{
			Transfer: string(s.file.Transfer), Token: s.file.Token, Revision: s.file.Plan.Revision, Bytes: s.file.Plan.Bytes,
		})
		if err == nil {
			s.watch.take(m.GetView())
			return nil
		}
		if reason(err) != "RATE_LIMITED" { // the history changes faster than a server wants to hear of
			return s.refused(err)
		}
		s.retry(err, mostPause)
		if err := wait(ctx, mostPause); err != nil {
			return err
		}
	}
}

// revise makes a new plan of what is there now.
func (s *sending) revise(ctx context.Context, why error) error {
	old := s.file.Plan
	p, err := freeze(ctx, s.dir, old.Revision+1, s.o.Source)
	if err != nil {
		return err
	}
	s.file.Plan, s.file.Fraction = p, [2]uint64{0, p.Bytes}
	s.plan.Store(p)
	if err := s.dir.save(s.file); err != nil {
		return err
	}
	s.tell.tell(MoveEvent{Event: EventRestarted, Revision: p.Revision, Reason: why.Error()})
	return diskError(os.Remove(old.path))
}

// showing shows progress, which is the new phone's: what is durable there.
func (s *sending) showing(ctx context.Context) (stop func()) {
	ctx, end := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		count := &objectCount{}
		defer func() { count.close() }()
		for {
			v, changed, _ := s.watch.seen()
			if p := s.plan.Load(); p != nil && v.GetRevision() == p.Revision {
				if count.plan != p {
					count.close()
					count = &objectCount{plan: p}
				}
				s.show(v, count)
			}
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
		}
	}()
	return func() { end(); <-done }
}

func (s *sending) show(v *transferv1.View, count *objectCount) {
	s.tell.update(func(p *MoveEvent) {
		p.Revision, p.Done, p.Total = count.plan.Revision, min(v.GetBytesAcked(), count.plan.Bytes), count.plan.Bytes
		p.Objects, p.ObjectsTotal = count.at(p.Done, p.Total), count.plan.Totals.Objects
		switch st := v.GetState(); {
		case st == transferv1.TransferState_TRANSFER_STATE_HELD:
			p.Phase = PhaseHold
		case reached(v, transferv1.TransferState_TRANSFER_STATE_COMMITTED):
			p.Phase, p.Done, p.Objects = PhaseOpen, p.Total, p.ObjectsTotal
		case p.Done < p.Total:
			p.Phase = PhaseCopy
		case st == transferv1.TransferState_TRANSFER_STATE_STREAMING:
			p.Phase = PhaseCheck
		default:
			p.Phase = PhaseCommit
		}
	})
}

// seal grants the account over the stream. What is granted is written down before
// the server hears of it: a phone that dies in between sends the same grant again.
func (s *sending) seal(ctx context.Context, stream *sealed.Stream) error {
	v, err := s.watch.until(ctx, func(v *transferv1.View) bool { return reached(v, transferv1.TransferState_TRANSFER_STATE_STREAMING) })
	if err != nil {
		return err
	}
	granted, up := s.half.Granted(), (*handover.StepUp)(nil)
	for fresh := false; ; granted = nil {
		if granted == nil || s.file.Root != stream.Root() {
			if len(v.GetHoldReasons()) > 0 { // after a hold the person says yes once more
				value, err := s.half.Before(handover.StepGrant)
				if err != nil {
					return fmt.Errorf("client: the move: %w", err)
				}
				u, err := s.p.stepUp(ctx, account.ApproveMove, s.file.Transfer, value, s.o.Show)
				if err != nil {
					return err
				}
				up = &u
			}
			if granted, err = s.grant(ctx, stream, up, v.GetAt().AsTime()); err != nil {
				return err
			}
			fresh = true
		}
		b, err := granted.Envelope.Encode()
		if err != nil {
			return fmt.Errorf("client: the move: %w", err)
		}
		m, err := ask(ctx, s.p, s.p.moves.Seal, &transferv1.SealRequest{
			Transfer: string(s.file.Transfer), Token: s.file.Token, Envelope: b, CommitShare: granted.CommitShare[:], Sealed: granted.Sealed,
		})
		if err == nil {
			s.watch.take(m.GetView())
			break
		}
		if fresh || !staleStepUp(err) {
			return err
		}
	}
	t := s.file.Plan.Totals
	s.tell.tell(MoveEvent{Event: EventSealed, Root: s.file.Root, Bytes: t.Bytes, Objects: t.Objects})
	return nil
}

// grant makes the grant.
func (s *sending) grant(ctx context.Context, stream *sealed.Stream, up *handover.StepUp, at time.Time) (*handover.Granted, error) {
	secrets, err := s.o.Home.Secrets(ctx)
	if err != nil {
		return nil, fmt.Errorf("client: the keys of this phone: %w", err)
	}
	public, err := s.o.Home.SealingKey(secrets)
	if err != nil {
		return nil, fmt.Errorf("client: the keys of this phone: %w", err)
	}
	in := &handover.Granting{
		Revision: uint64(stream.Revision()), Records: stream.Records(), Bytes: stream.Bytes(), Objects: s.file.Plan.Totals.Objects,
		Root: stream.Root(), SealingKeyHash: sha256.Sum256(public), Expires: uint64(at.Add(grantFor).Unix()), StepUp: up, Secrets: secrets, //nolint:gosec // of this century
	}
	if s.o.Cursor != nil {
		in.Cursor = s.o.Cursor()
	}
	g, err := s.half.Grant(in)
	if err != nil {
		return nil, fmt.Errorf("client: the move: %w", err)
	}
	st, t := s.p.State(), s.file.Plan.Totals
	s.file.Root = stream.Root()
	s.file.Result = &Moved{
		Role: RoleSender, Transfer: s.file.Transfer, Account: st.Account, Device: st.Device, Objects: t.Objects, Bytes: t.Bytes,
		SealingKeySHA256: in.SealingKeyHash,
	}
	return g, s.save(s.half)
}

// leave signs this phone out, once the new phone has proved that it has all that
// was granted. The server's word alone, or a connection that breaks, is no proof.
func (s *sending) leave(ctx context.Context) error {
	receipt, err := s.watch.envelope(ctx, handover.StepReceipt)
	if err != nil {
		return err
	}
	v, err := s.watch.until(ctx, func(v *transferv1.View) bool { return reached(v, transferv1.TransferState_TRANSFER_STATE_COMMITTED) })
	if err != nil {
		return err
	}
	return s.leftFor(ctx, s.half, receipt, v)
}

// leftFor signs out, if the receipt is the new phone's and for what was granted.
func (r *moveRun) leftFor(ctx context.Context, half *handover.Sender, receipt handover.Envelope, v *transferv1.View) error {
	m, err := half.HandleReceipt(receipt)
	if err != nil {
		return checked(err)
	}
	r.file.Result.Quarantined = m.Quarantined
	if err := r.save(half); err != nil {
		return err
	}
	r.tell.tell(MoveEvent{Event: EventCommitted, Account: r.file.Result.Account})
	if err := r.p.dropSession(ctx); err != nil {
		return err
	}
	if err := r.m.Home.Lock(ctx); err != nil {
		return fmt.Errorf("client: lock this phone: %w", err)
	}
	r.file.Left, r.file.State = true, "committed"
	if err := r.dir.save(r.file); err != nil {
		return err
	}
	// The time to recall runs from the acknowledgement on: it is not over before this.
	e := MoveEvent{Event: EventSignedOut, RecallUntil: r.p.now().Add(r.file.RecallWindow)}
	if t := v.GetRecallUntil(); t.IsValid() {
		e.RecallUntil = t.AsTime()
	}
	r.tell.tell(e)
	return nil
}

// acknowledged waits until the new phone has opened the keys. Then this phone needs
// those of the stream no more; its own it keeps until the move is final.
func (s *sending) acknowledged(ctx context.Context) (*Moved, error) {
	ack, err := s.watch.envelope(ctx, handover.StepAck)
	if err != nil {
		return nil, err
	}
	if err := s.ackedBy(s.half, ack); err != nil {
		return nil, err
	}
	return s.file.Result, nil
}

// ackedBy takes the new phone's word that it has the keys.
func (r *moveRun) ackedBy(half *handover.Sender, e handover.Envelope) error {
	if _, err := half.HandleAck(e); err != nil {
		return checked(err)
	}
	half.Erase()
	r.file.AckedAt, r.file.Closed, r.file.State = r.p.now(), true, "acked"
	r.file.Result.RecallUntil = r.file.AckedAt.Add(r.file.RecallWindow)
	if err := r.save(half); err != nil {
		return err
	}
	return removeAll(r.dir.dir, journalName, planName+fmt.Sprint(r.file.Plan.Revision))
}
