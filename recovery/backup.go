package recovery

import (
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

// Backup is a phone's journal: the registration that stands, the one that is
// being made, and what is still missing of it at which vault. It holds keys, so
// it is kept where only the app can read, and prints as [redacted].
type Backup struct {
	account account.ID
	profile string
	known   knownSet
	accts   map[string][16]byte // by vault: what the service has called the account from the beginning
	current *registration       // nil: none is finished
	pending *registration       // nil: none is being made
	blob    *newBlob            // nil: no payload is on its way
	deleted bool                // asked for; current stays until all vaults have done it
	renew   bool                // Renew was asked for, and no registration was finished since
	// reminders are of the PINs of current and pending, where this phone has seen them.
	reminders []remembered

	limit, remaining uint8
	assurance        string
	operators        uint8

	listed []string // vaults of the set that was seen last; not kept
}

// registration is one PIN with one set of keys.
type registration struct {
	header    wire.Header
	key       wire.DataKey // K
	manage    wire.Key     // seed of the manage key
	blobHash  wire.Hash
	seq       uint64
	have      []string // vaults that hold it, whole
	recovered bool     // it came back with the PIN: no vault need have it as the current one

	making *making // nil: it is finished
}

// making is what a registration needs until all vaults have it.
type making struct {
	parts    []part
	blob     []byte
	pin      wire.Hash // of the stretched PIN, to tell whether the same one is given again
	first    bool      // it replaces none
	approved bool      // by the owner
	put      bool      // the service has the blob
	active   bool      // the service points at it
	lost     bool      // it cannot be finished: ErrForgotten
}

// newBlob is a payload on its way.
type newBlob struct {
	blob      []byte
	seq       uint64
	committed bool
}

func (r *registration) reg() wire.RegID { return r.header.Reg }

func (r *registration) ids() []string {
	var ids []string
	for _, v := range r.header.Vaults {
		ids = append(ids, v.Vault)
	}
	return ids
}

func (r *registration) signer() (*wire.SigningKey, error) {
	return wire.DeriveManageKey(r.header.Suite, r.manage)
}

// hold notes that a vault has the registration.
func (r *registration) hold(id string) {
	if !slices.Contains(r.have, id) {
		r.have = append(r.have, id)
		slices.Sort(r.have)
	}
}

// BackupInfo is what of a Backup is no secret.
type BackupInfo struct {
	Account      account.ID
	Profile      string
	Found        bool // a registration stands, or is being made
	Reg          [16]byte
	Seq          uint64 // of the payload
	Limit        int
	Remaining    int // as the vaults last said
	Vaults       int
	Threshold    int
	Acknowledged int    // vaults of the set that hold it
	Complete     bool   // nothing is left to do; if Renew is, only Renew or Register does it
	Updating     bool   // what is left is an Update: a further one does it, without the PIN
	SetVersion   uint64 // of the newest vault set that the phone has seen
	// Gone are vaults of the registration that were lost for good: the set that the
	// last call with this Backup has fetched lists them no more. The PIN works as
	// long as t are left. Ask the owner for it and Register, and all have it again.
	Gone      []string
	Assurance string
	Operators int
	Reminder  Reminder // of the PIN
}

// Info describes what the journal has last seen, without asking anybody.
func (b *Backup) Info() BackupInfo {
	if b == nil {
		return BackupInfo{}
	}
	in := BackupInfo{
		Account: b.account, Profile: b.profile, Limit: int(b.limit), Remaining: int(b.remaining),
		Assurance: b.assurance, Operators: int(b.operators),
		SetVersion: b.known.version, Reminder: b.reminder().info(),
		Complete: b.pending == nil && b.blob == nil && !b.deleted && !b.renew,
		Updating: b.pending == nil && b.blob != nil && !b.deleted && !b.renew,
	}
	r := b.pending
	if r == nil {
		r = b.current
	}
	if r != nil {
		in.Found, in.Reg, in.Seq = true, r.reg(), r.seq
		in.Vaults, in.Threshold, in.Acknowledged, in.Gone = int(r.header.N), int(r.header.T), len(r.have), b.gone(r)
		for _, id := range in.Gone {
			if slices.Contains(r.have, id) {
				in.Acknowledged--
			}
		}
	}
	if b.blob != nil {
		in.Seq = b.blob.seq
	}
	return in
}

// Encode gives the bytes to keep: they are as secret as the keys.
func (b *Backup) Encode() ([]byte, error) {
	out, err := cbor.Encode(b.code)
	if err != nil {
		return nil, fmt.Errorf("recovery: encode a backup: %w", err)
	}
	return out, nil
}

// ParseBackup reads what Encode has written.
func ParseBackup(in []byte) (*Backup, error) {
	b := new(Backup)
	if err := cbor.Decode(in, b.code); err != nil {
		return nil, fmt.Errorf("%w: a backup of this phone: %w", ErrMalformed, err)
	}
	return b, nil
}

func (b *Backup) code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Const(1) // version of the journal
		f.Key(2)
		cbor.String(c, &b.account, 0, 64)
		f.Key(3)
		cbor.String(c, &b.profile, 0, 64)
		f.Key(4)
		b.known.code(c)
		f.Key(5)
		optional(c, &b.current, (*registration).code)
		f.Key(6)
		optional(c, &b.pending, (*registration).code)
		f.Key(7)
		optional(c, &b.blob, (*newBlob).code)
		f.Key(8)
		c.Bool(&b.deleted)
		f.Key(9)
		cbor.Uint(c, &b.limit, 0, wire.MaxLimit)
		f.Key(10)
		cbor.Uint(c, &b.remaining, 0, wire.MaxLimit)
		f.Key(11)
		cbor.String(c, &b.assurance, 0, 16)
		f.Key(12)
		cbor.Uint(c, &b.operators, 0, 255)
		f.Key(13)
		cbor.TextKeys(c, &b.accts, 32, 0, 64, func(a *[16]byte) { c.Fixed(a[:]) })
		f.Key(14)
		c.Bool(&b.renew)
		if f.Optional(15, len(b.reminders) > 0) {
			cbor.Slice(c, &b.reminders, 1, 2, func(m *remembered) { m.code(c) })
		}
	})
}

// optional walks what may be null.
func optional[T any](c *cbor.Coder, v **T, walk func(*T, *cbor.Coder)) {
	if !c.Null(*v != nil) {
		return
	}
	if c.Reading() {
		*v = new(T)
	}
	walk(*v, c)
}

func (r *registration) code(c *cbor.Coder) {
	c.Array(8)
	r.header.Code(c)
	r.key.Code(c)
	r.manage.Code(c)
	r.blobHash.Code(c)
	cbor.Uint(c, &r.seq, 0, 1<<64-1)
	cbor.Slice(c, &r.have, 0, wire.MaxVaults, func(s *string) { cbor.String(c, s, 1, 32) })
	c.Bool(&r.recovered)
	optional(c, &r.making, (*making).code)
}

func (m *making) code(c *cbor.Coder) {
	c.Array(8)
	cbor.Slice(c, &m.parts, 0, wire.MaxVaults, func(p *part) { p.code(c) })
	cbor.Octets(c, &m.blob, 0, wire.MaxBlob)
	m.pin.Code(c)
	for _, v := range []*bool{&m.first, &m.approved, &m.put, &m.active, &m.lost} {
		c.Bool(v)
	}
}

func (n *newBlob) code(c *cbor.Coder) {
	c.Array(3)
	cbor.Octets(c, &n.blob, 1, wire.MaxBlob)
	cbor.Uint(c, &n.seq, 0, 1<<64-1)
	c.Bool(&n.committed)
}

func (Backup) String() string { return redacted }

// Format prints no key, whatever the verb.
func (Backup) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// LogValue logs no key.
func (Backup) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps keys out of JSON.
func (Backup) MarshalText() ([]byte, error) { return []byte(redacted), nil }
