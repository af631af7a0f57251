package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"math"

	"github.com/staunchid/staunch/internal/cbor"
)

// The sizes and labels of the seed profile.
const (
	SeedRecordSize = 4 + nonceSize + seedPlain + tagSize // 4,640
	SeedAnswerSize = nonceSize + seedPlain + tagSize     // 4,636
	MaxSeedPIN     = 256
	MaxSeedData    = 4_096
	seedPlain      = 4_608

	labelSeedRecord = "staunch/seed/record"
	labelSeedHPKE   = "staunch/seed/hpke"
	labelSeedAnswer = "staunch/seed/answer"
	labelSeedPIN    = "staunch/seed/pin"
)

// SeedRequest brings the PIN to the enclave, and with seed-backup the data.
type SeedRequest struct {
	PIN  Secret // UTF-8
	Data Secret // nil: seed-restore
}

// Code walks [pin] or [pin, data].
func (r *SeedRequest) Code(c *cbor.Coder) {
	n := 1
	if r.Data != nil {
		n = 2
	}
	n = c.List(n, 1, 2)
	pin := string(r.PIN)
	if cbor.String(c, &pin, 1, MaxSeedPIN); c.Reading() {
		r.PIN = Secret(pin)
	}
	if n == 2 {
		cbor.Octets(c, &r.Data, 0, MaxSeedData)
	}
}

// EncodeSeedRequest returns the request padded to 4,608 bytes, so that its
// length tells nothing of PIN and data.
func EncodeSeedRequest(r *SeedRequest) ([]byte, error) { return encodePadded(r, seedPlain) }

// DecodeSeedRequest reads a padded request.
func DecodeSeedRequest(b []byte) (*SeedRequest, error) {
	if len(b) != seedPlain {
		return nil, malformed(&SeedRequest{}, errSize(len(b), seedPlain))
	}
	var r SeedRequest
	if err := decodePadded(b, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// SeedRecord is what the enclave knows of one account.
type SeedRecord struct {
	Suite         Suite
	State         State
	Limit, Used   uint8
	Version       uint64
	BackupVersion uint64
	Salt          ID16
	PIN           Hash // see SeedPINHash
	Data          Secret
}

// Code walks the map.
func (r *SeedRecord) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Const(0)
		f.Key(2)
		r.Suite.code(c)
		f.Key(3)
		r.State.code(c)
		f.Key(4)
		codeLimit(c, &r.Limit)
		f.Key(5)
		cbor.Uint(c, &r.Used, 0, math.MaxUint8)
		f.Key(6)
		cbor.Uint(c, &r.Version, 0, math.MaxUint64)
		f.Key(7)
		cbor.Uint(c, &r.BackupVersion, 0, math.MaxUint64)
		f.Key(8)
		r.Salt.Code(c)
		f.Key(9)
		r.PIN.Code(c)
		f.Key(10)
		cbor.Octets(c, &r.Data, 0, MaxSeedData)
	})
}

// SeedPINHash is how a record holds the PIN, which is given in NFKC. Compare it
// with crypto/subtle.
func SeedPINHash(salt ID16, pin Secret) Hash {
	h := hmac.New(sha256.New, salt[:])
	h.Write([]byte(labelSeedPIN))
	h.Write(pin)
	return Hash(h.Sum(nil))
}

// SeedAnswer is what the enclave tells the phone, sealed.
type SeedAnswer struct {
	Verdict     Verdict
	Version     uint64
	Used, Limit uint8
	State       State
	Data        Secret // nil: none
}

// Code walks the map.
func (a *SeedAnswer) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		cbor.Uint(c, &a.Verdict, 0, uint64(VerdictMalformed))
		f.Key(2)
		cbor.Uint(c, &a.Version, 0, math.MaxUint64)
		f.Key(3)
		cbor.Uint(c, &a.Used, 0, math.MaxUint8)
		f.Key(4)
		cbor.Uint(c, &a.Limit, 0, MaxLimit)
		f.Key(5)
		a.State.code(c)
		if f.Optional(6, a.Data != nil) {
			cbor.Octets(c, &a.Data, 0, MaxSeedData)
		}
	})
}
