package client

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
)

// receiving is a run of the new phone's loop.
type receiving struct {
	*moveRun
	o      *ReceiveOptions
	half   *handover.Receiver
	taken  *taking // all of it
	beacon *beacon
}

// ReceiveMove shows a code for the current phone to scan, and takes over its
// account, keys and history, or goes on with that. The phone has none of them until
// the account is its own; then it opens the keys, puts the history in place, and
// signs in.
func (p *Phone) ReceiveMove(ctx context.Context, o *ReceiveOptions) (*Moved, error) {
	if o.Dir == "" || o.Home == nil || o.Importer == nil || o.Number == nil || p.hardware == nil {
		return nil, errors.New("client: options: Dir, Home, Importer, Number and Hardware are required to receive")
	}
	r := &receiving{moveRun: p.newMoveRun(&o.Moving, RoleReceiver), o: o}
	defer r.close()
	defer func() { r.beacon.close() }()
	var err error
	if r.file, err = r.dir.load(); err != nil {
		return nil, err
	}
	switch s := p.State(); {
	case r.file != nil && r.file.Closed && r.file.State != "recalled": // after a recall the phone is anybody's
		return r.done(ctx)
	case s.Account != "" && s.Began == nil && (r.file == nil || r.file.Result == nil):
		return nil, ErrEnrolled
	case s.Began != nil && s.Began.Flow != FlowMove:
		return nil, ErrUnfinished
	}
	o.Importer.Tell(func(q Quarantined) {
		r.tell.tell(MoveEvent{Event: EventQuarantined, Path: q.Path, Line: q.Line, Reason: q.Reason})
	})
	if r.file != nil && !r.file.over() {
		if err := r.restore(); err != nil {
			return nil, err
		}
	}
	for {
		if r.file == nil || r.file.over() {
			if err := r.begin(ctx); err != nil {
				return nil, err
			}
		}
		out, err := r.run(ctx)
		if errors.Is(err, errUnclaimed) { // another code
			continue
		}
		if errors.Is(err, ErrMoveEnded) && !r.file.Placed {
			err = errors.Join(err, o.Importer.Clear(context.WithoutCancel(ctx)))
		}
		return out, r.ended(ctx, err)
	}
}

// done gives the result of a move that is over for this phone, unless it has been taken
// back since: then it is given back. Without the server it is as it was.
func (r *receiving) done(ctx context.Context) (*Moved, error) {
	if !r.file.over() {
		v, err := r.view(ctx)
		if err == nil {
			err = r.settle(ctx, v)
		} else if e := (*Error)(nil); errors.Is(err, ErrUnreachable) || errors.As(err, &e) {
			err = nil // it has forgotten the move, or cannot be asked
		}
		if err != nil {
			return nil, err
		}
	}
	return r.file.Result, r.file.ended()
}

// errUnclaimed: nobody has scanned the code in time.
var errUnclaimed = errors.New("client: the code was not scanned in time")

// receiverOptions are those of the half.
func (r *moveRun) receiverOptions(judge handover.Judge) (*handover.ReceiverOptions, error) {
	spki, prove, err := r.p.prover()
	if err != nil {
		return nil, err
	}
	if judge.Now == nil {
		judge.Now = r.p.serverNow
	}
	return &handover.ReceiverOptions{Device: spki, Prove: prove, Audience: r.file.Audience, Judge: judge}, nil
}

func (r *receiving) restore() error {
	o, err := r.receiverOptions(r.o.Judge)
	if err == nil {
		r.half, err = handover.RestoreReceiver(r.file.Half, o)
	}
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	return nil
}

// begin makes a code, with keys and evidence of their own.
func (r *receiving) begin(ctx context.Context) error {
	r.beacon.close()
	r.beacon = nil
	b, err := r.p.moves.Begin(unsigned(ctx), connect.NewRequest(&transferv1.BeginRequest{}))
	if err != nil {
		return err
	}
	m := b.Msg
	challenge, err := fixed32(m.GetChallenge())
	if err == nil {
		err = r.p.audienceFits(m.GetAudience())
	}
	if err != nil {
		return err
	}
	evidence, err := r.newKey(ctx, m.GetAudience(), challenge[:])
	if err != nil {
		return err
	}
	if err := r.dir.begin(); err != nil {
		return err
	}
	r.file = &moveFile{Audience: m.GetAudience(), App: r.p.State().App, Token: newMoveToken(), Begun: r.p.now(), Until: r.p.now().Add(secondsOf(m.GetOfferSeconds()))}
	o, err := r.receiverOptions(r.o.Judge)
	if err != nil {
		return err
	}
	o.Evidence, o.Challenge, o.Info, o.SchemaLow, o.SchemaHigh = *evidence, challenge, r.o.Info.device(), historySchema, historySchema
	if o.FreeBytes, err = freeBytes(r.o.Dir); err != nil {
		return diskError(err)
	}
	if r.beacon = r.listen(0); r.beacon != nil {
		o.Beacons, o.LAN = handover.BeaconLAN, r.beacon.addrs
	}
	if r.half, err = handover.NewReceiver(o); err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	r.file.Transfer, r.file.URI = account.TransferID(r.half.ID()), r.half.Code().URI()
	if r.beacon != nil {
		at, err := netip.ParseAddrPort(r.beacon.addrs[0])
		if err != nil {
			return fmt.Errorf("client: beacon: %w", err)
		}
		r.file.Beacon = at.Port()
	}
	// The key is kept before the server hears of it.
	if err := r.p.change(ctx, func(s *PhoneState) { s.Began = &Began{Flow: FlowMove} }); err != nil {
		return err
	}
	return r.save(r.half)
}

// newKey has the hardware make a key with evidence for it.
func (r *receiving) newKey(ctx context.Context, audience string, challenge []byte) (*handover.Evidence, error) {
	k, err := r.p.hardware.NewKey(ctx, challenge)
	if err != nil {
		return nil, err
	}
	r.p.mu.Lock()
	r.p.key, r.p.state.Key, r.p.state.App = k.Key, k.ID(), appOf(audience)
	r.p.mu.Unlock()
	e := &handover.Evidence{
		Platform: k.Platform, Chain: k.CertificateChain, Object: k.AttestationObject, KeyID: k.AppleKeyID,
		OSVersion: r.o.Info.OS, AppVersion: r.o.Info.App, Model: r.o.Info.Model,
	}
	if e.Platform != handover.Apple {
		e.Platform, e.KeyID = handover.Android, ""
	}
	return e, nil
}

// listen makes the beacon, where that is wanted and can be.
func (r *receiving) listen(port uint16) *beacon {
	if r.o.NoProximity {
		return nil
	}
	b, err := listenBeacon(port, r.o.Loopback)
	if err != nil || len(b.addrs) == 0 {
		b.close()
		return nil // proximity is never the only way
	}
	return b
}

// run goes on where the move is.
func (r *receiving) run(ctx context.Context) (*Moved, error) {
	r.tell.of(r.file.Transfer)
	r.tell.phase(PhasePair)
	if err := r.offer(ctx); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{r.claimed, r.match, r.confirmed, r.take, r.commit, r.open} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return r.file.Result, nil
}

// offer shows the code, while it lives.
func (r *receiving) offer(ctx context.Context) error {
	if _, err := r.half.Value(handover.StepHello); err == nil {
		r.follow(ctx)
		return r.resumed(ctx)
	}
	if r.file.Beacon != 0 && r.beacon == nil {
		r.beacon = r.listen(r.file.Beacon) // the phone was restarted while the code lives
	}
	if says, err := r.half.Beacon(); err == nil && r.beacon != nil {
		go r.beacon.serve([beaconSize]byte(says))
	}
	offer := r.half.Offer()
	b, err := offer.Encode()
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	_, err = r.p.moves.Offer(unsigned(ctx), connect.NewRequest(&transferv1.OfferRequest{Envelope: b, Token: r.file.Token}))
	switch {
	case reason(err) == "TRANSFER_ENDED":
		return r.forget(ctx)
	case err != nil:
		return err
	}
	r.follow(ctx)
	r.tell.tell(MoveEvent{Event: EventOffer, URI: r.file.URI, Expires: r.file.Until})
	// By this phone's own clock, whatever the server says: a code that nobody has scanned
	// is worth nothing after its time.
	soon, stop := context.WithDeadlineCause(ctx, r.file.Until, errUnclaimed)
	defer stop()
	v, err := r.watch.until(soon, func(v *transferv1.View) bool { return v.GetState() != transferv1.TransferState_TRANSFER_STATE_OFFERED })
	if errors.Is(err, errUnclaimed) || over(v) != nil && v.GetReason() == "expired" {
		return r.forget(ctx)
	}
	if over(v) != nil {
		return over(v)
	}
	return err
}

// forget makes a code worthless that was not scanned.
func (r *receiving) forget(ctx context.Context) error {
	err := r.cancel(ctx, "expired", errUnclaimed)
	r.half.Erase()
	r.file.State, r.file.Reason, r.file.Half, r.file.URI = "aborted", "expired", nil, ""
	return errors.Join(errUnclaimed, r.dir.save(r.file), dropEnded(err))
}

// dropEnded leaves out that a transfer which was cancelled has ended.
func dropEnded(err error) error {
	if errors.Is(err, ErrMoveEnded) {
		return nil
	}
	return err
}
