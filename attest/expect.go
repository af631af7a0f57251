package attest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/internal/jsonobject"
)

// Expect is what the caller knows and the evidence must agree with. What is
// nil or empty is not compared, and the verdict says so where it matters. What
// is given is judged, whatever the policy.
type Expect struct {
	App            string              // id of the policy's [[app]]; empty: found by the evidence's identity
	AppID          string              // Apple: "TEAM.bundle"
	Challenge      []byte              // 1 to 128 bytes
	ClientData     []byte              // what the app hashed; not for android-chain and apple-receipt
	ClientDataHash []byte              // its hash; excludes Challenge and ClientData
	KeyID          []byte              // Apple: SHA-256 of the key's point
	PublicKey      []byte              // Apple: the registered key, SPKI or 65-byte point; required for an assertion
	Counter        uint32              // Apple assertions: the last stored counter
	Status         *android.StatusList // Android: the revocation list; nil: there is none

	// Signals are what the server knows of the risk signals: BatchRateFactory or
	// BatchRateRKP, KeysPerAccount30Days, RiskMetric. One that is absent has no
	// value and fires nothing; one that the evidence holds itself is taken from
	// there.
	Signals map[string]uint64

	// UsesLeft says how many uses an exception with max_uses_per_day has left
	// today. nil: caps are not judged (the command line).
	UsesLeft func(exception string) int
}

// check refuses expectations that do not go with the format or each other.
func (w *Expect) check(f Format) error {
	bad := func(format string, args ...any) error {
		return expectError(fmt.Sprintf(format, args...))
	}
	apple := f == FormatAppleAppAttest || f == FormatAppleAssertion || f == FormatAppleReceipt
	bare := f == FormatAndroidChain || f == FormatAppleReceipt
	switch {
	case w.ClientData != nil && w.ClientDataHash != nil:
		return bad("client data and its hash exclude each other")
	case bare && (w.ClientData != nil || w.ClientDataHash != nil):
		return bad("client data does not go with %s", f)
	case w.Challenge != nil && w.ClientDataHash != nil:
		return bad("a challenge does not go with a client data hash")
	case w.Challenge != nil && f == FormatAppleReceipt:
		return bad("a challenge does not go with %s", f)
	case w.Challenge != nil && (len(w.Challenge) == 0 || len(w.Challenge) > 128):
		return bad("the challenge has %d bytes, not 1 to 128", len(w.Challenge))
	case w.AppID != "" && !apple:
		return bad("an app id goes with Apple formats only, not with %s", f)
	case (w.KeyID != nil || w.PublicKey != nil) && !apple:
		return bad("a key id and a public key go with Apple formats only, not with %s", f)
	case w.KeyID != nil && len(w.KeyID) != sha256.Size:
		return bad("the key id has %d bytes, not %d", len(w.KeyID), sha256.Size)
	case w.ClientDataHash != nil && f == FormatAndroidKey && len(w.ClientDataHash) != sha256.Size:
		return bad("the client data hash has %d bytes, not %d", len(w.ClientDataHash), sha256.Size)
	case w.ClientDataHash != nil && (len(w.ClientDataHash) == 0 || len(w.ClientDataHash) > 128):
		return bad("the client data hash has %d bytes, not 1 to 128", len(w.ClientDataHash))
	case f == FormatAppleAssertion && w.PublicKey == nil:
		return bad("an assertion needs the public key that it is checked against: the member public_key of a JSON object")
	}
	return nil
}

// clientDataHash is what android-key, App Attest attestations and assertions
// are bound to: the hash that is given, else that of the client data, else
// that of the challenge (raw: the challenge itself). nil: nothing is given.
func (w *Expect) clientDataHash(raw bool) []byte {
	switch {
	case w.ClientDataHash != nil:
		return w.ClientDataHash
	case w.ClientData != nil:
		sum := sha256.Sum256(w.ClientData)
		return sum[:]
	case w.Challenge != nil && raw:
		return w.Challenge
	case w.Challenge != nil:
		sum := sha256.Sum256(w.Challenge)
		return sum[:]
	}
	return nil
}

// boundToChallenge reports whether the client data, if both are given, is a
// JSON object whose single member challenge is the challenge.
func (w *Expect) boundToChallenge() bool {
	if w.ClientData == nil || w.Challenge == nil {
		return true
	}
	members, err := jsonobject.Members(w.ClientData)
	if err != nil {
		return false
	}
	var challenge binary
	return json.Unmarshal(members["challenge"], &challenge) == nil && bytes.Equal(challenge, w.Challenge)
}
