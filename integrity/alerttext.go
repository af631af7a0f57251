package integrity

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
)

// told is what alerts have in their data, each as far as it has it.
type told struct {
	Name     string         `json:"name"`
	Kind     string         `json:"kind"` // of a join
	Platform string         `json:"platform"`
	Place    string         `json:"place"`
	Handle   string         `json:"handle"`
	Text     string         `json:"text"`
	Method   account.Method `json:"method"`
	Action   account.Action `json:"action"`
	OpensAt  time.Time      `json:"opens_at"`
	Until    time.Time      `json:"until"`
	Recovery bool           `json:"recovery"`
	Advice   string         `json:"advice"`
	Near     string         `json:"near"`      // where the new phone of a move is
	Old      string         `json:"old"`       // the device that an account has moved from
	Left     int            `json:"remaining"` // attempts at a PIN
	Limit    int            `json:"limit"`
}

// AlertText says in plain English what an alert tells, and what to do if it was
// somebody else. A kind that it does not know is told as such: nothing is left
// out for want of a text.
func (s *Service) AlertText(a AlertRow) string {
	var t told
	if json.Unmarshal(a.Data, &t) != nil {
		t = told{}
	}
	text := s.happened(a, t)
	if t.Advice == "replace_shared_passkey" {
		text += " It may still have a passkey that your other devices use: make a new passkey and remove the old one."
	}
	return text
}

// happened is what an alert tells.
func (s *Service) happened(a AlertRow, t told) string {
	from := from(t.Place)
	switch a.Kind {
	case string(account.SignInNewPhone):
		return fmt.Sprintf("A new %s, %s, has one of your passkeys and asks to be added%s. Approve it if this is you. If not, refuse it and remove that passkey.",
			phoneWord(t.Platform), name(t.Name, "without a name"), from)
	case string(account.AddDevice):
		if t.Kind == JoinBrowser {
			return fmt.Sprintf("A browser, %s, was added%s, with a passkey of its own. It can do what you can. If this was not you, freeze your account.",
				name(t.Name, "without a name"), from)
		}
		return fmt.Sprintf("A new %s, %s, was added%s. It can do little until %s. If this was not you, remove it.",
			phoneWord(t.Platform), name(t.Name, "without a name"), from, s.until(a, t))
	case string(account.FreezeAccount):
		if t.Method == account.ByFreezeCode {
			return "Your account was frozen with the freeze code" + from + ". Nothing can be done with it until you unfreeze it. If this was not you, make a new freeze code."
		}
		return "Your account was frozen" + from + ". Nothing can be done with it until you unfreeze it on a device that was there before."
	case string(account.FreezeOwnDevice), string(account.FreezeOtherDevice):
		return fmt.Sprintf("%s was frozen%s. Another device can unfreeze it.", name(t.Name, "A device"), from)
	case string(account.UnfreezeDevice):
		return fmt.Sprintf("%s was unfrozen%s. If this was not you, freeze your account.", name(t.Name, "A device"), from)
	case string(account.UnfreezeAccount):
		return "Your account was unfrozen" + from + ". If this was not you, freeze it again."
	case string(account.UnfreezeAccount) + ".wait":
		return "Somebody asked to unfreeze your account" + from + ". It will be unfrozen at " + when(t.OpensAt, a.At) + ". If this was not you, cancel it."
	case string(account.DeleteAccount) + ".wait":
		return "Your account will be deleted at " + when(t.OpensAt, a.At) + ", as was asked for" + from + ". If this was not you, cancel it."
	case string(account.DeleteAccount):
		return "Your account was deleted."
	case string(account.RemoveDevice):
		return fmt.Sprintf("%s was removed from your account%s. If this was not you, freeze your account.", name(t.Name, "A device"), from)
	case string(account.LeaveDevice):
		return fmt.Sprintf("%s has left your account.", name(t.Name, "A device"))
	case string(account.VetoAction):
		return vetoed(t, from)
	case string(account.RemoveCredential):
		return fmt.Sprintf("A passkey%s was removed%s. If this was not you, freeze your account.", quoted(t.Name), from)
	case string(account.AddCredential):
		return fmt.Sprintf("A passkey%s was added%s. If this was not you, remove it.", quoted(t.Name), from)
	case string(account.ChangeHandle):
		return fmt.Sprintf("Your name is now “%s”. It was changed%s. If this was not you, freeze your account.", t.Handle, from)
	case string(account.RenewFreezeCode):
		return "A new freeze code was made" + from + ", and the old one does not work any more. If this was not you, freeze your account."
	case string(account.RotateSealing):
		return fmt.Sprintf("%s has a new key for sealed chats. If this was not you, remove it.", name(t.Name, "A device"))
	case string(account.Reattest):
		return fmt.Sprintf("%s has a new device key. If this was not you, remove it.", name(t.Name, "A device"))
	}
	return otherAlert(a, t, from)
}

// otherAlert is what alerts tell that are of no action of the table.
func otherAlert(a AlertRow, t told, from string) string {
	switch a.Kind {
	case "device.hold_over":
		return fmt.Sprintf("%s can do everything now.", name(t.Name, "Your new device"))
	case "account.hold_over":
		return "The wait after the recovery of your account is over. Devices that were there before are removed."
	case "account.recovered":
		return fmt.Sprintf("Your account was recovered on a new device%s. Your other devices leave when the wait is over. If this was not you, remove the new device now.", from)
	case string(account.StartRecovery):
		return fmt.Sprintf("Somebody has begun to recover your account on a new %s, %s%s, and may try your recovery PIN from %s on. If this was not you, cancel it now.",
			phoneWord(t.Platform), name(t.Name, "without a name"), from, when(t.OpensAt, a.At))
	case string(account.SetupRecovery):
		return fmt.Sprintf("%s may set a recovery PIN for your account now. If this was not you, freeze your account.", name(t.Name, "A device"))
	case string(account.OpenRecovery):
		return fmt.Sprintf("%s may try your recovery PIN now, to get your sealed keys back. If this was not you, freeze your account.", name(t.Name, "A device"))
	case "recovery.attempt":
		if t.Left == 0 {
			return "Your recovery PIN was tried, and no attempts remain: it is locked for ever. Set a new one."
		}
		return fmt.Sprintf("Your recovery PIN was tried. %d of %d attempts remain. If this was not you, freeze your account.", t.Left, t.Limit)
	case "recovery.set":
		return "A recovery PIN was set for your account. If this was not you, freeze your account."
	case "recovery.changed":
		return "Your recovery PIN was changed. If this was not you, freeze your account."
	case "recovery.deleted":
		return "Your recovery PIN was removed: if you lose all devices, nothing brings your chats back. If this was not you, freeze your account."
	case "account.locked":
		return "Your account was locked, because something in it is not as it was written. Nobody can use it, and nobody can unlock it yet. Tell the people who run this service."
	case "device.locked":
		return fmt.Sprintf("%s was locked: its device key is not trusted any more. Attest it anew, or remove it.", name(t.Name, "A device"))
	case "approval.denied":
		return fmt.Sprintf("This was refused%s: “%s” If you did not ask for it, somebody else did: change the PIN of your devices.", from, t.Text)
	case "passkey.finding":
		return fmt.Sprintf("A passkey%s may have been copied. Remove it from another device.", quoted(t.Name))
	case string(account.EndOtherSessions):
		return "All other sessions were signed out" + from + "."
	case string(account.EndOneSession):
		return "A session was signed out" + from + "."
	case string(account.SignIn):
		return "Somebody signed in" + from + ", where your account was not used before. If this was not you, freeze your account."
	case string(account.SignInNewPhone):
		return fmt.Sprintf("A new %s, %s, has your passkey and asks to be let in%s. If this is not you, do not let it in, and replace the passkey.",
			phoneWord(t.Platform), name(t.Name, "without a name"), from)
	case string(account.ApproveGuest):
		return "A guest session was opened" + from + ". If this was not you, sign it out."
	}
	if text := movedAlert(a, t); text != "" {
		return text
	}
	return "Something changed in your account" + from + " (" + a.Kind + "). If this was not you, freeze your account."
}

func vetoed(t told, from string) string {
	switch {
	case t.Recovery:
		return fmt.Sprintf("The recovery of your account on %s was undone%s. Change the PIN of your devices.", name(t.Name, "a new device"), from)
	case t.Action == account.DeleteAccount:
		return "The deletion of your account was cancelled" + from + "."
	case t.Action == account.UnfreezeAccount:
		return "The unfreezing of your account was cancelled" + from + "."
	case t.Action == account.StartRecovery:
		return "The recovery that somebody had begun was cancelled" + from + "."
	case t.Action != "":
		return "Something that waited (" + string(t.Action) + ") was cancelled" + from + "."
	}
	return fmt.Sprintf("%s was removed%s before it could do anything. Change the PIN of your devices.", name(t.Name, "A new device"), from)
}

// until is when a new device's hold ends, which older alerts do not say.
func (s *Service) until(a AlertRow, t told) string {
	if t.Until.IsZero() {
		t.Until = a.At.Add(s.policy.Holds.Add)
	}
	return when(t.Until, a.At)
}

// when is a time for people who read it soon after at.
func when(t, at time.Time) string {
	t, at = t.UTC(), at.UTC()
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	switch days := day(t).Sub(day(at)); days {
	case 0:
		return t.Format("15:04 UTC today")
	case 24 * time.Hour:
		return t.Format("15:04 UTC tomorrow")
	}
	return t.Format("15:04 UTC on 2 January 2006")
}

func from(place string) string {
	if place == "" {
		return ""
	}
	return " from " + place
}

func name(n, otherwise string) string {
	if n == "" {
		return otherwise
	}
	return n
}

func quoted(n string) string {
	if n == "" {
		return ""
	}
	return " “" + n + "”"
}

func phoneWord(platform string) string {
	switch platform {
	case "android", "ios":
		return "phone"
	}
	return "device"
}
