package handover_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/staunchid/staunch/transfer/handover"
)

// TestNonceAfterHello: C's part is fixed before N's nonce is drawn, and there is no
// number before both are there.
func TestNonceAfterHello(t *testing.T) {
	p := newRig(t).meet(t)
	if _, err := p.n.Answer(); !errors.Is(err, handover.ErrOrder) {
		t.Errorf("an answer before the hello: %v", err)
	}
	p.make("hello")
	if _, err := p.c.Number(); !errors.Is(err, handover.ErrOrder) {
		t.Errorf("a number before the answer: %v", err)
	}
	p.take("hello")
	if err := p.n.Number("000000"); !errors.Is(err, handover.ErrOrder) || p.n.TriesLeft() != 3 {
		t.Errorf("typed before the answer: %v, %d left", err, p.n.TriesLeft())
	}
	p.make("answer")
	again, err := p.n.Answer()
	p.ok("answer", err)
	if !bytes.Equal(again.Message, p.e["answer"].Message) {
		t.Error("another nonce for who asks again")
	}
}

// TestNumberThreeTries: three in all, over restarts, and the right number is no good
// after them.
func TestNumberThreeTries(t *testing.T) {
	for _, wrong := range []int{0, 1, 2, 3} {
		p := newRig(t).meet(t).walk(handover.StepAnswer)
		right, err := p.c.Number()
		p.ok("number", err)
		no := "000000"
		if right == no {
			no = "000001"
		}
		for i := range wrong {
			var e *handover.NumberError
			if err := p.n.Number([]string{no, "", right + "0"}[i]); !errors.As(err, &e) || !errors.Is(err, handover.ErrNumber) || e.Left != 2-i {
				t.Fatalf("wrong number %d: %v", i+1, err)
			}
			p.restart()
		}
		if _, err := p.n.Matched([]byte("{}"), nil); err == nil {
			t.Error("matched before the number was right")
		}
		err = p.n.Number(right[:2] + " " + right[2:4] + "-" + right[4:])
		if wrong < 3 && err != nil || wrong == 3 && !errors.Is(err, handover.ErrErased) {
			t.Errorf("right after %d wrong ones: %v", wrong, err)
		}
		if wrong < 3 {
			p.restart()
			p.must("matched")(p.n.Matched([]byte("{}"), nil))
			p.take("matched")
		}
	}
}

// TestFalseClass: who did not hear the beacon cannot say that it did, and a server
// cannot say it for him.
func TestFalseClass(t *testing.T) {
	r := newRig(t)
	t.Run("another code's beacon", func(t *testing.T) {
		p, other := r.meet(t), r.meet(t)
		b, err := other.n.Beacon()
		p.ok("beacon", err)
		for _, heard := range [][]byte{b, b[:19], nil} {
			if _, err := p.c.Hello(handover.ClassLAN, heard); !errors.Is(err, handover.ErrBeacon) {
				t.Errorf("%x: %v", heard, err)
			}
		}
		mine, err := p.n.Beacon()
		p.ok("beacon", err)
		if _, err := p.c.Hello(handover.ClassNear, mine); !errors.Is(err, handover.ErrBeacon) {
			t.Errorf("a class that the code does not offer: %v", err)
		}
		if _, err := p.c.Hello(handover.ClassNone, mine); !errors.Is(err, handover.ErrBeacon) {
			t.Errorf("none, with a beacon: %v", err)
		}
	})
	t.Run("C lies", func(t *testing.T) {
		p := r.meet(t)
		e, err := p.c.Lie(handover.ClassLAN, handover.Proximity{})
		p.ok("hello", err)
		if _, err := p.n.HandleHello(e); !errors.Is(err, handover.ErrMAC) {
			t.Errorf("no beacon heard: %v", err)
		}
	})
	t.Run("C makes more of it", func(t *testing.T) {
		p := r.meet(t)
		b, err := p.n.Beacon()
		p.ok("beacon", err)
		prox, err := p.c.OpenBeacon(b)
		p.ok("open", err)
		e, err := p.c.Lie(handover.ClassNear, prox)
		p.ok("hello", err)
		if _, err := p.n.HandleHello(e); !errors.Is(err, handover.ErrBeacon) {
			t.Errorf("heard over the network, says near: %v", err)
		}
	})
	t.Run("the server alters it", func(t *testing.T) {
		p := r.meet(t)
		e, err := p.c.Hello(handover.ClassNone, nil)
		p.ok("hello", err)
		m, err := handover.Decode[handover.Hello](e.Message)
		p.ok("decode", err)
		m.Class = handover.ClassLAN
		if e.Message, err = handover.Encode(&m); err != nil {
			t.Fatal(err)
		}
		if _, err := p.n.HandleHello(e); !errors.Is(err, handover.ErrMAC) {
			t.Errorf("none made lan: %v", err)
		}
	})
}
