package registry

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// State is the state of a registered key.
type State string

// The states. Only an active key signs requests; the zero State is none.
const (
	StateActive     State = "active"
	StatePending    State = "pending"    // waits for the end of a join or a recovery
	StateObserved   State = "observed"   // let in by a rollout that only observes, with a verdict that rejects; nobody's yet
	StateRevoked    State = "revoked"    // by a revocation list or an operator
	StateSuperseded State = "superseded" // a later Register named it in Replaces
)

// Key is a registered key. No identifier of a device is in it.
type Key struct {
	ID           string // base64url of 32 bytes; Apple: SHA-256 of the point; Android: of the SPKI
	App          account.AppID
	Account      account.ID
	Platform     string // "android" or "apple"
	SPKI         []byte // DER SubjectPublicKeyInfo
	Algorithm    string // "EC-P256" ...
	AppID        string // Apple: "TEAM.bundle", which assertions must repeat
	Tier         attest.Tier
	State        State
	Counter      uint32   // Apple: the highest assertion counter that was seen
	Window       uint64   // Apple: bit i: counter Counter-i was seen
	Model        string   // Android: attested manufacturer and model; empty: not attested
	OS           string   // as attested; empty: not attested
	Serials      []string // Android: of the issuers, which a revocation would name; canonical, sorted, each once
	Batch        []byte   // Android: SHA-256 of the key at position 1; empty: the chain vouches for none
	Provisioning string   // Android: "factory" or "rkp"; empty: not attested
	Device       []byte   // keyed hash of the identifiers in the evidence; empty: it had none
	PolicyDigest string   // of the policy that accepted it
	Evidence     string   // id of the evidence, which may have been deleted since
	RegisteredAt time.Time
	LastUsed     time.Time // to the day; zero: never
}

// GetKey gives a key by its id.
func (s *Service) GetKey(ctx context.Context, caller account.Caller, app account.AppID, id string) (Key, error) {
	if app != s.id {
		return Key{}, ErrAppUnknown
	}
	if !caller.In(s.id) || caller.Kind != account.Backend && caller.Kind != account.Operator {
		return Key{}, ErrNotAllowed
	}
	if err := checkKeyID(id); err != nil {
		return Key{}, err
	}
	var k Key
	err := s.view(ctx, func(tx Tx) (err error) {
		k, err = tx.AttestedKey(ctx, id)
		return err
	})
	if err != nil {
		return Key{}, fmt.Errorf("registry: get key: %w", err)
	}
	return k, nil
}

// Digest is what an audit entry holds of a key: SHA-256 over everything in it
// but what changes with each use (Counter, Window, LastUsed).
//
//	SHA-256("staunch/attest/key/v2" ‖ 0x00 ‖ L(field) of every field in order, then of every serial), times as U64 microseconds
//
// A key without Batch and Provisioning has the label v1 and these two fields
// left out, as all keys of the first release.
func (k Key) Digest() [32]byte {
	fields := []string{
		k.ID, string(k.App), string(k.Account), k.Platform, string(k.SPKI), k.Algorithm, k.AppID, string(k.Tier),
		string(k.State), k.Model, k.OS, string(k.Device), k.PolicyDigest, k.Evidence, micros(k.RegisteredAt),
	}
	label := "staunch/attest/key/v1"
	if len(k.Batch) > 0 || k.Provisioning != "" {
		label, fields = "staunch/attest/key/v2", append(fields, string(k.Batch), k.Provisioning)
	}
	return digest(label, append(fields, k.Serials...)...)
}

// digest is SHA-256(label ‖ 0x00 ‖ L(field) of every field).
func digest(label string, fields ...string) [32]byte {
	b := append([]byte(label), 0)
	for _, field := range fields {
		b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
		b = append(b, field...)
	}
	return sha256.Sum256(b)
}

// micros is a time in a digest.
func micros(t time.Time) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro())))
}

// proved reports whether a registration of k was ever accepted: the tier of a
// key that was never better than observed rejects, whatever was done to it since.
func (k Key) proved() bool { return attest.Verdict{Tier: k.Tier}.Accept() }

// registrable reports why evidence for k may not be accepted again for an
// account, or nil. k is what is stored under the id of the new key. Proof beats
// claim: a key that was only observed is nobody's yet. If it was revoked since,
// that holds for the account that claimed it, and for no other: else who claims
// another's key, and has it revoked, would keep its owner out.
func (k Key) registrable(id account.ID) *attest.Finding {
	switch {
	case k.Account != id && (k.State == StateObserved || !k.proved()):
		return nil
	case k.Account != id:
		return finding(keyExists, "registered to another account")
	case k.State == StateRevoked:
		return finding(keyRevoked, "this key was revoked")
	case k.State == StateSuperseded:
		return finding(keyNotAttested, "this key was replaced by another")
	}
	return nil
}

// replaceable reports why a registration for an account may not replace k, or nil.
func (k Key) replaceable(id account.ID) *attest.Finding {
	if k.Account != id {
		return finding(accountMismatch, "replaces is no key of this account")
	}
	return nil
}

// superseded reports whether k is superseded when another key replaces it. A
// revoked key stays revoked, and an observed one, which is nobody's yet, as it is.
func (k Key) superseded() bool { return k.State == StateActive || k.State == StatePending }

// decodeKeyID gives the 32 bytes of a key id.
func decodeKeyID(id string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(id)
	if err != nil || len(b) != 32 || len(id) != 43 {
		return nil, fmt.Errorf("%w: a key id is 32 bytes in base64url, have %.60q", ErrMalformed, id)
	}
	return b, nil
}

func checkKeyID(id string) error {
	_, err := decodeKeyID(id)
	return err
}
