package registry

import (
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
)

// identifiers are what evidence says to tell one device from all others.
type identifiers struct {
	lasting  []string // in the order of their tags; uniqueId changes and is not among them
	possible bool     // the evidence holds some, or may: then it is not stored
}

// identifiersIn finds them: uniqueId and the tags 713 (serial number), 714
// (IMEI), 715 (MEID) and 723 (second IMEI). What cannot be read may hold some:
// a leaf that does not parse, or a second KeyDescription in the chain.
func identifiersIn(v attest.Verdict) identifiers {
	c := v.Claims
	if c == nil {
		c = v.UnverifiedClaims
	}
	if c == nil || v.Extended {
		return identifiers{possible: true}
	}
	if c.Android == nil {
		return identifiers{} // App Attest has none
	}
	d := c.Android.Description
	if d == nil {
		return identifiers{possible: true}
	}
	ids := identifiers{possible: len(d.UniqueID) > 0}
	for _, list := range []*android.AuthorizationList{&d.SoftwareEnforced, &d.HardwareEnforced} {
		for _, id := range []*string{list.AttestationIDSerial, list.AttestationIDIMEI, list.AttestationIDMEID, list.AttestationIDSecondIMEI} {
			if id != nil {
				ids.lasting, ids.possible = append(ids.lasting, *id), true
			}
		}
		for _, u := range list.Unknown { // of a type that cannot be used, but there
			switch u.Tag {
			case 713, 714, 715, 723:
				ids.possible = true
			}
		}
	}
	return ids
}
