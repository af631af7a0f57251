package account

// edge is a row of the tables of accounts, "States".
type edge struct {
	step     StepName
	from, to State
	of       HoldReason // which hold there must be; empty: any, or none
	begins   HoldReason // the hold that to is; empty: none begins
	decided  bool       // it takes two operators
}

// accountSteps is the table of accounts. A step that goes back to what was
// before stands there once for each state that it may have been.
var accountSteps = []edge{
	{step: StepEnrol, from: Unset, to: Active},
	{step: StepRecover, from: Active, to: Held, begins: HoldRecovered},
	{step: StepRecover, from: Frozen, to: Held, begins: HoldRecovered},
	{step: StepHoldOver, from: Held, to: Active},
	{step: StepVeto, from: Held, to: Active},
	{step: StepVeto, from: Frozen, to: Frozen, of: HoldRecovered}, // frozen it stays, and the hold is gone
	{step: StepFreeze, from: Active, to: Frozen},
	{step: StepFreeze, from: Held, to: Frozen},
	{step: StepUnfreeze, from: Frozen, to: Active},
	{step: StepUnfreeze, from: Frozen, to: Held},
	{step: StepLock, from: Active, to: Locked},
	{step: StepLock, from: Held, to: Locked},
	{step: StepLock, from: Frozen, to: Locked},
	{step: StepUnlock, from: Locked, to: Frozen, decided: true},
	{step: StepDelete, from: Active, to: Deleted},
	{step: StepDelete, from: Locked, to: Deleted, decided: true},
}

// deviceSteps is the table of devices.
var deviceSteps = []edge{
	{step: StepEnrolFirst, from: Unset, to: Active},
	{step: StepAdd, from: Unset, to: Held, begins: HoldNew},
	{step: StepRecover, from: Unset, to: Held, begins: HoldNew},
	{step: StepHoldOver, from: Held, to: Active, of: HoldNew},
	{step: StepHoldOver, from: Held, to: Deleted, of: HoldLeaving},
	{step: StepLeaveStart, from: Active, to: Held, begins: HoldLeaving},
	{step: StepStay, from: Held, to: Active, of: HoldLeaving},
	{step: StepFreeze, from: Active, to: Frozen},
	{step: StepFreeze, from: Held, to: Frozen},
	{step: StepUnfreeze, from: Frozen, to: Active},
	{step: StepUnfreeze, from: Frozen, to: Held},
	{step: StepLock, from: Active, to: Locked},
	{step: StepLock, from: Held, to: Locked},
	{step: StepLock, from: Frozen, to: Locked},
	{step: StepReattest, from: Active, to: Active},
	{step: StepReattest, from: Locked, to: Held, begins: HoldNew},
	{step: StepVeto, from: Held, to: Deleted, of: HoldNew},
	{step: StepVeto, from: Frozen, to: Deleted, of: HoldNew}, // or it would escape by freezing itself
	{step: StepVeto, from: Locked, to: Deleted, of: HoldNew},
	{step: StepRemove, from: Active, to: Deleted},
	{step: StepRemove, from: Held, to: Deleted},
	{step: StepRemove, from: Frozen, to: Deleted},
	{step: StepRemove, from: Locked, to: Deleted},
}

// Legal reports whether a step of an "account" or a "device" is one of the
// tables, for whoever checks a record of steps. States are texts, as State gives
// them; what is not there yet is empty.
func Legal(of, step, from, to string) bool {
	var table []edge
	switch of {
	case "account":
		table = accountSteps
	case "device":
		table = deviceSteps
	}
	for _, e := range table {
		if string(e.step) == step && e.from.String() == from && e.to.String() == to {
			return true
		}
	}
	return false
}
