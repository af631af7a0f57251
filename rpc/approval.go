package rpc

import (
	"context"
	"encoding/json"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// ProposeAction opens an approval, or gives one that is open a ceremony for this
// caller.
func (h *accountHandler) ProposeAction(ctx context.Context, req *connect.Request[accountv1.ProposeActionRequest]) (*connect.Response[accountv1.ProposeActionResponse], error) {
	m := req.Msg
	who := h.phone
	if m.GetAction() == string(account.Reattest) {
		who = h.lockedPhone
	}
	p, err := who(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	var out *integrity.Proposed
	switch {
	case m.GetApproval() == "":
		out, err = p.app.Propose(ctx, p.Caller, &integrity.Proposal{Action: account.Action(m.GetAction()), Params: json.RawMessage(m.GetParams())}, nil)
	case m.GetAction() != "" || m.GetParams() != "":
		return nil, errRequestf("send action and params, or approval, and not both")
	default:
		var id account.ApprovalID
		if id, err = idFromProto[account.ApprovalID]("approval", m.GetApproval()); err != nil {
			return nil, err
		}
		out, err = p.app.OpenApproval(ctx, p.Caller, id, nil)
	}
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.ProposeActionResponse{
		Approval: approvalToProto(out.Approval), Preimage: preimageToProto(out.Preimage),
		Ceremony: string(out.Ceremony), Options: string(out.Options),
	}), nil
}

// ConfirmAction answers the ceremony of an approval.
func (h *accountHandler) ConfirmAction(ctx context.Context, req *connect.Request[accountv1.ConfirmActionRequest]) (*connect.Response[accountv1.ConfirmActionResponse], error) {
	who := h.phone
	if req.Msg.GetLocked() {
		who = h.lockedPhone
	}
	p, err := who(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	id, err := idFromProto[account.ApprovalID]("approval", req.Msg.GetApproval())
	if err != nil {
		return nil, err
	}
	response, err := responseFromProto(req.Msg.GetResponse())
	if err != nil {
		return nil, err
	}
	c, err := p.app.Confirm(ctx, p.Caller, &integrity.Confirmation{Approval: id, Response: response})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.ConfirmActionResponse{
		Approval: approvalToProto(c.Approval), Result: string(c.Result), Signals: signalsToProto(c.Signals),
	}), nil
}

// DenyAction refuses an approval.
func (h *accountHandler) DenyAction(ctx context.Context, req *connect.Request[accountv1.DenyActionRequest]) (*connect.Response[accountv1.DenyActionResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	id, err := idFromProto[account.ApprovalID]("approval", req.Msg.GetApproval())
	if err != nil {
		return nil, err
	}
	if err := p.app.Deny(ctx, p.Caller, id); err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.DenyActionResponse{}), nil
}

// ListApprovals lists the open approvals.
func (h *accountHandler) ListApprovals(ctx context.Context, req *connect.Request[accountv1.ListApprovalsRequest]) (*connect.Response[accountv1.ListApprovalsResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	all, err := p.app.Approvals(ctx, p.Caller)
	if err != nil {
		return nil, err
	}
	m := &accountv1.ListApprovalsResponse{}
	for _, a := range all {
		m.Approvals = append(m.Approvals, approvalToProto(a))
	}
	return connect.NewResponse(m), nil
}

func preimageToProto(a passkey.Approval) *accountv1.ApprovalPreimage {
	return &accountv1.ApprovalPreimage{
		App: string(a.App), Account: string(a.Account), Approval: string(a.ID), Action: string(a.Action),
		Params: a.Parameters, Text: a.Text, Nonce: a.Nonce, Expires: a.Expires.Unix(),
	}
}
