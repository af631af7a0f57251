package config_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/config"
)

// TestCheckTransfer: the sample's way of moving, and small changes to it.
func TestCheckTransfer(t *testing.T) {
	sample := sampleText(t)
	short := strings.Replace(sample, "dangerous_short_waits = false", "dangerous_short_waits = true", 1)
	tests := []struct {
		name, text, old, new string
		want                 string // in the message; empty: good
	}{
		{"no time to scan", sample, `offer_ttl = "2m"`, `offer_ttl = "0s"`, "app[0].transfer.offer_ttl: must be longer than zero"},
		{"places are not kept", sample, `keep_places = "30d"`, `keep_places = "0s"`, "app[0].transfer.keep_places: must be longer than zero"},
		{"short recall", sample, `recall_window = "3d"`, `recall_window = "59m"`, "app[0].transfer.recall_window: 59m0s is under an hour"},
		{"short recall of a demo", short, `recall_window = "3d"`, `recall_window = "2m"`, ""},
		{"short hold", sample, `hold_none = "12h"`, `hold_none = "30s"`, "app[0].transfer.hold_none: 30s is under an hour"},
		{"short hold in the network", sample, `hold_lan = "none"`, `hold_lan = "30s"`, "app[0].transfer.hold_lan: 30s is under an hour"},
		{"short hold nearby", sample, `hold_near = "none"`, `hold_near = "30s"`, "app[0].transfer.hold_near: 30s is under an hour"},
		{"short hold by risk", sample, `hold_risk = "12h"`, `hold_risk = "30s"`, "app[0].transfer.hold_risk: 30s is under an hour"},
		{"short hold of a demo", short, `hold_none = "12h"`, `hold_none = "30s"`, ""},
		{"no hold", sample, `hold_none = "12h"`, `hold_none = "none"`, ""},
		{"a hold of nothing", sample, `hold_none = "12h"`, `hold_none = "0s"`, `app[0].transfer.hold_none: "0s" is no hold; write it as "12h", or "none"`},
		{"a hold that says nothing", sample, `hold_none = "12h"`, `hold_none = ""`, `app[0].transfer.hold_none: "" is no hold`},
		{"a hold as long as a move", sample, `hold_none = "12h"`, `hold_none = "7d"`, "app[0].transfer.hold_none: 168h0m0s is not shorter than max_age"},
		{"a small window", sample, `window = "1GiB"`, `window = "8MiB"`, `app[0].transfer.window: 8MiB is less than a move needs; write at least "16MiB"`},
		{"little history", sample, `max_bytes = "1TiB"`, `max_bytes = "1KiB"`, "app[0].transfer.max_bytes: 1KiB is less"},
		{"little space", sample, `relay_space = "100GiB"`, `relay_space = "1KiB"`, "app[0].transfer.relay_space: 1KiB is less"},
		{"as little as may be", sample, `relay_space = "100GiB"`, `relay_space = "16384KiB"`, ""},
		{"a number alone", sample, `window = "1GiB"`, `window = "1073741824"`, `app[0].transfer.window: "1073741824" is no size`},
		{"a number", sample, `window = "1GiB"`, `window = 1073741824`, "app[0].transfer.window: want a string, found an integer"},
		{"misspelt", sample, `hold_lan = `, `hold_lam = `, "app[0].transfer.hold_lam: unknown key; did you mean hold_lan?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Count(tt.text, tt.old) != 1 {
				t.Fatalf("%q is not once in the sample", tt.old)
			}
			_, err := config.Parse([]byte(strings.Replace(tt.text, tt.old, tt.new, 1)))
			if (err == nil) != (tt.want == "") || err != nil && (!errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("err = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestTransferLeftOut: without the table an app has what the sample shows.
func TestTransferLeftOut(t *testing.T) {
	sample := sampleText(t)
	at := strings.Index(sample, "[app.transfer]")
	without := sample[:at]
	if end := strings.Index(sample[at+1:], "\n["); end >= 0 {
		without += sample[at+1+end:]
	}
	all, err1 := config.Parse([]byte(sample))
	none, err2 := config.Parse([]byte(without))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	moves := none.Apps[0].Moves()
	if none.Apps[0].Transfer != nil || moves != all.Apps[0].Moves() || moves != *all.Apps[0].Transfer {
		t.Errorf("left out: %+v, sample: %+v", moves, all.Apps[0].Transfer)
	}
	if moves.HoldNone.Duration.Duration != 12*time.Hour || !moves.HoldLAN.None() || moves.Window != 1<<30 || moves.RelaySpace != 100<<30 {
		t.Errorf("%+v", moves)
	}
}

// TestMoveLimitsLeftOut: a file from before there were limits of moves has those of the
// sample, and what it does say counts.
func TestMoveLimitsLeftOut(t *testing.T) {
	sample := sampleText(t)
	without := ""
	for line := range strings.Lines(sample) {
		if !strings.HasPrefix(line, "move_") || strings.HasPrefix(line, "move_wait") {
			without += line
		}
	}
	without = strings.Replace(without, `move_wait = "120 per 1m"`, `move_wait = "7 per 1h"`, 1)
	all, err1 := config.Parse([]byte(sample))
	some, err2 := config.Parse([]byte(without))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	want := *all.Apps[0].Limit
	want.MoveWait = config.Limit{N: 7, Per: config.Duration{Duration: time.Hour}}
	if got := some.Apps[0].Limit.WithMoves(); *got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestSize: what is written is read, and written again.
func TestSize(t *testing.T) {
	for text, want := range map[string]config.Size{"1KiB": 1 << 10, "1023KiB": 1023 << 10, "512MiB": 512 << 20, "3GiB": 3 << 30, "1TiB": 1 << 40, "2048TiB": 1 << 51} {
		var s config.Size
		err := s.UnmarshalText([]byte(text))
		back, errBack := s.MarshalText()
		if err != nil || errBack != nil || s != want || string(back) != text {
			t.Errorf("%q: %d, %v; written as %q, %v", text, s, err, back, errBack)
		}
	}
	for _, text := range []string{"", "1", "0KiB", "-1GiB", "+1GiB", "1.5GiB", "01GiB", "1 GiB", "1GB", "1gib", "GiB", "iB", "1iB", "1XiB", "8388608TiB", "99999999999999999999KiB"} {
		if err := new(config.Size).UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "is no size") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
