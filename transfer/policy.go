package transfer

import "time"

// NoHold is a hold of nothing at all: the zero value of a hold is the longest.
const NoHold time.Duration = -1

// Policy is what an app's configuration says of moves. The zero Policy is refused.
type Policy struct {
	// How long a transfer of each class is held, and one with a risk reason. 0 is 12
	// hours; the longest applicable one wins.
	HoldNone, HoldLAN, HoldNear, HoldRisk time.Duration
	// OfferTTL is for a code to be claimed, ClaimTTL from the claim to the
	// confirmation, IdleTTL without a new segment or acknowledgement, MaxAge since the
	// confirmation, SealTTL for a grant to be taken. Each is required.
	OfferTTL, ClaimTTL, IdleTTL, MaxAge, SealTTL time.Duration
	// RecallWindow is how long the old phone can take the account back after the
	// acknowledgement. 0 is 72 hours.
	RecallWindow time.Duration
	// Window is how many bytes may wait for the new phone, MaxBytes how many a transfer may
	// have, RelaySpace how many all transfers of the app may have at the server. 0
	// admits nothing.
	Window, MaxBytes, RelaySpace int64
	// KeepEnvelopes is how long a transfer that has ended is kept. Required.
	KeepEnvelopes time.Duration
	// ShortWaits allows holds, and a recall window, of under an hour.
	ShortWaits bool
}
