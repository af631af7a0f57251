package integrity_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/blob"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
	"github.com/staunchid/staunch/transfer/sealed"
)

// movePolicy has the values of the sample configuration.
func movePolicy() transfer.Policy {
	const day = 24 * time.Hour
	return transfer.Policy{
		HoldNone: 12 * time.Hour, HoldLAN: transfer.NoHold, HoldNear: transfer.NoHold, HoldRisk: 12 * time.Hour,
		OfferTTL: 2 * time.Minute, ClaimTTL: 5 * time.Minute, IdleTTL: day, MaxAge: 7 * day, SealTTL: day, RecallWindow: 3 * day,
		Window: 1 << 30, MaxBytes: 1 << 40, RelaySpace: 1 << 40, KeepEnvelopes: 365 * day,
	}
}

// moveRig is a rig with pillar transfer.
func moveRig(t testing.TB, change ...func(*transfer.Policy)) *rig {
	t.Helper()
	p := movePolicy()
	for _, c := range change {
		c(&p)
	}
	r := newRig(t)
	r.openMoves(p, t.TempDir())
	return r
}

// openMoves gives the rig pillar transfer, with its blobs in a folder.
func (r *rig) openMoves(p transfer.Policy, dir string) {
	r.t.Helper()
	store := r.store
	r.moves = must[*transfer.Service](r.t)(transfer.New(&transfer.Options{
		App: "demo", Policy: p, Blobs: must[*blob.Folder](r.t)(blob.OpenFolder(&blob.FolderOptions{Dir: dir})),
		Audience: "demo@" + host, RowKey: r.opts.RowKey, Now: r.clock,
		Update: func(ctx context.Context, fn func(transfer.Tx) error) error {
			return store.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		View: func(ctx context.Context, fn func(transfer.Tx) error) error {
			return store.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	}))
	r.reopen(func(o *integrity.Options) { o.Moves = r.moves })
}

// move is a move of a phone's account, step by step: c and n are the two phones.
type move struct {
	r    *rig
	c, n *phone
	// their halves of the handshake, and their tokens
	send    *handover.Sender
	receive *handover.Receiver
	sendTok [32]byte
	recvTok [32]byte

	id    transfer.ID
	class handover.Class
	view  *transfer.View // the last one
	all   map[handover.Step][]byte

	ceremony account.CeremonyID
	hold     handover.Secret
	stream   *sealed.Stream
	granted  *handover.Granted
	signed   *integrity.Signed

	network, place string // of the new phone
}

func (p *phone) prove(value [32]byte) ([]byte, error) { return p.key.Sign(request.DeviceProof(value)) }

// judge is the demo app's.
func (r *rig) judge() handover.Judge {
	r.t.Helper()
	var f attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &f); err != nil {
		r.t.Fatal(err)
	}
	return handover.Judge{Policy: must[*attest.Policy](r.t)(attest.NewPolicy(&f)), Now: r.clock}
}

// moving is a move of p's account that has not begun: the new phone has its code.
func (p *phone) moving() *move {
	r := p.r
	r.t.Helper()
	begun := must[*integrity.MoveBegun](r.t)(r.BeginMove(r.t.Context(), r.anonymous()))
	n := r.newPhone(nil)
	in := n.attest(begun.Challenge)
	m := &move{
		r: r, c: p, n: n, class: handover.ClassLAN, all: map[handover.Step][]byte{},
		sendTok: sha256.Sum256([]byte("C" + n.key.ID())), recvTok: sha256.Sum256([]byte("N" + n.key.ID())),
	}
	m.receive = must[*handover.Receiver](r.t)(handover.NewReceiver(&handover.ReceiverOptions{
		Device: n.key.PublicKey(), Prove: n.prove, Audience: begun.Audience, Evidence: handover.Evidence{Platform: handover.Android, Chain: in.Evidence.CertificateChain},
		Challenge: [32]byte(begun.Challenge), Info: handover.DeviceInfo{Model: "Pixel 10", OS: "16", App: "1"}, SchemaLow: 1, SchemaHigh: 1,
		FreeBytes: 1 << 30, Beacons: handover.BeaconLAN, LAN: []string{"192.0.2.7:4711"}, Judge: r.judge(),
	}))
	m.network, m.place = network, "Berlin, Germany"
	m.id = transfer.ID(m.receive.ID())
	m.all[handover.StepOffer] = m.encode(m.receive.Offer())
	return m
}

func (m *move) encode(e handover.Envelope) []byte {
	m.r.t.Helper()
	return must[[]byte](m.r.t)(e.Encode())
}

// turn is the message of a step, as its phone sends it.
func (m *move) turn(step handover.Step) transfer.Turn {
	t := transfer.Turn{ID: m.id, Token: m.recvTok, Step: step, Envelope: m.all[step]}
	switch step {
	case handover.StepHello, handover.StepConfirm, handover.StepGrant, handover.StepRecall, handover.StepFinal:
		t.Token = m.sendTok
	}
	return t
}

func (m *move) offer() error {
	m.r.t.Helper()
	c := m.r.anonymous()
	c.Network = m.network
	v, err := m.r.OfferMove(m.r.t.Context(), c, &integrity.MoveOffer{Envelope: m.all[handover.StepOffer], Token: m.recvTok, Place: m.place})
	m.view = v
	return err
}

func (m *move) claim() error {
	m.r.t.Helper()
	got, err := m.r.ClaimMove(m.r.t.Context(), m.c.caller(), m.id, m.sendTok)
	if err != nil {
		return err
	}
	m.view = got.View
	if m.send != nil {
		return nil
	}
	m.send, err = handover.NewSender(m.receive.Code(), must[handover.Envelope](m.r.t)(handover.DecodeEnvelope(got.Offer)), &handover.SenderOptions{
		Device: m.c.key.PublicKey(), Prove: m.c.prove, Account: string(m.c.account), DeviceID: string(m.c.device), Audience: got.Audience,
		Info: handover.DeviceInfo{Model: "Pixel 8", OS: "15", App: "1"}, Schema: 1, Bytes: 100, Judge: m.r.judge(),
	})
	return err
}

// made keeps an envelope.
func (m *move) made(step handover.Step, e handover.Envelope, err error) {
	m.r.t.Helper()
	if err != nil {
		m.r.t.Fatalf("%s: %v", step, err)
	}
	m.all[step] = m.encode(e)
}

func (m *move) hello() (err error) {
	m.r.t.Helper()
	if m.all[handover.StepHello] == nil {
		var beacon []byte
		if m.class != handover.ClassNone {
			beacon = must[[]byte](m.r.t)(m.receive.Beacon())
		}
		e, err := m.send.Hello(m.class, beacon)
		m.made(handover.StepHello, e, err)
		if _, err := m.receive.HandleHello(e); err != nil {
			m.r.t.Fatal(err)
		}
	}
	m.view, err = m.r.HelloMove(m.r.t.Context(), m.c.caller(), m.turn(handover.StepHello))
	return err
}

func (m *move) answer() error {
	m.r.t.Helper()
	if m.all[handover.StepAnswer] == nil {
		e, err := m.receive.Answer()
		m.made(handover.StepAnswer, e, err)
		if err := m.send.HandleAnswer(e); err != nil {
			m.r.t.Fatal(err)
		}
	}
	got, err := m.r.AnswerMove(m.r.t.Context(), m.r.anonymous(), m.turn(handover.StepAnswer))
	if err != nil {
		return err
	}
	m.view = got.View
	if m.all[handover.StepMatched] != nil || got.Ceremony == "" {
		return nil
	}
	m.ceremony = got.Ceremony
	response := must[[]byte](m.r.t)(m.n.passkey.Create(got.Options, origin))
	if err := m.receive.Number(must[string](m.r.t)(m.send.Number())); err != nil {
		m.r.t.Fatal(err)
	}
	e, err := m.receive.Matched(response, nil)
	m.made(handover.StepMatched, e, err)
	if _, err := m.send.HandleMatched(e); err != nil {
		m.r.t.Fatal(err)
	}
	return nil
}

func (m *move) match() (err error) {
	m.r.t.Helper()
	m.view, err = m.r.MatchMove(m.r.t.Context(), m.r.anonymous(), m.turn(handover.StepMatched), m.ceremony)
	return err
}

// approval is a yes of p's owner to an action, at a value of the transcript.
func (m *move) approval(p *phone, action account.Action, value [32]byte) handover.StepUp {
	m.r.t.Helper()
	in, err := p.propose(action, "transfer", m.id, "value", hex.EncodeToString(value[:]))
	if err != nil {
		m.r.t.Fatalf("proposing %s: %v", action, err)
	}
	return handover.StepUp{Approval: string(in.Approval.ID), Assertion: p.answer(in).Response}
}

func (m *move) before(step handover.Step) [32]byte {
	m.r.t.Helper()
	return must[[32]byte](m.r.t)(m.send.Before(step))
}

func (m *move) confirm() (err error) {
	m.r.t.Helper()
	if m.all[handover.StepConfirm] == nil {
		e, hold, err := m.send.Confirm(m.approval(m.c, account.ApproveMove, m.before(handover.StepConfirm)), 100)
		m.made(handover.StepConfirm, e, err)
		m.hold = hold
	}
	m.view, err = m.r.ConfirmMove(m.r.t.Context(), m.c.caller(), m.turn(handover.StepConfirm), m.hold)
	return err
}

// history is what moves, in one segment.
func history() []byte { return bytes.Repeat([]byte("history "), 1000) }

func (m *move) put() error {
	m.r.t.Helper()
	key := must[sealed.Key](m.r.t)(sealed.NewKey(must[[]byte](m.r.t)(m.send.BulkKey())))
	plain := history()
	h := sealed.Header{Revision: 1, Plain: uint32(len(plain))}
	segment, leaf, err := sealed.Seal(nil, key, h, plain)
	if err != nil {
		m.r.t.Fatal(err)
	}
	m.stream = sealed.NewStream(1)
	if err := m.stream.Add(h, leaf); err != nil {
		m.r.t.Fatal(err)
	}
	_, err = m.r.moves.PutSegment(m.r.t.Context(), transfer.Place{ID: m.id, Token: m.sendTok, Revision: 1}, int64(len(segment)), bytes.NewReader(segment))
	return err
}

// grant makes it; a second yes is in it after a hold.
func (m *move) grant(again bool) {
	m.r.t.Helper()
	in := &handover.Granting{
		Revision: 1, Records: m.stream.Records(), Bytes: m.stream.Bytes(), Objects: 1, Root: m.stream.Root(),
		SealingKeyHash: sha256.Sum256(bytes.Repeat([]byte{9}, 32)), Expires: uint64(m.r.clock().Add(time.Hour).Unix()),
		Secrets: handover.Secrets{"sealing": []byte("the private key")},
	}
	if again {
		up := m.approval(m.c, account.ApproveMove, m.before(handover.StepGrant))
		in.StepUp = &up
	}
	g, err := m.send.Grant(in)
	if err != nil {
		m.r.t.Fatal(err)
	}
	m.granted = g
	m.made(handover.StepGrant, g.Envelope, nil)
}

func (m *move) seal() (err error) {
	m.r.t.Helper()
	if m.all[handover.StepGrant] == nil {
		m.grant(m.view.State == transfer.Held || len(m.view.HoldReasons) > 0)
	}
	m.view, err = m.r.SealMove(m.r.t.Context(), m.c.caller(), &integrity.MoveSeal{
		Turn: m.turn(handover.StepGrant), CommitShare: m.granted.CommitShare, Sealed: m.granted.Sealed,
	})
	return err
}

// receipt makes it.
func (m *move) receipt() {
	m.r.t.Helper()
	if _, err := m.receive.HandleConfirm(must[handover.Envelope](m.r.t)(handover.DecodeEnvelope(m.all[handover.StepConfirm]))); err != nil {
		m.r.t.Fatal(err)
	}
	if _, err := m.receive.HandleGrant(m.granted.Envelope); err != nil {
		m.r.t.Fatal(err)
	}
	e, err := m.receive.Receipt(handover.Receipt{Root: m.stream.Root(), Bytes: m.stream.Bytes(), Objects: 1})
	m.made(handover.StepReceipt, e, err)
}

func (m *move) commit() (err error) {
	m.r.t.Helper()
	if m.all[handover.StepReceipt] == nil {
		m.receipt()
	}
	v, signed, err := m.r.CommitMove(m.r.t.Context(), m.r.anonymous(), m.turn(handover.StepReceipt))
	if err != nil {
		return err
	}
	m.view, m.signed = v, signed
	m.n.account, m.n.device = signed.Account, signed.Device
	if signed.Token != nil {
		m.n.token = signed.Token
	}
	return nil
}

func (m *move) ack() (err error) {
	m.r.t.Helper()
	if m.all[handover.StepAck] == nil {
		if _, err := m.receive.Open(m.granted.CommitShare, m.granted.Sealed); err != nil {
			m.r.t.Fatal(err)
		}
		e, err := m.receive.Ack(bytes.Repeat([]byte{9}, 32))
		m.made(handover.StepAck, e, err)
		receipt := must[handover.Envelope](m.r.t)(handover.DecodeEnvelope(m.all[handover.StepReceipt]))
		if _, err := m.send.HandleReceipt(receipt); err != nil {
			m.r.t.Fatal(err)
		}
		if _, err := m.send.HandleAck(e); err != nil {
			m.r.t.Fatal(err)
		}
	}
	m.view, err = m.r.AckMove(m.r.t.Context(), m.r.anonymous(), m.turn(handover.StepAck))
	return err
}

// steps are those of a straight move, by the state that they lead to.
func (m *move) steps() []struct {
	name string
	do   func() error
} {
	return []struct {
		name string
		do   func() error
	}{
		{"offer", m.offer},
		{"claim", m.claim},
		{"hello", m.hello},
		{"answer", m.answer},
		{"match", m.match},
		{"confirm", m.confirm},
		{"put", m.put},
		{"seal", m.seal},
		{"commit", m.commit},
		{"ack", m.ack},
	}
}

// to goes on until a step is done.
func (m *move) to(last string) *move {
	m.r.t.Helper()
	for _, s := range m.steps() {
		if err := s.do(); err != nil {
			m.r.t.Fatalf("%s: %v", s.name, err)
		}
		if s.name == last {
			return m
		}
	}
	m.r.t.Fatalf("no step %s", last)
	return nil
}

func hexOf(v [32]byte) string { return hex.EncodeToString(v[:]) }

// recall takes the account back, with its yes.
func (m *move) recall() (err error) {
	m.r.t.Helper()
	if m.all[handover.StepRecall] == nil {
		m.c.token = nil
		m.heard()
		e, err := m.send.Recall("lost", m.approval(m.c, account.RecallMove, m.before(handover.StepRecall)))
		m.made(handover.StepRecall, e, err)
	}
	m.view, err = m.r.RecallMove(m.r.t.Context(), m.r.anonymous(), m.turn(handover.StepRecall))
	return err
}

// finish leaves it for good, with its yes.
func (m *move) finish() (err error) {
	m.r.t.Helper()
	if m.all[handover.StepFinal] == nil {
		m.c.token = nil
		e, err := m.send.Final(m.approval(m.c, account.FinishMove, m.before(handover.StepFinal)))
		m.made(handover.StepFinal, e, err)
	}
	m.view, err = m.r.FinishMove(m.r.t.Context(), m.r.anonymous(), m.turn(handover.StepFinal))
	return err
}

// heard gives the receipt to the old phone.
func (m *move) heard() {
	m.r.t.Helper()
	if _, err := m.send.HandleReceipt(must[handover.Envelope](m.r.t)(handover.DecodeEnvelope(m.all[handover.StepReceipt]))); err != nil {
		m.r.t.Fatal(err)
	}
}
