package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time as Go writes it, "90s", "720h", or in whole
// days of 24 hours, "30d". It is never negative.
type Duration struct{ time.Duration }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if days, isDays := strings.CutSuffix(string(text), "d"); isDays {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 64)
		if n > math.MaxInt64/uint64(24*time.Hour) {
			err = strconv.ErrRange
		}
		v = time.Duration(n) * 24 * time.Hour //nolint:gosec // bounded above
	}
	if err != nil || v < 0 {
		return fmt.Errorf(`%q is no duration; write it as "90s", "15m", "720h" or "30d"`, text)
	}
	d.Duration = v
	return nil
}

// MarshalText writes a duration as people do, so that UnmarshalText reads it:
// "30d", "24h", "90s".
func (d Duration) MarshalText() ([]byte, error) {
	const day = 24 * time.Hour
	if d.Duration > 2*day && d.Duration%day == 0 {
		return fmt.Appendf(nil, "%dd", d.Duration/day), nil
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return []byte(text), nil
}
