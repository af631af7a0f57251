package audit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/audit"
)

// TestSeal: each seal covers what no seal covers yet, at most so many entries,
// by account and number, and follows the one before.
func TestSeal(t *testing.T) {
	m := good()
	private := newKey(1)
	now := noon.Add(7*time.Hour + 89) // more than microseconds
	s, err := audit.NewSealerOf(&audit.SealerOptions{Key: signer{private: private}, Update: m.update, Now: func() time.Time { return now }}, 2)
	if err != nil {
		t.Fatal(err)
	}
	var got []bool
	for range 4 {
		sealed, err := s.Seal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, sealed)
	}
	if diff := cmp.Diff([]bool{true, true, true, false}, got); diff != "" {
		t.Error(diff)
	}
	var marks []uint64
	for _, e := range m.entries {
		marks = append(marks, e.Seal)
	}
	if diff := cmp.Diff([]uint64{1, 1, 2, 2, 3}, marks); diff != "" {
		t.Error(diff)
	}
	if r := check(t, m, public(private)); !r.OK() || r.Seals != 3 || r.Unsealed != 0 {
		t.Errorf("%+v", r)
	}
	if !m.seals[0].Time.Equal(now.Truncate(time.Microsecond)) || m.seals[2].Count != 1 {
		t.Errorf("%+v", m.seals)
	}
}

// TestSealFaults: what goes wrong leaves the store as it was, and says so.
func TestSealFaults(t *testing.T) {
	stop := errors.New("stop")
	private := newKey(1)
	tests := []struct {
		name string
		key  signer
		tx   func(tx audit.SealTx) audit.SealTx
		want string
	}{
		{"signer fails", signer{private: private, err: stop}, nil, "sign seal 1: stop"},
		{"signer has another key than it says", signer{private: private, says: public(newKey(2))}, nil, "is no signature by Public"},
		{"store marks too few", signer{private: private}, func(tx audit.SealTx) audit.SealTx { return fewer{tx} }, "over 5 entries, and the store has marked 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := good()
			s, err := audit.NewSealer(&audit.SealerOptions{Key: tt.key, Update: func(ctx context.Context, fn func(audit.SealTx) error) error {
				return m.update(ctx, func(tx audit.SealTx) error {
					if tt.tx != nil {
						tx = tt.tx(tx)
					}
					return fn(tx)
				})
			}})
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := s.Seal(t.Context())
			if sealed || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Seal = %v, %v; want %q", sealed, err, tt.want)
			}
			if len(m.seals) != 0 || m.entries[0].Seal != 0 {
				t.Error("the store has changed")
			}
		})
	}
}

// fewer marks one entry less than it should.
type fewer struct{ audit.SealTx }

func (f fewer) SealAuditEntries(ctx context.Context, number uint64, limit int) (int, error) {
	return f.SealTx.SealAuditEntries(ctx, number, limit-1)
}

// TestSealCutOff: nothing happened before the commit; after it the seal is
// there, also for one whose caller never heard of it. Either way the next call
// goes on.
func TestSealCutOff(t *testing.T) {
	lost := errors.New("lost")
	for name, committed := range map[string]bool{"before the commit": false, "after the commit": true} {
		t.Run(name, func(t *testing.T) {
			m := good()
			cut := true
			s, err := audit.NewSealer(&audit.SealerOptions{Key: signer{private: newKey(1)}, Update: func(ctx context.Context, fn func(audit.SealTx) error) error {
				switch {
				case !cut:
					return m.update(ctx, fn)
				case committed:
					return errors.Join(m.update(ctx, fn), lost)
				}
				return m.update(ctx, func(tx audit.SealTx) error { return errors.Join(fn(tx), lost) })
			}})
			if err != nil {
				t.Fatal(err)
			}
			if sealed, err := s.Seal(t.Context()); sealed || !errors.Is(err, lost) {
				t.Errorf("cut off: %v, %v", sealed, err)
			}
			want := 0
			if committed {
				want = 1
			}
			if r := check(t, m, public(newKey(1))); !r.OK() || r.Seals != want || (r.Unsealed == 0) != committed {
				t.Errorf("after the cut: %+v", r)
			}
			cut = false
			if sealed, err := s.Seal(t.Context()); sealed == committed || err != nil {
				t.Errorf("again: %v, %v", sealed, err)
			}
			if r := check(t, m, public(newKey(1))); !r.OK() || r.Seals != 1 || r.Unsealed != 0 {
				t.Errorf("at the end: %+v", r)
			}
		})
	}
}

// TestSealRewound: a store that has lost seals under a running program is not
// sealed over.
func TestSealRewound(t *testing.T) {
	tests := []struct {
		name   string
		change func(m *memory)
		want   error
	}{
		{"good", func(*memory) {}, nil},
		{"sealed further by another program", func(m *memory) { mustSeal(t, m, newKey(1), 1) }, nil},
		{"an earlier copy", func(m *memory) { *m = *good() }, audit.ErrRewound},
		{"another seal in its place", func(m *memory) { m.seals[0].Time = noon.Add(1e9) }, audit.ErrRewound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := good()
			s, err := audit.NewSealer(&audit.SealerOptions{Key: signer{private: newKey(1)}, Update: m.update})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := m.AppendAudit(t.Context(), entry()); err != nil {
				t.Fatal(err)
			}
			tt.change(m)
			before := len(m.seals)
			sealed, err := s.Seal(t.Context())
			if !errors.Is(err, tt.want) || (err != nil) && (sealed || len(m.seals) != before) {
				t.Errorf("Seal = %v, %v; want %v", sealed, err, tt.want)
			}
		})
	}
}

func TestSealerOptions(t *testing.T) {
	m := good()
	key := signer{private: newKey(1)}
	for name, opts := range map[string]*audit.SealerOptions{
		"none": {}, "no key": {Update: m.update}, "no update": {Key: key},
		"key without a public half": {Key: audit.Key{}, Update: m.update},
	} {
		if _, err := audit.NewSealer(opts); err == nil || !strings.HasPrefix(err.Error(), "audit: sealer options: no ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	synctest.Test(t, func(t *testing.T) { // without Now it is the clock of the machine
		s, err := audit.NewSealer(&audit.SealerOptions{Key: key, Update: m.update})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Seal(t.Context()); err != nil || !m.seals[0].Time.Equal(time.Now()) {
			t.Errorf("%+v, %v", m.seals, err)
		}
	})
}
