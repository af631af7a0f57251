package registry

import (
	"slices"

	"github.com/staunchid/staunch/attest"
)

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

// finding makes one of them; all of them reject. Their class stands in the
// table of package attest, and so does which of them are hard.
func finding(name, detail string) *attest.Finding {
	code, _ := attest.LookupCode(name)
	return &attest.Finding{Code: name, Class: code.Class, Effect: attest.Reject, Detail: detail}
}

// reject adds f to a copy of v. A hard finding leaves the tier none and no
// claims; another one leaves it contraindicated at best.
func reject(v attest.Verdict, f *attest.Finding) attest.Verdict {
	v.Findings = append(slices.Clip(slices.Clone(v.Findings)), *f)
	code, known := attest.LookupCode(f.Code)
	switch {
	case code.Hard || !known:
		v.Tier = attest.TierNone
		if v.Claims != nil {
			v.UnverifiedClaims, v.Claims = v.Claims, nil
		}
	case v.Accept():
		v.Tier = attest.TierContraindicated
	}
	return v
}
