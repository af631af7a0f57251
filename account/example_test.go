package account_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
)

// A phone that has only its key may freeze the account, and must use a passkey
// to remove another device.
func ExampleRequirement_Check() {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	a := account.Account{ID: account.NewID(), State: account.Active}
	phone := account.Device{ID: account.NewDeviceID(), Account: a.ID, State: account.Active}
	caller := account.Caller{
		Kind: account.Phone, App: "demo", Account: a.ID, Device: phone.ID,
		Proofs: []account.Proof{{Method: account.ByDeviceKey, At: now, Device: phone.ID}},
	}
	windows := account.Windows{Person: 24 * time.Hour, Fresh: 5 * time.Minute}

	for _, action := range []account.Action{account.FreezeAccount, account.RemoveDevice} {
		err := account.Required(action).Within(windows).Check(caller, a, &phone, now)
		var refused *account.Refused
		if errors.As(err, &refused) {
			fmt.Println(action, "needs", refused.Need, "and there is", refused.Have)
			continue
		}
		fmt.Println(action, "is allowed")
	}
	// Output:
	// account.freeze is allowed
	// device.remove needs exact and there is device
}

// A freeze stops the clock of a hold, and it goes on with the time left.
func ExampleAccount_Apply() {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	a := account.Account{State: account.Active}
	a, _ = a.Apply(account.Step{Name: account.StepRecover, Wait: 72 * time.Hour}, now)
	a, _ = a.Apply(account.Step{Name: account.StepFreeze}, now.Add(time.Hour))
	fmt.Println(a.State, a.Hold.Left)
	a, _ = a.Apply(account.Step{Name: account.StepUnfreeze}, now.Add(48*time.Hour))
	fmt.Println(a.State, a.Hold.Until.Sub(now))
	_, err := a.Apply(account.Step{Name: account.StepRecover, Wait: 72 * time.Hour}, now.Add(48*time.Hour))
	fmt.Println(errors.Is(err, account.ErrStep))
	// Output:
	// frozen 71h0m0s
	// held 119h0m0s
	// true
}
