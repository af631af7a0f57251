package rpc

import (
	"context"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/gen/staunch/account/v1/accountv1connect"
	"github.com/staunchid/staunch/integrity"
)

// joinHandler is staunch.account.v1.JoinService.
type joinHandler struct{ *edge }

// RequestJoin opens a join for a phone, whose new key has signed the call.
func (h *joinHandler) RequestJoin(ctx context.Context, req *connect.Request[accountv1.RequestJoinRequest]) (*connect.Response[accountv1.RequestJoinResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	phone := newPhoneFromProto(req.Msg.GetPhone(), p.message)
	if phone == nil {
		return nil, errRequestf("phone is missing")
	}
	j, err := p.app.RequestJoin(ctx, p.Caller, &integrity.JoinRequest{Kind: "phone", Phone: phone})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.RequestJoinResponse{
		Join: string(j.Join), Code: j.Code, Number: j.Number, ExpiresAt: timeToProto(j.ExpiresAt),
	}), nil
}

// GetJoin reads a join that is to be approved.
func (h *joinHandler) GetJoin(ctx context.Context, req *connect.Request[accountv1.GetJoinRequest]) (*connect.Response[accountv1.GetJoinResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	var id account.JoinID
	switch m := req.Msg; {
	case (m.GetCode() == "") == (m.GetJoin() == ""):
		return nil, errRequestf("send code or join, and not both")
	case m.GetJoin() != "":
		if id, err = idFromProto[account.JoinID]("join", m.GetJoin()); err != nil {
			return nil, err
		}
	}
	j, err := p.app.Join(ctx, p.Caller, id, req.Msg.GetCode())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.GetJoinResponse{
		Join: string(j.Join), Kind: joinKindToProto(j.Kind), Name: j.Name, Platform: phoneToProto(j.Platform), KeysHash: j.KeysHash,
		Origin: j.Origin, Place: j.Place, ExpiresAt: timeToProto(j.ExpiresAt),
	}), nil
}

// FinishJoin brings the new passkey.
func (h *joinHandler) FinishJoin(ctx context.Context, req *connect.Request[accountv1.FinishJoinRequest]) (*connect.Response[accountv1.FinishJoinResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	id, err := idFromProto[account.JoinID]("join", req.Msg.GetJoin())
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
	s, err := p.app.FinishJoin(ctx, p.Caller, &integrity.JoinAnswer{Join: id, Ceremony: ceremony, Response: response, Message: p.message})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&accountv1.FinishJoinResponse{Signed: signedToProto(s)}), nil
}

// joinLife is longer than any join lives.
const joinLife = 10 * time.Minute

// patient lets the stream of WaitJoin last as long as its join.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == accountv1connect.JoinServiceWaitJoinProcedure {
			stay(http.NewResponseController(w), joinLife)
			ctx, cancel := context.WithTimeout(r.Context(), joinLife)
			defer cancel()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// joinPoll is how often a stream looks by itself: another server on the same
// store may have changed the join.
const joinPoll = 2 * time.Second

// WaitJoin says how a join stands, and again when that changes, until it is open
// no more. The first look judges the call's proof and uses it up; the others stand
// on it.
func (h *joinHandler) WaitJoin(ctx context.Context, req *connect.Request[accountv1.WaitJoinRequest], stream *connect.ServerStream[accountv1.WaitJoinResponse]) error {
	if err := unreadable(req.Msg); err != nil {
		return err
	}
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return err
	}
	id, err := idFromProto[account.JoinID]("join", req.Msg.GetJoin())
	if err != nil {
		return err
	}
	changed, done := p.app.WatchJoin(id)
	defer done()
	poll := time.NewTicker(joinPoll)
	defer poll.Stop()
	in, last := &integrity.JoinWait{Join: id, Message: p.message}, ""
	for {
		s, err := p.app.JoinStatus(ctx, p.Caller, in)
		if err != nil {
			return err
		}
		in.Again = true
		if s.State != last {
			if err := stream.Send(joinStatusToProto(s)); err != nil {
				return err
			}
			last = s.State
		}
		if s.State != integrity.StateOpen {
			return nil // when it is confirmed, the new phone goes on by itself
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-poll.C:
		}
	}
}

func joinStatusToProto(s *integrity.JoinStatus) *accountv1.WaitJoinResponse {
	return &accountv1.WaitJoinResponse{
		Join: string(s.Join), State: joinStateToProto(s.State), Account: string(s.Account), Ceremony: string(s.Ceremony), Options: string(s.Options),
	}
}

func joinStateToProto(state string) accountv1.JoinState {
	return accountv1.JoinState(accountv1.JoinState_value["JOIN_STATE_"+strings.ToUpper(state)])
}

func joinKindToProto(kind string) accountv1.JoinKind {
	return accountv1.JoinKind(accountv1.JoinKind_value["JOIN_KIND_"+strings.ToUpper(kind)])
}
