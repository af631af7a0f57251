package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/client"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
	"github.com/staunchid/staunch/transfer/sealed"
)

// forged is an envelope of a message that nobody has signed.
func forged(t *testing.T, message []byte) []byte {
	t.Helper()
	b, err := handover.Envelope{Message: message, Proof: make([]byte, 64)}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// must is the bytes of a message.
func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// shows adds an envelope to a view.
func shows(v *transferv1.View, step string, b []byte) {
	v.Envelopes = append(v.Envelopes, &transferv1.Envelope{Step: step, Bytes: b})
	v.Version += 100
}

// TestForgedCommit: the old phone signs itself out for the new one's receipt over the
// very stream that it has granted, and for nothing else.
func TestForgedCommit(t *testing.T) {
	for name, lie := range map[string]func(t *testing.T, v *transferv1.View){
		"no receipt": func(_ *testing.T, v *transferv1.View) {
			v.Version += 100
		},
		"nobody's receipt": func(t *testing.T, v *transferv1.View) {
			shows(v, "receipt", forged(t, must(handover.Encode(&handover.Receipt{}))))
		},
		"no envelope": func(_ *testing.T, v *transferv1.View) { shows(v, "receipt", []byte("receipt")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, map[string]string{"f": "1"})
			p.relay.lie = func(v *transferv1.View, receiver bool) {
				if v.State == transferv1.TransferState_TRANSFER_STATE_SEALED {
					if receiver { // who would receive it does not hear of it
						v.State, v.Envelopes = transferv1.TransferState_TRANSFER_STATE_STREAMING, nil
						return
					}
					v.State = transferv1.TransferState_TRANSFER_STATE_COMMITTED
					lie(t, v)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, c := p.run(ctx)
			if c.err == nil || len(p.c.did) > 0 || !strings.Contains(p.c.state, `"token"`) || strings.Contains(p.c.said(), "signed_out") {
				t.Errorf("%v; did %v; said %s", c.err, p.c.did, p.c.said())
			}
			if want := name != "no receipt"; errors.Is(c.err, client.ErrMoveCheck) != want {
				t.Error(c.err)
			}
		})
	}
}

// moved is a pair whose account has moved.
func moved(t *testing.T) *pair {
	t.Helper()
	p := newPair(t, map[string]string{"f": "1"})
	p.complete(p.run(t.Context()))
	return p
}

func (r *relay) tell(lie func(v *transferv1.View, receiver bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lie = lie
}

// TestForgedFinal: the old phone wipes itself when one of the two phones has signed
// that the window is over, or when it is by its own clock.
func TestForgedFinal(t *testing.T) {
	final := func(more func(v *transferv1.View)) func(*transferv1.View, bool) {
		return func(v *transferv1.View, _ bool) {
			v.State = transferv1.TransferState_TRANSFER_STATE_FINAL
			more(v)
		}
	}
	p := moved(t)
	for name, more := range map[string]func(v *transferv1.View){
		"the server's word": func(*transferv1.View) {},
		"nobody's final": func(v *transferv1.View) {
			shows(v, "final", forged(t, must(handover.Encode(&handover.Final{StepUp: handover.StepUp{Approval: "v", Assertion: []byte("{}")}}))))
		},
		"no envelope": func(v *transferv1.View) { shows(v, "final", []byte("final")) },
	} {
		p.relay.tell(final(more))
		st, err := p.c.start().MoveStatus(t.Context(), moving(p.c))
		if signed := name != "the server's word"; errors.Is(err, client.ErrMoveCheck) != signed || !signed && err != nil {
			t.Errorf("%s: %v", name, err) // the server alone may know of an end that this phone has slept through
		}
		if strings.Contains(strings.Join(p.c.did, " "), "wipe") || st.State != "acked" {
			t.Errorf("%s: %+v, did %v", name, st, p.c.did)
		}
	}
	p.relay.tell(nil)
	st, err := p.c.start().FinalizeMove(t.Context(), moving(p.c), func(string) error { return nil })
	if err != nil || st.State != "final" || strings.Join(p.c.did, " ") != "lock wipe" {
		t.Errorf("%v, %+v, did %v", err, st, p.c.did)
	}

	p = newPair(t, nil) // by the clock
	p.relay.recall = 0
	p.complete(p.run(t.Context()))
	p.relay.tell(final(func(*transferv1.View) {}))
	st, err = p.c.start().MoveStatus(t.Context(), moving(p.c))
	if err != nil || st.State != "final" || strings.Join(p.c.did, " ") != "lock wipe" {
		t.Errorf("%v, %+v, did %v", err, st, p.c.did)
	}
}

// TestForgedRecall: the new phone wipes itself for the old one's signature alone; for
// the server's word, as after a veto, it is locked and no more.
func TestForgedRecall(t *testing.T) {
	for name, lie := range map[string]func(v *transferv1.View){
		"the server's word": func(*transferv1.View) {},
		"nobody's recall": func(v *transferv1.View) {
			shows(v, "recall", forged(t, must(handover.Encode(&handover.Recall{StepUp: handover.StepUp{Approval: "v", Assertion: []byte("{}")}}))))
		},
	} {
		p := moved(t)
		p.relay.tell(func(v *transferv1.View, _ bool) {
			v.State = transferv1.TransferState_TRANSFER_STATE_RECALLED
			lie(v)
		})
		st, err := p.n.start().MoveStatus(t.Context(), moving(p.n))
		if err != nil || st.State != "recalled" || strings.Join(p.n.did, " ") != "lock" || strings.Contains(p.n.state, `"token"`) {
			t.Errorf("%s: %v, %+v, did %v", name, err, st, p.n.did)
		}
	}
}

// TestRecall: the old phone has the account again, and the new one nothing of it.
func TestRecall(t *testing.T) {
	p := moved(t)
	for range 2 {
		st, err := p.c.start().RecallMove(t.Context(), moving(p.c), "not mine", func(string) error { return nil })
		if err != nil || st.State != "recalled" || strings.Join(p.c.did, " ") != "lock unlock" {
			t.Fatalf("%v, %+v, did %v", err, st, p.c.did)
		}
	}
	for range 2 {
		st, err := p.n.start().MoveStatus(t.Context(), moving(p.n))
		if err != nil || st.State != "recalled" || strings.Join(p.n.did, " ") != "wipe" {
			t.Fatalf("%v, %+v, did %v", err, st, p.n.did)
		}
	}
	if _, err := p.c.start().FinalizeMove(t.Context(), moving(p.c), nil); !errors.Is(err, client.ErrMoveTooLate) {
		t.Error(err)
	}
	if _, err := p.c.send(t.Context(), ""); !errors.Is(err, client.ErrMoveEnded) {
		t.Error(err)
	}
}

// TestWhen: what is too early or too late for a move, and what there is not.
func TestWhen(t *testing.T) {
	p := moved(t)
	show := func(string) error { return nil }
	if _, err := p.c.start().CancelMove(t.Context(), moving(p.c)); !errors.Is(err, client.ErrMoveTooLate) {
		t.Error("cancel after the commit:", err)
	}
	if _, err := p.n.start().RecallMove(t.Context(), moving(p.n), "", show); !errors.Is(err, client.ErrNoMove) {
		t.Error("recall on the new phone:", err)
	}
	asked := false
	if _, err := p.n.start().FinalizeMove(t.Context(), moving(p.n), func(string) error { asked = true; return nil }); !errors.Is(err, client.ErrMoveTooEarly) || asked {
		t.Errorf("the new phone finishes a move of class lan: %v, approved: %v", err, asked)
	}
	if _, err := p.c.start().FinalizeMove(t.Context(), moving(p.c), show); err != nil {
		t.Error(err)
	}
	if _, err := p.c.start().RecallMove(t.Context(), moving(p.c), "", show); !errors.Is(err, client.ErrMoveTooLate) {
		t.Error("recall after the end:", err)
	}
	q := newPair(t, nil)
	if _, err := q.c.start().CancelMove(t.Context(), moving(q.c)); !errors.Is(err, client.ErrNoMove) {
		t.Error("cancel nothing:", err)
	}
	if st, err := q.c.start().MoveStatus(t.Context(), moving(q.c)); err != nil || st.Role != client.RoleNone {
		t.Errorf("%+v, %v", st, err)
	}
	if _, err := q.c.send(t.Context(), ""); !errors.Is(err, client.ErrNoMove) {
		t.Error("send nothing:", err)
	}
	if _, err := q.c.receive(t.Context()); !errors.Is(err, client.ErrEnrolled) {
		t.Error("receive on a phone with an account:", err)
	}
	if _, err := q.n.send(t.Context(), "STAUNCH:/1"); !errors.Is(err, handover.ErrMalformed) {
		t.Error(err)
	}
}

// TestOldPhoneCanStillExport: signed out, it has its keys and its history until the
// move is final.
func TestOldPhoneCanStillExport(t *testing.T) {
	p := moved(t)
	if _, err := p.c.start().MoveStatus(t.Context(), moving(p.c)); err != nil {
		t.Fatal(err)
	}
	if strings.Join(p.c.did, " ") != "lock" || p.c.keys["sealing"] == nil || tree(t, p.c.history())["f"] != "1" {
		t.Errorf("did %v", p.c.did)
	}
}

// TestInjectedItems: a stream is what the old phone has sealed, or the move ends with
// "integrity" on both, and nothing is put in place.
func TestInjectedItems(t *testing.T) {
	strange := func(size int) []byte { // sealed by the server, with all the skill that it has
		k, err := sealed.NewKey(make([]byte, 32))
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := sealed.Seal(nil, k, sealed.Header{Revision: 1, Plain: uint32(size)}, make([]byte, size))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, get := range map[string]func(p *pair, first uint64, b []byte) []byte{
		"a bit of the ciphertext": func(_ *pair, _ uint64, b []byte) []byte { b[1000] ^= 1; return b },
		"a bit of a tag":          func(_ *pair, _ uint64, b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"a bit of the salt":       func(_ *pair, _ uint64, b []byte) []byte { b[40] ^= 1; return b },
		"another revision":        func(_ *pair, _ uint64, b []byte) []byte { b[7] ^= 3; return b },
		"the server's manifest":   func(*pair, uint64, []byte) []byte { return strange(64 * sealed.RecordSize) },
		"the next segment in this one's place": func(p *pair, _ uint64, b []byte) []byte {
			p.relay.mu.Lock()
			defer p.relay.mu.Unlock()
			if next := p.relay.segments[64]; next != nil {
				return append([]byte(nil), next...)
			}
			return b
		},
		"records less": func(_ *pair, first uint64, b []byte) []byte {
			return b[:sealed.HeaderSize+3*(sealed.RecordSize+sealed.TagSize)]
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, map[string]string{"f": strings.Repeat("12345678", 1<<20)})
			p.relay.get = func(first uint64, b []byte) []byte {
				if first > 0 {
					return b
				}
				if name == "the next segment in this one's place" {
					time.Sleep(300 * time.Millisecond) // so that there is one
				}
				return get(p, first, b)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			n, c := p.run(ctx)
			if e := (*client.MoveEnded)(nil); !errors.Is(n.err, client.ErrMoveCheck) || !errors.As(c.err, &e) || e.Reason != "integrity" {
				t.Errorf("new: %v\nold: %v", n.err, c.err)
			}
			if _, err := os.Stat(p.n.history()); err == nil || p.n.keys != nil || len(p.c.did) > 0 {
				t.Errorf("the history is in place, or the keys are; old did %v", p.c.did)
			}
			if left, err := filepath.Glob(filepath.Join(p.n.dir, "transfer", "receive", "*")); err != nil || len(left) != 1 {
				t.Errorf("what is left: %v, %v", left, err)
			}
		})
	}
}

// TestServerInjectedManifest: what the server says of the stream beside it, its list
// and its totals, changes nothing of what arrives.
func TestServerInjectedManifest(t *testing.T) {
	p := newPair(t, aHistory())
	p.relay.lie = func(v *transferv1.View, _ bool) { v.BytesExpected, v.BytesStored, v.BytesAcked = 1, 1<<40, 1<<41 }
	p.complete(p.run(t.Context()))

	q := newPair(t, map[string]string{"f": "1"})
	revision := func() uint32 {
		q.relay.mu.Lock()
		defer q.relay.mu.Unlock()
		return q.relay.v.Revision
	}
	q.relay.put = func(first uint64, b []byte) int { // another one than the old phone has sealed
		if revision() > 1 {
			return 0
		}
		h, err := sealed.ParseHeader(b)
		if err != nil {
			t.Error(err)
		}
		h.Salt = [32]byte{}
		k, err := sealed.NewKey(make([]byte, 32))
		if err != nil {
			t.Error(err)
		}
		q.relay.mu.Lock()
		defer q.relay.mu.Unlock()
		q.relay.segments[first], _, err = sealed.Seal(nil, k, h, make([]byte, h.Plain))
		if err != nil {
			t.Error(err)
		}
		return 201
	}
	q.relay.get = func(_ uint64, b []byte) []byte {
		for range 100 {
			if revision() > 1 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		return b
	}
	q.complete(q.run(t.Context()))
	if !strings.Contains(q.c.said(), "restarted") || !strings.Contains(q.n.said(), "restarted") {
		t.Errorf("old: %s\nnew: %s", q.c.said(), q.n.said())
	}
}

// TestForgedAbort: a move that the new phone has signed for was not aborted, whatever
// the server says: the one stays locked, and the other keeps what it has.
func TestForgedAbort(t *testing.T) {
	p := moved(t)
	p.relay.tell(func(v *transferv1.View, _ bool) {
		v.State, v.Reason = transferv1.TransferState_TRANSFER_STATE_ABORTED, "expired"
		v.Version += 100
	})
	for _, h := range []*handset{p.c, p.n} {
		did := strings.Join(h.did, " ")
		if _, err := h.start().MoveStatus(t.Context(), moving(h)); !errors.Is(err, client.ErrMoveCheck) || strings.Join(h.did, " ") != did {
			t.Errorf("%v, did %v", err, h.did)
		}
	}
	p.same()

	q := newPair(t, nil) // while the old phone waits for the new one to open the keys
	q.relay.lie = func(v *transferv1.View, receiver bool) {
		if receiver || v.State != transferv1.TransferState_TRANSFER_STATE_ACKED {
			return
		}
		v.State, v.Reason, v.Envelopes = transferv1.TransferState_TRANSFER_STATE_ABORTED, "expired", nil
	}
	_, c := q.run(t.Context())
	if strings.Contains(q.c.said(), "signed_out") && (!errors.Is(c.err, client.ErrMoveCheck) || strings.Join(q.c.did, " ") != "lock") {
		t.Errorf("%v, did %v", c.err, q.c.did)
	}
}

// TestOtherMove: a move that was begun goes on with the code and the history that it
// was begun with, and with no other.
func TestOtherMove(t *testing.T) {
	p := newPair(t, map[string]string{"f": "1"})
	p.relay.held = time.Minute
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); p.run(ctx) }()
	for !strings.Contains(p.c.said(), "held") {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	<-done
	another, err := client.NewFolderSource(&client.FolderSourceOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	p.c.source = another
	if _, err := p.c.send(t.Context(), ""); !errors.Is(err, client.ErrMoveOther) {
		t.Error("another history:", err)
	}
	p.c.source = nil
	q := newPair(t, nil)
	ctx, stop = context.WithCancel(t.Context())
	defer stop()
	go q.receive(ctx)
	if _, err := p.c.send(t.Context(), <-q.c.uri); !errors.Is(err, client.ErrMoveOther) {
		t.Error("another code:", err)
	}
}

// TestSegmentsAreNotRedirected: the token of a move goes to its server alone.
func TestSegmentsAreNotRedirected(t *testing.T) {
	seen := make(chan string, 100)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Get("Authorization") }))
	defer other.Close()
	p := newPair(t, map[string]string{"f": "1"})
	p.relay.put = func(uint64, []byte) int { return http.StatusTemporaryRedirect }
	p.relay.redirect = other.URL
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, c := p.run(ctx)
	if c.err == nil || len(seen) > 0 {
		t.Errorf("%v; the other server has seen %d calls", c.err, len(seen))
	}
}

// TestOtherApp: a phone moves within its own app.
func TestOtherApp(t *testing.T) {
	p := newPair(t, nil)
	p.relay.audience = "other@localhost"
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := p.n.receive(ctx); !errors.Is(err, client.ErrMoveCheck) {
		t.Error(err)
	}
	p.relay.audience = "demo@localhost"
	go p.receive(ctx)
	offer(p.c.uri, <-p.c.uri)
	p.relay.mu.Lock()
	p.relay.audience = "other@localhost"
	p.relay.mu.Unlock()
	if c := p.send(ctx); !errors.Is(c.err, client.ErrMoveCheck) {
		t.Error(c.err)
	}
}
