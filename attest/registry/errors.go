package registry

import "errors"

// Errors mean "cannot tell": nothing was judged, consumed or stored. A bad
// device is not an error but a decision.
var (
	// ErrMalformed: a field is missing, out of range or does not belong, or the
	// evidence cannot be read. Send something else; the challenge is still open.
	ErrMalformed = errors.New("registry: malformed request")
	// ErrTooLarge: an attestation is larger than 64 KiB. The challenge is still open.
	ErrTooLarge = errors.New("registry: attestation too large")
	// ErrAppUnknown: the app is not this service's, or the policy in force does
	// not name it. Correct the name, or the policy file.
	ErrAppUnknown = errors.New("registry: unknown app")
	// ErrKeyUnknown: no key of this app has that id. Register one.
	ErrKeyUnknown = errors.New("registry: unknown key")
	// ErrNotAllowed: this kind of caller may not do this, or not for this
	// account. Ask as the app's backend.
	ErrNotAllowed = errors.New("registry: caller may not do this")
	// ErrRate: so many who have proved nothing ask for challenges that there was
	// no turn for this one within a second. Ask again a little later, or as the
	// app's backend.
	ErrRate = errors.New("registry: too many ask for challenges at once; ask again in a few seconds")
	// ErrProofRefused: a call to Staunch itself is not signed as it must be, or not
	// by a key that may make it. It comes as a *ProofRefused. Correct the clock by
	// the time in it, and sign anew; if that does not help, attest a new key.
	ErrProofRefused = errors.New("registry: the call is not signed by a registered key of this app; set the clock by server_time and sign anew")
	// ErrChallengeUnknown: there is no challenge with that hash. Only a Tx gives
	// it; a Service turns it into the finding common.challenge_unknown.
	ErrChallengeUnknown = errors.New("registry: unknown challenge")
)
