package rpc

import (
	"context"
	"io"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/gen/staunch/transfer/v1/transferv1connect"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
)

// mover are the flows of moves.
type mover interface {
	BeginMove(ctx context.Context, c account.Caller) (*integrity.MoveBegun, error)
	OfferMove(ctx context.Context, c account.Caller, in *integrity.MoveOffer) (*transfer.View, error)
	ClaimMove(ctx context.Context, c account.Caller, id transfer.ID, token [32]byte) (*integrity.MoveClaimed, error)
	HelloMove(ctx context.Context, c account.Caller, turn transfer.Turn) (*transfer.View, error)
	AnswerMove(ctx context.Context, c account.Caller, turn transfer.Turn) (*integrity.MoveAnswered, error)
	MatchMove(ctx context.Context, c account.Caller, turn transfer.Turn, ceremony account.CeremonyID) (*transfer.View, error)
	ConfirmMove(ctx context.Context, c account.Caller, turn transfer.Turn, holdShare [32]byte) (*transfer.View, error)
	ReviseMove(ctx context.Context, c account.Caller, turn transfer.Turn, revision uint32, bytes uint64) (*transfer.View, error)
	SealMove(ctx context.Context, c account.Caller, in *integrity.MoveSeal) (*transfer.View, error)
	CommitMove(ctx context.Context, c account.Caller, turn transfer.Turn) (*transfer.View, *integrity.Signed, error)
	AckMove(ctx context.Context, c account.Caller, turn transfer.Turn) (*transfer.View, error)
	RecallMove(ctx context.Context, c account.Caller, turn transfer.Turn) (*transfer.View, error)
	FinishMove(ctx context.Context, c account.Caller, turn transfer.Turn) (*transfer.View, error)
	CancelMove(ctx context.Context, c account.Caller, id transfer.ID, token [32]byte, why transfer.Reason) (*transfer.View, error)
	WaitMove(ctx context.Context, c account.Caller, in *integrity.MoveWait) (*transfer.View, error)
	Moves(ctx context.Context, c account.Caller) ([]*transfer.View, error)
}

// Moves carries the ciphertext of one app's transfers; *transfer.Service has it.
type Moves interface {
	PutSegment(ctx context.Context, at transfer.Place, size int64, body io.Reader) (created bool, err error)
	GetSegment(ctx context.Context, at transfer.Place, wait time.Duration, off, n int64) (*transfer.Piece, error)
	ListSegments(ctx context.Context, at transfer.Place, limit int) ([]transfer.Segment, uint64, error)
	Received(ctx context.Context, at transfer.Place) (*transfer.View, error)
}

// transferHandler is staunch.transfer.v1.TransferService.
type transferHandler struct{ *edge }

// moves is the caller's pillar transfer.
func (p party) moves(e *edge) (Moves, error) {
	m := e.apps[p.App].Moves
	if m == nil {
		return nil, integrity.ErrNoMoves
	}
	return m, nil
}

// message is what the messages of phones have in common.
type message interface {
	GetTransfer() string
	GetToken() []byte
	GetEnvelope() []byte
}

// turn reads one.
func turn(m message) (transfer.Turn, error) {
	id, token, err := ticketOf(m.GetTransfer(), m.GetToken())
	return transfer.Turn{ID: id, Token: token, Envelope: m.GetEnvelope()}, err
}

func ticketOf(text string, secret []byte) (id transfer.ID, token [32]byte, err error) {
	if id, err = idFromProto[transfer.ID]("transfer", text); err != nil {
		return id, token, err
	}
	token, err = secretFromProto("token", secret)
	return id, token, err
}

// secretFromProto reads 32 random bytes that a phone has drawn.
func secretFromProto(field string, b []byte) (out [32]byte, err error) {
	if len(b) != len(out) {
		return out, errRequestf("%s: 32 random bytes are wanted, and these are %d", field, len(b))
	}
	return [32]byte(b), nil
}

// Begin gives the new phone a challenge.
func (h *transferHandler) Begin(ctx context.Context, req *connect.Request[transferv1.BeginRequest]) (*connect.Response[transferv1.BeginResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	b, err := p.app.BeginMove(ctx, p.Caller)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&transferv1.BeginResponse{
		Challenge: b.Challenge, ExpiresAt: timeToProto(b.ExpiresAt), At: timeToProto(b.At), OfferSeconds: int64(b.OfferTTL / time.Second), Audience: b.Audience,
	}), nil
}

// Offer opens a transfer.
func (h *transferHandler) Offer(ctx context.Context, req *connect.Request[transferv1.OfferRequest]) (*connect.Response[transferv1.OfferResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	token, err := secretFromProto("token", req.Msg.GetToken())
	if err != nil {
		return nil, err
	}
	v, err := p.app.OfferMove(ctx, p.Caller, &integrity.MoveOffer{
		Envelope: req.Msg.GetEnvelope(), Token: token, Place: placeText(receivedOf(ctx)),
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&transferv1.OfferResponse{View: moveToProto(v)}), nil
}

// Claim makes it that of the current phone's account.
func (h *transferHandler) Claim(ctx context.Context, req *connect.Request[transferv1.ClaimRequest]) (*connect.Response[transferv1.ClaimResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	id, token, err := ticketOf(req.Msg.GetTransfer(), req.Msg.GetToken())
	if err != nil {
		return nil, err
	}
	c, err := p.app.ClaimMove(ctx, p.Caller, id, token)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&transferv1.ClaimResponse{
		View: moveToProto(c.View), Offer: c.Offer, Verdict: c.Verdict.Verdict, Findings: c.Verdict.Findings, Place: c.View.Place,
		SameNetwork: c.SameNetwork, Audience: c.Audience, RecallSeconds: int64(c.RecallFor / time.Second),
	}), nil
}

// Hello carries the current phone's first message.
func (h *transferHandler) Hello(ctx context.Context, req *connect.Request[transferv1.HelloRequest]) (*connect.Response[transferv1.HelloResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	t, err := turn(req.Msg)
	if err != nil {
		return nil, err
	}
	v, err := p.app.HelloMove(ctx, p.Caller, t)
	return answerTo(v, err, func(v *transferv1.View) *transferv1.HelloResponse { return &transferv1.HelloResponse{View: v} })
}

// Answer carries the new phone's nonce.
func (h *transferHandler) Answer(ctx context.Context, req *connect.Request[transferv1.AnswerRequest]) (*connect.Response[transferv1.AnswerResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	t, err := turn(req.Msg)
	if err != nil {
		return nil, err
	}
	a, err := p.app.AnswerMove(ctx, p.Caller, t)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&transferv1.AnswerResponse{View: moveToProto(a.View), Ceremony: string(a.Ceremony), Options: string(a.Options)}), nil
}

// Match brings the new phone's passkey.
func (h *transferHandler) Match(ctx context.Context, req *connect.Request[transferv1.MatchRequest]) (*connect.Response[transferv1.MatchResponse], error) {
	p, err := h.stranger(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	t, err := turn(req.Msg)
	if err != nil {
		return nil, err
	}
	ceremony, err := idFromProto[account.CeremonyID]("ceremony", req.Msg.GetCeremony())
	if err != nil {
		return nil, err
	}
	v, err := p.app.MatchMove(ctx, p.Caller, t, ceremony)
	return answerTo(v, err, func(v *transferv1.View) *transferv1.MatchResponse { return &transferv1.MatchResponse{View: v} })
}

// Confirm carries the owner's yes.
func (h *transferHandler) Confirm(ctx context.Context, req *connect.Request[transferv1.ConfirmRequest]) (*connect.Response[transferv1.ConfirmResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	t, err := turn(req.Msg)
	if err != nil {
		return nil, err
	}
	share, err := secretFromProto("hold_share", req.Msg.GetHoldShare())
	if err != nil {
		return nil, err
	}
	v, err := p.app.ConfirmMove(ctx, p.Caller, t, share)
	return answerTo(v, err, func(v *transferv1.View) *transferv1.ConfirmResponse { return &transferv1.ConfirmResponse{View: v} })
}

// Revise begins the stream anew.
func (h *transferHandler) Revise(ctx context.Context, req *connect.Request[transferv1.ReviseRequest]) (*connect.Response[transferv1.ReviseResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	id, token, err := ticketOf(req.Msg.GetTransfer(), req.Msg.GetToken())
	if err != nil {
		return nil, err
	}
	v, err := p.app.ReviseMove(ctx, p.Caller, transfer.Turn{ID: id, Token: token}, req.Msg.GetRevision(), req.Msg.GetBytes())
	return answerTo(v, err, func(v *transferv1.View) *transferv1.ReviseResponse { return &transferv1.ReviseResponse{View: v} })
}

// Seal brings the grant.
func (h *transferHandler) Seal(ctx context.Context, req *connect.Request[transferv1.SealRequest]) (*connect.Response[transferv1.SealResponse], error) {
	p, err := h.phone(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	t, err := turn(req.Msg)
	if err != nil {
		return nil, err
	}
	share, err := secretFromProto("commit_share", req.Msg.GetCommitShare())
	if err != nil {
		return nil, err
	}
	v, err := p.app.SealMove(ctx, p.Caller, &integrity.MoveSeal{Turn: t, CommitShare: share, Sealed: req.Msg.GetSealed()})
	return answerTo(v, err, func(v *transferv1.View) *transferv1.SealResponse { return &transferv1.SealResponse{View: v} })
}

// waitLife is longer than a Wait waits.
const waitLife = 30 * time.Second

// unhurried lets Wait last as long as it may.
func unhurried(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == transferv1connect.TransferServiceWaitProcedure {
			stay(http.NewResponseController(w), waitLife)
		}
		next.ServeHTTP(w, r)
	})
}
