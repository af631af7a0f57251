package client

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/request"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
)

// moveRun is one run of a loop, of either phone.
type moveRun struct {
	p    *Phone
	m    *Moving
	dir  *moveDir
	file *moveFile
	tell *teller

	watch *watcher
	stop  context.CancelFunc
	done  sync.WaitGroup
}

func (p *Phone) newMoveRun(m *Moving, role string) *moveRun {
	return &moveRun{p: p, m: m, dir: m.folder(role), tell: newTeller(m.Events, p.now), stop: func() {}}
}

// follow begins to watch the transfer at the server, until close.
func (r *moveRun) follow(ctx context.Context) {
	r.close()
	r.tell.of(r.file.Transfer)
	r.watch = r.p.watchMove(r.file.Transfer, r.file.Token, r.retry)
	ctx, r.stop = context.WithCancel(ctx)
	r.done.Go(func() { r.watch.run(ctx) })
}

// resumed tells that the move goes on, and where it is.
func (r *moveRun) resumed(ctx context.Context) error {
	v, err := r.watch.until(ctx, func(*transferv1.View) bool { return true })
	if err != nil {
		return err
	}
	r.tell.tell(MoveEvent{Event: EventResumed, State: moveState(v), Done: v.GetBytesAcked()})
	return nil
}

func (r *moveRun) close() {
	r.stop()
	r.done.Wait()
}

// retry tells that a call is made again.
func (r *moveRun) retry(err error, after time.Duration) {
	r.tell.tell(MoveEvent{Event: EventRetry, Reason: retryReason(err), After: after})
}

func retryReason(err error) string {
	if why := reason(err); why != "" {
		return why
	}
	return "unreachable"
}

// bulk carries this transfer's segments.
func (r *moveRun) bulk() *bulk {
	return &bulk{http: r.p.bulk, url: r.p.url, app: r.p.State().App, id: r.file.Transfer, token: r.file.Token}
}

// save writes the half down, with what else has changed.
func (r *moveRun) save(half interface{ MarshalBinary() ([]byte, error) }) error {
	b, err := half.MarshalBinary()
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	r.file.Half = b
	return r.dir.save(r.file)
}

// ended notes an end that the server tells of, and does what it asks of this phone:
// nothing that cannot be undone. Any other error it gives back as it is.
func (r *moveRun) ended(ctx context.Context, err error) error {
	var e *MoveEnded
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.State == "recalled" && r.role() == RoleSender:
		return errors.Join(err, r.back(ctx))
	case e.State == "recalled":
		return errors.Join(err, r.givenBack(ctx))
	case r.file.Left || r.file.Placed:
		return fmt.Errorf("%w: the server says that the move was aborted, and the new phone has signed for it", ErrMoveCheck)
	}
	return errors.Join(err, r.aborted(e.Reason))
}

// cancel ends the transfer for both phones, and gives why, with what it is at the
// server: it may have ended otherwise in the meantime.
func (r *moveRun) cancel(ctx context.Context, why string, cause error) error {
	// The person's interruption is no reason not to tell the other phone.
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), r.p.patience)
	defer stop()
	ended := &MoveEnded{State: "aborted", Reason: why}
	res, err := r.p.moves.Cancel(unsigned(ctx), connect.NewRequest(&transferv1.CancelRequest{Transfer: string(r.file.Transfer), Token: r.file.Token, Reason: why}))
	if err == nil && res.Msg.GetView().GetReason() != "" {
		ended.Reason = res.Msg.GetView().GetReason()
	}
	return fmt.Errorf("%w: %w", r.ended(ctx, ended), cause)
}

// refused is a call's error; an end that it tells of is a *MoveEnded.
func (r *moveRun) refused(err error) error {
	e := (*Error)(nil)
	if errors.As(err, &e) && e.Reason == "TRANSFER_ENDED" {
		return fmt.Errorf("%w: %w", &MoveEnded{State: e.State, Reason: e.Ended}, err)
	}
	return err
}

// better says why a segment is not to be had, or not wanted, where the server says
// no more than that: ctx is cancelled with what the watcher hears.
func (r *moveRun) better(ctx context.Context, err error) error {
	if refused := (*refusedSegment)(nil); !errors.As(err, &refused) || refused.status != 410 {
		return err
	}
	if r.watch.ask(ctx, 0) == nil {
		if v, _, _ := r.watch.seen(); over(v) != nil {
			return over(v)
		}
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(2 * tellEvery):
		return err
	}
}

// checked says of an error of package handover that a check has failed.
func checked(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrMoveCheck):
		return err
	}
	return fmt.Errorf("%w: %w", ErrMoveCheck, err)
}

// prover makes device proofs with the phone's key.
func (p *Phone) prover() (spki []byte, prove handover.Prove, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k, ok := p.key.(MovingKey)
	if !ok {
		return nil, nil, fmt.Errorf("client: options: Key: %T does not give its public key, which a move needs: see MovingKey", p.key)
	}
	return k.Public(), func(value [32]byte) ([]byte, error) {
		return k.Sign(request.DeviceProof(value))
	}, nil
}

// stepUp has the person approve one of the actions of a move, over a value of its
// transcript.
func (p *Phone) stepUp(ctx context.Context, action account.Action, id account.TransferID, value [32]byte, show func(string) error) (handover.StepUp, error) {
	a, err := p.Propose(ctx, action, map[string]string{"transfer": string(id), "value": hex.EncodeToString(value[:])})
	if err != nil {
		return handover.StepUp{}, err
	}
	if err := show(a.Text); err != nil {
		return handover.StepUp{}, err
	}
	response, err := p.get(ctx, a.options)
	if err != nil {
		return handover.StepUp{}, err
	}
	return handover.StepUp{Approval: string(a.ID), Assertion: []byte(response)}, nil
}

// newToken is one side's secret for the calls of a transfer.
func newMoveToken() []byte {
	b := make([]byte, 32)
	rand.Read(b) //nolint:errcheck // crypto/rand: never returns an error
	return b
}

// audienceFits refuses a server that speaks for another app than this phone's, or
// under another name than those that this phone has for it: whoever runs the server
// of one phone could name the other's, and be what stands between two
// (spec/transfer.md, section 7).
func (p *Phone) audienceFits(audience string) error {
	app, host, ok := strings.Cut(audience, "@")
	if own := p.State().App; !ok || host == "" || app == "" || own != "" && string(own) != app {
		return fmt.Errorf("%w: the server speaks for %.80q, and this phone's app is %q", ErrMoveCheck, audience, own)
	}
	host = strings.ToLower(host)
	if here := loopback(host) && loopback(p.names[0]); !here && !slices.Contains(p.names, host) {
		return &OtherHostError{Says: host, Asked: p.names[0]}
	}
	return nil
}

// OtherHostError: the server calls itself something that this phone does not know it by.
// It is an ErrMoveCheck: either the two are one, and PhoneOptions.Hosts has to name the
// first, or somebody stands between.
type OtherHostError struct{ Says, Asked string }

func (e *OtherHostError) Error() string {
	return fmt.Sprintf("%v: the server calls itself %.80q, and this phone asked %s: if both are one, name the first in PhoneOptions.Hosts", ErrMoveCheck, e.Says, e.Asked)
}

// Unwrap gives ErrMoveCheck.
func (*OtherHostError) Unwrap() error { return ErrMoveCheck }

// appOf is the app that an audience names: app ID "@" host.
func appOf(audience string) account.AppID {
	app, _, _ := strings.Cut(audience, "@")
	return account.AppID(app)
}

func secondsOf(n int64) time.Duration { return time.Duration(n) * time.Second }

func (i MoveInfo) device() handover.DeviceInfo {
	return handover.DeviceInfo{Model: i.Model, OS: i.OS, App: i.App}
}

func infoOf(d handover.DeviceInfo) MoveInfo { return MoveInfo{d.Model, d.OS, d.App} }
