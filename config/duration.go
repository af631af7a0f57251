package config

import (
	"fmt"
	"time"
)

// Duration is a length of time as Go writes it: "90s", "720h". It is never
// negative.
type Duration struct{ time.Duration }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf(`%q is no duration; write it as "90s", "15m" or "720h"`, text)
	}
	d.Duration = v
	return nil
}

// MarshalText writes a duration so that UnmarshalText reads it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
