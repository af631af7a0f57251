package vault

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// serving is a rig's vault behind a socket.
func serving(t *testing.T, g *rig) (dial func() net.Conn) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.v.Serve(ctx, ln, true) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func() net.Conn {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		return conn
	}
}

// TestServe: frames are answered by id, out of order if need be; what is no frame
// ends its connection and no other.
func TestServe(t *testing.T) {
	g, r := registered(t)
	dial := serving(t, g)
	conn := dial()
	body, err := wire.Encode(&wire.Evaluate{Reg: r.reg, B: g.blind(r, r.pin, 1).Element.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	call, key := g.seal(wire.OpEvaluate, body)
	encoded, err := wire.Encode(call)
	if err != nil {
		t.Fatal(err)
	}
	const n = 20
	for id := range uint64(n) {
		if err := wire.WriteFrame(conn, &wire.Frame{ID: id, Kind: wire.FrameCall, Body: encoded}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[uint64]bool{}
	for range n {
		f, err := wire.ReadFrame[wire.Frame](conn)
		if err != nil || f.Kind != wire.FrameCall || seen[f.ID] {
			t.Fatalf("%+v: %v", f, err)
		}
		seen[f.ID] = true
		reply, err := wire.Decode[wire.Reply](f.Body)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := key.OpenAnswer(reply.Answer); err != nil || a.Used != 1 {
			t.Fatalf("%+v: %v", a, err)
		}
	}
	for _, c := range []struct {
		name string
		f    wire.Frame
		want string
	}{
		{"no call", wire.Frame{Kind: wire.FrameCall, Body: []byte{1}}, "malformed"},
		{"no such kind", wire.Frame{Kind: "x"}, "there is no frame"},
		{"state", wire.Frame{Kind: wire.FrameState}, "it has a disk"},
		{"evidence without a platform", wire.Frame{Kind: wire.FrameEvidence}, "without a platform"},
	} {
		if err := wire.WriteFrame(conn, &c.f); err != nil {
			t.Fatal(err)
		}
		f, err := wire.ReadFrame[wire.Frame](conn)
		if err != nil || f.Kind != wire.FrameError || !bytes.Contains(f.Body, []byte(c.want)) {
			t.Errorf("%s: %s %q, %v", c.name, f.Kind, f.Body, err)
		}
	}
	for name, garbage := range map[string][]byte{
		"too long":    binary.BigEndian.AppendUint32(nil, wire.MaxFrame+1),
		"not a frame": append(binary.BigEndian.AppendUint32(nil, 3), 1, 2, 3),
	} {
		stranger := dial()
		if _, err := stranger.Write(garbage); err != nil {
			t.Fatal(err)
		}
		if _, err := wire.ReadFrame[wire.Frame](stranger); err == nil {
			t.Errorf("%s: answered", name)
		}
	}
	if err := wire.WriteFrame(conn, &wire.Frame{ID: 7, Kind: wire.FrameInfo}); err != nil {
		t.Fatal(err)
	}
	if f, err := wire.ReadFrame[wire.Frame](conn); err != nil || f.ID != 7 || f.Kind != wire.FrameInfo {
		t.Errorf("the first connection has ended: %v", err)
	}
}

// TestServeManyConnections: one connection more than the bound waits until
// another has ended.
func TestServeManyConnections(t *testing.T) {
	g, _ := registered(t)
	dial := serving(t, g)
	served := func(conn net.Conn, wait time.Duration) bool {
		t.Helper()
		if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
		_, err := wire.ReadFrame[wire.Frame](conn)
		return err == nil
	}
	ask := func() net.Conn {
		t.Helper()
		conn := dial()
		if err := wire.WriteFrame(conn, &wire.Frame{ID: 1, Kind: wire.FrameInfo}); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	var conns []net.Conn
	for range maxConns {
		conn := ask()
		if !served(conn, 20*time.Second) {
			t.Fatal("not served")
		}
		conns = append(conns, conn)
	}
	late := ask()
	if served(late, 100*time.Millisecond) {
		t.Fatal("one more than the bound is served")
	}
	conns[0].Close()
	if !served(late, 20*time.Second) {
		t.Error("there is room, and it is not served")
	}
}
