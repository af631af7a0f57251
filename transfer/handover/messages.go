package handover

import (
	"math"

	"github.com/staunchid/staunch/internal/cbor"
)

// H32 is a SHA-256, or a share, of 32 bytes.
type H32 = [32]byte

// StepUp is a confirmed approval of the account's owner: the approval, and the
// answer of the passkey as JSON (AuthenticationResponseJSON).
type StepUp struct {
	Approval  string
	Assertion []byte
}

// DeviceInfo is what a phone says of itself: 1 to 64 bytes each.
type DeviceInfo struct{ Model, OS, App string }

// Offer is N's first message: what the QR code commits to, and who N is.
type Offer struct {
	Public      [PublicSize]byte // the first 51 bytes of the code
	Key         []byte           // n_pub, 1,216 bytes
	Device      []byte           // n_dev, SubjectPublicKeyInfo
	Evidence    []byte           // for n_dev, an encoded Evidence
	Challenge   H32              // of Begin
	Info        DeviceInfo
	SchemaLow   uint64 // of the history, lowest and highest
	SchemaHigh  uint64
	FreeBytes   uint64
	BeaconOnLAN []string // "ip:port", at most 4
}

// Class is how near the two phones are, as C has found out.
type Class string

// The classes.
const (
	ClassNone Class = "none" // no beacon was heard
	ClassLAN  Class = "lan"  // over TCP, in the same network
	ClassNear Class = "near" // by BLE or NFC
)

// Hello is C's first message.
type Hello struct {
	Encapsulated []byte // enc, 1,120 bytes
	Device       []byte // c_dev, SubjectPublicKeyInfo
	Account      string
	DeviceID     string
	Audience     string // app ID "@" host
	Class        Class
	Info         DeviceInfo
	Label        string // for N's screen, at most 64 bytes
	Evidence     []byte // for c_dev; empty: none
}

// Answer is N's nonce.
type Answer struct{ Nonce H32 }

// Matched says that the number was typed on N.
type Matched struct {
	Passkey []byte // JSON: the answer to the ceremony that Answer has returned
	Keys    []byte // N's link and envelope keys, when keytrans is in force; empty: not
}

// Confirm is C's yes, with its owner's passkey.
type Confirm struct {
	HoldShareHash H32
	Bytes         uint64 // about how many will come
	StepUp        StepUp
}

// Grant is C's word that N may have the account: over exactly this stream.
type Grant struct {
	Revision, Records, Bytes, Objects uint64
	Root                              H32
	SecretsHash, CommitShareHash      H32     // SHA-256 of the sealed secrets; of the commit share
	SealingKeyHash                    H32     // SHA-256 of the sealing public key
	Expires                           uint64  // seconds since 1970, by the server's clock
	Cursor                            []byte  // the app's mailbox cursor, at most 256 bytes; empty: none
	StepUp                            *StepUp // after a hold; nil: none
	Link                              []byte  // keytrans TRANSFER link; empty: none
}

// Receipt is N's word that it has all of that stream.
type Receipt struct {
	Root                        H32
	Bytes, Objects, Quarantined uint64
	Link                        []byte // N's signature on the grant's link; empty: none
}

// Ack is N's word that it has opened the keys.
type Ack struct{ SealingKeyHash H32 }

// Recall takes the account back to C.
type Recall struct {
	Reason string // at most 64 bytes
	StepUp StepUp
}

// Final ends the time in which a recall is possible.
type Final struct{ StepUp StepUp }

// Bounds of what has no size of its own.
const (
	maxSPKI      = 256
	maxEvidence  = 64 << 10
	maxAssertion = 16 << 10
	maxPasskey   = 64 << 10
	maxKeys      = 8 << 10
)

// Code walks the array.
func (s *StepUp) Code(c *cbor.Coder) {
	c.Array(2)
	cbor.String(c, &s.Approval, 1, 64)
	cbor.Octets(c, &s.Assertion, 1, maxAssertion)
}

// Code walks the map.
func (d *DeviceInfo) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		cbor.String(c, &d.Model, 1, 64)
		f.Key(2)
		cbor.String(c, &d.OS, 1, 64)
		f.Key(3)
		cbor.String(c, &d.App, 1, 64)
	})
}

// Code walks the map.
func (o *Offer) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Fixed(o.Public[:])
		f.Key(2)
		cbor.Octets(c, &o.Key, KeySize, KeySize)
		f.Key(3)
		cbor.Octets(c, &o.Device, 1, maxSPKI)
		f.Key(4)
		cbor.Octets(c, &o.Evidence, 1, maxEvidence)
		f.Key(5)
		c.Fixed(o.Challenge[:])
		f.Key(6)
		o.Info.Code(c)
		f.Key(7)
		c.Array(2)
		cbor.Uint(c, &o.SchemaLow, 0, math.MaxUint32)
		cbor.Uint(c, &o.SchemaHigh, 0, math.MaxUint32)
		f.Key(8)
		cbor.Uint(c, &o.FreeBytes, 0, math.MaxInt64)
		if f.Optional(9, len(o.BeaconOnLAN) > 0) {
			cbor.Slice(c, &o.BeaconOnLAN, 1, 4, func(s *string) { cbor.String(c, s, 1, 64) })
		}
	})
}

// Code walks the map.
func (h *Hello) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		cbor.Octets(c, &h.Encapsulated, EncapsulatedSize, EncapsulatedSize)
		f.Key(2)
		cbor.Octets(c, &h.Device, 1, maxSPKI)
		f.Key(3)
		cbor.String(c, &h.Account, 1, 64)
		f.Key(4)
		cbor.String(c, &h.DeviceID, 1, 64)
		f.Key(5)
		cbor.String(c, &h.Audience, 1, 320)
		f.Key(6)
		cbor.String(c, &h.Class, 3, 4)
		if !h.Class.valid() {
			c.Failf("no class %q", string(h.Class))
		}
		f.Key(7)
		h.Info.Code(c)
		f.Key(8)
		cbor.String(c, &h.Label, 0, 64)
		if f.Optional(9, len(h.Evidence) > 0) {
			cbor.Octets(c, &h.Evidence, 1, maxEvidence)
		}
	})
}

func (k Class) valid() bool { return k == ClassNone || k == ClassLAN || k == ClassNear }

// Code walks the map.
func (a *Answer) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Fixed(a.Nonce[:])
	})
}

// Code walks the map.
func (m *Matched) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		cbor.Octets(c, &m.Passkey, 1, maxPasskey)
		if f.Optional(2, len(m.Keys) > 0) {
			cbor.Octets(c, &m.Keys, 1, maxKeys)
		}
	})
}

// Code walks the map.
func (m *Confirm) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Fixed(m.HoldShareHash[:])
		f.Key(2)
		cbor.Uint(c, &m.Bytes, 0, math.MaxInt64)
		f.Key(3)
		m.StepUp.Code(c)
	})
}

// Code walks the map.
func (g *Grant) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		for i, v := range []*uint64{&g.Revision, &g.Records, &g.Bytes, &g.Objects} {
			f.Key(uint64(i + 1))
			cbor.Uint(c, v, 0, math.MaxInt64)
		}
		for i, v := range []*H32{&g.Root, &g.SecretsHash, &g.CommitShareHash, &g.SealingKeyHash} {
			f.Key(uint64(i + 5))
			c.Fixed(v[:])
		}
		f.Key(9)
		cbor.Uint(c, &g.Expires, 0, math.MaxInt64)
		if f.Optional(10, len(g.Cursor) > 0) {
			cbor.Octets(c, &g.Cursor, 1, 256)
		}
		if f.Optional(11, g.StepUp != nil) {
			if c.Reading() {
				g.StepUp = new(StepUp)
			}
			g.StepUp.Code(c)
		}
		if f.Optional(12, len(g.Link) > 0) {
			cbor.Octets(c, &g.Link, 1, maxKeys)
		}
	})
}

// Code walks the map.
func (m *Receipt) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Fixed(m.Root[:])
		for i, v := range []*uint64{&m.Bytes, &m.Objects, &m.Quarantined} {
			f.Key(uint64(i + 2))
			cbor.Uint(c, v, 0, math.MaxInt64)
		}
		if f.Optional(5, len(m.Link) > 0) {
			cbor.Octets(c, &m.Link, 1, maxKeys)
		}
	})
}

// Code walks the map.
func (a *Ack) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Fixed(a.SealingKeyHash[:])
	})
}

// Code walks the map.
func (r *Recall) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		cbor.String(c, &r.Reason, 0, 64)
		f.Key(2)
		r.StepUp.Code(c)
	})
}

// Code walks the map.
func (m *Final) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		m.StepUp.Code(c)
	})
}
