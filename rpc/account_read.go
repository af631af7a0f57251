package rpc

import (
	"context"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/integrity"
)

// GetStatus tells a device of itself. It takes a key that was revoked, for a
// locked device must learn that it is.
func (h *accountHandler) GetStatus(ctx context.Context, req *connect.Request[accountv1.GetStatusRequest]) (*connect.Response[accountv1.GetStatusResponse], error) {
	p, err := h.proved(ctx, req.Header(), true)
	if err != nil {
		return nil, err
	}
	s, err := p.app.Status(ctx, p.Caller)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(statusToProto(s)), nil
}

// GetAccount reads all of the account.
func (h *accountHandler) GetAccount(ctx context.Context, req *connect.Request[accountv1.GetAccountRequest]) (*connect.Response[accountv1.GetAccountResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	v, err := p.app.Account(ctx, p.Caller)
	if err != nil {
		return nil, err
	}
	m := &accountv1.GetAccountResponse{Account: accountToProto(v.Account)}
	for _, d := range v.Devices {
		pd := deviceToProto(d)
		pd.This = d.ID == p.Device
		m.Devices = append(m.Devices, pd)
	}
	for _, k := range v.Passkeys {
		m.Passkeys = append(m.Passkeys, passkeyToProto(k))
	}
	for _, s := range v.Sessions {
		m.Sessions = append(m.Sessions, p.sessionToProto(s))
	}
	return connect.NewResponse(m), nil
}

// ListDevices lists the devices.
func (h *accountHandler) ListDevices(ctx context.Context, req *connect.Request[accountv1.ListDevicesRequest]) (*connect.Response[accountv1.ListDevicesResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	devices, _, err := p.app.Devices(ctx, p.Caller)
	if err != nil {
		return nil, err
	}
	m := &accountv1.ListDevicesResponse{}
	for _, d := range devices {
		m.Devices = append(m.Devices, deviceViewToProto(d))
	}
	return connect.NewResponse(m), nil
}

// ListSessions lists the sessions.
func (h *accountHandler) ListSessions(ctx context.Context, req *connect.Request[accountv1.ListSessionsRequest]) (*connect.Response[accountv1.ListSessionsResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	_, sessions, err := p.app.Devices(ctx, p.Caller)
	if err != nil {
		return nil, err
	}
	m := &accountv1.ListSessionsResponse{}
	for _, s := range sessions {
		m.Sessions = append(m.Sessions, p.sessionToProto(s))
	}
	return connect.NewResponse(m), nil
}

// ListAlerts reads alerts.
func (h *accountHandler) ListAlerts(ctx context.Context, req *connect.Request[accountv1.ListAlertsRequest]) (*connect.Response[accountv1.ListAlertsResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	limit, err := pageFromProto(req.Msg.GetLimit())
	if err != nil {
		return nil, err
	}
	rows, err := p.app.Alerts(ctx, p.Caller, req.Msg.GetAfter(), limit)
	if err != nil {
		return nil, err
	}
	m := &accountv1.ListAlertsResponse{}
	for _, a := range rows {
		m.Alerts = append(m.Alerts, &accountv1.Alert{
			Seq: a.Seq, Kind: a.Kind, Device: string(a.Device), Text: p.app.AlertText(a), At: timeToProto(a.At),
		})
	}
	return connect.NewResponse(m), nil
}

// AckAlerts notes how far a device has shown its alerts.
func (h *accountHandler) AckAlerts(ctx context.Context, req *connect.Request[accountv1.AckAlertsRequest]) (*connect.Response[accountv1.AckAlertsResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	if err := p.app.AckAlerts(ctx, p.Caller, req.Msg.GetSeq()); err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.AckAlertsResponse{}), nil
}

// sessionToProto says besides what the session is worth now.
func (p party) sessionToProto(s account.Session) *accountv1.Session {
	return &accountv1.Session{
		Session: string(s.ID), Kind: sessionKindToProto(s.Kind), Device: string(s.Device), Label: s.Label, Place: s.Place,
		Class: assuranceToProto(p.app.Worth(s)), This: s.ID == p.Session, CreatedAt: timeToProto(s.CreatedAt),
		LastSeenAt: timeToProto(s.LastSeenAt), Until: timeToProto(s.Until),
	}
}

func statusToProto(s *integrity.Status) *accountv1.GetStatusResponse {
	m := &accountv1.GetStatusResponse{
		Account: string(s.Account), AccountState: accountStateToProto(s.AccountState),
		Device: string(s.Device), Name: s.DeviceName, Platform: phoneToProto(s.Platform), DeviceState: accountStateToProto(s.DeviceState),
		Hold: holdPtrToProto(s.Hold), Class: assuranceToProto(s.Class), ServerTime: timeToProto(s.At),
	}
	if s.Rest == nil {
		return m
	}
	m.Rest = &accountv1.StatusRest{
		Passkeys: count(s.Rest.Passkeys), Devices: count(s.Rest.Devices), AlertsUnread: count(s.Rest.AlertsUnread), Advice: s.Rest.Advice,
	}
	for _, d := range s.Rest.OthersHeld {
		m.Rest.OthersHeld = append(m.Rest.OthersHeld, &accountv1.HeldDevice{
			Device: string(d.Device), Name: d.Name, Hold: holdToProto(d.Hold), MayVeto: d.MayVeto,
		})
	}
	for _, a := range s.Rest.Pending {
		m.Rest.Pending = append(m.Rest.Pending, &accountv1.PendingAction{
			Pending: string(a.ID), Action: string(a.Action), Device: string(a.By.Device),
			CreatedAt: timeToProto(a.CreatedAt), OpensAt: timeToProto(a.OpensAt),
		})
	}
	return m
}
