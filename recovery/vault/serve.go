package vault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// How much of the host a vault takes on at once.
const (
	maxConns   = 64  // connections of the host
	maxCalls   = 256 // frames being answered, of all connections
	writeAwait = 10 * time.Second
)

// Serve answers the host on ln until ctx ends: calls, evidence and info, as they
// become ready (spec/kr1.md, "Links"). The link needs no secrecy. While it
// serves, it begins new epochs if renew is true: true at one replica of a vault.
func (v *Vault) Serve(ctx context.Context, ln net.Listener, renew bool) error {
	ctx, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	if renew {
		conns.Go(func() { v.keepRenewing(ctx) })
	}
	h := &host{vault: v, calls: make(chan struct{}, maxCalls)}
	places := make(chan struct{}, maxConns)
	for {
		places <- struct{}{}
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("vault: %s no longer listens: %w", v.replica, err)
		}
		conns.Go(func() {
			defer func() { <-places }()
			h.serve(ctx, conn)
		})
	}
}

// keepRenewing looks every hour whether a new epoch is due.
func (v *Vault) keepRenewing(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		// Without a quorum of clocks there is no new epoch, and an hour later one
		// more try: an epoch that lives longer harms nobody at once.
		_ = v.Renew(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// host is the vault's end of all links to its host.
type host struct {
	vault *Vault
	calls chan struct{}
}

// serve reads frames and answers each when its answer is ready.
func (h *host) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	out := &frameWriter{conn: conn}
	var answering sync.WaitGroup
	defer answering.Wait()
	defer cancel()
	in := bufio.NewReaderSize(conn, 16<<10)
	given := &givenUp{calls: map[uint64]context.CancelFunc{}}
	for {
		f, err := wire.ReadFrame[wire.Frame](in)
		if err != nil {
			return // closed, or no host of ours
		}
		if f.Kind == wire.FrameCancel {
			given.up(f.ID)
			continue
		}
		select {
		case h.calls <- struct{}{}:
		case <-ctx.Done():
			return
		}
		ctx, done := given.begin(ctx, f.ID)
		answering.Go(func() {
			defer func() { <-h.calls }()
			defer done()
			if err := out.write(h.answer(ctx, &f)); err != nil {
				conn.Close()
			}
		})
	}
}

// givenUp ends the calls of a connection that its host does not wait for any more:
// after this process stood still, those that came meanwhile.
type givenUp struct {
	mu    sync.Mutex
	calls map[uint64]context.CancelFunc // guarded by mu
}

func (g *givenUp) begin(ctx context.Context, id uint64) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls[id] = cancel
	return ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.calls, id)
		cancel()
	}
}

func (g *givenUp) up(id uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if cancel, ok := g.calls[id]; ok {
		cancel()
	}
}

// answer is the frame that answers f.
func (h *host) answer(ctx context.Context, f *wire.Frame) *wire.Frame {
	body, err := h.body(ctx, f)
	if err != nil {
		return &wire.Frame{ID: f.ID, Kind: wire.FrameError, Body: []byte(err.Error())}
	}
	return &wire.Frame{ID: f.ID, Kind: f.Kind, Body: body}
}

func (h *host) body(ctx context.Context, f *wire.Frame) ([]byte, error) {
	switch f.Kind {
	case wire.FrameCall:
		call, err := wire.Decode[wire.Call](f.Body)
		if err != nil {
			return nil, err
		}
		reply := h.vault.Handle(ctx, &call)
		if reply == nil {
			return nil, errors.New("vault: the call was given up")
		}
		return wire.Encode(reply)
	case wire.FrameEvidence:
		return h.vault.Evidence(ctx, f.Body)
	case wire.FrameInfo:
		return wire.Encode(h.vault.binding(time.Time{}, nil))
	case wire.FrameState:
		return nil, errors.New("vault: this vault keeps its state itself: it has a disk")
	}
	return nil, fmt.Errorf("vault: there is no frame %q", f.Kind)
}

// frameWriter lets one goroutine at a time write.
type frameWriter struct {
	mu   sync.Mutex
	conn net.Conn
}

func (w *frameWriter) write(f *wire.Frame) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.conn.SetWriteDeadline(time.Now().Add(writeAwait)); err != nil {
		return err
	}
	return wire.WriteFrame(w.conn, f)
}
