package rpc

import (
	"context"
	"encoding/json"
	"strings"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/integrity"
)

// backendHandler is staunch.account.v1.BackendService.
type backendHandler struct{ *edge }

// CheckSession says what a token is worth.
func (h *backendHandler) CheckSession(ctx context.Context, req *connect.Request[accountv1.CheckSessionRequest]) (*connect.Response[accountv1.CheckSessionResponse], error) {
	p, err := h.backend(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	token, err := parseToken(req.Msg.GetToken())
	if err != nil {
		return nil, err
	}
	s, err := p.app.CheckSession(ctx, p.Caller, token)
	if err != nil {
		return nil, err
	}
	m := &accountv1.CheckSessionResponse{
		Session: string(s.Session), Kind: sessionKindToProto(s.Kind), Account: string(s.Account), AccountState: accountStateToProto(s.AccountState),
		Device: string(s.Device), DeviceState: accountStateToProto(s.DeviceState), Hold: holdPtrToProto(s.Hold),
		Class: assuranceToProto(s.Class), Until: timeToProto(s.Until),
	}
	for _, pr := range s.Proofs {
		m.Proofs = append(m.Proofs, &accountv1.Proof{
			Method: string(pr.Method), At: timeToProto(pr.At), Passkey: string(pr.Credential), Synced: pr.Synced, Device: string(pr.Device),
		})
	}
	return connect.NewResponse(m), nil
}

// CreateApproval asks an owner to approve something of the app's own.
func (h *backendHandler) CreateApproval(ctx context.Context, req *connect.Request[accountv1.CreateApprovalRequest]) (*connect.Response[accountv1.CreateApprovalResponse], error) {
	p, err := h.backend(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	m := req.Msg
	id, err := idFromProto[account.ID]("account", m.GetAccount())
	if err != nil {
		return nil, err
	}
	need := assuranceFromProto(m.GetNeed())
	if need != account.Exact && need != account.Bound {
		return nil, errRequestf("need must be CLASS_EXACT or CLASS_BOUND")
	}
	a, err := p.app.CreateApproval(ctx, p.Caller, &integrity.AppApproval{
		Account: id, Kind: m.GetKind(), Params: json.RawMessage(m.GetParams()), Text: m.GetText(), Need: need, Held: m.GetHeld(),
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.CreateApprovalResponse{Approval: provenToProto(a)}), nil
}

// GetApproval says how an approval of the app stands.
func (h *backendHandler) GetApproval(ctx context.Context, req *connect.Request[accountv1.GetApprovalRequest]) (*connect.Response[accountv1.GetApprovalResponse], error) {
	p, err := h.backend(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	id, err := idFromProto[account.ApprovalID]("approval", req.Msg.GetApproval())
	if err != nil {
		return nil, err
	}
	a, err := p.app.BackendApproval(ctx, p.Caller, id)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.GetApprovalResponse{Approval: provenToProto(a)}), nil
}

// CancelApproval withdraws an approval of the app.
func (h *backendHandler) CancelApproval(ctx context.Context, req *connect.Request[accountv1.CancelApprovalRequest]) (*connect.Response[accountv1.CancelApprovalResponse], error) {
	p, err := h.backend(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	id, err := idFromProto[account.ApprovalID]("approval", req.Msg.GetApproval())
	if err != nil {
		return nil, err
	}
	if err := p.app.CancelApproval(ctx, p.Caller, id); err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.CancelApprovalResponse{}), nil
}

// Freeze stops an account.
func (h *backendHandler) Freeze(ctx context.Context, req *connect.Request[accountv1.BackendServiceFreezeRequest]) (*connect.Response[accountv1.BackendServiceFreezeResponse], error) {
	p, err := h.backend(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	id, err := idFromProto[account.ID]("account", req.Msg.GetAccount())
	if err != nil {
		return nil, err
	}
	f, err := p.app.FreezeAccount(ctx, p.Caller, id)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.BackendServiceFreezeResponse{AccountState: accountStateToProto(f.State), Changed: f.Changed}), nil
}

// ReportRisk tells of a risk.
func (h *backendHandler) ReportRisk(ctx context.Context, req *connect.Request[accountv1.ReportRiskRequest]) (*connect.Response[accountv1.ReportRiskResponse], error) {
	p, err := h.backend(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	in, err := riskFromProto(req.Msg)
	if err != nil {
		return nil, err
	}
	if err := p.app.ReportRisk(ctx, p.Caller, in); err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.ReportRiskResponse{}), nil
}

// PollEvents reads the feed.
func (h *backendHandler) PollEvents(ctx context.Context, req *connect.Request[accountv1.PollEventsRequest]) (*connect.Response[accountv1.PollEventsResponse], error) {
	p, err := h.backend(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	limit, err := pageFromProto(req.Msg.GetLimit())
	if err != nil {
		return nil, err
	}
	events, err := p.app.PollEvents(ctx, p.Caller, req.Msg.GetAfter(), limit)
	if err != nil {
		return nil, err
	}
	m := &accountv1.PollEventsResponse{}
	for _, e := range events {
		m.Events = append(m.Events, &accountv1.Event{
			Id: e.ID, Type: e.Type, Account: string(e.Account), Body: string(e.Body), At: timeToProto(e.At),
		})
	}
	return connect.NewResponse(m), nil
}

// provenToProto is an approval as its backend reads it, with the proof.
func provenToProto(a *integrity.ApprovalRow) *accountv1.Approval {
	m := approvalToProto(*a)
	m.Proof = string(a.Proof)
	return m
}

func riskFromProto(m *accountv1.ReportRiskRequest) (*integrity.RiskReport, error) {
	id, err := idFromProto[account.ID]("account", m.GetAccount())
	if err != nil {
		return nil, err
	}
	in := &integrity.RiskReport{Account: id, Name: m.GetName(), Value: m.GetValue()}
	if m.GetDevice() != "" {
		if in.Device, err = idFromProto[account.DeviceID]("device", m.GetDevice()); err != nil {
			return nil, err
		}
	}
	name, known := accountv1.RiskLevel_name[int32(m.GetLevel())]
	if !known || m.GetLevel() == accountv1.RiskLevel_RISK_LEVEL_UNSPECIFIED {
		return nil, errRequestf("level must be RISK_LEVEL_NOTE, RISK_LEVEL_RAISE or RISK_LEVEL_HOLD")
	}
	in.Level = account.Level(strings.ToLower(strings.TrimPrefix(name, "RISK_LEVEL_")))
	in.For, err = durationFromProto("duration", m.GetDuration())
	return in, err
}
