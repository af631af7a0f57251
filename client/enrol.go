package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
)

// Enrolment is what a new phone says of itself.
type Enrolment struct {
	Name       string // for people; 1 to 64 characters
	SealingAlg string // of the sealing key; empty: it has none
	SealingKey []byte // public
	Hints      *attestv1.Hints
}

// Enrolled is a phone that has an account.
type Enrolled struct {
	Account      account.ID
	AccountState string // "active" ...
	Device       account.DeviceID
	DeviceState  string // "active", "held" ...
	Passkey      account.CredentialRef
	Session      account.SessionID
	Name         string
	Platform     string
	FreezeCode   string // given out once; empty: of a join
	At           time.Time
}

// Enroll makes an account with this phone as its first device. A phone that has
// begun and does not know how it ended, since it died or the answer got lost,
// finds out first: then it signs in, and has a new freeze code made, for the
// first one got lost with the answer.
func (p *Phone) Enroll(ctx context.Context, in *Enrolment) (*Enrolled, error) {
	switch s := p.State(); {
	case s.Account != "" && s.Began == nil:
		return nil, ErrEnrolled
	case s.Began != nil && s.Began.Flow != FlowEnrol:
		return nil, ErrUnfinished
	case p.hardware == nil:
		return nil, errors.New("client: options: Hardware is required to enrol")
	}
	if p.State().Began != nil {
		if out, err := p.resumeEnrol(ctx); out != nil || err != nil {
			return out, err
		}
	}
	end := p.now().Add(p.patience)
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		out, err := p.enrol(ctx, in)
		if p.State().Began == nil || !uncertain(err) {
			return out, err
		}
		if out, again := p.resumeEnrol(ctx); out != nil || again != nil {
			return out, again
		}
		if !p.now().Before(end) {
			return nil, err
		}
		if err := wait(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// uncertain reports whether a call may have been done although it failed: its
// answer got lost, or a first try's did.
func uncertain(err error) bool { return errors.Is(err, ErrUnreachable) || alreadyDone(err) }

// alreadyDone reports whether a refusal may come of a first try whose answer got
// lost.
func alreadyDone(err error) bool {
	switch reason(err) {
	case "PASSKEY_CEREMONY_USED", "PASSKEY_ALREADY_REGISTERED", "DEVICE_KEY_KNOWN", "JOIN_EXPIRED":
		return true
	}
	return false
}

func (p *Phone) enrol(ctx context.Context, in *Enrolment) (*Enrolled, error) {
	b, err := p.accounts.BeginEnrol(unsigned(ctx), connect.NewRequest(&accountv1.BeginEnrolRequest{}))
	if err != nil {
		return nil, err
	}
	phone, err := p.newPhone(ctx, in, b.Msg.GetApp(), b.Msg.GetChallenge())
	if err != nil {
		return nil, err
	}
	response, err := p.create(ctx, b.Msg.GetOptions())
	if err != nil {
		return nil, err
	}
	err = p.change(ctx, func(s *PhoneState) {
		s.Began = &Began{Flow: FlowEnrol, Account: account.ID(b.Msg.GetAccount()), ExpiresAt: b.Msg.GetExpiresAt().AsTime()}
	})
	if err != nil {
		return nil, err
	}
	f, err := p.accounts.FinishEnrol(ctx, connect.NewRequest(&accountv1.FinishEnrolRequest{
		Ceremony: b.Msg.GetCeremony(), Response: response, Phone: phone,
	}))
	if err != nil {
		return nil, err
	}
	m := f.Msg
	if err := p.signed(ctx, m.GetSigned(), func(s *PhoneState) { s.Began = nil }); err != nil {
		return nil, err
	}
	out := enrolledFromProto(m.GetSigned(), m.GetName(), lower(m.GetPlatform(), "PLATFORM_"), m.GetEnrolledAt().AsTime())
	out.FreezeCode = m.GetFreezeCode()
	return out, nil
}

// resumeEnrol finds out what has become of an enrolment. Without an account
// there are neither a result nor an error.
func (p *Phone) resumeEnrol(ctx context.Context) (*Enrolled, error) {
	out, err := p.resume(ctx)
	if out == nil || err != nil {
		return nil, err
	}
	code, err := p.renewFreezeCode(ctx)
	if err != nil {
		return nil, err
	}
	out.FreezeCode = code
	return out, p.change(ctx, func(s *PhoneState) { s.Began = nil })
}

// resume signs in if the server knows the key that the phone has begun with.
func (p *Phone) resume(ctx context.Context) (*Enrolled, error) {
	p.mu.Lock()
	key := p.key
	p.mu.Unlock()
	if key == nil {
		return nil, nil
	}
	if err := p.dropSession(ctx); err != nil {
		return nil, err
	}
	st, err := p.accounts.GetStatus(ctx, connect.NewRequest(&accountv1.GetStatusRequest{}))
	switch {
	case stranger(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := p.signIn(ctx); err != nil {
		return nil, err
	}
	list, err := p.accounts.ListDevices(ctx, connect.NewRequest(&accountv1.ListDevicesRequest{}))
	if err != nil {
		return nil, err
	}
	at := time.Time{}
	for _, d := range list.Msg.GetDevices() {
		if d.GetThis() {
			at = d.GetAddedAt().AsTime()
		}
	}
	m, s := st.Msg, p.State()
	return &Enrolled{
		Account: s.Account, AccountState: lower(m.GetAccountState(), "STATE_"), Device: s.Device,
		DeviceState: lower(m.GetDeviceState(), "STATE_"), Passkey: s.Passkey, Session: s.Session,
		Name: m.GetName(), Platform: lower(m.GetPlatform(), "PLATFORM_"), At: at,
	}, nil
}

// newPhone has the hardware make a key over the challenge, signs with it from
// now on, and gives what a flow that brings a new key sends.
func (p *Phone) newPhone(ctx context.Context, in *Enrolment, app string, challenge []byte) (*accountv1.NewPhone, error) {
	if asked := p.State().App; app == "" || asked != "" && string(asked) != app {
		return nil, fmt.Errorf("%w: asked for app %q, and the server answers for app %q", ErrMismatch, asked, app)
	}
	k, err := p.hardware.NewKey(ctx, challenge)
	if err != nil {
		return nil, err
	}
	m := k.proto(challenge)
	m.Name, m.Hints, m.SealingAlg, m.SealingKey = in.Name, in.Hints, in.SealingAlg, in.SealingKey
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key, p.state.Key, p.state.App = k.Key, k.ID(), account.AppID(app)
	return m, nil
}

// enrolled is a phone that an account has let in, with what the server has noted
// of it.
func (p *Phone) enrolled(ctx context.Context, m *accountv1.Signed, name string) (*Enrolled, error) {
	platform, at := "", time.Time{}
	list, err := p.Devices(ctx)
	for _, d := range list {
		if d.GetThis() {
			at, platform = d.GetAddedAt().AsTime(), lower(d.GetPlatform(), "PLATFORM_")
		}
	}
	return enrolledFromProto(m, name, platform, at), err
}

func enrolledFromProto(m *accountv1.Signed, name, platform string, at time.Time) *Enrolled {
	return &Enrolled{
		Account: account.ID(m.GetAccount()), AccountState: lower(m.GetAccountState(), "STATE_"),
		Device: account.DeviceID(m.GetDevice()), DeviceState: lower(m.GetDeviceState(), "STATE_"),
		Passkey: account.CredentialRef(m.GetPasskey()), Session: account.SessionID(m.GetSession()),
		Name: name, Platform: platform, At: at,
	}
}
