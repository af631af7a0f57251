package rpc

import (
	"context"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/integrity"
)

// StartRecovery begins to bring an account back on a new phone, or says how that
// stands. The new key has signed the call; the flow finds it in the evidence, or
// among those that are pending.
func (h *accountHandler) StartRecovery(ctx context.Context, req *connect.Request[accountv1.StartRecoveryRequest]) (*connect.Response[accountv1.StartRecoveryResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	id, err := idFromProto[account.ID]("account", req.Msg.GetAccount())
	if err != nil {
		return nil, err
	}
	s, err := p.app.StartRecovery(ctx, p.Caller, &integrity.RecoveryStart{
		Account: id, Phone: newPhoneFromProto(req.Msg.GetPhone(), nil), Message: p.message,
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.StartRecoveryResponse{
		Pending: string(s.Pending), OpensAt: timeToProto(s.OpensAt), ServerTime: timeToProto(s.At), Ticket: s.Ticket, Until: timeToProto(s.Until),
		Ceremony: string(s.Ceremony), Options: string(s.Options), Finished: s.Finished,
	}), nil
}

// FinishRecovery brings the new passkey, and with it the account.
func (h *accountHandler) FinishRecovery(ctx context.Context, req *connect.Request[accountv1.FinishRecoveryRequest]) (*connect.Response[accountv1.FinishRecoveryResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	pending, err := idFromProto[account.PendingID]("pending", req.Msg.GetPending())
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
	s, err := p.app.FinishRecovery(ctx, p.Caller, &integrity.RecoveryAnswer{
		Pending: pending, Ceremony: ceremony, Response: response, Message: p.message,
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.FinishRecoveryResponse{Signed: signedToProto(s)}), nil
}
