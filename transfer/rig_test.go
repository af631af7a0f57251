package transfer_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
	"github.com/staunchid/staunch/transfer/sealed"
)

const (
	alice account.ID       = "a_aliceeeeeeeeeeeeeeeeeeeeee"
	eve   account.ID       = "a_eveeeeeeeeeeeeeeeeeeeeeeee"
	old   account.DeviceID = "d_olddddddddddddddddddddddddd"
	other account.DeviceID = "d_otherrrrrrrrrrrrrrrrrrrrrrr"
	fresh account.DeviceID = "d_newwwwwwwwwwwwwwwwwwwwwwwww"
)

var epoch = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// rig is a service with a store and a clock of its own, and both phones: they say
// what phones say, and prove nothing, for that is the flows' to check.
type rig struct {
	*testing.T
	*transfer.Service
	store *memory
	shelf *shelf
	opts  transfer.Options
	at    time.Time

	// What the phones keep: tokens, and the stream that C has sent.
	n, c     [32]byte
	key      sealed.Key
	segments []segment
	seen     int // events that were printed
}

type segment struct {
	header sealed.Header
	leaf   sealed.Leaf
	bytes  []byte
}

func newRig(t *testing.T, change ...func(*transfer.Options)) *rig {
	r := &rig{T: t, store: newMemory(), at: epoch, n: token("n"), c: token("c")}
	r.shelf = &shelf{now: r.now, blobs: map[string]blob{}}
	r.opts = transfer.Options{
		App: "example", Update: r.store.update, View: r.store.view, Blobs: r.shelf, Audience: "example@id.example.com",
		RowKey: bytes.Repeat([]byte{7}, 32), Now: r.now,
		Policy: transfer.Policy{
			HoldLAN: transfer.NoHold, HoldNear: transfer.NoHold,
			OfferTTL: 2 * time.Minute, ClaimTTL: 5 * time.Minute, IdleTTL: 24 * time.Hour, MaxAge: 168 * time.Hour, SealTTL: 24 * time.Hour,
			Window: 1 << 20, MaxBytes: 4 << 20, RelaySpace: 3 << 19, KeepEnvelopes: 365 * 24 * time.Hour,
		},
	}
	for _, f := range change {
		f(&r.opts)
	}
	r.open()
	key, err := sealed.NewKey(bytes.Repeat([]byte{9}, 32))
	r.must(err)
	r.key = key
	return r
}

// open starts the service anew: it keeps nothing of its own.
func (r *rig) open() {
	s, err := transfer.New(&r.opts)
	r.must(err)
	r.Service = s
}

func (r *rig) now() time.Time { return r.at }

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func token(of string) [32]byte { return sha256.Sum256([]byte("token of " + of)) }

func sid(name string) (id [16]byte) {
	sum := sha256.Sum256([]byte(name))
	copy(id[:], sum[:])
	return id
}

func idOf(name string) transfer.ID {
	id := sid(name)
	return transfer.ID("t_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(id[:])))
}

// row is what the store has.
func (r *rig) row(name string) transfer.Transfer {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	return r.store.data.transfers[idOf(name)]
}

// envelope packs a message: with a MAC of zeros where one belongs.
func (r *rig) envelope(message []byte, err error, mac bool) []byte {
	r.Helper()
	r.must(err)
	e := handover.Envelope{Message: message, Proof: []byte("proof")}
	if mac {
		e.MAC = make([]byte, 32)
	}
	b, err := e.Encode()
	r.must(err)
	return b
}

var stepUp = handover.StepUp{Approval: "v_approval", Assertion: []byte("{}")}

func share(of string) [32]byte { return sha256.Sum256([]byte("share " + of)) }

func sum(b []byte) [32]byte { return sha256.Sum256(b) }

const secrets = "sealed secrets"

// message makes what a phone says at a step; change alters it.
func (r *rig) message(name string, step handover.Step, change func(any)) []byte {
	r.Helper()
	if change == nil {
		change = func(any) {}
	}
	switch step {
	case handover.StepOffer:
		m := &handover.Offer{Key: bytes.Repeat([]byte{1}, handover.KeySize), Device: []byte("spki"), Evidence: []byte("evidence"), Info: handover.DeviceInfo{Model: "Pixel 11", OS: "android 17", App: "1.0"}, SchemaHigh: 1}
		id, key := sid(name), sum(m.Key)
		copy(m.Public[:], slices.Concat([]byte{1, 4, 1}, id[:], key[:]))
		change(m)
		b, err := handover.Encode(m)
		return r.envelope(b, err, false)
	case handover.StepHello:
		m := &handover.Hello{Encapsulated: make([]byte, handover.EncapsulatedSize), Device: []byte("spki of c"), Account: string(alice), DeviceID: string(old), Audience: r.Audience(), Class: handover.ClassLAN, Info: handover.DeviceInfo{Model: "Pixel 4", OS: "android 12", App: "1.0"}}
		change(m)
		b, err := handover.Encode(m)
		return r.envelope(b, err, true)
	case handover.StepAnswer:
		m := &handover.Answer{Nonce: share("nonce")}
		change(m)
		b, err := handover.Encode(m)
		return r.envelope(b, err, true)
	case handover.StepMatched:
		m := &handover.Matched{Passkey: []byte("{}")}
		change(m)
		b, err := handover.Encode(m)
		return r.envelope(b, err, true)
	case handover.StepConfirm:
		hold := share("hold")
		m := &handover.Confirm{HoldShareHash: sum(hold[:]), Bytes: 4 * sealed.RecordSize, StepUp: stepUp}
		change(m)
		b, err := handover.Encode(m)
		return r.envelope(b, err, true)
	case handover.StepGrant:
		m := r.grant(name)
		change(m)
		b, err := handover.Encode(m)
		return r.envelope(b, err, false)
	case handover.StepReceipt:
		g := r.grant(name)
		m := &handover.Receipt{Root: g.Root, Bytes: g.Bytes, Objects: g.Objects}
		change(m)
		b, err := handover.Encode(m)
		return r.envelope(b, err, false)
	case handover.StepAck:
		m := &handover.Ack{SealingKeyHash: share("sealing key")}
		change(m)
		b, err := handover.Encode(m)
		return r.envelope(b, err, false)
	case handover.StepRecall:
		m := &handover.Recall{Reason: "lost", StepUp: stepUp}
		change(m)
		b, err := handover.Encode(m)
		return r.envelope(b, err, false)
	case handover.StepFinal:
		m := &handover.Final{StepUp: stepUp}
		change(m)
		b, err := handover.Encode(m)
		return r.envelope(b, err, false)
	}
	r.Fatalf("no step %q", step)
	return nil
}

// grant is over what C has sent.
func (r *rig) grant(name string) *handover.Grant {
	row := r.row(name)
	commit := share("commit")
	m := &handover.Grant{
		Revision: uint64(row.Revision), Objects: 3, SecretsHash: sum([]byte(secrets)), CommitShareHash: sum(commit[:]),
		SealingKeyHash: share("sealing key"), Expires: uint64(epoch.Add(100 * 24 * time.Hour).Unix()),
	}
	if row.Opens.After(row.ConfirmedAt) {
		m.StepUp = &stepUp
	}
	have := sealed.NewStream(row.Revision)
	for _, g := range r.segments {
		if g.header.Revision == row.Revision && have.Add(g.header, g.leaf) != nil {
			break // a gap: a phone would not grant that
		}
	}
	m.Records, m.Bytes, m.Root = have.Records(), have.Bytes(), have.Root()
	return m
}

// seal makes a segment, as C does.
func (r *rig) seal(h sealed.Header) segment {
	r.Helper()
	plain := make([]byte, h.Plain)
	rand.Read(plain)
	b, leaf, err := sealed.Seal(nil, r.key, h, plain)
	r.must(err)
	return segment{h, leaf, b}
}

// turn is a message with the value that its proof would be over.
func (r *rig) turn(name string, by [32]byte, step handover.Step, change func(any)) (transfer.Turn, error) {
	r.Helper()
	t := transfer.Turn{ID: idOf(name), Token: by, Step: step, Envelope: r.message(name, step, change)}
	err := r.store.view(r.Context(), func(tx transfer.Tx) error {
		w, err := r.Expect(r.Context(), tx, t, r.at)
		if err == nil {
			t.Value = w.Value
		}
		return err
	})
	return t, err
}

// in runs a Tx method as a flow does.
func (r *rig) in(fn func(tx transfer.Tx) (*transfer.View, error)) (v *transfer.View, err error) {
	err = r.store.update(r.Context(), func(tx transfer.Tx) (err error) {
		v, err = fn(tx)
		return err
	})
	return v, err
}
