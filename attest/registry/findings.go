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
)

// finding makes one of them; all of them reject.
func finding(code, detail string) *attest.Finding {
	f := &attest.Finding{Code: code, Effect: attest.Reject, Detail: detail}
	switch code {
	case challengeExpired:
		f.Class = attest.Honest
	case keyNotAttested:
		f.Class = attest.PolicyClass
	default:
		f.Class = attest.Abuse
	}
	return f
}

// hard reports whether nothing may be believed after that finding.
func hard(code string) bool {
	return code == challengeUnknown || code == challengeExpired || code == challengeUsed
}

// reject adds f to a copy of v. A hard finding leaves the tier none and no
// claims; another one leaves it contraindicated at best.
func reject(v attest.Verdict, f *attest.Finding) attest.Verdict {
	v.Findings = append(slices.Clip(slices.Clone(v.Findings)), *f)
	switch {
	case hard(f.Code):
		v.Tier = attest.TierNone
		if v.Claims != nil {
			v.UnverifiedClaims, v.Claims = v.Claims, nil
		}
	case v.Accept():
		v.Tier = attest.TierContraindicated
	}
	return v
}
