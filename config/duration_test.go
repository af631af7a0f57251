package config_test

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/config"
)

// TestDurationDays: whole days are days of 24 hours, and nothing else is.
func TestDurationDays(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30d": 720 * time.Hour, "0d": 0, "106751d": 106751 * 24 * time.Hour, "720h": 720 * time.Hour, "0s": 0,
	} {
		var d config.Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.Duration != want {
			t.Errorf("%s: %s, %v", text, d, err)
		}
	}
	for _, text := range []string{"d", "-1d", "+1d", "1.5d", "1d12h", " 1d", "1D", "106752d", "18446744073709551615d", "18446744073709551616d"} {
		var d config.Duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%s: %s", text, d)
		}
	}
}
