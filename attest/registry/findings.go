package registry

import "github.com/staunchid/staunch/attest"

// The findings that need the store to be raised.
const (
	challengeUnknown = "common.challenge_unknown"
	challengeExpired = "common.challenge_expired"
	challengeUsed    = "common.challenge_used"
	keyExists        = "common.key_exists"
	keyRevoked       = "common.key_revoked"
	keyNotAttested   = "common.key_not_attested"
	accountMismatch  = "common.account_mismatch"

	keyUnknown       = "common.key_unknown"
	keyTooOld        = "common.key_too_old"
	keyAlgorithm     = "common.key_algorithm"
	platformRefused  = "common.platform_refused"
	signatureInvalid = "common.signature_invalid"
	requestReplay    = "common.request_replay"
	counterReplay    = "apple.counter_replay"
)

// finding makes one of them; all of them reject.
func finding(name, detail string) *attest.Finding {
	f := attest.NewFinding(name, detail)
	return &f
}
