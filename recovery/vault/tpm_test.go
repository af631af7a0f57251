package vault

import (
	"context"
	"errors"
	"testing"
)

// boots is a counter in memory.
type boots struct {
	n     uint64
	stuck bool
}

func (c *boots) Value(context.Context) (uint64, error) { return c.n, nil }

func (c *boots) Increment(context.Context) (uint64, error) {
	if !c.stuck {
		c.n++
	}
	return c.n, nil
}

func TestTPM(t *testing.T) {
	ctx := t.Context()
	counter := &boots{n: 7}
	start := func(saved []byte, begin bool) *TPM {
		t.Helper()
		f, err := NewTPM(ctx, &TPMOptions{Counter: counter, Saved: saved, Begin: begin})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := start(nil, true)
	m := Mark{Gen: 1, Ver: 1, Charges: 1, Last: [16]byte{1}}
	if err := f.Advance(ctx, acctOf(1), m); err != nil {
		t.Fatal(err)
	}
	if err := f.Advance(ctx, acctOf(1), Mark{Gen: 1, Ver: 2}); !errors.Is(err, ErrStale) {
		t.Errorf("a charge less: %v", err)
	}
	saved, err := f.Close()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Load(ctx, acctOf(1)); !errors.Is(err, ErrAmnesia) {
		t.Errorf("after the stop: %v", err)
	}
	f = start(saved, false)
	if got, err := f.Load(ctx, acctOf(1)); err != nil || got != m {
		t.Errorf("after a clean stop: %+v, %v", got, err)
	}
	for name, f := range map[string]*TPM{"the same state once more": start(saved, false), "an unclean stop": start(nil, false)} {
		if got, err := f.Load(ctx, acctOf(1)); !errors.Is(err, ErrAmnesia) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if err := f.Advance(ctx, acctOf(1), m); !errors.Is(err, ErrAmnesia) {
			t.Errorf("%s: advanced, %v", name, err)
		}
		if _, err := f.Close(); !errors.Is(err, ErrAmnesia) {
			t.Errorf("%s: saved, %v", name, err)
		}
	}
	if _, err := NewTPM(ctx, &TPMOptions{Counter: counter, Saved: saved, Begin: true}); err == nil {
		t.Error("begins where something was saved")
	}
	if _, err := NewTPM(ctx, &TPMOptions{Counter: &boots{stuck: true}, Begin: true}); err == nil {
		t.Error("a counter that does not move is believed")
	}
}

func TestMemory(t *testing.T) {
	ctx, f := t.Context(), NewMemory()
	m := Mark{Gen: 1, Ver: 5, Charges: 3, Last: [16]byte{1}}
	for _, c := range []struct {
		name string
		m    Mark
		ok   bool
	}{
		{"the first", m, true},
		{"the same", m, true},
		{"equal ver", Mark{Gen: 1, Ver: 5}, false},
		{"smaller ver", Mark{Gen: 1, Ver: 4, Charges: 9}, false},
		{"larger ver, whatever the count", Mark{Gen: 1, Ver: 9}, true},
	} {
		if err := f.Advance(ctx, acctOf(1), c.m); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrStale) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if got, err := f.Load(ctx, acctOf(1)); err != nil || got.Ver != 9 {
		t.Errorf("%+v, %v", got, err)
	}
}
