package vault

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/staunchid/staunch/recovery/wire"
)

// How much a witness takes on at once.
const (
	maxGreeting = 32  // connections of strangers
	maxWriting  = 512 // writes of one peer that are not durable yet
)

// Serve answers replicas and witnesses on ln until ctx ends (rule Q6). A
// witness-only process is this and Run.
func (w *Witness) Serve(ctx context.Context, ln net.Listener, o *LinkOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	config, err := o.tlsConfig()
	if err != nil {
		return err
	}
	log := o.logger()
	ctx, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	greeting := make(chan struct{}, maxGreeting)
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("vault: the witness %s no longer listens: %w", w.id, err)
		}
		select {
		case greeting <- struct{}{}:
		default:
			conn.Close() // a flood of strangers
			continue
		}
		conns.Go(func() {
			defer conn.Close()
			l, err := o.greet(ctx, tls.Server(conn, config))
			<-greeting
			switch {
			case errors.Is(err, io.EOF): // closed before it said anything: somebody looked whether it listens
				return
			case err != nil:
				log.Warn("a link was refused", "witness", w.id, "error", err)
				return
			}
			w.serve(ctx, l)
		})
	}
}

// serve answers one peer, in the order in which the answers are ready.
func (w *Witness) serve(ctx context.Context, l *link) {
	out := newFrames(l.conn)
	ctx, cancel := context.WithCancel(ctx)
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer cancel()
	defer out.end()
	defer context.AfterFunc(ctx, out.end)()
	writing := make(chan struct{}, maxWriting)
	for {
		r, err := wire.ReadFrame[request](l.in)
		if err != nil {
			return
		}
		switch r.kind {
		case askLoad:
			h, err := w.loadFor(l.peer, &r)
			err = say(out, r.id, &h, nil, err)
			if err != nil {
				return
			}
		case askWrite:
			wait, known, err := w.writeFor(l.peer, &r)
			if err != nil {
				if say(out, r.id, nil, known, err) != nil {
					return
				}
				continue
			}
			writing <- struct{}{}
			waiting.Go(func() {
				defer func() { <-writing }()
				head, err := wait()
				if say(out, r.id, &head, nil, err) != nil {
					out.end()
				}
			})
		case askJoin:
			waiting.Go(func() {
				if w.joinFor(ctx, l.peer, &r, out) != nil {
					out.end()
				}
			})
		case askClock:
			now := millis(w.clock().UnixMilli())
			if say(out, r.id, &now, nil, nil) != nil {
				return
			}
		case askHead:
			h := w.headAt(r.n)
			if say(out, r.id, &h, nil, nil) != nil {
				return
			}
		}
	}
}

// errNotYours: a replica may load and write marks of its own vault only (Q6).
var errNotYours = errors.New("vault: the marks of another vault")

func (w *Witness) loadFor(peer identity, r *request) (Held, error) {
	if peer.vault != r.vault {
		return Held{}, errNotYours
	}
	return w.load(account{r.vault, r.acct})
}

func (w *Witness) writeFor(peer identity, r *request) (func() (Head, error), wire.View, error) {
	if peer.vault != r.vault {
		return nil, nil, errNotYours
	}
	return w.write(r.vault, r.mark, r.view)
}

func (w *Witness) joinFor(ctx context.Context, peer identity, r *request, out *frames) error {
	if peer.boot != r.inc.Boot {
		return say(out, r.id, nil, nil, fmt.Errorf("%w: the boot of somebody else", wire.ErrMalformed))
	}
	m, err := w.join(ctx, peer.witness, r.inc, func(marks []VaultMark) error {
		p := page(marks)
		body, err := wire.Encode(&p)
		if err != nil {
			return err
		}
		return out.put(&answer{r.id, sayPage, body})
	})
	return say(out, r.id, &m, m.View, err)
}

// say answers a request: with body, or with why not.
func say(out *frames, id uint64, body wire.Coded, known wire.View, why error) error {
	a := answer{id: id, code: sayOK}
	switch {
	case errors.Is(why, ErrStale):
		a.code, body = sayStale, &known
	case errors.Is(why, ErrAmnesia):
		a.code, body = sayAmnesia, nil
	case why != nil:
		a.code, a.body, body = sayNo, []byte(why.Error()), nil
	}
	if body != nil {
		b, err := wire.Encode(body)
		if err != nil {
			return err
		}
		a.body = b
	}
	return out.put(&a)
}
