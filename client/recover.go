package client

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/recovery"
)

// ErrRecoveryOver: the recovery was cancelled on another device, or not gone on
// with in time. Start a new one when the server lets you.
var ErrRecoveryOver = errors.New("client: the recovery is over")

// Recovering is how the recovery of an account on this phone stands.
type Recovering struct {
	Pending account.PendingID
	OpensAt time.Time             // the wait is over then
	At      time.Time             // now, by the server's clock
	Ticket  recovery.TicketSecret // empty: not yet
	Until   time.Time             // of the ticket
	Proved  bool                  // the PIN was: FinishRecovery can be called

	ceremony, options string
	finished          bool
}

// StartRecovery begins to bring an account back on this phone, which is new, or
// asks how that stands: it is the same call, made again after the wait. All
// devices of the account are told, and any of them can cancel it. With the
// ticket recovery.Client.Recover takes the PIN, by Phone.Recovery; then
// FinishRecovery makes the phone the account's.
func (p *Phone) StartRecovery(ctx context.Context, id account.ID, in *Enrolment) (*Recovering, error) {
	s := p.State()
	switch {
	case s.Account != "" && s.Began == nil:
		return nil, ErrEnrolled
	case s.Began != nil && (s.Began.Flow != FlowRecover || s.Began.Account != id):
		return nil, ErrUnfinished
	case p.hardware == nil:
		return nil, errors.New("client: options: Hardware is required to recover")
	}
	if s.Began != nil && p.keyID() != "" {
		out, err := p.askRecovery(ctx, id)
		if reason(err) != "PENDING_NOT_FOUND" && reason(err) != "PROOF_INVALID" { // else the server has never heard of it
			return out, err
		}
	}
	b, err := p.accounts.BeginDevice(unsigned(ctx), connect.NewRequest(&accountv1.BeginDeviceRequest{}))
	if err != nil {
		return nil, err
	}
	phone, err := p.newPhone(ctx, in, b.Msg.GetApp(), b.Msg.GetChallenge())
	if err != nil {
		return nil, err
	}
	if err := p.change(ctx, func(s *PhoneState) { s.Began = &Began{Flow: FlowRecover, Account: id} }); err != nil {
		return nil, err
	}
	res, err := p.accounts.StartRecovery(ctx, connect.NewRequest(&accountv1.StartRecoveryRequest{Account: string(id), Phone: phone}))
	switch {
	case uncertain(err):
		return p.askRecovery(ctx, id)
	case err != nil:
		return nil, errors.Join(err, p.change(ctx, func(s *PhoneState) { s.Began = nil }))
	}
	return recoveringFromProto(res.Msg), nil
}

// askRecovery asks how the recovery of this phone's key stands. To ask changes
// nothing: it is asked again while no answer comes.
func (p *Phone) askRecovery(ctx context.Context, id account.ID) (*Recovering, error) {
	var res *connect.Response[accountv1.StartRecoveryResponse]
	var err error
	end := p.now().Add(p.patience)
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		res, err = p.accounts.StartRecovery(ctx, connect.NewRequest(&accountv1.StartRecoveryRequest{Account: string(id)}))
		if !errors.Is(err, ErrUnreachable) || !p.now().Before(end) {
			break
		}
		if err := wait(ctx, pause); err != nil {
			return nil, err
		}
	}
	if reason(err) == "TOO_LATE" {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrRecoveryOver, err), p.change(ctx, func(s *PhoneState) { s.Began = nil }))
	}
	if err != nil {
		return nil, err
	}
	return recoveringFromProto(res.Msg), nil
}

// FinishRecovery makes the new passkey, and the phone the account's. The account
// cools off: until Enrolled's hold is over the phone can do little, and a device
// that was there before can take the account back.
func (p *Phone) FinishRecovery(ctx context.Context, in *Enrolment) (*Enrolled, error) {
	b := p.State().Began
	if b == nil || b.Flow != FlowRecover {
		return nil, ErrNotEnrolled
	}
	end := p.now().Add(p.patience)
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		r, err := p.askRecovery(ctx, b.Account)
		if err != nil {
			return nil, err
		}
		var out *Enrolled
		if r.finished {
			if out, err = p.resume(ctx); out != nil {
				return out, p.change(ctx, func(s *PhoneState) { s.Began = nil })
			}
			return nil, errors.Join(ErrRecoveryOver, err)
		}
		if out, err = p.finishRecovery(ctx, r, in); !uncertain(err) || !p.now().Before(end) {
			return out, err
		}
		if err := wait(ctx, pause); err != nil {
			return nil, err
		}
	}
}

func (p *Phone) finishRecovery(ctx context.Context, r *Recovering, in *Enrolment) (*Enrolled, error) {
	if !r.Proved {
		return nil, fmt.Errorf("%w: the PIN was not proved yet: recover the keys first", ErrUnfinished)
	}
	response, err := p.create(ctx, r.options)
	if err != nil {
		return nil, err
	}
	if err := p.change(ctx, func(*PhoneState) {}); err != nil { // the passkey is kept before the server knows it
		return nil, err
	}
	res, err := p.accounts.FinishRecovery(ctx, connect.NewRequest(&accountv1.FinishRecoveryRequest{
		Pending: string(r.Pending), Ceremony: r.ceremony, Response: response,
	}))
	if err != nil {
		return nil, err
	}
	if got := res.Msg.GetSigned().GetAccount(); got != string(p.State().Began.Account) {
		return nil, fmt.Errorf("%w: %s was to be recovered, and it is %q", ErrMismatch, p.State().Began.Account, got)
	}
	if err := p.signed(ctx, res.Msg.GetSigned(), func(s *PhoneState) { s.Began = nil }); err != nil {
		return nil, err
	}
	return p.enrolled(ctx, res.Msg.GetSigned(), in.Name)
}

// SetUpRecovery has the person approve that this phone registers a recovery PIN
// under the name reg. show is told the text that he approves.
func (p *Phone) SetUpRecovery(ctx context.Context, reg [16]byte, show func(text string) error) error {
	a, err := p.Propose(ctx, account.SetupRecovery, map[string]string{"reg_id": hex.EncodeToString(reg[:])})
	if err != nil {
		return err
	}
	if err := show(a.Text); err != nil {
		return err
	}
	_, err = p.Confirm(ctx, a)
	return err
}

// OpenRecovery has the person approve that this phone, which has an account, gets
// its own keys back, and gives a ticket for that.
func (p *Phone) OpenRecovery(ctx context.Context, show func(text string) error) (recovery.TicketSecret, error) {
	a, err := p.Propose(ctx, account.OpenRecovery, struct{}{})
	if err != nil {
		return nil, err
	}
	if err := show(a.Text); err != nil {
		return nil, err
	}
	result, err := p.Confirm(ctx, a)
	if err != nil {
		return nil, err
	}
	var r struct{ Ticket []byte }
	if err := json.Unmarshal(result, &r); err != nil || len(r.Ticket) == 0 {
		return nil, fmt.Errorf("%w: the server's answer has no ticket", ErrMismatch)
	}
	return r.Ticket, nil
}

func recoveringFromProto(m *accountv1.StartRecoveryResponse) *Recovering {
	return &Recovering{
		Pending: account.PendingID(m.GetPending()), OpensAt: m.GetOpensAt().AsTime(), At: m.GetServerTime().AsTime(), Ticket: m.GetTicket(),
		Until: m.GetUntil().AsTime(), Proved: m.GetCeremony() != "", ceremony: m.GetCeremony(), options: m.GetOptions(), finished: m.GetFinished(),
	}
}
