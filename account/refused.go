package account

import (
	"fmt"
	"time"
)

// Why says what kind of refusal it is.
type Why uint8

// The kinds of refusals.
const (
	WhyUnset         Why = iota
	WhyUnknown           // nobody may do this: it is no action of the table
	WhyStepUp            // a higher class is needed
	WhyFrom              // not from here: another device, a browser, an older one
	WhyNotOlder          // only a device that was there before
	WhyAccountHeld       // wait until OpensAt
	WhyAccountFrozen     // unfreeze first
	WhyAccountLocked     // nobody can use it
	WhyDeviceHeld        // wait until OpensAt
	WhyDeviceFrozen      // unfreeze it from another device
	WhyDeviceLocked      // attest it anew
	WhyGone              // account or device is not there
	WhyRisk              // a risk signal stands until OpensAt
	WhyStale             // what was attested is too old: attest the device anew
)

// String says it in words, with what can be done.
func (w Why) String() string {
	switch w {
	case WhyUnknown:
		return "nobody may do this"
	case WhyStepUp:
		return "sign in, or step up with a passkey"
	case WhyFrom:
		return "it cannot be done from here; take another device of the account, or a browser"
	case WhyNotOlder:
		return "only a device that was there before can do it"
	case WhyAccountHeld:
		return "the account cools off; wait"
	case WhyAccountFrozen:
		return "the account is frozen; unfreeze it first"
	case WhyAccountLocked:
		return "the account is locked; two operators can unlock it, and until there are operators nobody can: tell the people who run this service"
	case WhyDeviceHeld:
		return "this device cools off; wait"
	case WhyDeviceFrozen:
		return "this device is frozen; unfreeze it from another one"
	case WhyDeviceLocked:
		return "this device is locked; attest it anew"
	case WhyGone:
		return "account or device is not there"
	case WhyRisk:
		return "a risk was reported; wait"
	case WhyStale:
		return "this device was attested too long ago; attest it anew"
	}
	return "refused"
}

// Refused is why an action is refused.
type Refused struct {
	Action  Action
	Why     Why
	Need    Class
	Have    Class
	OpensAt time.Time // zero: time alone does not help
}

func (r *Refused) Error() string {
	if r.Why == WhyStepUp {
		return fmt.Sprintf("%v: %s needs %s, there is %s: %s", ErrRefused, r.Action, r.Need.name(), r.Have.name(), r.Why)
	}
	if !r.OpensAt.IsZero() {
		return fmt.Sprintf("%v: %s: %s until %s", ErrRefused, r.Action, r.Why, r.OpensAt.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("%v: %s: %s", ErrRefused, r.Action, r.Why)
}

// Unwrap makes every Refused an ErrRefused.
func (r *Refused) Unwrap() error { return ErrRefused }
