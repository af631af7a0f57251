package rpc

import (
	"context"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/integrity"
)

// accountHandler is staunch.account.v1.AccountService.
type accountHandler struct{ *edge }

// BeginEnrol opens the ceremony of a new account.
func (h *accountHandler) BeginEnrol(ctx context.Context, req *connect.Request[accountv1.BeginEnrolRequest]) (*connect.Response[accountv1.BeginEnrolResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	b, err := p.app.BeginEnrol(ctx, p.Caller, nil)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.BeginEnrolResponse{
		Ceremony: string(b.Ceremony), Options: string(b.Options), Challenge: b.Challenge, Account: string(b.Account), ExpiresAt: timeToProto(b.ExpiresAt),
		App: string(p.App),
	}), nil
}

// FinishEnrol makes the account. Nobody knows yet who has signed the call: the
// flow finds the key in the evidence.
func (h *accountHandler) FinishEnrol(ctx context.Context, req *connect.Request[accountv1.FinishEnrolRequest]) (*connect.Response[accountv1.FinishEnrolResponse], error) {
	p, err := h.stranger(ctx, req.Header())
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
	phone := newPhoneFromProto(req.Msg.GetPhone(), p.message)
	if phone == nil {
		return nil, errRequestf("phone is missing")
	}
	e, err := p.app.FinishEnrol(ctx, p.Caller, &integrity.EnrolAnswer{Ceremony: ceremony, Response: response, Phone: phone})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.FinishEnrolResponse{
		Signed: signedToProto(&e.Signed), FreezeCode: e.FreezeCode.Reveal(), Name: e.Name, Platform: phoneToProto(e.Platform), EnrolledAt: timeToProto(e.At),
	}), nil
}

// BeginDevice gives a challenge for the evidence of a new key.
func (h *accountHandler) BeginDevice(ctx context.Context, req *connect.Request[accountv1.BeginDeviceRequest]) (*connect.Response[accountv1.BeginDeviceResponse], error) {
	p, err := h.either(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	b, err := p.app.BeginDevice(ctx, p.Caller)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.BeginDeviceResponse{Challenge: b.Challenge, ExpiresAt: timeToProto(b.ExpiresAt), App: string(p.App)}), nil
}

// Reattest gives a device a new key, which has signed the call.
func (h *accountHandler) Reattest(ctx context.Context, req *connect.Request[accountv1.ReattestRequest]) (*connect.Response[accountv1.ReattestResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	phone := newPhoneFromProto(req.Msg.GetPhone(), p.message)
	if phone == nil {
		return nil, errRequestf("phone is missing")
	}
	if err := p.app.Reattest(ctx, p.Caller, phone, req.Msg.GetOldProof()); err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.ReattestResponse{}), nil
}

// Rename renames a device.
func (h *accountHandler) Rename(ctx context.Context, req *connect.Request[accountv1.RenameRequest]) (*connect.Response[accountv1.RenameResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	device, err := idFromProto[account.DeviceID]("device", req.Msg.GetDevice())
	if err != nil {
		return nil, err
	}
	if err := p.app.RenameDevice(ctx, p.Caller, device, req.Msg.GetName()); err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.RenameResponse{}), nil
}

// Freeze stops the account or a device.
func (h *accountHandler) Freeze(ctx context.Context, req *connect.Request[accountv1.FreezeRequest]) (*connect.Response[accountv1.FreezeResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	var f *integrity.Frozen
	if req.Msg.GetDevice() == "" {
		f, err = p.app.Freeze(ctx, p.Caller)
	} else {
		var device account.DeviceID
		if device, err = idFromProto[account.DeviceID]("device", req.Msg.GetDevice()); err != nil {
			return nil, err
		}
		f, err = p.app.FreezeDevice(ctx, p.Caller, device)
	}
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.FreezeResponse{State: accountStateToProto(f.State), Changed: f.Changed}), nil
}

// FreezeByCode stops the account of a code. Its answer says nothing.
func (h *accountHandler) FreezeByCode(ctx context.Context, req *connect.Request[accountv1.FreezeByCodeRequest]) (*connect.Response[accountv1.FreezeByCodeResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	if err := p.app.FreezeByCode(ctx, p.Caller, req.Msg.GetCode()); err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.FreezeByCodeResponse{}), nil
}

// Veto removes a device that cools off, or cancels an action that waits.
func (h *accountHandler) Veto(ctx context.Context, req *connect.Request[accountv1.VetoRequest]) (*connect.Response[accountv1.VetoResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	var device account.DeviceID
	var pending account.PendingID
	switch target := req.Msg.GetTarget().(type) {
	case *accountv1.VetoRequest_Device:
		device, err = idFromProto[account.DeviceID]("device", target.Device)
	case *accountv1.VetoRequest_Pending:
		pending, err = idFromProto[account.PendingID]("pending", target.Pending)
	default:
		err = errRequestf("name a device or a pending action")
	}
	if err != nil {
		return nil, err
	}
	v, err := p.app.Veto(ctx, p.Caller, device, pending)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.VetoResponse{AccountState: accountStateToProto(v.State), Removed: string(v.Removed)}), nil
}

// LeaveDevice takes a device out of its account.
func (h *accountHandler) LeaveDevice(ctx context.Context, req *connect.Request[accountv1.LeaveDeviceRequest]) (*connect.Response[accountv1.LeaveDeviceResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	if err := p.app.LeaveDevice(ctx, p.Caller); err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.LeaveDeviceResponse{}), nil
}

// EndSession ends one session.
func (h *accountHandler) EndSession(ctx context.Context, req *connect.Request[accountv1.EndSessionRequest]) (*connect.Response[accountv1.EndSessionResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	session, err := idFromProto[account.SessionID]("session", req.Msg.GetSession())
	if err != nil {
		return nil, err
	}
	e, err := p.app.EndSession(ctx, p.Caller, session)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.EndSessionResponse{Ended: endedToProto(e)}), nil
}

// SignOut ends the session of the call.
func (h *accountHandler) SignOut(ctx context.Context, req *connect.Request[accountv1.SignOutRequest]) (*connect.Response[accountv1.SignOutResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	e, err := p.app.SignOut(ctx, p.Caller)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.SignOutResponse{Ended: endedToProto(e)}), nil
}

// SignOutOthers ends all sessions but that of the call.
func (h *accountHandler) SignOutOthers(ctx context.Context, req *connect.Request[accountv1.SignOutOthersRequest]) (*connect.Response[accountv1.SignOutOthersResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	e, err := p.app.SignOutOthers(ctx, p.Caller)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.SignOutOthersResponse{Kept: string(p.Session), Ended: endedToProto(e)}), nil
}
