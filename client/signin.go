package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
)

// again is how often a ceremony is begun anew when the answer to its end got
// lost: no token is given out twice.
const again = 3

// SignIn signs in with a passkey. The session is new and fresh.
func (p *Phone) SignIn(ctx context.Context) error {
	if p.State().Account == "" {
		return ErrNotEnrolled
	}
	return p.signIn(ctx)
}

// signIn is SignIn for a phone whose key the server knows, although the state
// may not say so yet.
func (p *Phone) signIn(ctx context.Context) error {
	return p.ceremony(func() error {
		if err := p.dropSession(ctx); err != nil {
			return err
		}
		b, err := p.keys.BeginSignIn(ctx, connect.NewRequest(&passkeyv1.BeginSignInRequest{}))
		if err != nil {
			return err
		}
		response, err := p.get(ctx, b.Msg.GetOptions())
		if err != nil {
			return err
		}
		f, err := p.keys.FinishSignIn(ctx, connect.NewRequest(&passkeyv1.FinishSignInRequest{Ceremony: b.Msg.GetCeremony(), Response: response}))
		if err != nil {
			return err
		}
		if f.Msg.GetSigned() == nil {
			return errors.New("client: sign in: the server asks another device to approve a phone that it knows")
		}
		return p.signed(ctx, f.Msg.GetSigned(), nil)
	})
}

// StepUp makes the session fresh.
func (p *Phone) StepUp(ctx context.Context) error {
	return p.ceremony(func() error {
		b, err := p.keys.BeginStepUp(ctx, connect.NewRequest(&passkeyv1.BeginStepUpRequest{}))
		if err != nil {
			return err
		}
		response, err := p.get(ctx, b.Msg.GetOptions())
		if err != nil {
			return err
		}
		_, err = p.keys.FinishStepUp(ctx, connect.NewRequest(&passkeyv1.FinishStepUpRequest{Ceremony: b.Msg.GetCeremony(), Response: response}))
		return err
	})
}

// ceremony runs fn, which begins and finishes a ceremony, again when nobody
// heard of its end.
func (p *Phone) ceremony(fn func() error) error {
	end := p.now().Add(p.patience)
	for n := 1; ; n++ {
		err := fn()
		lost := errors.Is(err, ErrUnreachable) && !neverSent(err)
		switch reason(err) {
		case "PASSKEY_CEREMONY_USED", "PASSKEY_CEREMONY_EXPIRED":
			lost = true
		}
		if !lost || n == again || !p.now().Before(end) {
			return err
		}
	}
}

// SignOut ends this session. The phone stays enrolled.
func (p *Phone) SignOut(ctx context.Context) error {
	if p.State().signedOut() {
		return nil
	}
	_, err := p.accounts.SignOut(ctx, connect.NewRequest(&accountv1.SignOutRequest{}))
	if err != nil && reason(err) != "SESSION_ENDED" {
		return err
	}
	return p.dropSession(ctx)
}

// dropSession forgets the session, for one that has ended fails every call.
func (p *Phone) dropSession(ctx context.Context) error {
	if p.State().signedOut() {
		return nil
	}
	return p.change(ctx, func(s *PhoneState) { s.Session, s.token = "", Token{} })
}

// signed keeps what a flow has left. more may change the rest of the state. Whose phone
// this is no server changes.
func (p *Phone) signed(ctx context.Context, m *accountv1.Signed, more func(*PhoneState)) error {
	token, err := NewToken(m.GetToken())
	if err != nil {
		return fmt.Errorf("client: the server's answer has no session token")
	}
	s := p.State()
	mine := s.Account
	if s.Began != nil {
		mine = s.Began.Account
	}
	if mine != "" && m.GetAccount() != string(mine) {
		return fmt.Errorf("%w: this phone is of account %s, and the server signs it in to %.40q", ErrMismatch, mine, m.GetAccount())
	}
	return p.change(ctx, func(s *PhoneState) {
		s.Account, s.Device = account.ID(m.GetAccount()), account.DeviceID(m.GetDevice())
		s.Passkey, s.Session, s.token = account.CredentialRef(m.GetPasskey()), account.SessionID(m.GetSession()), token
		if more != nil {
			more(s)
		}
	})
}

// get asks the person for a passkey.
func (p *Phone) get(ctx context.Context, options string) (string, error) {
	response, err := p.passkeys.Get(ctx, json.RawMessage(options))
	if err != nil {
		return "", fmt.Errorf("client: passkey: %w", err)
	}
	return stripped(response)
}

// create asks the person for a new passkey.
func (p *Phone) create(ctx context.Context, options string) (string, error) {
	response, err := p.passkeys.Create(ctx, json.RawMessage(options))
	if err != nil {
		return "", fmt.Errorf("client: new passkey: %w", err)
	}
	return stripped(response)
}

// asNeeded runs fn. When the server wants to have seen more of the person, it
// signs in or steps up, once, and runs it again.
func (p *Phone) asNeeded(ctx context.Context, fn func() error) error {
	if p.State().Account == "" {
		return ErrNotEnrolled
	}
	err := fn()
	if reason(err) == "SESSION_ENDED" { // what needs no session is done without one
		if err := p.dropSession(ctx); err != nil {
			return err
		}
		err = fn()
	}
	var more error
	switch reason(err) {
	case "SESSION_REQUIRED", "PROOF_INVALID":
		if unknown := p.unknown(ctx); unknown != nil {
			return unknown
		}
		if reason(err) == "PROOF_INVALID" {
			return err
		}
		more = p.signIn(ctx)
	case "STEP_UP_REQUIRED":
		if exact(err) {
			return err
		}
		more = p.freshen(ctx)
	default:
		return err
	}
	if more != nil {
		return more
	}
	return fn()
}

// freshen makes the session fresh: from person by a step-up, from device by a
// sign-in.
func (p *Phone) freshen(ctx context.Context) error {
	if p.State().signedOut() {
		return p.signIn(ctx)
	}
	err := p.StepUp(ctx)
	switch reason(err) {
	case "SESSION_ENDED", "SESSION_REQUIRED", "STEP_UP_REQUIRED":
		return p.signIn(ctx)
	}
	return err
}

// unknown is an error when the server knows no device with this phone's key: it
// was removed, or never was there. A device may always ask for its status, and
// only who is none is refused.
func (p *Phone) unknown(ctx context.Context) error {
	_, err := p.accounts.GetStatus(ctx, connect.NewRequest(&accountv1.GetStatusRequest{}))
	if !stranger(err) {
		return nil
	}
	return &Error{Code: connect.CodeNotFound, Reason: "DEVICE_NOT_FOUND", Message: "the server knows no device with this key", err: err}
}

// stranger reports whether a refused status says that the key is no device's.
func stranger(err error) bool {
	switch reason(err) {
	case "PROOF_INVALID", "SESSION_REQUIRED", "DEVICE_NOT_FOUND", "ACCOUNT_NOT_FOUND":
		return true
	}
	return false
}

// exact reports whether a refusal wants a passkey over the very action, which no
// session gives.
func exact(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Need == account.Exact.String() || e.Need == account.Bound.String())
}
