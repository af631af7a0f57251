package attest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/android"
)

// PolicyWarning is what is written in a policy file and does not act, though
// whoever wrote it may believe that it does.
type PolicyWarning struct {
	Key    string // path, elements counted from 0: "exception[1].expires"
	Reason string
}

// Warnings lists what of this policy does nothing at now, in the order of the
// file's sections. None of it is an error: the policy is in force as it is.
func (p *Policy) Warnings(now time.Time) (all []PolicyWarning) {
	warn := func(key, reason string, args ...any) {
		all = append(all, PolicyWarning{key, fmt.Sprintf(reason, args...)})
	}
	p.warnRoutes(warn)
	p.warnRisk(warn)
	p.warnRollout(warn)
	p.warnExceptions(warn, now)
	return all
}

type warnFunc func(key, reason string, args ...any)

func (p *Policy) warnRoutes(warn warnFunc) {
	if len(p.routes) > 0 && len(p.request.Authorities) == 0 {
		warn("route", "never asked for: request.authorities is empty, so every signed request is refused")
	}
	for i := range p.routes {
		for j := range i {
			if p.routes[j].shadows(&p.routes[i]) {
				warn(p.routes[i].name, "never matches: %s comes before it and matches all that it does", p.routes[j].name)
				break
			}
		}
	}
}

// shadows reports whether r matches whatever other matches.
func (r *route) shadows(other *route) bool {
	if len(other.Methods) == 0 && len(r.Methods) > 0 {
		return false
	}
	for _, m := range other.Methods {
		if !r.takes(m) || m == "GET" && !r.takes("HEAD") {
			return false
		}
	}
	return r.covers(other.base) && (!other.prefix || r.covers(other.base+"/x"))
}

func (p *Policy) warnRisk(warn warnFunc) {
	takes := map[string]bool{"common": true}
	for i := range p.apps {
		takes["android"] = takes["android"] || p.apps[i].android != nil
		takes["apple"] = takes["apple"] || p.apps[i].apple != nil
	}
	for i, r := range p.file.Risk {
		platform, _, _ := strings.Cut(r.Signal, ".")
		switch {
		case !takes[platform]:
			warn(fmt.Sprintf("risk[%d].signal", i), "never has a value: no app has [app.%s]", platform)
		case r.AtLeast == 0:
			warn(fmt.Sprintf("risk[%d].at_least", i), "0 is reached by every phone that has a value of %s", r.Signal)
		}
	}
}

func (p *Policy) warnRollout(warn warnFunc) {
	for i := range p.file.Rollout {
		stage := &p.file.Rollout[i]
		stage.warnCountries(stageName(i), warn)
		if stage.Percent == 0 {
			warn(stageName(i)+".percent", "0 matches nobody")
			continue
		}
		for j := range i {
			if p.file.Rollout[j].shadows(stage) {
				warn(stageName(i), "never matches: %s comes before it and matches all that it does", stageName(j))
				break
			}
		}
	}
}

// shadows reports whether r matches whatever other matches.
func (r *Stage) shadows(other *Stage) bool {
	return r.App == other.App &&
		(r.Platform == "any" || r.Platform == other.Platform) &&
		(r.Operation == "any" || r.Operation == other.Operation) &&
		(slices.Contains(r.Countries, "*") || holdsAll(r.Countries, other.Countries)) &&
		(r.Percent == 100 || r.Salt == other.Salt && r.Percent >= other.Percent) &&
		r.namesAllOf(other)
}

// namesAllOf reports whether the codes of r are about every verdict that those
// of other are about. What other enforces may be rejected for further codes than
// its own, and a stage that observes some codes takes none of that.
func (r *Stage) namesAllOf(other *Stage) bool {
	switch {
	case len(r.Codes) == 0:
		return true
	case len(other.Codes) == 0:
		return false
	case Mode(r.Mode) == ModeObserve && Mode(other.Mode) != ModeObserve:
		return false
	}
	return holdsAll(r.Codes, other.Codes)
}

func holdsAll(set, elements []string) bool {
	return !slices.ContainsFunc(elements, func(e string) bool { return !slices.Contains(set, e) })
}

func (p *Policy) warnExceptions(warn warnFunc, now time.Time) {
	for i := range p.exceptions {
		x, key := &p.exceptions[i], fmt.Sprintf("exception[%d]", i)
		switch why := x.inactive(now, nil); {
		case why == "":
		case now.Before(x.NotBefore):
			warn(key+".not_before", "does nothing yet: it %s", why)
		default:
			warn(key+".expires", "does nothing any more: it %s; remove it, or extend it if its phones are still there", why)
		}
		if !slices.ContainsFunc(p.apps, func(a appPolicy) bool { return x.concerns(&a) }) {
			warn(key+".apps", "does nothing: for no app of it is %s something that rejects; profile %q only notes it", x.Check, ProfileGoogle)
		}
	}
}

// concerns reports whether the app's profile rejects what the exception relaxes.
func (x *exception) concerns(a *appPolicy) bool {
	if !slices.Contains(x.Apps, a.id) || a.android == nil {
		return false
	}
	return a.android.rejects(android.Check(x.Check))
}
