// Package tee answers one question about a vault: which program is behind that
// key? Evidence of an enclave is parsed, verified and appraised, in this order:
//
//	e, err := tee.ParseEvidence(b)           // bytes; nothing is believed yet
//	claims, err := tee.Verify(e, nil, now)   // genuine, or an error
//	v := policy.Appraise(claims, e.Binding, now)
//	if !v.Accept() { … }                     // v.Findings says why
//
// An error means "cannot tell", a Verdict means "can tell, and this is it".
// Genuine evidence is often unacceptable: the vendor signs for debug enclaves
// as well. The zero Policy accepts nothing.
//
// What the key is for stands in the binding, bytes of the caller's own. The
// report signs their SHA-256. After a good verdict the caller reads them, and
// compares what they name with what he expects: the vault, its configuration,
// his nonce, the time.
//
// This build verifies evidence of level process only (package tee/process),
// which is an ordinary process, NOT a TEE. Evidence of hardware is parsed and
// then refused with ErrUnsupported. Nothing here reads a clock or the network.
package tee

import "errors"

var (
	// ErrMalformed is evidence that cannot be read. The vault must send other.
	ErrMalformed = errors.New("tee: malformed evidence")
	// ErrUnsupported is evidence of a platform that this build does not verify:
	// update, or ask the operator for vaults on another platform.
	ErrUnsupported = errors.New("tee: platform not supported by this build yet")
)

// The platforms, as evidence and vault sets name them.
const (
	PlatformNitro   = "nitro"
	PlatformSEVSNP  = "sev-snp"
	PlatformTDX     = "tdx"
	PlatformSGX     = "sgx"
	PlatformTPM     = "tpm"
	PlatformProcess = "process"
)

// Level is how much stands between a program and whoever runs the machine.
type Level int

// The levels, weakest first. The zero value is none of them and is never accepted.
const (
	LevelNone    Level = iota
	LevelProcess       // an ordinary process, NOT a TEE
	LevelVTPM          // measured boot; the operator of the hypervisor can still lie
	LevelTEE
)

// String gives the word that is shown to people and in JSON.
func (l Level) String() string {
	switch l {
	case LevelProcess:
		return "process"
	case LevelVTPM:
		return "vtpm"
	case LevelTEE:
		return "tee"
	}
	return "none"
}
