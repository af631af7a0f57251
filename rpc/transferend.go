package rpc

import (
	"context"
	"net/http"
	"time"

	"connectrpc.com/connect"

	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
)

// Received says up to which record all is durable at the new phone.
func (h *transferHandler) Received(ctx context.Context, req *connect.Request[transferv1.ReceivedRequest]) (*connect.Response[transferv1.ReceivedResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	m, err := p.moves(h.edge)
	if err != nil {
		return nil, err
	}
	id, token, err := ticketOf(req.Msg.GetTransfer(), req.Msg.GetToken())
	if err != nil {
		return nil, err
	}
	v, err := m.Received(ctx, transfer.Place{ID: id, Token: token, Revision: req.Msg.GetRevision(), First: req.Msg.GetRecord()})
	return answerTo(v, err, func(v *transferv1.View) *transferv1.ReceivedResponse { return &transferv1.ReceivedResponse{View: v} })
}

// Commit brings the receipt, and gives the account to the new phone.
func (h *transferHandler) Commit(ctx context.Context, req *connect.Request[transferv1.CommitRequest]) (*connect.Response[transferv1.CommitResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	t, err := turn(req.Msg)
	if err != nil {
		return nil, err
	}
	v, s, err := p.app.CommitMove(ctx, p.Caller, t)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&transferv1.CommitResponse{View: moveToProto(v), Signed: signedToProto(s)}), nil
}

// Acknowledge says that the new phone has opened the keys.
func (h *transferHandler) Acknowledge(ctx context.Context, req *connect.Request[transferv1.AcknowledgeRequest]) (*connect.Response[transferv1.AcknowledgeResponse], error) {
	v, err := h.take(ctx, req.Header(), req.Msg, func(p party) func(context.Context, transfer.Turn) (*transfer.View, error) {
		return func(ctx context.Context, t transfer.Turn) (*transfer.View, error) {
			return p.app.AckMove(ctx, p.Caller, t)
		}
	})
	return answerTo(v, err, func(v *transferv1.View) *transferv1.AcknowledgeResponse {
		return &transferv1.AcknowledgeResponse{View: v}
	})
}

// Recall takes the account back to the old phone.
func (h *transferHandler) Recall(ctx context.Context, req *connect.Request[transferv1.RecallRequest]) (*connect.Response[transferv1.RecallResponse], error) {
	v, err := h.take(ctx, req.Header(), req.Msg, func(p party) func(context.Context, transfer.Turn) (*transfer.View, error) {
		return func(ctx context.Context, t transfer.Turn) (*transfer.View, error) {
			return p.app.RecallMove(ctx, p.Caller, t)
		}
	})
	return answerTo(v, err, func(v *transferv1.View) *transferv1.RecallResponse { return &transferv1.RecallResponse{View: v} })
}

// Finalize ends the time in which that is possible.
func (h *transferHandler) Finalize(ctx context.Context, req *connect.Request[transferv1.FinalizeRequest]) (*connect.Response[transferv1.FinalizeResponse], error) {
	v, err := h.take(ctx, req.Header(), req.Msg, func(p party) func(context.Context, transfer.Turn) (*transfer.View, error) {
		return func(ctx context.Context, t transfer.Turn) (*transfer.View, error) {
			return p.app.FinishMove(ctx, p.Caller, t)
		}
	})
	return answerTo(v, err, func(v *transferv1.View) *transferv1.FinalizeResponse { return &transferv1.FinalizeResponse{View: v} })
}

// take carries a message of a phone that has no session: token, device proof and,
// where it is wanted, the owner's yes are in it.
func (h *transferHandler) take(ctx context.Context, header http.Header, m message, flow func(party) func(context.Context, transfer.Turn) (*transfer.View, error)) (*transfer.View, error) {
	p, err := h.stranger(ctx, header)
	if err != nil {
		return nil, err
	}
	t, err := turn(m)
	if err != nil {
		return nil, err
	}
	return flow(p)(ctx, t)
}

// tokenOrCaller is a phone by its token, or, without one, a device of the account,
// which has signed the call.
func (h *transferHandler) tokenOrCaller(ctx context.Context, header http.Header, text string, secret []byte) (p party, id transfer.ID, token [32]byte, err error) {
	if len(secret) > 0 {
		if id, token, err = ticketOf(text, secret); err != nil {
			return p, id, token, err
		}
		p, err = h.stranger(ctx, header)
		return p, id, token, err
	}
	if id, err = idFromProto[transfer.ID]("transfer", text); err != nil {
		return p, id, token, err
	}
	p, err = h.phone(ctx, header)
	return p, id, token, err
}

// Cancel ends a transfer that is not committed.
func (h *transferHandler) Cancel(ctx context.Context, req *connect.Request[transferv1.CancelRequest]) (*connect.Response[transferv1.CancelResponse], error) {
	p, id, token, err := h.tokenOrCaller(ctx, req.Header(), req.Msg.GetTransfer(), req.Msg.GetToken())
	if err != nil {
		return nil, err
	}
	v, err := p.app.CancelMove(ctx, p.Caller, id, token, transfer.Reason(req.Msg.GetReason()))
	return answerTo(v, err, func(v *transferv1.View) *transferv1.CancelResponse { return &transferv1.CancelResponse{View: v} })
}

// Wait answers when there is something newer.
func (h *transferHandler) Wait(ctx context.Context, req *connect.Request[transferv1.WaitRequest]) (*connect.Response[transferv1.WaitResponse], error) {
	p, id, token, err := h.tokenOrCaller(ctx, req.Header(), req.Msg.GetTransfer(), req.Msg.GetToken())
	if err != nil {
		return nil, err
	}
	seconds := req.Msg.GetSeconds()
	if seconds < 0 || seconds > 25 {
		return nil, errRequestf("seconds is 0 to 25")
	}
	v, err := p.app.WaitMove(ctx, p.Caller, &integrity.MoveWait{ID: id, Token: token, After: req.Msg.GetAfterVersion(), For: time.Duration(seconds) * time.Second})
	return answerTo(v, err, func(v *transferv1.View) *transferv1.WaitResponse { return &transferv1.WaitResponse{View: v} })
}

// ListTransfers gives those of the account that are under way.
func (h *transferHandler) ListTransfers(ctx context.Context, req *connect.Request[transferv1.ListTransfersRequest]) (*connect.Response[transferv1.ListTransfersResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	all, err := p.app.Moves(ctx, p.Caller)
	if err != nil {
		return nil, err
	}
	m := &transferv1.ListTransfersResponse{}
	for _, v := range all {
		m.Transfers = append(m.Transfers, moveToProto(v))
	}
	return connect.NewResponse(m), nil
}
