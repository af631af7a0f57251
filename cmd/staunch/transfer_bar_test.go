package main

import (
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/client"
)

// TestBarFits: a line of progress is not wrapped, and says what matters most
// for as long as there is room.
func TestBarFits(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	e := &client.MoveEvent{
		Event: client.EventProgress, Phase: "commit", Done: 1023 * mib, Total: 1023*mib + mib/2, Rate: 1022.9 * mib, ETA: 59*time.Minute + 59*time.Second,
	}
	for _, tt := range []struct {
		columns int
		want    string
	}{
		{120, "moving the account  1023.0 MiB of 1023.5 MiB  1022.9 MiB/s  59m59s left"},
		{80, "moving the account  1023.0 MiB of 1023.5 MiB  59m59s left"},
		{64, "moving the account  1023.0 MiB of 1023.5 MiB"},
		{40, "moving the account"},
	} {
		got := besideBar(e, tt.columns)
		if got != tt.want || len(got)+leastBar > tt.columns {
			t.Errorf("in %d columns: %q, want %q", tt.columns, got, tt.want)
		}
	}
	if e.Phase = "copy"; !strings.Contains(besideBar(e, 80), "MiB/s") {
		t.Errorf("80 columns have no rate: %q", besideBar(e, 80))
	}
}
