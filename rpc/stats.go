package rpc

import (
	"context"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
)

// Stats reads statistics.
func (h *attestHandler) Stats(ctx context.Context, req *connect.Request[attestv1.StatsRequest]) (*connect.Response[attestv1.StatsResponse], error) {
	caller, app, _, err := h.forBackend(ctx, req, req.Msg.GetApp())
	if err != nil {
		return nil, err
	}
	in, err := statFilterFromProto(app.ID, req.Msg)
	if err != nil {
		return nil, err
	}
	r, err := app.Attest.Stats(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(statReportToProto(r)), nil
}

// Suspects reads the ranking of suspected honesty.
func (h *attestHandler) Suspects(ctx context.Context, req *connect.Request[attestv1.SuspectsRequest]) (*connect.Response[attestv1.SuspectsResponse], error) {
	caller, app, _, err := h.forBackend(ctx, req, req.Msg.GetApp())
	if err != nil {
		return nil, err
	}
	all, err := app.Attest.Suspects(ctx, caller, app.ID)
	if err != nil {
		return nil, err
	}
	m := &attestv1.SuspectsResponse{}
	for _, s := range all {
		m.Suspects = append(m.Suspects, suspectToProto(s))
	}
	return connect.NewResponse(m), nil
}

func statFilterFromProto(app account.AppID, m *attestv1.StatsRequest) (*registry.StatFilter, error) {
	in := &registry.StatFilter{App: app, Equal: map[registry.Dim]string{}, Limit: int(m.GetLimit())}
	for name, t := range map[string]*timestamppb.Timestamp{"from": m.GetFrom(), "to": m.GetTo()} {
		if t != nil && t.CheckValid() != nil {
			return nil, errRequestf("%s is no time", name)
		}
	}
	if t := m.GetFrom(); t != nil {
		in.From = t.AsTime()
	}
	if t := m.GetTo(); t != nil {
		in.To = t.AsTime()
	}
	for _, d := range m.GetBy() {
		in.By = append(in.By, registry.Dim(d))
	}
	for d, value := range m.GetEqual() {
		in.Equal[registry.Dim(d)] = value
	}
	return in, nil
}

func statReportToProto(r *registry.StatReport) *attestv1.StatsResponse {
	row := func(s registry.StatRow) *attestv1.StatsRow {
		m := &attestv1.StatsRow{
			Attempts: s.Attempts, Accepted: s.Accepted, Rejected: s.Rejected, WouldDeny: s.WouldDeny,
			Accounts: s.Accounts, AccountsAtLeast: s.AtLeast,
		}
		if len(s.By) > 0 { // of the total there are none
			m.By = map[string]string{}
			for i, d := range r.By {
				m.By[string(d)] = s.By[i]
			}
		}
		return m
	}
	m := &attestv1.StatsResponse{
		From: timeToProto(r.From), To: timeToProto(r.To), Findings: r.Findings, More: r.More, Total: row(r.Total),
	}
	for _, s := range r.Rows {
		m.Rows = append(m.Rows, row(s))
	}
	return m
}

func suspectToProto(s registry.Suspect) *attestv1.Suspect {
	m := &attestv1.Suspect{
		Platform: platformToProto(s.Platform), Operation: s.Operation, Model: s.Model, ModelSource: s.ModelSource, Code: s.Code,
		Attempts: s.Attempts, Failed: s.Failed, Tried: s.Tried, Share: s.Share, Abuse: s.Abuse, Rank: s.Rank,
		First: timeToProto(s.First), Last: timeToProto(s.Last), BusiestHour: s.Busiest, Proposed: s.Proposed, Why: s.Why, Draft: s.Draft,
	}
	if s.Position >= 0 {
		position := int32(s.Position)
		m.Position = &position
	}
	return m
}
