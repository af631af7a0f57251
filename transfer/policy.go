package transfer

import (
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/transfer/handover"
)

// NoHold is a hold of nothing at all: the zero value of a hold is the longest.
const NoHold time.Duration = -1

// What the zero value of a hold and of the recall window stand for, and what is
// short for them.
const (
	longHold   = 12 * time.Hour
	longRecall = 72 * time.Hour
	shortWait  = time.Hour
	keepPlaces = 30 * 24 * time.Hour
)

// HeldByClass is the hold reason of a transfer that is held because of how near the
// two phones were; the other reasons are those of the risk.
const HeldByClass = "class"

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
	// KeepPlaces is for how long it is known where the new phone was. 0 is 30 days.
	KeepPlaces time.Duration
	// ShortWaits allows holds, and a recall window, of under an hour.
	ShortWaits bool
}

// check fills in what zero stands for, and refuses what cannot work.
func (p Policy) check() (Policy, error) {
	longest := time.Duration(0)
	for _, h := range []struct {
		name string
		d    *time.Duration
	}{{"HoldNone", &p.HoldNone}, {"HoldLAN", &p.HoldLAN}, {"HoldNear", &p.HoldNear}, {"HoldRisk", &p.HoldRisk}} {
		switch {
		case *h.d == 0:
			*h.d = longHold
		case *h.d == NoHold:
			*h.d = 0
		case *h.d < 0:
			return p, fmt.Errorf("transfer: policy: %s is negative: NoHold is for none", h.name)
		case *h.d < shortWait && !p.ShortWaits:
			return p, fmt.Errorf("transfer: policy: %s is under an hour, and ShortWaits is not set", h.name)
		}
		longest = max(longest, *h.d)
	}
	switch {
	case p.RecallWindow == 0:
		p.RecallWindow = longRecall
	case p.RecallWindow < 0:
		return p, errors.New("transfer: policy: RecallWindow is negative")
	case p.RecallWindow < shortWait && !p.ShortWaits:
		return p, errors.New("transfer: policy: RecallWindow is under an hour, and ShortWaits is not set")
	}
	for _, d := range []struct {
		name string
		d    time.Duration
	}{
		{"OfferTTL", p.OfferTTL}, {"ClaimTTL", p.ClaimTTL}, {"IdleTTL", p.IdleTTL}, {"MaxAge", p.MaxAge}, {"SealTTL", p.SealTTL},
		{"KeepEnvelopes", p.KeepEnvelopes},
	} {
		if d.d <= 0 {
			return p, fmt.Errorf("transfer: policy: %s is required", d.name)
		}
	}
	if p.MaxAge <= longest {
		return p, fmt.Errorf("transfer: policy: MaxAge is %s, and a hold takes %s: no held transfer would ever end well", p.MaxAge, longest)
	}
	if p.KeepPlaces == 0 {
		p.KeepPlaces = keepPlaces
	}
	if p.KeepPlaces < 0 || p.Window < 0 || p.MaxBytes < 0 || p.RelaySpace < 0 {
		return p, errors.New("transfer: policy: KeepPlaces, Window, MaxBytes and RelaySpace are not negative")
	}
	return p, nil
}

// hold is how long a transfer is held, and for which reasons. p has been checked.
func (p *Policy) hold(class handover.Class, risks []string) (longest time.Duration, reasons []string) {
	switch class {
	case handover.ClassNear:
		longest = p.HoldNear
	case handover.ClassLAN:
		longest = p.HoldLAN
	default:
		longest = p.HoldNone
	}
	if longest > 0 {
		reasons = append(reasons, HeldByClass)
	}
	if len(risks) > 0 && p.HoldRisk > 0 {
		longest = max(longest, p.HoldRisk)
		reasons = append(reasons, risks...)
	}
	return longest, reasons
}
