package wire

import (
	"math"

	"github.com/staunchid/staunch/internal/cbor"
)

// The labels of what proves, configures and lists vaults.
const (
	labelEvidence = "staunch/kr1/evidence"
	labelConfig   = "staunch/kr1/config"
	labelSet      = "staunch/kr1/vault-set"
	labelCeremony = "staunch/kr1/ceremony"
)

// Binding ties a platform's evidence to a replica and its keys: the evidence's
// report data is the SHA-256 of its encoding.
type Binding struct {
	Vault      string
	Replica    string
	Boot       ID16
	BootKey    EdKey // signs receipts and is the certificate of witness links
	Epoch      uint32
	HPKE       []byte // public key; nil: a witness only
	ConfigHash Hash
	Issued     uint64 // seconds since 1970, by the witnesses' clocks
	Nonce      []byte // of who asked for live evidence; nil: nobody did
}

// Code walks the map.
func (b *Binding) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Label(labelEvidence)
		f.Key(2)
		codeVault(c, &b.Vault)
		f.Key(3)
		codeText(c, &b.Replica)
		f.Key(4)
		b.Boot.Code(c)
		f.Key(5)
		b.BootKey.Code(c)
		f.Key(6)
		cbor.Uint(c, &b.Epoch, 0, math.MaxUint32)
		f.Key(7)
		codeBytesOrNull(c, &b.HPKE, 1216)
		f.Key(8)
		b.ConfigHash.Code(c)
		f.Key(9)
		cbor.Uint(c, &b.Issued, 0, math.MaxInt64)
		f.Key(10)
		codeBytesOrNull(c, &b.Nonce, 64)
	})
}

// Config is what a vault was started with. Its hash is attested, so that a
// changed configuration is another vault.
type Config struct {
	Vault      string
	Profile    string
	Suite      Suite
	N, T       uint8
	Limit      uint8
	Policy     string // "merge" or "strict"
	Freshness  Freshness
	Witnesses  []string
	OnAmnesia  string // "checkpoint", "ceremony" or "tpm"
	VoucherKey EdKey
	Release    ReleaseKeys // sign sets and ceremonies
}

// Freshness is how a vault keeps its marks: the level, and the quorums.
type Freshness struct {
	Level      string // "memory", "tpm" or "quorum"
	W, Q, R, F uint8  // witnesses, write quorum, read quorum, liars tolerated
}

// ReleaseKeys are the keys of which K must sign.
type ReleaseKeys struct {
	K    uint8
	Keys []EdKey
}

// MaxVaults bounds n, and MaxReleaseKeys the keys of a set.
const (
	MaxVaults      = 16
	MaxReleaseKeys = 16
)

// Code walks the map.
func (m *Config) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Label(labelConfig)
		f.Key(2)
		codeVault(c, &m.Vault)
		f.Key(3)
		codeText(c, &m.Profile)
		f.Key(4)
		m.Suite.code(c)
		f.Key(5)
		cbor.Uint(c, &m.N, 1, MaxVaults)
		f.Key(6)
		cbor.Uint(c, &m.T, 1, uint64(m.N))
		f.Key(7)
		codeLimit(c, &m.Limit)
		f.Key(8)
		codeText(c, &m.Policy)
		f.Key(9)
		m.Freshness.code(c)
		f.Key(10)
		cbor.Slice(c, &m.Witnesses, 0, MaxWitnesses, func(w *string) { codeVault(c, w) })
		f.Key(11)
		codeText(c, &m.OnAmnesia)
		f.Key(12)
		m.VoucherKey.Code(c)
		f.Key(13)
		m.Release.code(c)
	})
}

// Hash is the config-hash.
func (m *Config) Hash() (Hash, error) {
	b, err := Encode(m)
	if err != nil {
		return Hash{}, err
	}
	return Sum(b), nil
}

func (m *Freshness) code(c *cbor.Coder) {
	c.Array(5)
	codeText(c, &m.Level)
	for _, v := range []*uint8{&m.W, &m.Q, &m.R, &m.F} {
		cbor.Uint(c, v, 0, MaxWitnesses)
	}
}

func (m *ReleaseKeys) code(c *cbor.Coder) {
	c.Array(2)
	cbor.Uint(c, &m.K, 1, MaxReleaseKeys)
	cbor.Slice(c, &m.Keys, 1, MaxReleaseKeys, func(k *EdKey) { k.Code(c) })
}

// VaultSet is the published list of vaults, signed by k of m release keys.
type VaultSet struct {
	Version       uint64
	Profile       string
	Suite         Suite
	N, T          uint8
	Limit         uint8
	Vaults        []Member
	WitnessesOnly []Member
	Release       ReleaseKeys
	ValidFrom     uint64 // seconds since 1970
	Previous      *Hash  // SHA-256 of the set before; nil: the first
}

// Code walks the map.
func (m *VaultSet) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Label(labelSet)
		f.Key(2)
		cbor.Uint(c, &m.Version, 0, math.MaxUint64)
		f.Key(3)
		codeText(c, &m.Profile)
		f.Key(4)
		m.Suite.code(c)
		f.Key(5)
		cbor.Uint(c, &m.N, 1, MaxVaults)
		f.Key(6)
		cbor.Uint(c, &m.T, 1, uint64(m.N))
		f.Key(7)
		codeLimit(c, &m.Limit)
		f.Key(8)
		cbor.Slice(c, &m.Vaults, int(m.N), int(m.N), func(v *Member) { v.Code(c) })
		f.Key(9)
		cbor.Slice(c, &m.WitnessesOnly, 0, MaxWitnesses, func(v *Member) { v.Code(c) })
		f.Key(10)
		m.Release.code(c)
		f.Key(11)
		cbor.Uint(c, &m.ValidFrom, 0, math.MaxInt64)
		f.Key(12)
		codeHash(c, &m.Previous)
	})
}

// Member is a vault or a witness of a set.
type Member struct {
	Vault        string
	Operator     string
	ConfigHash   Hash
	Measurements []Measurement
}

// Code walks the map.
func (m *Member) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		codeVault(c, &m.Vault)
		f.Key(2)
		codeText(c, &m.Operator)
		f.Key(3)
		m.ConfigHash.Code(c)
		f.Key(4)
		cbor.Slice(c, &m.Measurements, 1, 64, func(x *Measurement) { x.Code(c) })
	})
}

// Measurement is one program that may be behind a member's evidence.
type Measurement struct {
	Platform  string
	Values    map[string][]byte
	NotBefore uint64            // seconds since 1970
	NotAfter  *uint64           // nil: not yet known
	Floor     map[string]uint64 // nil: none
	LogIndex  *uint64           // nil: not logged
}

// Code walks the map.
func (m *Measurement) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		codeText(c, &m.Platform)
		f.Key(2)
		cbor.TextKeys(c, &m.Values, 64, 1, 32, func(v *[]byte) { cbor.Octets(c, v, 0, 128) })
		f.Key(3)
		cbor.Uint(c, &m.NotBefore, 0, math.MaxInt64)
		f.Key(4)
		if c.Null(m.NotAfter != nil) {
			cbor.Uint(c, present(c, &m.NotAfter), 0, math.MaxInt64)
		}
		if f.Optional(5, m.Floor != nil) {
			cbor.TextKeys(c, &m.Floor, 64, 1, 32, func(v *uint64) { cbor.Uint(c, v, 0, math.MaxUint64) })
		}
		if f.Optional(6, m.LogIndex != nil) {
			cbor.Uint(c, present(c, &m.LogIndex), 0, math.MaxUint64)
		}
	})
}

// The kinds of ceremonies.
const (
	CeremonyAmnesia  = "amnesia"  // marks were lost
	CeremonyRestore  = "restore"  // storage went back
	CeremonyHandover = "handover" // master keys go to another measurement
)

// Ceremony is an exception that k of m release keys sign and the log shows.
type Ceremony struct {
	Kind                string
	Vault               string
	SetVersion          uint64
	Accounts            []Acct // nil: all of them
	NotBefore, NotAfter uint64 // seconds since 1970
	LogIndex            *uint64
	Measurement         *Measurement // handover: to which
	ConfigHash          *Hash        // handover: to which
}

// Code walks the map.
func (m *Ceremony) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Label(labelCeremony)
		f.Key(2)
		codeText(c, &m.Kind)
		if m.Kind != CeremonyAmnesia && m.Kind != CeremonyRestore && m.Kind != CeremonyHandover {
			c.Failf("there is no ceremony %.40q", m.Kind)
		}
		f.Key(3)
		codeVault(c, &m.Vault)
		f.Key(4)
		cbor.Uint(c, &m.SetVersion, 0, math.MaxUint64)
		f.Key(5)
		if c.Null(m.Accounts != nil) {
			m.codeAccounts(c)
		}
		f.Key(6)
		cbor.Uint(c, &m.NotBefore, 0, math.MaxInt64)
		f.Key(7)
		cbor.Uint(c, &m.NotAfter, 0, math.MaxInt64)
		if f.Optional(8, m.LogIndex != nil) {
			cbor.Uint(c, present(c, &m.LogIndex), 0, math.MaxUint64)
		}
		if f.Optional(9, m.Measurement != nil) {
			present(c, &m.Measurement).Code(c)
		}
		if f.Optional(10, m.ConfigHash != nil) {
			present(c, &m.ConfigHash).Code(c)
		}
	})
}

// codeAccounts keeps an empty list apart from none, which means all.
func (m *Ceremony) codeAccounts(c *cbor.Coder) {
	cbor.Slice(c, &m.Accounts, 0, 10_000, func(a *Acct) { a.Code(c) })
	if c.Reading() && m.Accounts == nil {
		m.Accounts = []Acct{}
	}
}
