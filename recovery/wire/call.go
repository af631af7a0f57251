package wire

import (
	"math"

	"github.com/staunchid/staunch/internal/cbor"
)

// The bounds of what a call carries.
const (
	MaxRequest = 65_536 // a sealed request; the largest, of the seed profile, has 5,744
	MaxRecord  = SeedRecordSize
	MaxSealed  = 8_192 // a sealed answer; the largest, of the seed profile, has 4,636
	maxSigned  = 1_024 // a voucher, a receipt
)

// Call is what the service hands to a vault.
type Call struct {
	Op      Op
	Acct    Acct
	Epoch   uint32
	Request []byte  // sealed by the phone: see Envelope
	Record  []byte  // sealed by the vault: see RecordKey; nil: there is none
	Voucher *Signed // a Voucher
}

// Code walks the map.
func (m *Call) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		m.Op.code(c)
		f.Key(2)
		m.Acct.Code(c)
		f.Key(3)
		cbor.Uint(c, &m.Epoch, 0, math.MaxUint32)
		f.Key(4)
		cbor.Octets(c, &m.Request, 0, MaxRequest)
		f.Key(5)
		codeBytesOrNull(c, &m.Record, MaxRecord)
		if f.Optional(6, m.Voucher != nil) {
			present(c, &m.Voucher).Code(c)
		}
	})
}

// codeBytesOrNull walks bytes that may be absent, which is not the same as none.
func codeBytesOrNull(c *cbor.Coder, v *[]byte, most int) {
	if c.Null(*v != nil) {
		cbor.Octets(c, v, 0, most)
	}
}

// Reply is what a vault gives back to the service. With a result other than done
// it has no answer and no record; stale may have Gen and Ver, of the mark.
type Reply struct {
	Result  Code
	Answer  []byte // sealed for the phone
	Record  []byte // to be stored
	Gen     *uint32
	Ver     *uint64
	Receipt *Signed // a Receipt
}

// Code walks the map.
func (m *Reply) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		cbor.Uint(c, &m.Result, 0, uint64(CodeBusy))
		if f.Optional(2, m.Answer != nil) {
			cbor.Octets(c, &m.Answer, 0, MaxSealed)
		}
		if f.Optional(3, m.Record != nil) {
			cbor.Octets(c, &m.Record, 0, MaxRecord)
		}
		if f.Optional(4, m.Gen != nil) {
			cbor.Uint(c, present(c, &m.Gen), 0, math.MaxUint32)
		}
		if f.Optional(5, m.Ver != nil) {
			cbor.Uint(c, present(c, &m.Ver), 0, math.MaxUint64)
		}
		if f.Optional(6, m.Receipt != nil) {
			present(c, &m.Receipt).Code(c)
		}
	})
}

// Voucher is the service's word that a registration may be created without a
// signature, or deleted.
type Voucher struct {
	Vault   string
	Acct    Acct
	Purpose Purpose
	Expires uint64 // seconds since 1970
	ID      ID16
}

const labelVoucher = "staunch/kr1/voucher"

// Code walks the array that is signed.
func (v *Voucher) Code(c *cbor.Coder) {
	c.Array(6)
	c.Label(labelVoucher)
	codeVault(c, &v.Vault)
	v.Acct.Code(c)
	cbor.Uint(c, &v.Purpose, uint64(PurposeFirst), uint64(PurposeDelete))
	cbor.Uint(c, &v.Expires, 0, math.MaxInt64)
	v.ID.Code(c)
}

// Receipt is a vault's signed word that it has executed a call.
type Receipt struct {
	Vault   string
	Replica string
	Boot    ID16
	Acct    Acct
	Op      Op
	Gen     uint32
	Ver     uint64
	Used    uint8
	State   State
	Digest  Hash      // of the sealed record
	Prev    Hash      // of this replica's receipt before: SHA-256 of its signed bytes; zeros for the first
	Named   *SlotView // of a create or an update with verdict ok: which blob the vault names for the registration
}

const labelReceipt = "staunch/kr1/receipt"

// Code walks the map that is signed.
func (r *Receipt) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Label(labelReceipt)
		f.Key(2)
		codeVault(c, &r.Vault)
		f.Key(3)
		codeText(c, &r.Replica)
		f.Key(4)
		r.Boot.Code(c)
		f.Key(5)
		r.Acct.Code(c)
		f.Key(6)
		r.Op.code(c)
		f.Key(7)
		cbor.Uint(c, &r.Gen, 0, math.MaxUint32)
		f.Key(8)
		cbor.Uint(c, &r.Ver, 0, math.MaxUint64)
		f.Key(9)
		cbor.Uint(c, &r.Used, 0, math.MaxUint8)
		f.Key(10)
		r.State.code(c)
		f.Key(11)
		r.Digest.Code(c)
		f.Key(12)
		r.Prev.Code(c)
		if f.Optional(13, r.Named != nil) {
			present(c, &r.Named).Code(c)
		}
	})
}
