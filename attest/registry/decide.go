package registry

import (
	"slices"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/request"
)

// Decision is what happens. The zero Decision is a denial.
type Decision string

// The decisions.
const (
	Deny  Decision = "DENY"
	Allow Decision = "ALLOW"
)

// Advice is what a phone that was denied may try. It does not say why: who
// attacks would learn what to change.
type Advice string

// The advice, from nothing to be done to nothing that the phone can do.
const (
	AdviceNone         Advice = "NONE"
	AdviceRetry        Advice = "RETRY"         // the same again, a little later; a request signed anew
	AdviceNewChallenge Advice = "NEW_CHALLENGE" // ask for a challenge and make new evidence over it
	AdviceNewKey       Advice = "NEW_KEY"       // make a new key and register it
	AdviceReboot       Advice = "REBOOT"
	AdviceUpdateApp    Advice = "UPDATE_APP"
	AdviceUpdateOS     Advice = "UPDATE_OS"
	AdviceContact      Advice = "CONTACT" // only a person can help
)

// Decide says what follows from a verdict: Allow if it accepts and no finding
// rejects. Of the advice that the rejecting findings call for, the one that
// asks for most is given, since less would not help.
func Decide(v attest.Verdict) (Decision, Advice) {
	advice := AdviceNone
	for _, f := range v.Findings {
		if f.Effect == attest.Reject {
			advice = more(advice, adviceFor(f.Code))
		}
	}
	switch {
	case advice != AdviceNone:
		return Deny, advice
	case !v.Accept():
		return Deny, AdviceContact
	}
	return Allow, AdviceNone
}

// decideIn says what happens in a stage of the rollout, which decides that and
// never what is true: where it only observes, a verdict that rejects lets pass
// all the same, and would is set for the record.
func decideIn(v attest.Verdict, stage attest.Staged) (d Decision, advice Advice, would bool) {
	d, advice = Decide(v)
	if d != Allow && stage.Mode == attest.ModeObserve {
		return Allow, AdviceNone, true
	}
	return d, advice, false
}

// more gives the advice that asks for more.
func more(a, b Advice) Advice {
	order := []Advice{AdviceNone, AdviceRetry, AdviceNewChallenge, AdviceNewKey, AdviceReboot, AdviceUpdateApp, AdviceUpdateOS, AdviceContact}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// adviceFor is the advice for one rejecting finding. A code that is not in the
// table has nothing that a phone could do about it.
func adviceFor(code string) Advice {
	switch code {
	case "android.status_unavailable", "android.status_stale", "android.cert_not_yet_valid",
		counterReplay, requestReplay, request.CodeClock:
		return AdviceRetry
	case challengeUnknown, challengeUsed, challengeExpired, "common.challenge_mismatch", "apple.nonce_mismatch", "apple.receipt_stale",
		request.CodeNonce:
		return AdviceNewChallenge
	case keyExists, keyNotAttested, keyUnknown, keyTooOld, keyAlgorithm,
		"android.cert_expired", "android.leaf_validity", "android.purpose",
		"apple.cert_time", "apple.counter_not_zero", "apple.receipt_missing", "apple.receipt_expired":
		return AdviceNewKey
	case "android.app_missing":
		return AdviceReboot
	case "android.app_version", "apple.bundle_version", request.CodeSignatureMissing:
		return AdviceUpdateApp
	case "android.os_version", "android.patch_old", "android.patch_missing":
		return AdviceUpdateOS
	}
	return AdviceContact
}
