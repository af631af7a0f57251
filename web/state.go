package web

import (
	"math"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// stateOf puts what is not as usual into words.
func stateOf(st *integrity.Status) *stateView {
	v := &stateView{state: st.AccountState, Name: st.AccountState.String()}
	if h := st.Hold; h != nil && h.Reason == account.HoldRecovered {
		v.Holds = append(v.Holds, waiting("Your account was recovered and is cooling off",
			"Until then it can be read and frozen, and nothing that matters can be changed.", h.Until, st.At))
	}
	for _, d := range st.Rest.OthersHeld {
		h := waiting(d.Name+" was added and is cooling off", "Until then it can sign in and read, and change nothing that matters.", d.Hold.Until, st.At)
		if d.Hold.Reason == account.HoldLeaving {
			h = waiting(d.Name+" is leaving your account", "It can still read and freeze, and nothing more.", d.Hold.Until, st.At)
		}
		if leftByMove(d.Hold) {
			h.Text, h.Moved = "Your account has moved from it. It can still take the account back, and freeze it, and nothing more.", true
		}
		h.Device, h.MayVeto = string(d.Device), d.MayVeto && v.open(account.Required(account.VetoAction))
		h.Stop = stopView{"If this wasn't you, say so now: what was added goes, and everything is as before.", "This wasn't me", d.Name + gone}
		v.Holds = append(v.Holds, h)
	}
	for _, p := range st.Rest.Pending {
		h := pending(p.Action)
		h.Until, h.Seconds, h.Pending, h.MayVeto = p.OpensAt, seconds(p.OpensAt, st.At), string(p.ID), v.open(account.Required(account.VetoAction))
		v.Holds = append(v.Holds, h)
	}
	return v
}

// gone is what is said of what the owner has stopped.
const gone = " is gone. If you have a recovery PIN, change it."

// pending says what waits to happen, and how the owner stops it.
func pending(action account.Action) holdView {
	const notMe, stop = "This wasn't me", "If this wasn't you, stop it now."
	switch action {
	case account.UnfreezeAccount:
		return holdView{Title: "Your account will be unfrozen", Text: "It opens by itself when the time is over.",
			Stop: stopView{stop, "Keep it frozen", "Your account stays frozen."}}
	case account.DeleteAccount:
		return holdView{Title: "Your account will be deleted", Text: "After that nobody can bring it back.",
			Stop: stopView{"If this wasn't you, or you have thought better of it, stop it now.", "Keep my account", "Your account stays. If you did not ask for its end, freeze it."}}
	case account.StartRecovery:
		return holdView{Title: "Somebody is recovering your account with your PIN", Text: "On a phone that is not known here. It has to wait before it can try.",
			Stop: stopView{stop, notMe, "That recovery" + gone}}
	}
	return holdView{Title: "Something is waiting to happen", Text: "It was asked for on one of your devices.", Stop: stopView{stop, notMe, "That" + gone}}
}

func waiting(title, text string, until, now time.Time) holdView {
	return holdView{Title: title, Text: text, Until: until, Seconds: seconds(until, now)}
}

// seconds is how long it is until t.
func seconds(t, now time.Time) int {
	return int(math.Round(max(t.Sub(now).Seconds(), 0)))
}
