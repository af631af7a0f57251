package transfer

import (
	"testing"

	"github.com/staunchid/staunch/account"
)

// TestLost: a move is recalled when the device that it has brought goes, and no other,
// and only between commit and end.
func TestLost(t *testing.T) {
	m := newModel(t, "")
	for state, row := range m.rows {
		for _, device := range []account.DeviceID{"new", "d", "another", ""} {
			r := row
			want := device == "new" && (state == Committed || state == Acked)
			if got := r.lost(device, zero); got != want || got != (r.State != state) {
				t.Errorf("%s, %q goes: %t, and it is %s", state, device, got, r.State)
			}
		}
	}
}
