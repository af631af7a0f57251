package vault

import (
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// How often activate gives the attempts back. Otherwise an insider who makes the
// owner's phone register again and again had the whole limit each time.
const (
	resetEvery  = 24 * time.Hour
	resetWindow = 30 * 24 * time.Hour
)

// reset sets used to 0 if the quota allows, and reports whether it did. A redo
// takes the count from the mark, and only notes the time: the reset may have
// been granted, and must not be granted twice.
func (u *rules) reset(r *wire.Record) bool {
	if u.now == nil || used(r) == 0 && !u.redo {
		return false
	}
	now := uint32(min(seconds(*u.now), 1<<32-1))
	var recent []uint32
	for _, t := range r.Resets {
		// A clock that went back keeps what lies ahead of it.
		if t > now || time.Duration(now-t)*time.Second < resetWindow {
			recent = append(recent, t)
		}
	}
	if n := len(recent); n >= wire.MaxResets || n > 0 && (recent[n-1] > now || time.Duration(now-recent[n-1])*time.Second < resetEvery) {
		return false
	}
	r.Resets = append(recent, now)
	r.Base = r.Charges
	return true
}
