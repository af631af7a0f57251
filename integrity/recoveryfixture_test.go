package integrity_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// pinVault is a pillar recovery that believes what a test says.
type pinVault struct {
	mu       sync.Mutex
	none     bool // no PIN was set
	all      bool // with every ticket it was proved
	proved   map[[32]byte]bool
	setUp    map[[16]byte]account.DeviceID
	approval account.ApprovalID
	ended    []string // keys whose sessions ended; empty: the account's
	ends     []ending
}

// ending is of whom sessions ended.
type ending struct {
	account account.ID
	key     string
}

func newPINVault() *pinVault {
	return &pinVault{proved: map[[32]byte]bool{}, setUp: map[[16]byte]account.DeviceID{}}
}

func (v *pinVault) SetUp(_ context.Context, _ integrity.Tx, _ account.ID, dev account.DeviceID, approval account.ApprovalID, reg [16]byte, _ time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.setUp[reg], v.approval = dev, approval
	return nil
}

func (v *pinVault) Has(context.Context, integrity.Tx, account.ID) (bool, error) { return !v.none, nil }

func (v *pinVault) Finished(_ context.Context, _ integrity.Tx, _ account.ID, ticket [32]byte) (bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.all || v.proved[ticket], nil
}

func (v *pinVault) End(_ context.Context, _ integrity.Tx, id account.ID, key string, _ time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ended, v.ends = append(v.ended, key), append(v.ends, ending{id, key})
	return nil
}

// prove says that with this ticket the PIN was proved.
func (v *pinVault) prove(ticket integrity.Token) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.proved[sha256.Sum256(ticket)] = true
}

// pinRig is a rig with it.
func pinRig(t testing.TB, change ...func(*integrity.Options)) (*rig, *pinVault) {
	v := newPINVault()
	return newRig(t, append([]func(*integrity.Options){func(o *integrity.Options) { o.Recovery = v }}, change...)...), v
}

// recoverer is a phone that recovers an account.
type recoverer struct {
	*phone
	of    account.ID
	vault *pinVault
}

// recoverer is a new phone for p's account, that has begun nothing.
func (p *phone) recoverer(v *pinVault) *recoverer {
	return &recoverer{p.r.newPhone(nil), p.account, v}
}

// starting is what it brings first.
func (q *recoverer) starting() *integrity.RecoveryStart {
	q.r.t.Helper()
	brought := q.attest(q.r.challenge())
	return &integrity.RecoveryStart{Account: q.of, Phone: brought, Message: brought.Message}
}

// start begins.
func (q *recoverer) start() (*integrity.RecoveryStarted, error) {
	q.r.t.Helper()
	return q.r.StartRecovery(q.r.t.Context(), q.r.anonymous(), q.starting())
}

// ask asks how it stands.
func (q *recoverer) ask() (*integrity.RecoveryStarted, error) {
	q.r.t.Helper()
	return q.r.StartRecovery(q.r.t.Context(), q.r.anonymous(), &integrity.RecoveryStart{Account: q.of, Message: q.message(nil)})
}

// ready waits the wait, and proves the PIN.
func (q *recoverer) ready() *integrity.RecoveryStarted {
	q.r.t.Helper()
	s := must[*integrity.RecoveryStarted](q.r.t)(q.start())
	q.r.advance(s.OpensAt.Sub(s.At))
	q.vault.prove(must[*integrity.RecoveryStarted](q.r.t)(q.ask()).Ticket)
	return must[*integrity.RecoveryStarted](q.r.t)(q.ask())
}

// answer makes the new passkey.
func (q *recoverer) answer(s *integrity.RecoveryStarted) *integrity.RecoveryAnswer {
	q.r.t.Helper()
	response := must[[]byte](q.r.t)(q.passkey.Create(s.Options, origin))
	return &integrity.RecoveryAnswer{Pending: s.Pending, Ceremony: s.Ceremony, Response: response, Message: q.message(nil)}
}

// finish brings it.
func (q *recoverer) finish(in *integrity.RecoveryAnswer) (*integrity.Signed, error) {
	q.r.t.Helper()
	out, err := q.r.FinishRecovery(q.r.t.Context(), q.r.anonymous(), in)
	if err == nil {
		q.account, q.device, q.token = out.Account, out.Device, out.Token
	}
	return out, err
}

// recovered goes all the way.
func (p *phone) recovered(v *pinVault) (*recoverer, *integrity.Signed) {
	p.r.t.Helper()
	q := p.recoverer(v)
	return q, must[*integrity.Signed](p.r.t)(q.finish(q.answer(q.ready())))
}

// ticketOf reads the ticket that a device got for itself.
func ticketOf(t testing.TB, result []byte) []byte {
	t.Helper()
	var r struct{ Ticket []byte }
	if err := json.Unmarshal(result, &r); err != nil || len(r.Ticket) != 32 {
		t.Fatalf("%s, %v", result, err)
	}
	return r.Ticket
}
