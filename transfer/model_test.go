package transfer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/transfer/handover"
	"github.com/staunchid/staunch/transfer/sealed"
)

// The model check of docs/transfer.md: every state that the server and the two phones
// can come to, breadth first, from the confirmation on. What the server does, the
// rules do: the model calls the methods of Transfer, with proofs left out. A call is
// two edges, "S did it" and "the phone learned it", and a crash is that the second
// never comes. The two segments stand for any number.
const golden = "342 states, 1129 edges, 0 violations"

func TestModel(t *testing.T) {
	m := newModel(t, "")
	m.search()
	line := fmt.Sprintf("%d states, %d edges, %d violations", len(m.seen), m.edges, len(m.bad))
	t.Log(line)
	if line != golden {
		t.Errorf("have %s, want %s", line, golden)
	}
	for _, b := range m.bad[:min(3, len(m.bad))] {
		t.Errorf("%s", b)
	}
}

// TestModelFindsBugs: with one mistake in it, the model has a counter-example.
func TestModelFindsBugs(t *testing.T) {
	for _, v := range []struct{ bug, want string }{
		{"C signs out when its upload is done", "I4"},
		{"N opens when all is staged", "I2"},
		{"the commit share is given at the seal", "I2"},
		{"commit without a receipt", "I5"},
		{"revoke and add in two transactions", "I1"},
		{"C wipes without an acknowledgement", "I3"},
		{"no recall after the acknowledgement", "L"},
		{"final from committed by time", "I3"},
		{"recall after final", "I7"},
		{"N opens segments while held", "I6"},
	} {
		t.Run(v.bug, func(t *testing.T) {
			m := newModel(t, v.bug)
			m.search()
			i := slices.IndexFunc(m.bad, func(b string) bool { return strings.HasPrefix(b, v.want+" ") })
			if i < 0 {
				t.Fatalf("no violation of %s in %d states", v.want, len(m.seen))
			}
			t.Log(m.bad[i])
		})
	}
}

// Phones.
type (
	oldPhone string
	newPhone string
)

const (
	cUsing  oldPhone = "using"
	cFrozen oldPhone = "frozen" // has stored grant and share
	cLocked oldPhone = "locked" // has signed itself out
	cWiped  oldPhone = "wiped"
	cDead   oldPhone = "dead"

	nWaiting newPhone = "waiting"
	nReceipt newPhone = "receipt" // has stored its receipt
	nOpened  newPhone = "opened"  // has opened the keys
	nGone    newPhone = "gone"    // has cleared what it had
	nDead    newPhone = "dead"
)

// node is one state of all three.
type node struct {
	s        State
	have     uint8 // segments at S
	over     bool  // no hold, or it is over
	cIn, nIn bool  // whose device S takes for the account's
	c        oldPhone
	n        newPhone
	cipher   uint8 // segments that N has stored
	verified uint8 // and opened
	opened   bool  // N has ever opened the keys
}

func (n node) String() string {
	return fmt.Sprintf("S %s %02b in charge C=%t N=%t, hold over %t; C %s; N %s %02b/%02b", n.s, n.have, n.cIn, n.nIn, n.over, n.c, n.n, n.cipher, n.verified)
}

const both = 3 // segments

// edge is a step: of the server's rules, of a phone, or a death.
type edge struct {
	label  string
	to     node
	server bool
	death  bool
}

type model struct {
	*testing.T
	bug   string
	terms terms
	rows  map[State]Transfer // one row of each state, made by the rules
	seen  map[node]step
	order []node
	next  map[node][]edge
	edges int
	bad   []string
}

// step is how a node was first reached.
type step struct {
	from  node
	label string
}

var (
	zero  = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	share = [32]byte{1}
)

func newModel(t *testing.T, bug string) *model {
	p, err := Policy{
		HoldLAN: NoHold, HoldNear: NoHold, OfferTTL: time.Minute, ClaimTTL: time.Minute, IdleTTL: time.Hour, MaxAge: 24 * time.Hour, SealTTL: time.Hour,
		Window: 1 << 30, MaxBytes: 1 << 30, RelaySpace: 1 << 30, KeepEnvelopes: time.Hour,
	}.check()
	if err != nil {
		t.Fatal(err)
	}
	m := &model{T: t, bug: bug, terms: terms{p, "app@host"}, rows: map[State]Transfer{}, seen: map[node]step{}, next: map[node][]edge{}}
	m.build()
	return m
}

func pack[T any](m *T, encode func(*T) ([]byte, error)) []byte {
	b, err := encode(m)
	if err != nil {
		panic(err)
	}
	e, err := handover.Envelope{Message: b, Proof: []byte("p")}.Encode()
	if err != nil {
		panic(err)
	}
	return e
}

// build walks the straight path once, for a row of each state.
func (m *model) build() {
	o := &handover.Offer{Key: make([]byte, handover.KeySize), Device: []byte("n"), Evidence: []byte("e"), Info: handover.DeviceInfo{Model: "m", OS: "o", App: "a"}}
	t := offer(&m.terms.Policy, "t_aaaaaaaaaaaaaaaaaaaaaaaaaa", &Offering{Envelope: pack(o, handover.Encode[handover.Offer])}, zero)
	if _, err := t.claim(&m.terms.Policy, &Claiming{Account: "a", Device: "d"}, zero); err != nil {
		m.Fatal(err)
	}
	h := &handover.Hello{Encapsulated: make([]byte, handover.EncapsulatedSize), Device: []byte("c"), Account: "a", DeviceID: "d", Audience: "app@host", Class: handover.ClassLAN, Info: o.Info}
	t.hello(h, pack(h, handover.Encode[handover.Hello]))
	t.answer(pack(&handover.Answer{}, handover.Encode[handover.Answer]))
	t.match(pack(&handover.Matched{Passkey: []byte("{}")}, handover.Encode[handover.Matched]), nil)
	m.rows[Claimed] = *t
	for _, run := range []struct {
		to  State
		act func(*Transfer) error
	}{{Streaming, m.confirm(handover.ClassLAN)}, {Sealed, m.grant(both)}, {Committed, m.commit}, {Acked, m.ack}, {Final, m.finish}} {
		if run.to == Committed { // two ways out of it and of its neighbours
			a := *t
			a.abort(UserCancelled, zero)
			m.rows[Aborted] = a
		}
		if run.to == Final {
			r := *t
			if err := m.recall(&r); err != nil {
				m.Fatal(err)
			}
			m.rows[Recalled] = r
		}
		if err := run.act(t); err != nil || t.State != run.to {
			m.Fatalf("to %s: %v", run.to, err)
		}
		m.rows[run.to] = *t
	}
	held := m.rows[Claimed]
	if err := m.confirm(handover.ClassNone)(&held); err != nil || held.State != Held {
		m.Fatal("not held", err)
	}
	m.rows[Held] = held
}

// What the server does with each message: the same two steps as Service.take.

func (m *model) confirm(class handover.Class) func(*Transfer) error {
	return func(t *Transfer) error {
		msg := &handover.Confirm{HoldShareHash: sha256.Sum256(share[:]), Bytes: 1, StepUp: handover.StepUp{Approval: "v", Assertion: []byte("a")}}
		if err := t.allows(&m.terms, handover.StepConfirm, Sender, msg, zero); err != nil {
			return err
		}
		t.Class = class
		return t.confirm(&m.terms.Policy, msg, pack(msg, handover.Encode[handover.Confirm]), share, nil, zero)
	}
}

// stream is what S has stored: segments of a record each.
func stream(have uint8) *sealed.Stream {
	s := sealed.NewStream(1)
	for i := range uint64(2) {
		if have&(1<<i) != 0 && s.Add(sealed.Header{Revision: 1, First: i, Plain: sealed.RecordSize}, sealed.Leaf{byte(i)}) != nil {
			break
		}
	}
	return s
}

func (m *model) grant(have uint8) func(*Transfer) error {
	return func(t *Transfer) error {
		whole := stream(both)
		msg := &handover.Grant{
			Revision: 1, Records: whole.Records(), Bytes: whole.Bytes(), Objects: 1, Root: whole.Root(), SecretsHash: sha256.Sum256([]byte("s")),
			CommitShareHash: sha256.Sum256(share[:]), Expires: uint64(zero.Add(time.Hour).Unix()),
		}
		if err := t.allows(&m.terms, handover.StepGrant, Sender, msg, zero); err != nil {
			return err
		}
		in := &Sealing{Turn: Turn{Envelope: pack(msg, handover.Encode[handover.Grant])}, CommitShare: share, Sealed: []byte("s")}
		return t.seal(&m.terms.Policy, msg, in, stream(have), false, zero)
	}
}

func (m *model) commit(t *Transfer) error {
	whole := stream(both)
	msg := &handover.Receipt{Root: whole.Root(), Bytes: whole.Bytes(), Objects: 1}
	if err := t.allows(&m.terms, handover.StepReceipt, Receiver, msg, zero); err != nil {
		return err
	}
	t.commit(pack(msg, handover.Encode[handover.Receipt]), "new", zero)
	return nil
}

func (m *model) ack(t *Transfer) error {
	msg := &handover.Ack{}
	if err := t.allows(&m.terms, handover.StepAck, Receiver, msg, zero); err != nil {
		return err
	}
	t.ack(&m.terms.Policy, pack(msg, handover.Encode[handover.Ack]), zero)
	return nil
}

func (m *model) recall(t *Transfer) error {
	msg := &handover.Recall{StepUp: handover.StepUp{Approval: "v", Assertion: []byte("a")}}
	if err := t.allows(&m.terms, handover.StepRecall, Sender, msg, zero); err != nil {
		return err
	}
	t.recall(pack(msg, handover.Encode[handover.Recall]), zero)
	return nil
}

func (m *model) finish(t *Transfer) error {
	msg := &handover.Final{StepUp: handover.StepUp{Approval: "v", Assertion: []byte("a")}}
	if err := t.allows(&m.terms, handover.StepFinal, Sender, msg, zero); err != nil {
		return err
	}
	t.finish(pack(msg, handover.Encode[handover.Final]), zero)
	return nil
}

var errNothing = errors.New("nothing happens")

// until lets the clock run to a time of the row's.
func (m *model) until(at func(*Transfer) time.Time) func(*Transfer) error {
	return func(t *Transfer) error {
		if at(t).IsZero() || !t.settle(&m.terms.Policy, at(t)) {
			return errNothing
		}
		return nil
	}
}

func (m *model) row(n node) Transfer {
	t := m.rows[n.s]
	t.BytesStored = uint64(sealed.RecordSize) * uint64(n.have&1+n.have>>1)
	return t
}
