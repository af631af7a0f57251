package client_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/gen/staunch/transfer/v1/transferv1connect"
	"github.com/staunchid/staunch/transfer/handover"
	"github.com/staunchid/staunch/transfer/sealed"
)

// relay is a server of one transfer after the other that believes everything and
// checks nothing: so whatever a phone refuses, it refuses by itself. lie alters what
// it shows, which makes it the adversary.
type relay struct {
	transferv1connect.UnimplementedTransferServiceHandler
	held     time.Duration
	ttl      int64 // seconds of an offer
	recall   int64
	verdict  string
	audience string
	sealing  []byte // the sealing key that the current phone was enrolled with
	lie      func(v *transferv1.View, receiver bool)
	put      func(first uint64, body []byte) (status int) // 0: store it
	get      func(first uint64, body []byte) []byte
	// incomplete: the first Seal is refused.
	incomplete bool
	redirect   string
	claimed    func(*transferv1.ClaimResponse) // alters the answer
	signed     func(*accountv1.Signed)         // too

	mu       sync.Mutex
	v        transferv1.View // without envelopes
	steps    []transferv1.Envelope
	at       map[string]uint64 // by step: the version it came with
	n, c     []byte            // tokens
	share    []byte
	commit   []byte
	sealed   []byte
	segments map[uint64][]byte
	puts     map[uint64]int // how often each was stored
	acked    uint64
	changed  chan struct{}
	offers   int
}

func newRelay() *relay {
	return &relay{ttl: 120, recall: 3600, verdict: "TRUSTED", audience: "demo@localhost", changed: make(chan struct{}), segments: map[uint64][]byte{}, puts: map[uint64]int{}, at: map[string]uint64{}}
}

// step notes an envelope, once, and the state that follows.
func (r *relay) step(name string, b []byte, state transferv1.TransferState) error {
	for i := range r.steps {
		if r.steps[i].Step != name {
			continue
		}
		if name == "matched" || name == "confirm" || name == "grant" || bytes.Equal(r.steps[i].Bytes, b) {
			if !bytes.Equal(r.steps[i].Bytes, b) {
				r.steps[i].Bytes = b
				r.bump(name)
			}
			return nil
		}
		return refusal(connect.CodeAborted, "TRANSFER_CONFLICT")
	}
	if r.v.State == transferv1.TransferState_TRANSFER_STATE_ABORTED {
		return refusal(connect.CodeFailedPrecondition, "TRANSFER_ENDED", "state", "aborted", "reason", r.v.Reason)
	}
	r.steps = append(r.steps, transferv1.Envelope{Step: name, Bytes: b})
	r.v.State = state
	r.bump(name)
	return nil
}

func (r *relay) bump(name string) {
	r.v.Version++
	r.at[name] = r.v.Version
	r.wake()
}

func (r *relay) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// view is what one phone is shown.
func (r *relay) view(token []byte, after uint64) *transferv1.View {
	if r.v.State == transferv1.TransferState_TRANSFER_STATE_HELD && !time.Now().Before(r.v.OpensAt.AsTime()) {
		r.v.State = transferv1.TransferState_TRANSFER_STATE_STREAMING
		r.v.Version++
	}
	receiver := bytes.Equal(token, r.n)
	v := &transferv1.View{
		Transfer: r.v.Transfer, State: r.v.State, Version: r.v.Version, Reason: r.v.Reason, HoldReasons: r.v.HoldReasons, OpensAt: r.v.OpensAt,
		RecallUntil: r.v.RecallUntil, At: timestamppb.Now(), Revision: r.v.Revision, BytesExpected: r.v.BytesExpected,
		BytesAcked: r.acked * sealed.RecordSize, RecordAcked: r.acked,
	}
	for i := range r.steps {
		if r.at[r.steps[i].Step] > after {
			v.Envelopes = append(v.Envelopes, &transferv1.Envelope{Step: r.steps[i].Step, Bytes: r.steps[i].Bytes})
		}
	}
	s := r.v.State
	if receiver && s >= transferv1.TransferState_TRANSFER_STATE_STREAMING {
		v.HoldShare = r.share
	}
	if receiver && s >= transferv1.TransferState_TRANSFER_STATE_SEALED {
		v.Sealed = r.sealed
	}
	if receiver && s >= transferv1.TransferState_TRANSFER_STATE_COMMITTED {
		v.CommitShare = r.commit
	}
	if r.lie != nil {
		r.lie(v, receiver)
	}
	return v
}

func (r *relay) Begin(context.Context, *connect.Request[transferv1.BeginRequest]) (*connect.Response[transferv1.BeginResponse], error) {
	challenge := sha256.Sum256([]byte("a challenge"))
	return answer(&transferv1.BeginResponse{Challenge: challenge[:], OfferSeconds: r.ttl, Audience: r.audience}, nil)
}

func (r *relay) Offer(_ context.Context, q *connect.Request[transferv1.OfferRequest]) (*connect.Response[transferv1.OfferResponse], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !bytes.Equal(q.Msg.Token, r.n) { // another phone, or another code
		e, err := handover.DecodeEnvelope(q.Msg.Envelope)
		if err != nil {
			return nil, err
		}
		m, err := handover.Decode[handover.Offer](e.Message)
		if err != nil {
			return nil, err
		}
		r.v.Reset()
		r.v.Transfer = "t_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(m.Public[3:19]))
		r.steps, r.n, r.c, r.segments, r.acked, r.at = nil, q.Msg.Token, nil, map[uint64][]byte{}, 0, map[string]uint64{}
		r.offers++
	}
	err := r.step("offer", q.Msg.Envelope, transferv1.TransferState_TRANSFER_STATE_OFFERED)
	return answer(&transferv1.OfferResponse{View: r.view(r.n, 0)}, err)
}

func (r *relay) Claim(_ context.Context, q *connect.Request[transferv1.ClaimRequest]) (*connect.Response[transferv1.ClaimResponse], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.Msg.Transfer != r.v.Transfer {
		return nil, refusal(connect.CodeNotFound, "TRANSFER_NOT_FOUND")
	}
	if r.c == nil {
		r.c, r.v.State = q.Msg.Token, transferv1.TransferState_TRANSFER_STATE_CLAIMED
		r.bump("claim")
	}
	m := &transferv1.ClaimResponse{
		View: r.view(r.c, 0), Offer: r.steps[0].Bytes, Verdict: r.verdict, Place: "198.51.100.0/24", SameNetwork: true, Audience: r.audience, RecallSeconds: r.recall,
	}
	if r.claimed != nil {
		r.claimed(m)
	}
	return answer(m, nil)
}

func (r *relay) Hello(_ context.Context, q *connect.Request[transferv1.HelloRequest]) (*connect.Response[transferv1.HelloResponse], error) {
	v, err := r.next("hello", q.Msg.Envelope, q.Msg.Token, transferv1.TransferState_TRANSFER_STATE_CLAIMED)
	return answer(&transferv1.HelloResponse{View: v}, err)
}

func (r *relay) Answer(_ context.Context, q *connect.Request[transferv1.AnswerRequest]) (*connect.Response[transferv1.AnswerResponse], error) {
	v, err := r.next("answer", q.Msg.Envelope, q.Msg.Token, transferv1.TransferState_TRANSFER_STATE_CLAIMED)
	return answer(&transferv1.AnswerResponse{View: v, Ceremony: "y_1", Options: "{}"}, err)
}

func (r *relay) Match(_ context.Context, q *connect.Request[transferv1.MatchRequest]) (*connect.Response[transferv1.MatchResponse], error) {
	v, err := r.next("matched", q.Msg.Envelope, q.Msg.Token, transferv1.TransferState_TRANSFER_STATE_CLAIMED)
	return answer(&transferv1.MatchResponse{View: v}, err)
}

func (r *relay) next(name string, b, token []byte, state transferv1.TransferState) (*transferv1.View, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.step(name, b, state)
	return r.view(token, 0), err
}

func (r *relay) Confirm(_ context.Context, q *connect.Request[transferv1.ConfirmRequest]) (*connect.Response[transferv1.ConfirmResponse], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	state := transferv1.TransferState_TRANSFER_STATE_STREAMING
	if r.v.Revision == 0 {
		r.v.Revision, r.share = 1, q.Msg.HoldShare
		r.v.OpensAt = timestamppb.New(time.Now().Add(r.held))
		if r.held > 0 {
			state, r.v.HoldReasons = transferv1.TransferState_TRANSFER_STATE_HELD, []string{"class"}
		}
	}
	err := r.step("confirm", q.Msg.Envelope, state)
	return answer(&transferv1.ConfirmResponse{View: r.view(r.c, 0)}, err)
}

func (r *relay) Revise(_ context.Context, q *connect.Request[transferv1.ReviseRequest]) (*connect.Response[transferv1.ReviseResponse], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.Msg.Revision != r.v.Revision {
		r.v.Revision, r.v.BytesExpected, r.segments, r.acked = q.Msg.Revision, q.Msg.Bytes, map[uint64][]byte{}, 0
		r.bump("revise")
	}
	return answer(&transferv1.ReviseResponse{View: r.view(r.c, 0)}, nil)
}

func (r *relay) Seal(_ context.Context, q *connect.Request[transferv1.SealRequest]) (*connect.Response[transferv1.SealResponse], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.incomplete {
		r.incomplete = false
		return nil, refusal(connect.CodeFailedPrecondition, "TRANSFER_INCOMPLETE", "first_gap", "64")
	}
	if r.v.State <= transferv1.TransferState_TRANSFER_STATE_SEALED {
		r.commit, r.sealed = q.Msg.CommitShare, q.Msg.Sealed
	}
	err := r.step("grant", q.Msg.Envelope, transferv1.TransferState_TRANSFER_STATE_SEALED)
	return answer(&transferv1.SealResponse{View: r.view(r.c, 0)}, err)
}

func (r *relay) Received(_ context.Context, q *connect.Request[transferv1.ReceivedRequest]) (*connect.Response[transferv1.ReceivedResponse], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.Msg.Revision == r.v.Revision {
		r.acked = max(r.acked, q.Msg.Record)
		r.wake()
	}
	return answer(&transferv1.ReceivedResponse{View: r.view(r.n, 0)}, nil)
}

func (r *relay) Commit(_ context.Context, q *connect.Request[transferv1.CommitRequest]) (*connect.Response[transferv1.CommitResponse], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	signed := &accountv1.Signed{Account: anAccount, Device: newDevice}
	if r.v.State == transferv1.TransferState_TRANSFER_STATE_SEALED {
		signed.Session, signed.Token = "s_abcdefghijklmnopqrstuvwxy2", aToken
	}
	if r.signed != nil {
		r.signed(signed)
	}
	err := r.step("receipt", q.Msg.Envelope, transferv1.TransferState_TRANSFER_STATE_COMMITTED)
	return answer(&transferv1.CommitResponse{View: r.view(r.n, 0), Signed: signed}, err)
}

func (r *relay) Acknowledge(_ context.Context, q *connect.Request[transferv1.AcknowledgeRequest]) (*connect.Response[transferv1.AcknowledgeResponse], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.v.RecallUntil = timestamppb.New(time.Now().Add(time.Duration(r.recall) * time.Second))
	err := r.step("ack", q.Msg.Envelope, transferv1.TransferState_TRANSFER_STATE_ACKED)
	return answer(&transferv1.AcknowledgeResponse{View: r.view(r.n, 0)}, err)
}

func (r *relay) Recall(_ context.Context, q *connect.Request[transferv1.RecallRequest]) (*connect.Response[transferv1.RecallResponse], error) {
	v, err := r.next("recall", q.Msg.Envelope, q.Msg.Token, transferv1.TransferState_TRANSFER_STATE_RECALLED)
	return answer(&transferv1.RecallResponse{View: v}, err)
}

func (r *relay) Finalize(_ context.Context, q *connect.Request[transferv1.FinalizeRequest]) (*connect.Response[transferv1.FinalizeResponse], error) {
	v, err := r.next("final", q.Msg.Envelope, q.Msg.Token, transferv1.TransferState_TRANSFER_STATE_FINAL)
	return answer(&transferv1.FinalizeResponse{View: v}, err)
}

func (r *relay) Cancel(_ context.Context, q *connect.Request[transferv1.CancelRequest]) (*connect.Response[transferv1.CancelResponse], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch s := r.v.State; {
	case s == transferv1.TransferState_TRANSFER_STATE_ABORTED:
	case s >= transferv1.TransferState_TRANSFER_STATE_COMMITTED:
		return nil, refusal(connect.CodeFailedPrecondition, "TRANSFER_WRONG_STATE", "state", "committed")
	default:
		r.v.State, r.v.Reason = transferv1.TransferState_TRANSFER_STATE_ABORTED, q.Msg.Reason
		r.bump("cancel")
	}
	return answer(&transferv1.CancelResponse{View: r.view(q.Msg.Token, 0)}, nil)
}

func (r *relay) Wait(ctx context.Context, q *connect.Request[transferv1.WaitRequest]) (*connect.Response[transferv1.WaitResponse], error) {
	end := time.After(time.Duration(q.Msg.Seconds) * time.Second)
	for n := 0; ; n++ {
		r.mu.Lock()
		v, changed := r.view(q.Msg.Token, q.Msg.AfterVersion), r.changed
		known := bytes.Equal(q.Msg.Token, r.n) || bytes.Equal(q.Msg.Token, r.c)
		r.mu.Unlock()
		if !known {
			return nil, refusal(connect.CodeNotFound, "TRANSFER_NOT_FOUND")
		}
		if v.Version > q.Msg.AfterVersion || n > 0 || q.Msg.Seconds == 0 {
			return answer(&transferv1.WaitResponse{View: v}, nil)
		}
		select {
		case <-ctx.Done():
			return nil, connect.NewError(connect.CodeCanceled, ctx.Err())
		case <-end:
		case <-time.After(50 * time.Millisecond): // so that a hold ends
		case <-changed:
		}
	}
}

// ServeHTTP is the bulk paths.
func (r *relay) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	parts := strings.Split(strings.TrimPrefix(q.URL.Path, "/transfer/v1/"), "/")
	token, _ := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer "))
	r.mu.Lock()
	known := bytes.Equal(token, r.n) || bytes.Equal(token, r.c)
	revision, segments := fmt.Sprint(r.v.Revision), r.segments
	ended := r.v.State == transferv1.TransferState_TRANSFER_STATE_ABORTED
	r.mu.Unlock()
	switch {
	case !known:
		w.WriteHeader(http.StatusNotFound)
	case ended || parts[1] != revision:
		w.WriteHeader(http.StatusGone)
	case len(parts) == 2:
		r.list(w, segments)
	case q.Method == http.MethodPut:
		r.store(w, q, parts[2], segments)
	default:
		r.fetch(w, q, parts[2], segments)
	}
}

func (r *relay) list(w http.ResponseWriter, segments map[uint64][]byte) {
	type line struct {
		First   uint64 `json:"first"`
		Records int    `json:"records"`
		Leaf    string `json:"leaf"`
	}
	var all []line
	r.mu.Lock()
	for first, b := range segments {
		h := sealed.NewLeafHasher()
		h.Write(b) //nolint:errcheck // a test
		header, leaf, _ := h.Sum()
		all = append(all, line{first, header.Records(), hex.EncodeToString(leaf[:])})
	}
	r.mu.Unlock()
	slices.SortFunc(all, func(a, b line) int { return int(a.First) - int(b.First) })
	json.NewEncoder(w).Encode(map[string]any{"segments": all, "next": 0}) //nolint:errcheck // a test
}

func (r *relay) store(w http.ResponseWriter, q *http.Request, place string, segments map[uint64][]byte) {
	first, _ := strconv.ParseUint(place, 10, 64)
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	if r.put != nil {
		if status := r.put(first, body); status != 0 {
			if r.redirect != "" {
				w.Header().Set("Location", r.redirect)
			}
			w.WriteHeader(status)
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h, _ := sealed.ParseHeader(body)
	for other, b := range segments {
		o, _ := sealed.ParseHeader(b)
		if bytes.Equal(b, body) {
			w.WriteHeader(http.StatusOK)
			return
		}
		if first < other+uint64(o.Records()) && other < first+uint64(h.Records()) {
			w.WriteHeader(http.StatusConflict)
			return
		}
	}
	segments[first] = body
	r.puts[first]++
	r.wake()
	w.WriteHeader(http.StatusCreated)
}

func (r *relay) fetch(w http.ResponseWriter, q *http.Request, place string, segments map[uint64][]byte) {
	first, _ := strconv.ParseUint(place, 10, 64)
	wait, _ := strconv.Atoi(q.URL.Query().Get("wait"))
	end := time.After(time.Duration(wait) * time.Second)
	for {
		r.mu.Lock()
		b, changed := segments[first], r.changed
		r.mu.Unlock()
		if b != nil {
			b = bytes.Clone(b)
			if r.get != nil {
				b = r.get(first, b)
			}
			http.ServeContent(w, q, "", time.Time{}, bytes.NewReader(b))
			return
		}
		select {
		case <-q.Context().Done():
			return
		case <-end:
			w.WriteHeader(http.StatusNoContent)
			return
		case <-changed:
		}
	}
}
