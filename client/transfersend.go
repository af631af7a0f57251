package client

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/staunchid/staunch/account"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
)

// sending is a run of the current phone's loop.
type sending struct {
	*moveRun
	o    *SendOptions
	half *handover.Sender
	plan atomic.Pointer[plan] // the one in force, for progress
}

// SendMove moves this phone's account to the new phone whose code was scanned, or
// goes on with that. It returns when the new phone has opened the keys. Until the
// new phone has proved that it has everything this phone stays in charge; then it
// signs itself out, and keeps what it has, locked, for as long as it can take the
// account back (RecallMove, MoveStatus).
func (p *Phone) SendMove(ctx context.Context, o *SendOptions) (*Moved, error) {
	if o.Dir == "" || o.Home == nil || o.Ask == nil || o.Show == nil || o.Judge.Policy == nil {
		return nil, errors.New("client: options: Dir, Home, Ask, Show and Judge.Policy are required to send")
	}
	s := &sending{moveRun: p.newMoveRun(&o.Moving, RoleSender), o: o}
	defer s.close()
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	if s.file.Closed {
		return s.file.Result, s.file.ended()
	}
	if err := s.file.ended(); err != nil {
		return nil, err
	}
	out, err := s.run(ctx)
	return out, s.ended(ctx, err)
}

// begin finds the move that is under way, or begins one.
func (s *sending) begin(ctx context.Context) (err error) {
	if s.file, err = s.dir.load(); err != nil {
		return err
	}
	if s.o.URI == "" {
		if s.file == nil {
			return ErrNoMove
		}
		return s.sameHistory()
	}
	code, err := handover.ParseCode(s.o.URI)
	if err != nil {
		return fmt.Errorf("client: the code: %w", err)
	}
	id := account.TransferID(code.TransferID())
	switch {
	case s.file != nil && s.file.Transfer == id:
		return s.sameHistory()
	case s.file != nil && !s.file.over():
		return fmt.Errorf("%w: %s", ErrMoveOther, s.file.Transfer)
	case s.p.State().Account == "":
		return ErrNotEnrolled
	}
	if err := s.p.sameSealingKey(ctx, s.o.Home); err != nil {
		return err
	}
	if err := s.dir.begin(); err != nil {
		return err
	}
	s.file = &moveFile{Transfer: id, App: s.p.State().App, URI: s.o.URI, Token: newMoveToken(), Begun: s.p.now()}
	if s.o.Source != nil {
		s.file.Source = s.o.Source.Name()
	}
	if s.file.Plan, err = freeze(ctx, s.dir, 1, s.o.Source); err == nil {
		err = s.dir.save(s.file)
	}
	if err != nil {
		return errors.Join(err, s.dir.begin()) // nothing was sent
	}
	return nil
}

// sameHistory goes on with the history that was begun with, and refuses another.
func (s *sending) sameHistory() error {
	if s.file.Left || s.file.over() || s.o.Source != nil && s.o.Source.Name() == s.file.Source {
		return nil
	}
	if s.o.Resume == nil {
		if s.o.Source == nil { // as long as nothing of it is to be read
			return nil
		}
		return fmt.Errorf("%w: %s, which was begun with %s, and not with %s; give it the same history again, or cancel it",
			ErrMoveOther, s.file.Transfer, historyText(s.file.Source), historyText(s.o.Source.Name()))
	}
	src, err := s.o.Resume(s.file.Source)
	if err != nil {
		return fmt.Errorf("client: the history that the move was begun with: %w", err)
	}
	if src.Name() != s.file.Source {
		return fmt.Errorf("%w: %s, which was begun with %s; Resume gives %s", ErrMoveOther, s.file.Transfer, historyText(s.file.Source), historyText(src.Name()))
	}
	s.o.Source = src
	return nil
}

// run goes on where the move is.
func (s *sending) run(ctx context.Context) (*Moved, error) {
	s.tell.of(s.file.Transfer)
	s.tell.phase(PhasePair)
	resumed := len(s.file.Half) > 0
	if !resumed {
		if err := s.claim(ctx); err != nil {
			return nil, err
		}
	} else {
		o, err := s.senderOptions(s.o)
		if err == nil {
			s.half, err = handover.RestoreSender(s.file.Half, o)
		}
		if err != nil {
			return nil, fmt.Errorf("client: the move: %w", err)
		}
	}
	s.follow(ctx)
	if resumed {
		if err := s.resumed(ctx); err != nil {
			return nil, err
		}
	}
	s.plan.Store(s.file.Plan)
	defer s.showing(ctx)()
	if !s.file.Left {
		for _, step := range []func(context.Context) error{s.pair, s.confirm, s.send, s.leave} {
			if err := step(ctx); err != nil {
				return nil, err
			}
		}
	}
	return s.acknowledged(ctx)
}

// senderOptions are those of the half.
func (r *moveRun) senderOptions(o *SendOptions) (*handover.SenderOptions, error) {
	spki, prove, err := r.p.prover()
	if err != nil {
		return nil, err
	}
	st, judge := r.p.State(), o.Judge
	if judge.Now == nil {
		judge.Now = r.p.serverNow
	}
	return &handover.SenderOptions{
		Device: spki, Prove: prove, Audience: r.file.Audience, Judge: judge, Schema: historySchema, Bytes: r.file.Plan.Bytes,
		Account: string(st.Account), DeviceID: string(st.Device), Info: o.Info.device(), Label: o.Name,
	}, nil
}

// claim makes the transfer this account's, and checks who the new phone is.
func (s *sending) claim(ctx context.Context) error {
	code, err := handover.ParseCode(s.file.URI)
	if err != nil {
		return fmt.Errorf("client: the code: %w", err)
	}
	m, err := ask(ctx, s.p, s.p.moves.Claim, &transferv1.ClaimRequest{Transfer: string(s.file.Transfer), Token: s.file.Token})
	if err != nil {
		return s.refusedClaim(err)
	}
	offer, err := handover.DecodeEnvelope(m.GetOffer())
	if err != nil {
		return s.cancel(ctx, "integrity", checked(err))
	}
	s.file.Audience, s.file.RecallWindow = m.GetAudience(), recallWindow(m.GetRecallSeconds(), s.o.LeastRecall)
	if err := s.p.audienceFits(s.file.Audience); err != nil {
		return s.cancel(ctx, "integrity", err)
	}
	o, err := s.senderOptions(s.o)
	if err != nil {
		return err
	}
	if s.half, err = handover.NewSender(code, offer, o); err != nil {
		return s.refuse(ctx, err)
	}
	peer := s.half.Peer()
	s.file.Peer = &Peer{
		Info: infoOf(peer.Info), Verified: true, Verdict: m.GetVerdict(), Place: m.GetPlace(), SameNetwork: m.GetSameNetwork(),
	}
	for _, f := range peer.Verdict.Findings {
		s.file.Peer.Findings = append(s.file.Peer.Findings, f.Code)
	}
	s.file.Beacons, s.file.URI = peer.LAN, ""
	return s.save(s.half)
}

// recallWindow is how long the old phone keeps what it needs for a recall: as long as
// the server says, and no shorter than its app does.
func recallWindow(seconds int64, least time.Duration) time.Duration {
	if least == 0 {
		least = 72 * time.Hour
	}
	const most = 1 << 31 // seconds: what is longer would not be counted
	return max(secondsOf(min(max(seconds, 0), most)), least, 0)
}

// refusedClaim forgets a move that the server does not have for this phone.
func (s *sending) refusedClaim(err error) error {
	if e := (*Error)(nil); !errors.As(err, &e) || errors.Is(err, ErrUnreachable) {
		return err
	}
	return errors.Join(s.refused(err), s.dir.begin())
}

// refuse cancels because of who the new phone is.
func (s *sending) refuse(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, handover.ErrSchema):
		return s.cancel(ctx, "schema_too_new", err)
	case errors.Is(err, handover.ErrSpace):
		return s.cancel(ctx, "no_space", err)
	}
	return s.cancel(ctx, "device_rejected", checked(err))
}
