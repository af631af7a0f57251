package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/staunchid/staunch/client"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
)

// brokenLink is a network whose connections break after some bytes of a body: in a PUT,
// or in what a GET brings.
type brokenLink struct{ every int64 }

func (l *brokenLink) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut && r.ContentLength > l.every {
		io.CopyN(io.Discard, r.Body, l.every) //nolint:errcheck // it breaks
		return nil, errors.New("connection reset")
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet && res.ContentLength > l.every {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(res.Body, l.every), errReader{}), res.Body}
	}
	return res, err
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

// TestBrokenLinks: over a link that breaks at any byte the move gets on, with smaller
// segments on the one side and the rest of them on the other.
func TestBrokenLinks(t *testing.T) {
	for _, every := range []int64{100_000, 1_500_001} {
		t.Run(fmt.Sprint(every), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, map[string]string{"f": strings.Repeat("12345678", 400_000)})
			p.c.next = &brokenLink{every}
			p.n.next = &brokenLink{every / 3}
			n, c := p.run(t.Context())
			p.complete(n, c)
			if !strings.Contains(p.c.said(), "retry") || !strings.Contains(p.n.said(), "retry") {
				t.Errorf("old: %s\nnew: %s", p.c.said(), p.n.said())
			}
		})
	}
}

// TestSuccessIsNotAssumed: a connection that breaks, or a server that is gone, is no
// word of the new phone's: the old one stays as it is.
func TestSuccessIsNotAssumed(t *testing.T) {
	p := newPair(t, map[string]string{"f": "1"})
	var sealedAt atomic.Bool
	p.c.next = roundTripper(func(r *http.Request) (*http.Response, error) {
		if sealedAt.Load() {
			return nil, io.EOF
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if strings.HasSuffix(r.URL.Path, "/Seal") {
			sealedAt.Store(true)
		}
		return res, err
	})
	n, c := p.run(t.Context())
	if !errors.Is(c.err, client.ErrUnreachable) || len(p.c.did) > 0 || !strings.Contains(p.c.state, `"token"`) {
		t.Fatalf("%v, did %v", c.err, p.c.did)
	}
	p.c.next = nil // the new phone needs nobody any more
	p.complete(n, p.send(t.Context()))
}

// TestReasonOnBothSides: whoever ends a move, both phones say why.
func TestReasonOnBothSides(t *testing.T) {
	wait := func(h *handset, event string) {
		for range 400 {
			if strings.Contains(h.said(), event) {
				return
			}
			time.Sleep(25 * time.Millisecond)
		}
	}
	for name, tt := range map[string]struct {
		change func(t *testing.T, p *pair)
		reason string
		left   int
	}{
		"the person says no": {func(_ *testing.T, p *pair) {
			p.c.ask = func(*client.Peer) (bool, error) { return false, nil }
		}, "user_cancelled", 3},
		"the number is wrong": {func(_ *testing.T, p *pair) {
			p.n.typed = func(n string) string { return "1" + n[:5] }
		}, "number_mismatch", 0},
		"the new phone is cancelled": {func(t *testing.T, p *pair) {
			p.relay.held = time.Minute
			go func() {
				wait(p.n, "held")
				if st, err := p.n.start().CancelMove(context.Background(), beside(p.n)); err != nil || st.Reason != "user_cancelled" {
					t.Errorf("%+v, %v", st, err)
				}
			}()
		}, "user_cancelled", 3},
		"the old phone is cancelled": {func(t *testing.T, p *pair) {
			p.relay.held = time.Minute
			go func() {
				wait(p.c, "held")
				if _, err := p.c.start().CancelMove(context.Background(), beside(p.c)); err != nil {
					t.Error(err)
				}
			}()
		}, "user_cancelled", 3},
		"the server ends it": {func(_ *testing.T, p *pair) {
			p.relay.held = time.Minute
			go func() {
				wait(p.c, "held")
				p.relay.mu.Lock()
				defer p.relay.mu.Unlock()
				p.relay.v.State, p.relay.v.Reason = transferv1.TransferState_TRANSFER_STATE_ABORTED, "account_changed"
				p.relay.bump("aborted")
			}()
		}, "account_changed", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, aHistory())
			tt.change(t, p)
			n, c := p.run(t.Context())
			for who, o := range map[string]outcome{"new": n, "old": c} {
				if e := (*client.MoveEnded)(nil); !errors.As(o.err, &e) || e.Reason != tt.reason || e.State != "aborted" {
					t.Errorf("%s: %v", who, o.err)
				}
			}
			for _, h := range []*handset{p.n, p.c} {
				st, err := h.start().MoveStatus(t.Context(), moving(h))
				if err != nil || st.State != "aborted" || st.Reason != tt.reason {
					t.Errorf("%+v, %v", st, err)
				}
				if left, _ := filepath.Glob(filepath.Join(h.dir, "transfer", "*", "*")); len(left) != 1 {
					t.Errorf("what is left: %v", left)
				}
				if data, err := os.ReadFile(filepath.Join(h.dir, "transfer", map[*handset]string{p.n: "receive", p.c: "send"}[h], "move.json")); err != nil || strings.Contains(string(data), `"half"`) {
					t.Errorf("the keys of the move are left: %v", err)
				}
			}
			if len(p.c.did) > 0 || p.n.keys != nil {
				t.Errorf("the old phone did %v", p.c.did)
			}
			// Another move can begin.
			p.relay.held, p.n.typed, p.c.ask = 0, nil, nil
			for len(p.c.uri) > 0 {
				<-p.c.uri
			}
			for len(p.c.number) > 0 {
				<-p.c.number
			}
			if err := os.RemoveAll(filepath.Join(p.c.dir, "transfer", "send")); err != nil {
				t.Fatal(err)
			}
			p.complete(p.run(t.Context()))
		})
	}
}

func beside(h *handset) *client.Moving {
	m := h.moving()
	m.Beside, m.Events = true, nil
	return &m
}

// TestNumber: a wrong number costs a try, also over a restart, and the right one is
// taken however it is typed.
func TestNumber(t *testing.T) {
	p := newPair(t, nil)
	ctx, stop := context.WithCancel(t.Context())
	c := make(chan outcome, 1)
	go func() { c <- p.send(t.Context()) }()
	typed := 0
	p.n.typed = func(n string) string {
		switch typed++; typed {
		case 1:
			return "x"
		case 2:
			stop() // the phone is killed while it asks again
			return "y"
		}
		return " " + n[:3] + "-" + n[3:]
	}
	if n := p.receive(ctx); n.err == nil {
		t.Fatal("not stopped")
	}
	n := p.receive(t.Context())
	p.complete(n, <-c)
	var left []int
	for _, e := range p.n.events {
		if e.Event == client.EventNumberWanted {
			left = append(left, e.TriesLeft)
		}
	}
	if len(left) < 3 || left[0] != 3 || left[1] != 2 || left[len(left)-1] != 1 {
		t.Error("tries left:", left)
	}
}

// TestHold: while a move is held the new phone stores ciphertext, and opens nothing;
// then it goes on with that, and the person says yes once more.
func TestHold(t *testing.T) {
	p := newPair(t, aHistory())
	p.relay.held = 3 * time.Second
	opened := make(chan string, 1)
	go func() {
		time.Sleep(2500 * time.Millisecond)
		spooled, _ := filepath.Glob(filepath.Join(p.n.dir, "transfer", "receive", "spool", "1", "*"))
		staged, _ := filepath.Glob(filepath.Join(p.n.dir, "transfer", "receive", "staging", "files", "*"))
		opened <- fmt.Sprint(len(spooled) > 0, " ", len(staged))
	}()
	p.complete(p.run(t.Context()))
	if got := <-opened; got != "true 0" {
		t.Errorf("while held: ciphertext, plaintext: %s", got)
	}
	for _, h := range []*handset{p.n, p.c} {
		if !strings.Contains(h.said(), "confirmed held") {
			t.Error(h.said())
		}
	}
	if left, _ := filepath.Glob(filepath.Join(p.n.dir, "transfer", "receive", "*")); len(left) != 1 {
		t.Errorf("what is left: %v", left)
	}
}

// TestNoLocks: a connection that hangs, of a phone that is gone, is nobody's concern.
func TestNoLocks(t *testing.T) {
	p := newPair(t, aHistory())
	hang, hung := make(chan struct{}), make(chan struct{})
	defer close(hang)
	var once atomic.Bool
	p.relay.put = func(uint64, []byte) int {
		if once.CompareAndSwap(false, true) {
			close(hung)
			<-hang
		}
		return 0
	}
	ctx, stop := context.WithCancel(t.Context())
	go func() { <-hung; stop() }()
	n := make(chan outcome, 1)
	go func() { n <- p.receive(t.Context()) }()
	if c := p.send(ctx); !errors.Is(c.err, context.Canceled) {
		t.Fatal(c.err)
	}
	c := p.send(t.Context())
	p.complete(<-n, c)
}

// TestTwoSendersAtOnce: two programs send one move, from one home. They do not get in
// each other's way, nor send anything that the other does not know.
func TestTwoSendersAtOnce(t *testing.T) {
	p := newPair(t, aHistory())
	p.relay.held = 2 * time.Second // both upload meanwhile
	n := make(chan outcome, 1)
	go func() { n <- p.receive(t.Context()) }()
	ctx, stop := context.WithCancel(t.Context())
	first := make(chan outcome, 1)
	go func() { first <- p.send(ctx) }()
	for !strings.Contains(p.c.said(), "confirmed") {
		time.Sleep(10 * time.Millisecond)
	}
	second := make(chan outcome, 1)
	go func() { second <- p.send(t.Context()) }()
	time.Sleep(1500 * time.Millisecond)
	stop()
	<-first
	p.complete(<-n, <-second)
	if strings.Contains(p.c.said(), "restarted") {
		t.Error(p.c.said())
	}
	for first, times := range p.relay.puts {
		if times > 1 {
			t.Errorf("the segment at record %d was stored %d times", first, times)
		}
	}
}

// TestSourceGrows: a file that is written while it is sent makes a new revision, and
// arrives as it is then.
func TestSourceGrows(t *testing.T) {
	p := newPair(t, map[string]string{"a": "1", "photos/zeros": strings.Repeat("original", 3<<20)})
	var once atomic.Bool
	p.relay.put = func(uint64, []byte) int {
		if once.CompareAndSwap(false, true) {
			write(t, p.c.history(), map[string]string{"photos/zeros": strings.Repeat("changed ", 1<<20), "photos/new": "1"})
		}
		return 0
	}
	p.complete(p.run(t.Context()))
	if !strings.Contains(p.c.said(), "restarted") {
		t.Error(p.c.said())
	}
}

// TestServerLosesSegments: what the server has had and lost is sent anew, all of it:
// the new phone may have the part that is lost, under another leaf.
func TestServerLosesSegments(t *testing.T) {
	p := newPair(t, aHistory())
	p.relay.held = time.Second
	go func() {
		for !strings.Contains(p.c.said(), "held") {
			time.Sleep(10 * time.Millisecond)
		}
		for lost := false; !lost; time.Sleep(10 * time.Millisecond) { // it comes while the move is held
			p.relay.mu.Lock()
			_, lost = p.relay.segments[64]
			delete(p.relay.segments, 64)
			p.relay.mu.Unlock()
		}
	}()
	p.relay.incomplete = true
	p.complete(p.run(t.Context()))
	if !strings.Contains(p.c.said(), "restarted") {
		t.Error(p.c.said())
	}
}

// TestKeysClosed: keys that are not those of the grant are neither stored nor
// acknowledged.
func TestKeysClosed(t *testing.T) {
	p := newPair(t, nil)
	p.n.foreign = true
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	n, _ := p.run(ctx)
	if !errors.Is(n.err, client.ErrKeysClosed) || p.n.keys != nil || strings.Contains(p.c.said(), "done") {
		t.Errorf("%v", n.err)
	}
	p.relay.mu.Lock()
	for i := range p.relay.steps {
		if p.relay.steps[i].Step == "ack" {
			t.Error("acknowledged")
		}
	}
	p.relay.mu.Unlock()
	p.n.foreign = false
	n, c := p.run(t.Context())
	p.complete(n, c)
}

// TestUnclaimed: a code that nobody scans is worth nothing after its time, by the new
// phone's own clock; it shows another one.
func TestUnclaimed(t *testing.T) {
	p := newPair(t, nil)
	p.relay.ttl = 1
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan outcome, 1)
	go func() { done <- p.receive(ctx) }()
	first := <-p.c.uri
	time.Sleep(1500 * time.Millisecond)
	var second string
	select {
	case second = <-p.c.uri:
	case <-time.After(5 * time.Second):
	}
	a, errA := handover.ParseCode(first)
	b, errB := handover.ParseCode(second)
	if errA != nil || errB != nil || a.ID == b.ID || a.KeyHash == b.KeyHash || a.Secret.Equal(b.Secret) {
		t.Fatalf("%v, %v, or something of the first code came again", errA, errB)
	}
	if _, err := p.c.send(t.Context(), first); err == nil {
		t.Error("the first code still works")
	}
	cancel()
	<-done
}
