package vault

import (
	"math"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

// hello is the first message of either end.
type hello struct{ binding, evidence []byte }

func (h *hello) Code(c *cbor.Coder) {
	c.Array(2)
	cbor.Octets(c, &h.binding, 1, 8192)
	cbor.Octets(c, &h.evidence, 0, 196_608)
}

// The kinds of requests.
const (
	askLoad  = 1 // [1, id, vault-id, acct]
	askWrite = 2 // [2, id, vault-id, tagged, view]
	askJoin  = 3 // [3, id, incarnation, boot]
	askClock = 4 // [4, id]
	askHead  = 5 // [5, id, n]
)

// request is what a link carries from who asks. Its members depend on its kind.
type request struct {
	kind  uint8
	id    uint64
	vault string
	acct  [16]byte
	mark  wire.Tagged
	view  wire.View
	inc   wire.Incarnation
	n     uint64
}

func (r *request) Code(c *cbor.Coder) {
	lengths := [...]int{askLoad: 4, askWrite: 5, askJoin: 4, askClock: 2, askHead: 3}
	want := 0
	if !c.Reading() {
		want = lengths[r.kind]
	}
	n := c.List(want, 2, 5)
	cbor.Uint(c, &r.kind, askLoad, askHead)
	cbor.Uint(c, &r.id, 0, math.MaxUint64)
	if c.Err() != nil {
		return
	}
	if n != lengths[r.kind] {
		c.Failf("%d elements in a request of kind %d", n, r.kind)
		return
	}
	switch r.kind {
	case askLoad:
		codeName(c, &r.vault)
		c.Fixed(r.acct[:])
	case askWrite:
		codeName(c, &r.vault)
		r.mark.Code(c)
		r.view.Code(c)
	case askJoin:
		cbor.Uint(c, &r.inc.Number, 0, math.MaxUint64)
		r.inc.Boot.Code(c)
	case askHead:
		cbor.Uint(c, &r.n, 0, math.MaxUint64)
	}
}

// What answers say.
const (
	sayOK      = 0
	sayStale   = 1 // ErrStale; the body is a view
	sayAmnesia = 2 // ErrAmnesia; no body
	sayNo      = 3 // not allowed, or not understood; the body is a text
	sayPage    = 4 // marks; another answer to the same request follows
)

// answer is [id, code, body]. What is in the body depends on the request.
type answer struct {
	id   uint64
	code uint8
	body []byte
}

func (a *answer) Code(c *cbor.Coder) {
	c.Array(3)
	cbor.Uint(c, &a.id, 0, math.MaxUint64)
	cbor.Uint(c, &a.code, sayOK, sayPage)
	cbor.Octets(c, &a.body, 0, wire.MaxFrame-64)
}

// Code walks [[* tagged], view].
func (h *Held) Code(c *cbor.Coder) {
	c.Array(2)
	cbor.Slice(c, &h.Marks, 0, maxMarks, func(t *wire.Tagged) { t.Code(c) })
	h.View.Code(c)
}

// Code walks [n, hash].
func (h *Head) Code(c *cbor.Coder) {
	c.Array(2)
	cbor.Uint(c, &h.N, 0, math.MaxUint64)
	h.Hash.Code(c)
}

// Code walks [live, journal, view, {id => head}].
func (m *Memories) Code(c *cbor.Coder) {
	c.Array(4)
	c.Bool(&m.Live)
	c.Bool(&m.Journal)
	m.View.Code(c)
	cbor.TextKeys(c, &m.Heads, 32, 0, wire.MaxWitnesses, func(h *Head) { h.Code(c) })
}

// page is marks on their way to a witness that joins.
type page []VaultMark

func (p *page) Code(c *cbor.Coder) {
	marks := []VaultMark(*p)
	cbor.Slice(c, &marks, 0, pageSize, func(m *VaultMark) { m.Code(c) })
	*p = marks
}

// Code walks [vault-id, tagged].
func (m *VaultMark) Code(c *cbor.Coder) {
	c.Array(2)
	codeName(c, &m.Vault)
	m.Mark.Code(c)
}

// Code walks [hash / null, past].
func (a *HeadAnswer) Code(c *cbor.Coder) {
	c.Array(2)
	if a.Known = c.Null(a.Known); a.Known {
		a.Hash.Code(c)
	}
	c.Bool(&a.Past)
}

// millis is a time, in milliseconds since 1970.
type millis uint64

func (m *millis) Code(c *cbor.Coder) { cbor.Uint(c, m, 0, math.MaxInt64) }

// codeName walks the name of a vault or a witness.
func codeName(c *cbor.Coder, s *string) {
	if cbor.String(c, s, 1, 32); c.Err() == nil && !wire.ValidVaultID(*s) {
		c.Failf("%q names no vault", *s)
	}
}
