package load

import (
	"fmt"
	"slices"
	"strings"

	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
)

// answer is what a server says of evidence or of a request.
type answer struct {
	allowed  bool
	accepted bool     // by the verdict
	codes    []string // that rejected
	excepted bool     // an exception was used
	detail   string   // of the first code
	keyID    string   // empty: none is named
	account  string   // of the key
}

func answerOf(d attestv1.Decision, v *attestv1.Verdict) *answer {
	a := &answer{allowed: d == attestv1.Decision_DECISION_ALLOW, accepted: v.GetAccept()}
	for _, f := range v.GetFindings() {
		if f.GetEffect() == attestv1.Effect_EFFECT_REJECT && !slices.Contains(a.codes, f.GetCode()) {
			if len(a.codes) == 0 {
				a.detail = f.GetDetail()
			}
			a.codes = append(a.codes, f.GetCode())
		}
		a.excepted = a.excepted || f.GetCode() == "common.exception_used"
	}
	return a
}

// expect is what an answer must be.
type expect struct {
	accept bool
	either bool   // or refused, for the code and for nothing else
	code   string // that must be among those which reject

	// Of a request: the key, with its account, that the server must name if it
	// accepts, and only then.
	key, account string
}

// surprise says what is unexpected of a, or nothing.
func (e expect) surprise(a *answer) string {
	refused := "refused for " + strings.Join(a.codes, " ")
	if len(a.codes) == 0 {
		refused = "refused without a code"
	}
	switch {
	case !a.accepted && e.key != "" && a.keyID != "":
		return fmt.Sprintf("%s, and the key %q is named all the same", refused, a.keyID)
	case a.accepted && !a.allowed:
		return "accepted by the verdict, and denied"
	case a.accepted && e.accept:
		if e.key != "" && (a.keyID != e.key || a.account != e.account) {
			return fmt.Sprintf("another key is named: %q of %q", a.keyID, a.account)
		}
		return ""
	case a.accepted:
		return "let in, which " + e.code + " should have refused"
	case e.accept && e.either:
		if slices.Equal(a.codes, []string{e.code}) {
			return ""
		}
		return refused + ", and not for " + e.code
	case e.accept:
		return refused
	case !slices.Contains(a.codes, e.code):
		return refused + ", and not for " + e.code
	}
	return ""
}
