package vault

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// slowly is a Freshness whose Load lasts until it is let go.
type slowly struct {
	Freshness
	loading, goOn chan struct{}
}

func (s *slowly) Load(ctx context.Context, acct [16]byte) (Mark, error) {
	s.loading <- struct{}{}
	<-s.goOn
	return s.Freshness.Load(context.WithoutCancel(ctx), acct)
}

// TestGivenUp: a call that its host has given up before the mark was raised is
// not charged for.
func TestGivenUp(t *testing.T) {
	g, reg := registered(t)
	before, err := g.fresh.Load(t.Context(), g.acct)
	if err != nil {
		t.Fatal(err)
	}
	s := &slowly{g.v.fresh, make(chan struct{}, 1), make(chan struct{})}
	g.v.fresh = s
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	path := filepath.Join(t.TempDir(), "v.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = g.v.Serve(ctx, ln, false) }()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask, err := wire.Encode(&wire.Evaluate{Reg: reg.reg, B: g.blind(reg, "111119", 1).Element.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	call, _ := g.seal(wire.OpEvaluate, ask)
	body, err := wire.Encode(call)
	if err != nil {
		t.Fatal(err)
	}
	send := func(f *wire.Frame) {
		if err := wire.WriteFrame(conn, f); err != nil {
			t.Fatal(err)
		}
	}
	send(&wire.Frame{ID: 7, Kind: wire.FrameCall, Body: body})
	<-s.loading
	send(&wire.Frame{ID: 7, Kind: wire.FrameCancel})
	send(&wire.Frame{ID: 8, Kind: wire.FrameInfo}) // answered when the one before was read
	if f, err := wire.ReadFrame[wire.Frame](conn); err != nil || f.ID != 8 {
		t.Fatalf("%+v, %v", f, err)
	}
	close(s.goOn)
	if f, err := wire.ReadFrame[wire.Frame](conn); err != nil || f.ID != 7 || f.Kind != wire.FrameError {
		t.Errorf("the call that was given up: %+v, %v", f, err)
	}
	if m, err := g.fresh.Load(t.Context(), g.acct); err != nil || m != before {
		t.Errorf("it is charged for: %+v, before %+v, %v", m, before, err)
	}
}
