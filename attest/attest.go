// Package attest answers one question about a phone's evidence: is this a
// genuine device, running our genuine app, and was the evidence made for us?
package attest

import (
	"time"

	"github.com/staunchid/staunch/attest/android"
)

// Rules is the version of the verification and appraisal rules. It is raised
// when a change of the code may change a verdict, so that a replay can say why
// it differs.
const Rules = 1

// Format names what the evidence is.
type Format string

// The formats of evidence.
const (
	FormatAuto           Format = "auto"
	FormatAndroidChain   Format = "android-chain"
	FormatAndroidKey     Format = "android-key"
	FormatAppleAppAttest Format = "apple-appattest"
	FormatAppleAssertion Format = "apple-assertion"
	FormatAppleReceipt   Format = "apple-receipt"
)

// Evidence is what a phone sent, sorted by format and not yet believed.
type Evidence struct {
	Format Format
	Chain  [][]byte // android-chain: certificates in DER, leaf first
	Object []byte   // every other format: the object's bytes
}

// Expect is what the caller knows and the evidence must agree with. What is
// nil or empty is not compared, and the verdict says so where it matters.
type Expect struct {
	App            string // id of the policy's [[app]]; empty: found by the evidence's identity
	AppID          string // Apple: "TEAM.bundle"
	Challenge      []byte
	ClientData     []byte
	ClientDataHash []byte
	KeyID          []byte              // Apple: SHA-256 of the key's point
	PublicKey      []byte              // Apple assertions and receipts: SPKI or 65-byte point of the registered key
	Counter        uint32              // Apple assertions: the last stored counter
	Status         *android.StatusList // Android: the revocation list; nil: none is there
	// UsesLeft says how many uses an exception with max_uses_per_day has left
	// today. nil: caps are not judged (the command line).
	UsesLeft func(exception string) int
}

// Parse finds out what input is, within the bounds of 1 MiB, and separates
// the evidence from what came beside it.
func Parse(input []byte, format Format) (Evidence, Expect, error) { panic("todo") }

// Options are a Verifier's.
type Options struct {
	Cache *android.Cache // nil: a new one
}

// Verifier turns evidence into verdicts. It is safe for concurrent use.
type Verifier struct{ cache *android.Cache }

// NewVerifier returns a Verifier.
func NewVerifier(opts *Options) (*Verifier, error) { panic("todo") }

// Verify verifies ev and appraises it under p at now.
func (v *Verifier) Verify(ev Evidence, want Expect, p *Policy, now time.Time) (Verdict, error) {
	panic("todo")
}
