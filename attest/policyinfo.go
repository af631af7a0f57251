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
	if len(p.file.Route) > 0 {
		warn("read and checked, not acted on yet: signed requests are not judged in this release", "route")
	}
	for i, r := range p.file.Risk {
		switch r.Signal {
		case RiskMetric:
			warn(r.Signal+" does not fire at registration, where a receipt holds none; only `staunch attest verify` acts on it", "risk[%d].signal", i)
		case BatchRateFactory, BatchRateRKP, KeysPerAccount30Days:
			warn(r.Signal+" is not counted in this release, so the rule never fires", "risk[%d].signal", i)
		}
	}
	for i, s := range p.file.Rollout {
		if s.Mode == "observe" {
			warn("not acted on yet: every verdict is enforced, so nobody is let in by observe", "rollout[%d].mode", i)
		}
	}
	for i := range p.exceptions {
		x := &p.exceptions[i]
		if x.MaxUsesPerDay > 0 {
			warn("a server counts no uses yet and takes them as spent, so the exception does nothing; leave the key out", "exception[%d].max_uses_per_day", i)
		}
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

// RevocationAges tells above which age Android's status list warns, and above
// which it rejects. ok is false if no app of the policy takes Android phones,
// so that the list does not matter.
func (p *Policy) RevocationAges() (warn, reject time.Duration, ok bool) {
	for i := range p.apps {
		ok = ok || p.apps[i].android != nil
	}
	return p.revocation.warnAge, p.revocation.maxAge, ok
}
