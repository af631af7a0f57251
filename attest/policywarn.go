package attest

import (
	"fmt"
	"time"
)

// PolicyWarning is what is written in a policy file and does not act, though
// whoever wrote it may believe that it does.
type PolicyWarning struct {
	Key    string // path, elements counted from 0: "exception[1].expires"
	Reason string
}

// Warnings lists what a server with this policy does not do at now, in the
// order of the file's sections. None of it is an error: the policy is in force
// as it is.
func (p *Policy) Warnings(now time.Time) (all []PolicyWarning) {
	warn := func(reason, key string, args ...any) {
		all = append(all, PolicyWarning{fmt.Sprintf(key, args...), reason})
	}
	for i := range p.exceptions {
		x := &p.exceptions[i]
		switch why := x.inactive(now, nil); {
		case why == "":
		case now.Before(x.NotBefore):
			warn("does nothing yet: it "+why, "exception[%d].not_before", i)
		default:
			warn("does nothing any more: it "+why, "exception[%d].expires", i)
		}
	}
	return all
}
