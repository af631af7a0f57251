package transfer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/transfer"
)

// TestSweepOrphans: a blob without a row stays for an hour, in which its row may come;
// what is another app's stays for ever, and so does what no transfer has named.
func TestSweepOrphans(t *testing.T) {
	r := to(t, transfer.Streaming, "lan")
	r.walk(want{"put first=0", nil})
	orphan := "example/transfer/" + string(idOf("t")) + "/1/5-aaaaaaaaaaaaaaaaaaaaaaaaaa"
	nobodys := "example/transfer/" + string(idOf("gone")) + "/1/0-aaaaaaaaaaaaaaaaaaaaaaaaaa"
	kept := []string{"other/transfer/" + string(idOf("t")) + "/1/5-aaaaaaaaaaaaaaaaaaaaaaaaaa", "example/transfer/readme", "example/backup/x"}
	for _, key := range append(kept, orphan, nobodys) {
		r.shelf.blobs[key] = blob{[]byte("x"), r.at}
	}
	for _, tt := range []struct {
		after time.Duration
		blobs int
	}{{59 * time.Minute, 6}, {time.Minute, 4}, {20 * time.Hour, 4}} {
		r.at = r.at.Add(tt.after)
		r.walk(want{"sweep", nil})
		if len(r.shelf.blobs) != tt.blobs {
			t.Errorf("after %s more there are %d blobs, want %d", tt.after, len(r.shelf.blobs), tt.blobs)
		}
	}
	for _, key := range kept {
		if _, there := r.shelf.blobs[key]; !there {
			t.Errorf("%s was deleted", key)
		}
	}
	r.walk(want{"get 0", nil})
}

// TestSweepOld: after 30 days nobody knows where N was, after a year nobody knows of it.
func TestSweepOld(t *testing.T) {
	r := to(t, transfer.Final, "lan")
	for _, tt := range []struct {
		after        time.Duration
		place, there bool
	}{{719 * time.Hour, true, true}, {2 * time.Hour, false, true}, {334 * 24 * time.Hour, false, true}, {48 * time.Hour, false, false}} {
		r.at = r.at.Add(tt.after)
		r.walk(want{"sweep", nil})
		row := r.row("t")
		if got := row.Place != ""; got != tt.place {
			t.Errorf("%s after the end a place is known: %t", r.at.Sub(epoch), got)
		}
		if got := row.ID != ""; got != tt.there {
			t.Errorf("%s after the end there is a row: %t", r.at.Sub(epoch), got)
		}
		if tt.there {
			r.walk(want{"look", nil}) // its MAC is good without
		}
	}
}

// TestSweepUnclaimed: what nobody has claimed is forgotten an hour after its end, and
// what somebody has is not.
func TestSweepUnclaimed(t *testing.T) {
	r := newRig(t)
	r.walk(want{"offer", nil}, want{"offer in=second", nil}, want{"claim in=second", nil}, want{"after 10m", nil}, want{"sweep", nil})
	if r.row("t").State != transfer.Aborted || r.row("second").State != transfer.Aborted {
		t.Fatalf("%s, %s", r.row("t").State, r.row("second").State)
	}
	r.walk(want{"after 59m", nil}, want{"sweep", nil})
	if r.row("t").ID == "" {
		t.Error("it is forgotten too soon")
	}
	r.walk(want{"after 2m", nil}, want{"sweep", nil})
	if r.row("t").ID != "" || r.row("second").ID == "" {
		t.Errorf("%q, %q are left", r.row("t").ID, r.row("second").ID)
	}
}

// TestSweepGoesOn after a row that nobody believes.
func TestSweepGoesOn(t *testing.T) {
	r := newRig(t)
	r.walk(want{"offer", nil}, want{"offer in=second", nil}, want{"offer in=third", nil}, want{"tamper in=second", nil}, want{"after 3m", nil})
	err := r.Sweep(t.Context())
	if err == nil || !strings.Contains(err.Error(), string(idOf("second"))) {
		t.Errorf("%v", err)
	}
	if r.row("t").State != transfer.Aborted || r.row("third").State != transfer.Aborted {
		t.Errorf("%s, %s", r.row("t").State, r.row("third").State)
	}
}
