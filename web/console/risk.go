package console

import (
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
)

// riskView is a risk signal, in words.
type riskView struct {
	Words string
	Code  string // as policies and events name it
	Told  string // by a backend: its own word on it
	Does  string
	About string // the name of a device or a passkey; empty: the account
	ID    string // of that
	By    string
	Since time.Time
	Until time.Time // zero: until what it is about is gone
}

// Risks are the signals that stand.
func (p accountPage) Risks() (all []riskView) {
	for _, s := range p.View.Signals {
		v := riskView{Words: riskWords(s.Name), Code: string(s.Name), Does: riskDoes(s), By: "this server", Since: s.FirstAt, Until: s.Until}
		if strings.HasPrefix(v.Code, account.SignalExternalPrefix) {
			v.By, v.Told = "the app's backend", s.Value
		}
		switch {
		case s.Device != "":
			v.About, v.ID = p.Device(s.Device), string(s.Device)
		case v.Told == "":
			v.About, v.ID = p.passkey(s)
		}
		all = append(all, v)
	}
	return all
}

// passkey is the one that a signal is about: it is its value, or who tells of it.
func (p accountPage) passkey(s account.Signal) (name, id string) {
	for _, c := range p.View.Passkeys {
		ref := string(c.Ref)
		if ref != s.Value && ref != s.Source {
			continue
		}
		for _, name := range []string{c.Name, c.Provider} {
			if name != "" {
				return name, ref
			}
		}
		return "a passkey", ref
	}
	return "", ""
}

// riskWords says what a signal tells. One that is not known is shown as it is.
func riskWords(name account.SignalName) string {
	if text, ok := map[account.SignalName]string{
		account.SignalNewDevice:        "A new device was added",
		account.SignalBackupState:      "A passkey began or ceased to be kept in several places",
		account.SignalRecentRecovery:   "The account was recovered lately",
		account.SignalRecentVeto:       "The owner has undone a new device or a recovery lately",
		account.SignalSharedCredential: "A device that is gone has used a passkey that stays",
		account.SignalManyFailures:     "Many attempts to prove to be the owner have failed",
		account.SignalNewNetwork:       "Somebody came from a network where the account was not before",
		account.SignalCounterRegress:   "A passkey may have been copied: its counter went back",
		account.SignalAttestWarning:    "Attestation warns of the device",
		account.SignalAttestStale:      "The device has not shown for too long what it is",
		account.SignalMDSStatus:        "There are warnings about the authenticator that keeps a passkey",
	}[name]; ok {
		return text
	}
	if code, ok := strings.CutPrefix(string(name), account.SignalAttestPrefix); ok {
		return "Found at attestation: " + code
	}
	if word, ok := strings.CutPrefix(string(name), account.SignalExternalPrefix); ok {
		return "Reported by the app: " + word
	}
	return string(name)
}

// riskDoes says what a signal changes (account.Requirement.Raise). One that is about a
// device counts for what that device asks.
func riskDoes(s account.Signal) string {
	const bound = "what matters needs a passkey that stays on one device"
	switch s.Level {
	case account.LevelNote:
		return "Changes nothing: it is only noted"
	case account.LevelHold:
		return asks(s, "what a new device may not do has to wait")
	}
	switch s.Name {
	case account.SignalNewNetwork:
		return asks(s, "the proof of who asks has to be newer")
	case account.SignalManyFailures:
		return asks(s, bound+", and a newer proof")
	case account.SignalAttestStale:
		return asks(s, "what a new device may not do has to wait until it is checked anew")
	case account.SignalAttestWarning:
		return asks(s, "a synced passkey counts for no more by being used on it")
	case account.SignalMDSStatus:
		return asks(s, "that passkey counts for nothing")
	case account.SignalCounterRegress:
		if s.Value != "" {
			return asks(s, "that passkey counts for less")
		}
	}
	return asks(s, bound)
}

// asks says for whom what a signal does is true.
func asks(s account.Signal, what string) string {
	if s.Device != "" {
		return "When this device asks, " + what
	}
	return strings.ToUpper(what[:1]) + what[1:]
}
