package account_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
)

// prose is the table of actions as the design has it: action, least class, from,
// held, frozen. What follows a semicolon is for those that it names.
const prose = `
sign_in                     | Anonymous                   | any                   | yes          | yes
sign_in.unknown             | Anonymous                   | new phone             | no           | no
self.status                 | request proof               | that device           | yes          | yes
account.read                | Device                      | any                   | yes          | yes
approval.deny               | Device                      | any                   | yes          | yes
move.cancel                 | Device                      | any                   | yes          | yes
approval.propose            | Device; browser: Person     | any                   | yes          | yes
approval.propose_reattest   | Anonymous                   | that device           | yes          | no
recovery.update             | Device                      | active device         | no           | no
move.claim                  | Device, session             | active device         | no           | no
session.end_own             | Guest, session              | any                   | yes          | yes
account.freeze              | Device; leaving: Fresh      | any                   | yes          | yes
device.freeze_own           | Device                      | that device           | yes          | yes
veto                        | Fresh                       | older device          | only leaving | yes
device.rename               | Person                      | any                   | itself       | no
credential.rename           | Person                      | any                   | no           | no
device.freeze_other         | Fresh                       | any                   | no           | no
session.end_one             | Fresh                       | any                   | no           | no
session.end_others          | Fresh                       | any                   | no           | no
device.leave                | Fresh                       | that device           | yes          | no
device.reattest             | Fresh                       | that device           | yes          | no
device.reattest_locked      | Exact                       | that device           | yes          | no
credential.add              | Fresh                       | any                   | no           | no
device.add                  | Exact; browser: Bound       | active device/browser | no           | no
credential.remove           | Exact                       | active device/browser | no           | no
device.remove               | Exact                       | active device/browser | no           | no
handle.change               | Exact                       | active device/browser | no           | no
freeze_code.renew           | Exact                       | active device/browser | no           | no
device.unfreeze             | Exact                       | active device         | no           | no
guest.approve               | Exact                       | active device         | no           | no
sealing.rotate              | Exact                       | that device           | no           | no
recovery.setup              | Bound                       | active device         | no           | no
recovery.open               | Bound                       | active device         | no           | no
move.approve                | Bound                       | active device         | no           | no
move.recall                 | Exact                       | leaving device        | yes          | yes
move.finish                 | Exact                       | leaving or successor  | yes          | no
account.unfreeze            | Bound                       | before the freeze     | no           | yes
account.delete              | Bound                       | any                   | no           | no
recovery.start              | Anonymous                   | new phone             | no           | yes
nothing                     | Never                       | any                   | yes          | yes
`

// mayWhileLeaving is what section 4 gives a device that leaves, proposing for a
// recall included.
const mayWhileLeaving = " sign_in self.status account.read account.freeze device.freeze_own veto move.recall move.finish approval.propose "

type line struct {
	action                    account.Action
	class, from, held, frozen string
	session                   bool
}

func lines() (all []line) {
	for text := range strings.Lines(strings.TrimSpace(prose)) {
		cell := strings.Split(text, "|")
		for i := range cell {
			cell[i] = strings.TrimSpace(cell[i])
		}
		class, session := strings.CutSuffix(cell[1], ", session")
		all = append(all, line{account.Action(cell[0]), class, cell[2], cell[3], cell[4], session})
	}
	return all
}

// allows is the design, read a second time: from the situation and not from the
// requirement.
func (l line) allows(w world) bool {
	isDevice := slices.Contains(devices(), w.who)
	browser := w.who == "browser"
	standsIn := browser && w.deviceless
	switch w.account {
	case account.Unset, account.Deleted:
		return false
	case account.Locked:
		if l.action != account.SelfStatus {
			return false
		}
	case account.Frozen:
		if l.frozen == "no" {
			return false
		}
	case account.Held:
		if l.held == "no" || l.held == "only leaving" && w.who != "leaving" {
			return false
		}
	}
	switch w.who {
	case "deleted", "backend", "operator", "system", "":
		return false
	case "frozen":
		if l.action != account.SelfStatus {
			return false
		}
	case "locked":
		if l.action != account.SelfStatus && l.action != account.ReattestLocked && l.action != account.ProposeReattest {
			return false
		}
	case "leaving":
		if !strings.Contains(mayWhileLeaving, " "+string(l.action)+" ") {
			return false
		}
	case "new":
		if l.held != "yes" && (l.held != "itself") {
			return false
		}
	}
	switch l.from {
	case "any":
		if !isDevice && !browser && (w.who != "anonymous" || l.class != "Anonymous") {
			return false
		}
	case "new phone":
		if w.who != "new phone" {
			return false
		}
	case "that device":
		if !isDevice {
			return false
		}
	case "active device", "before the freeze":
		if w.who != "active" && !standsIn {
			return false
		}
	case "active device/browser":
		if w.who != "active" && !browser {
			return false
		}
	case "older device":
		if w.who != "active" && w.who != "leaving" && !standsIn {
			return false
		}
	case "leaving device":
		if w.who != "leaving" {
			return false
		}
	case "leaving or successor":
		if !isDevice || w.who == "frozen" || w.who == "locked" {
			return false
		}
	}
	return l.reached(w)
}

// reached reports whether the proofs give the class.
func (l line) reached(w world) bool {
	if l.session && !w.session {
		return false
	}
	need, special, _ := strings.Cut(l.class, "; ")
	if who, class, ok := strings.Cut(special, ": "); ok && who == w.who {
		need = class
	}
	has := func(ok func(account.Proof) bool) bool { return slices.ContainsFunc(w.proofs, ok) }
	ago := func(p account.Proof, d time.Duration) bool { return !p.At.Before(noon.Add(-d)) }
	counts := func(p account.Proof) bool { return w.synced || !p.Synced }
	signed := has(func(p account.Proof) bool { return p.Method == account.ByDeviceKey && p.Device == d1 })
	keyed := signed && (w.who == "active" || w.who == "new" || w.who == "leaving")
	signedIn := w.session && (keyed || w.who == "browser")
	proposer := signedIn && has(func(p account.Proof) bool { // who proposes in a browser is a person
		return (p.Method == account.ByAssertion || p.Method == account.ByCreation) && ago(p, day)
	})
	usable := keyed || w.who == "browser" && proposer || w.who == "locked" && l.action == account.ReattestLocked

	approved := func(p account.Proof) bool {
		return usable && p.Method == account.ByAction && (p.Action == l.action || l.action == account.ReattestLocked && p.Action == account.Reattest) &&
			!p.Suspect && counts(p)
	}
	lifted := w.who == "active" && has(func(p account.Proof) bool { return p.Method == account.ByDeviceKey && p.Device == d1 && p.Affirming })
	bound := has(func(p account.Proof) bool { return approved(p) && (!p.Synced || lifted) })
	exact := bound || has(approved)
	fresh := exact || signedIn && has(func(p account.Proof) bool {
		return p.Method == account.ByAssertion && !p.Suspect && counts(p) && ago(p, 5*time.Minute)
	})
	person := fresh || signedIn && has(func(p account.Proof) bool {
		return (p.Method == account.ByAssertion || p.Method == account.ByCreation) && counts(p) && ago(p, day)
	})
	onDevice := person || keyed
	guest := onDevice || signedIn && has(func(p account.Proof) bool {
		return p.Method == account.ByApproval || p.Method == account.ByAssertion || p.Method == account.ByCreation
	})
	switch need {
	case "Anonymous":
		return true
	case "request proof":
		return signed
	case "Guest":
		return guest
	case "Device":
		return onDevice
	case "Person":
		return person
	case "Fresh":
		return fresh
	case "Exact":
		return exact
	case "Bound":
		return bound
	}
	return false
}

// TestCheckIsTheDesign walks methods × actions × states of account and device,
// and wants Check to allow exactly what the second reading allows.
func TestCheckIsTheDesign(t *testing.T) {
	allowed, refused := map[account.Action]int{}, 0
	for _, l := range lines() {
		sets := subsets(allProofs(l.action))
		eachWorld(func(w world) {
			sets := sets
			if w.account == account.Unset || w.account == account.Deleted || w.who != "browser" && !slices.Contains(devices()[:5], w.who) {
				sets = sets[:20] // no proof helps
			}
			for _, w.proofs = range sets {
				err, want := w.check(l.action), l.allows(w)
				if (err == nil) != want {
					t.Fatalf("%s: Check says %v, the design %v: %s", l.action, err, want, w)
				}
				if want {
					allowed[l.action]++
				} else {
					refused++
				}
			}
		})
		if allowed[l.action] == 0 && l.class != "Never" {
			t.Errorf("%s is allowed to nobody", l.action)
		}
	}
	if refused == 0 {
		t.Error("nothing is refused")
	}
}

// TestEveryActionHasALine: each action that has a requirement stands in prose,
// and the other way round.
func TestEveryActionHasALine(t *testing.T) {
	if n := account.CountRequirements(); n != len(lines())-1 {
		t.Errorf("%d requirements, %d lines", n, len(lines())-1)
	}
	for _, l := range lines() {
		if r := account.Required(l.action); (r.Class == account.NoClass) != (l.class == "Never") {
			t.Errorf("%s needs %s", l.action, r.Class)
		}
	}
}

// eachWorld walks who × state of the account × session × synced passkeys.
func eachWorld(fn func(world)) {
	for _, who := range append(devices(), others()...) {
		for _, state := range states() {
			for i := range 8 {
				w := world{who: who, account: state, session: i&1 != 0, synced: i&2 != 0, deviceless: i&4 != 0, now: noon}
				if w.deviceless && who != "browser" {
					continue
				}
				fn(w)
			}
		}
	}
}

func (w world) String() string {
	text := fmt.Sprintf("%q, account %s, session %v, synced %v, deviceless %v", w.who, w.account, w.session, w.synced, w.deviceless)
	for _, p := range w.proofs {
		text += fmt.Sprintf(", %s of %s ago (action %q, synced %v, affirming %v, suspect %v)", p.Method, noon.Sub(p.At), p.Action, p.Synced, p.Affirming, p.Suspect)
	}
	return text
}
