package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
)

// Joining is what the new phone shows, so that a device of the account can
// approve it.
type Joining struct {
	Join      account.JoinID
	Code      string // for the QR code
	Number    string // two digits, which the owner types on the other device
	ExpiresAt time.Time
}

// Join brings this phone into an account that another device has. show is told
// what to show; then Join waits until the other device has approved, makes the
// passkey, and finishes. A phone that was cut off goes on where it was.
func (p *Phone) Join(ctx context.Context, in *Enrolment, show func(Joining) error) (*Enrolled, error) {
	s := p.State()
	switch {
	case s.Account != "" && s.Began == nil:
		return nil, ErrEnrolled
	case s.Began != nil && s.Began.Flow != FlowJoin:
		return nil, ErrUnfinished
	case p.hardware == nil:
		return nil, errors.New("client: options: Hardware is required to join")
	}
	if s.Began != nil {
		out, err := p.resume(ctx)
		if err != nil {
			return nil, err
		}
		if out != nil {
			return out, p.change(ctx, func(s *PhoneState) { s.Began = nil })
		}
	}
	if b := s.Began; b == nil || b.Join == "" || !p.serverNow().Before(b.ExpiresAt) {
		if err := p.requestJoin(ctx, in); err != nil {
			return nil, err
		}
	}
	b := p.State().Began
	if err := show(Joining{b.Join, b.Code, b.Number, b.ExpiresAt}); err != nil {
		return nil, err
	}
	var end time.Time
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		w, err := p.waitJoin(ctx, b.Join)
		if err != nil {
			return nil, err
		}
		if end.IsZero() {
			end = p.now().Add(p.patience)
		}
		out, err := p.finishJoin(ctx, w, in)
		if !uncertain(err) {
			return out, err
		}
		out, again := p.resume(ctx)
		if out != nil {
			return out, p.change(ctx, func(s *PhoneState) { s.Began = nil })
		}
		if again != nil || !p.now().Before(end) {
			return nil, errors.Join(err, again)
		}
		if err := wait(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// requestJoin opens a join. The key is kept with it: who has it alone can finish.
func (p *Phone) requestJoin(ctx context.Context, in *Enrolment) error {
	b, err := p.accounts.BeginDevice(unsigned(ctx), connect.NewRequest(&accountv1.BeginDeviceRequest{}))
	if err != nil {
		return err
	}
	phone, err := p.newPhone(ctx, in, b.Msg.GetApp(), b.Msg.GetChallenge())
	if err != nil {
		return err
	}
	if err := p.change(ctx, func(s *PhoneState) { s.Began = &Began{Flow: FlowJoin} }); err != nil {
		return err
	}
	j, err := p.joins.RequestJoin(ctx, connect.NewRequest(&accountv1.RequestJoinRequest{Phone: phone}))
	if err != nil {
		return err
	}
	m := j.Msg
	// The other device compares this hash with the server's: it must be of our keys.
	hash := account.JoinKeysHash(p.keyID(), in.SealingAlg, in.SealingKey)
	if want := account.JoinCode(account.JoinID(m.GetJoin()), hash[:]); m.GetCode() != want {
		return fmt.Errorf("%w: the code of the join is not that of this phone's keys", ErrMismatch)
	}
	return p.change(ctx, func(s *PhoneState) {
		s.Began = &Began{Flow: FlowJoin, Join: account.JoinID(m.GetJoin()), Code: m.GetCode(), Number: m.GetNumber(), ExpiresAt: m.GetExpiresAt().AsTime()}
	})
}

// waitJoin waits until the join is approved.
func (p *Phone) waitJoin(ctx context.Context, id account.JoinID) (*accountv1.WaitJoinResponse, error) {
	pause, since, corrected := firstPause, p.now(), false
	for {
		heard, err := p.watchJoin(ctx, id)
		switch {
		case heard != nil:
			return heard, nil
		case err == nil:
			since, pause = p.now(), firstPause // the server has answered
		case ctx.Err() != nil:
			return nil, fmt.Errorf("client: wait for the join: %w", ctx.Err())
		case !corrected && p.correct(err):
			corrected = true
			continue
		case errors.Is(err, ErrJoinOver), reason(typed(err)) == "JOIN_EXPIRED", reason(typed(err)) == "JOIN_NOT_FOUND":
			if !errors.Is(err, ErrJoinOver) {
				err = fmt.Errorf("%w: %w", ErrJoinOver, typed(err))
			}
			return nil, errors.Join(err, p.change(ctx, func(s *PhoneState) { s.Began = nil }))
		case !gone(err):
			return nil, typed(err)
		case p.now().Sub(since) > p.patience:
			return nil, fmt.Errorf("%w: %w", ErrUnreachable, typed(err))
		}
		if err := wait(ctx, pause); err != nil {
			return nil, err
		}
		pause = min(2*pause, mostPause)
	}
}

// watchJoin reads one stream. Without an approval and without an error the
// stream has ended too early, and another is wanted.
func (p *Phone) watchJoin(ctx context.Context, id account.JoinID) (*accountv1.WaitJoinResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := p.joins.WaitJoin(ctx, connect.NewRequest(&accountv1.WaitJoinRequest{Join: string(id)}))
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	for stream.Receive() {
		switch m := stream.Msg(); m.GetState() {
		case accountv1.JoinState_JOIN_STATE_OPEN:
		case accountv1.JoinState_JOIN_STATE_CONFIRMED:
			return m, nil
		default:
			return nil, fmt.Errorf("%w: it is %s", ErrJoinOver, lower(m.GetState(), "JOIN_STATE_"))
		}
	}
	return nil, stream.Err()
}

// finishJoin makes the passkey, which is kept before the server knows it.
func (p *Phone) finishJoin(ctx context.Context, w *accountv1.WaitJoinResponse, in *Enrolment) (*Enrolled, error) {
	response, err := p.create(ctx, w.GetOptions())
	if err != nil {
		return nil, err
	}
	err = p.change(ctx, func(s *PhoneState) {
		b := *s.Began
		b.Account = account.ID(w.GetAccount())
		s.Began = &b
	})
	if err != nil {
		return nil, err
	}
	f, err := p.joins.FinishJoin(ctx, connect.NewRequest(&accountv1.FinishJoinRequest{Join: w.GetJoin(), Ceremony: w.GetCeremony(), Response: response}))
	if err != nil {
		return nil, err
	}
	if err := p.signed(ctx, f.Msg.GetSigned(), func(s *PhoneState) { s.Began = nil }); err != nil {
		return nil, err
	}
	return p.enrolled(ctx, f.Msg.GetSigned(), in.Name)
}

// Applicant is what another device must see before its owner approves a join.
// What the new device calls itself, anybody could have written.
type Applicant struct {
	Join      account.JoinID
	Kind      string // "phone", "browser" or "guest"
	Name      string
	Platform  string
	Origin    string // of a browser
	Place     string // for people; empty: not known
	ExpiresAt time.Time
}

// ReadJoin reads a join by the code that the new device shows. It gives
// ErrJoinKeys if the server has another device's keys than the code: show nothing
// of it then, and approve nothing.
func (p *Phone) ReadJoin(ctx context.Context, code string) (*Applicant, error) {
	id, hash, err := account.ParseJoinCode(code)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCode, err)
	}
	m, err := ask(ctx, p, p.joins.GetJoin, &accountv1.GetJoinRequest{Code: code})
	if err != nil {
		return nil, err
	}
	if m.GetJoin() != string(id) || !bytes.HasPrefix(m.GetKeysHash(), hash) {
		return nil, ErrJoinKeys
	}
	return &Applicant{
		Join: account.JoinID(m.GetJoin()), Kind: lower(m.GetKind(), "JOIN_KIND_"), Name: m.GetName(), Platform: lower(m.GetPlatform(), "PLATFORM_"),
		Origin: m.GetOrigin(), Place: m.GetPlace(), ExpiresAt: m.GetExpiresAt().AsTime(),
	}, nil
}

// Approve approves a join with the number that the new device shows. What is
// signed names that device.
func (p *Phone) Approve(ctx context.Context, a *Applicant, number string, show func(text string) error) (account.ApprovalID, error) {
	action := account.AddDevice
	if a.Kind == "guest" {
		action = account.ApproveGuest
	}
	v, err := p.Propose(ctx, action, map[string]string{"join": string(a.Join), "number": number})
	if err != nil {
		return "", err
	}
	if err := show(v.Text); err != nil {
		return "", err
	}
	_, err = p.Confirm(ctx, v)
	return v.ID, err
}
