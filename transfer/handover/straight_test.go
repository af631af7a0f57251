package handover_test

import (
	"bytes"
	"testing"

	"github.com/staunchid/staunch/transfer/handover"
)

// TestStraight walks from the code to the end, in each class.
func TestStraight(t *testing.T) {
	for _, tt := range []struct {
		name    string
		beacons byte
		class   handover.Class
	}{
		{"none", 0, handover.ClassNone}, {"lan", handover.BeaconLAN, handover.ClassLAN}, {"near", handover.BeaconBLE, handover.ClassNear},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			r.receiver.Beacons = tt.beacons
			if tt.beacons != handover.BeaconLAN {
				r.receiver.LAN = nil
			}
			p := r.meet(t)
			if got := p.c.Peer(); got.Info != r.receiver.Info || got.Verdict.Claims == nil || got.FreeBytes != 1<<30 {
				t.Errorf("peer %+v", got)
			}
			p.walk(handover.StepConfirm)
			a, err := p.n.BulkKey(p.hold)
			p.ok("bulk key of N", err)
			b, err := p.c.BulkKey()
			p.ok("bulk key of C", err)
			if !bytes.Equal(a, b) || len(a) != 32 {
				t.Errorf("bulk keys: %x and %x", a, b)
			}
			for _, s := range []handover.Step{"grant", "receipt"} {
				p.make(s)
				p.take(s)
			}
			got, err := p.n.Open(p.granted.CommitShare, p.granted.Sealed)
			p.ok("open", err)
			if want := secrets(); len(got) != len(want) || !bytes.Equal(got["sealing"], want["sealing"]) || !bytes.Equal(got["recovery"], want["recovery"]) {
				t.Errorf("secrets: %d of them", len(got))
			}
			for _, s := range []handover.Step{"ack", "final"} {
				p.make(s)
				p.take(s)
			}
			hello, err := handover.Decode[handover.Hello](p.e["hello"].Message)
			if err != nil || hello.Class != tt.class || p.n.ID() != p.c.ID() {
				t.Errorf("class %s, error %v, %s and %s", hello.Class, err, p.n.ID(), p.c.ID())
			}
		})
	}
}
