package rpc

import (
	"context"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// passkeyHandler is staunch.passkey.v1.PasskeyService.
type passkeyHandler struct{ *edge }

// BeginSignIn opens a ceremony that names no account.
func (h *passkeyHandler) BeginSignIn(ctx context.Context, req *connect.Request[passkeyv1.BeginSignInRequest]) (*connect.Response[passkeyv1.BeginSignInResponse], error) {
	begin := h.either
	if req.Msg.GetNewPhone() {
		begin = h.stranger // its key, if it has one, is of nobody
	}
	p, err := begin(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	b, err := p.app.BeginSignIn(ctx, p.Caller, &integrity.SignInStart{Handle: req.Msg.GetHandle(), NewPhone: req.Msg.GetNewPhone()})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&passkeyv1.BeginSignInResponse{
		Ceremony: string(b.Ceremony), Options: string(b.Options), Challenge: b.Challenge, ExpiresAt: timeToProto(b.ExpiresAt),
	}), nil
}

// FinishSignIn opens a session. A phone that is known has signed the call; of
// one that is not, the flow finds the key in its evidence.
func (h *passkeyHandler) FinishSignIn(ctx context.Context, req *connect.Request[passkeyv1.FinishSignInRequest]) (*connect.Response[passkeyv1.FinishSignInResponse], error) {
	r, err := h.finishSignIn(ctx, req)
	if err != nil {
		return nil, err
	}
	m := &passkeyv1.FinishSignInResponse{}
	switch {
	case r.Signed != nil:
		m.Result = &passkeyv1.FinishSignInResponse_Signed{Signed: signedToProto(r.Signed)}
	case r.Join != nil:
		m.Result = &passkeyv1.FinishSignInResponse_Join{Join: &passkeyv1.Joined{
			Join: string(r.Join.Join), Number: r.Join.Number, ExpiresAt: timeToProto(r.Join.ExpiresAt),
		}}
	}
	return connect.NewResponse(m), nil
}

func (h *passkeyHandler) finishSignIn(ctx context.Context, req *connect.Request[passkeyv1.FinishSignInRequest]) (*integrity.SignInResult, error) {
	in, malformed := signInFromProto(req.Msg)
	if malformed != nil || req.Msg.GetPhone() != nil {
		begin := h.phone
		if req.Msg.GetPhone() != nil {
			begin = h.stranger
		}
		p, err := begin(ctx, req.Header()) // who has signed nothing does not learn what is wrong
		if err != nil {
			return nil, err
		}
		if malformed != nil {
			return nil, malformed
		}
		in.Phone = newPhoneFromProto(req.Msg.GetPhone(), p.message)
		return p.app.FinishSignIn(ctx, p.Caller, in)
	}
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	token, err := tokenOf(p.message)
	if err != nil {
		return nil, err
	}
	c, r, err := p.app.SignInOnPhone(ctx, p.message, token, p.Network, in)
	if c.Kind != "" {
		callOf(ctx).Caller = c.Kind
	}
	return r, err
}

func signInFromProto(m *passkeyv1.FinishSignInRequest) (*integrity.SignInAnswer, error) {
	ceremony, err := idFromProto[account.CeremonyID]("ceremony", m.GetCeremony())
	if err != nil {
		return nil, err
	}
	response, err := responseFromProto(m.GetResponse())
	if err != nil {
		return nil, err
	}
	return &integrity.SignInAnswer{Ceremony: ceremony, Response: response}, nil
}

// BeginStepUp opens a ceremony for the same person.
func (h *passkeyHandler) BeginStepUp(ctx context.Context, req *connect.Request[passkeyv1.BeginStepUpRequest]) (*connect.Response[passkeyv1.BeginStepUpResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	b, err := p.app.BeginStepUp(ctx, p.Caller, nil)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&passkeyv1.BeginStepUpResponse{
		Ceremony: string(b.Ceremony), Options: string(b.Options), ExpiresAt: timeToProto(b.ExpiresAt),
	}), nil
}

// FinishStepUp makes the session fresh.
func (h *passkeyHandler) FinishStepUp(ctx context.Context, req *connect.Request[passkeyv1.FinishStepUpRequest]) (*connect.Response[passkeyv1.FinishStepUpResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	ceremony, err := idFromProto[account.CeremonyID]("ceremony", req.Msg.GetCeremony())
	if err != nil {
		return nil, err
	}
	response, err := responseFromProto(req.Msg.GetResponse())
	if err != nil {
		return nil, err
	}
	s, err := p.app.FinishStepUp(ctx, p.Caller, &integrity.StepUpAnswer{Ceremony: ceremony, Response: response})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&passkeyv1.FinishStepUpResponse{Signed: signedToProto(s)}), nil
}

// BeginAdd opens a ceremony for one more passkey.
func (h *passkeyHandler) BeginAdd(ctx context.Context, req *connect.Request[passkeyv1.BeginAddRequest]) (*connect.Response[passkeyv1.BeginAddResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	hint, err := hintFromProto(req.Msg.GetHint())
	if err != nil {
		return nil, err
	}
	b, err := p.app.BeginAdd(ctx, p.Caller, &integrity.AddStart{Hint: hint})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&passkeyv1.BeginAddResponse{
		Ceremony: string(b.Ceremony), Options: string(b.Options), ExpiresAt: timeToProto(b.ExpiresAt),
	}), nil
}

// FinishAdd adds a passkey.
func (h *passkeyHandler) FinishAdd(ctx context.Context, req *connect.Request[passkeyv1.FinishAddRequest]) (*connect.Response[passkeyv1.FinishAddResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	ceremony, err := idFromProto[account.CeremonyID]("ceremony", req.Msg.GetCeremony())
	if err != nil {
		return nil, err
	}
	response, err := responseFromProto(req.Msg.GetResponse())
	if err != nil {
		return nil, err
	}
	a, err := p.app.FinishAdd(ctx, p.Caller, &integrity.AddAnswer{Ceremony: ceremony, Response: response, Name: req.Msg.GetName()})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&passkeyv1.FinishAddResponse{Passkey: passkeyToProto(a.Passkey), Signals: signalsToProto(a.Signals)}), nil
}

// List lists passkeys.
func (h *passkeyHandler) List(ctx context.Context, req *connect.Request[passkeyv1.ListRequest]) (*connect.Response[passkeyv1.ListResponse], error) {
	passkeys, signals, err := h.passkeys(ctx, req)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&passkeyv1.ListResponse{Passkeys: passkeys, Signals: signals}), nil
}

// GetSignals says what authenticators should know.
func (h *passkeyHandler) GetSignals(ctx context.Context, req *connect.Request[passkeyv1.GetSignalsRequest]) (*connect.Response[passkeyv1.GetSignalsResponse], error) {
	_, signals, err := h.passkeys(ctx, req)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&passkeyv1.GetSignalsResponse{Signals: signals}), nil
}

func (h *passkeyHandler) passkeys(ctx context.Context, req connect.AnyRequest) ([]*accountv1.Passkey, *accountv1.Signals, error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, nil, err
	}
	all, signals, err := p.app.Passkeys(ctx, p.Caller)
	if err != nil {
		return nil, nil, err
	}
	var out []*accountv1.Passkey
	for _, k := range all {
		out = append(out, passkeyToProto(k))
	}
	return out, signalsToProto(signals), nil
}

// Rename renames a passkey.
func (h *passkeyHandler) Rename(ctx context.Context, req *connect.Request[passkeyv1.RenameRequest]) (*connect.Response[passkeyv1.RenameResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	ref, err := idFromProto[account.CredentialRef]("passkey", req.Msg.GetPasskey())
	if err != nil {
		return nil, err
	}
	signals, err := p.app.RenamePasskey(ctx, p.Caller, ref, req.Msg.GetName())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&passkeyv1.RenameResponse{Signals: signalsToProto(signals)}), nil
}

func hintFromProto(h passkeyv1.Hint) (passkey.Hint, error) {
	switch h {
	case passkeyv1.Hint_HINT_UNSPECIFIED:
		return "", nil
	case passkeyv1.Hint_HINT_SECURITY_KEY:
		return passkey.SecurityKey, nil
	case passkeyv1.Hint_HINT_CLIENT_DEVICE:
		return passkey.ClientDevice, nil
	case passkeyv1.Hint_HINT_HYBRID:
		return passkey.Hybrid, nil
	default:
		return "", errRequestf("there is no hint %d", h)
	}
}
