package wire

import (
	"math"

	"github.com/staunchid/staunch/internal/cbor"
)

// The labels of what a manage key signs, and of what the tag of a release is of.
const (
	labelCreate   = "staunch/kr1/create"
	labelActivate = "staunch/kr1/activate"
	labelFinalize = "staunch/kr1/finalize"
	labelUpdate   = "staunch/kr1/update"
	labelDelete   = "staunch/kr1/delete"
	labelRelease  = "staunch/kr1/release"
)

// Evaluate asks for one evaluation of a blinded PIN: an attempt, unless B is the
// one that was paid for last.
type Evaluate struct {
	Reg       RegID
	B         Element
	WantProof bool
}

// Code walks [reg, b, want-proof].
func (e *Evaluate) Code(c *cbor.Coder) {
	c.Array(3)
	e.Reg.Code(c)
	codeElement(c, &e.B)
	c.Bool(&e.WantProof)
}

// Release asks for the vault's share, and shows that the PIN was right.
type Release struct {
	Reg    RegID
	B, E   Element
	Ya, Yb Element // the exchange: the vault's half, as it came, and the phone's
	Tag    Tag     // confirms the key of the exchange, over the encoded Transcript
}

// Code walks [reg, b, e, y-a, y-b, tag].
func (r *Release) Code(c *cbor.Coder) {
	c.Array(6)
	r.Reg.Code(c)
	for _, e := range []*Element{&r.B, &r.E, &r.Ya, &r.Yb} {
		codeElement(c, e)
	}
	c.Fixed(r.Tag[:])
}

// Transcript is what Tag must be of, at this vault and for this account.
func (r *Release) Transcript(vault string, acct Acct) *Transcript {
	return &Transcript{Vault: vault, Acct: acct, Reg: r.Reg, B: r.B, E: r.E, Ya: r.Ya, Yb: r.Yb}
}

// Transcript is all that a release says, and to whom, but its tag.
type Transcript struct {
	Vault        string
	Acct         Acct
	Reg          RegID
	B, E, Ya, Yb Element
}

// Code walks the array that the tag covers.
func (r *Transcript) Code(c *cbor.Coder) {
	c.Array(8)
	c.Label(labelRelease)
	codeVault(c, &r.Vault)
	r.Acct.Code(c)
	r.Reg.Code(c)
	for _, e := range []*Element{&r.B, &r.E, &r.Ya, &r.Yb} {
		codeElement(c, e)
	}
}

// Status asks what the vault holds. It costs nothing.
type Status struct{}

// Code walks the empty array.
func (s *Status) Code(c *cbor.Coder) { c.Array(0) }

// Target is what every managed request names first: the vault, the account, and
// the version of the registrations it was made for.
type Target struct {
	Vault string
	Acct  Acct
	Gen   uint32
}

func (t *Target) code(c *cbor.Coder) {
	codeVault(c, &t.Vault)
	t.Acct.Code(c)
	cbor.Uint(c, &t.Gen, 0, math.MaxUint32)
}

// Create brings one vault its part of a new registration.
type Create struct {
	Target
	Reg      RegID
	Suite    Suite
	Limit    uint8
	K, S     Scalar // the vault's shares
	PRS      PRS
	Manage   PublicKey
	BlobHash Hash
}

// Code walks the array that is signed.
func (r *Create) Code(c *cbor.Coder) {
	c.Array(12)
	c.Label(labelCreate)
	r.code(c)
	r.Reg.Code(c)
	r.Suite.code(c)
	codeLimit(c, &r.Limit)
	r.K.Code(c)
	r.S.Code(c)
	r.PRS.Code(c)
	codeSized(c, &r.Manage, r.Suite.PublicSize())
	r.BlobHash.Code(c)
}

// Slot is the slot that the request fills.
func (r *Create) Slot() *Slot {
	return &Slot{Reg: r.Reg, K: r.K, S: r.S, PRS: r.PRS, Manage: r.Manage, BlobHash: r.BlobHash}
}

// Activate makes a registration the current one.
type Activate struct {
	Target
	Reg   RegID
	Reset bool // sets the count to 0, if the quota allows
}

// Code walks the array that is signed.
func (r *Activate) Code(c *cbor.Coder) {
	c.Array(6)
	c.Label(labelActivate)
	r.code(c)
	r.Reg.Code(c)
	c.Bool(&r.Reset)
}

// Finalize drops the registration that is not the current one.
type Finalize struct {
	Target
	Reg RegID // the current one
}

// Code walks the array that is signed.
func (r *Finalize) Code(c *cbor.Coder) {
	c.Array(5)
	c.Label(labelFinalize)
	r.code(c)
	r.Reg.Code(c)
}

// Update replaces the hash of the blob.
type Update struct {
	Target
	Reg      RegID
	Old, New Hash
}

// Code walks the array that is signed.
func (r *Update) Code(c *cbor.Coder) {
	c.Array(7)
	c.Label(labelUpdate)
	r.code(c)
	r.Reg.Code(c)
	r.Old.Code(c)
	r.New.Code(c)
}

// Delete wipes everything and leaves a tombstone.
type Delete struct {
	Target
}

// Code walks the array that is signed.
func (r *Delete) Code(c *cbor.Coder) {
	c.Array(4)
	c.Label(labelDelete)
	r.code(c)
}
