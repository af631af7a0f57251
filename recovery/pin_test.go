package recovery_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
)

// TestSixDigits walks all of them. The number is computed from the rules by
// inclusion of each pattern, and is part of the design: much less would let a
// thief's fifteen tries in, much more would annoy honest people.
func TestSixDigits(t *testing.T) {
	refused := 0
	for i := range 1_000_000 {
		if _, err := recovery.NewPIN(fmt.Sprintf("%06d", i), recovery.PINRules{}); errors.Is(err, recovery.ErrPIN) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if refused != 100_261 {
		t.Errorf("%d of 1,000,000 are refused, want 100,261", refused)
	}
}

func TestNewPIN(t *testing.T) {
	long := recovery.PINRules{}
	tests := []struct {
		pin   string
		rules recovery.PINRules
		ok    bool
	}{
		{"482915", long, true},
		{"48291", long, false}, // short
		{"4829", recovery.PINRules{MinLength: 4}, true},
		{"xkq", recovery.PINRules{MinLength: 1}, false}, // whatever a service says
		{"xkq", recovery.PINRules{MinLength: -1}, false},
		{"2912", recovery.PINRules{MinLength: 4}, false}, // a day
		{"1984", recovery.PINRules{MinLength: 4}, false}, // a year
		{strings.Repeat("4829157306k", 6)[:64], long, true},
		{strings.Repeat("4829157306k", 6)[:65], long, false},
		{strings.Repeat("語四八二", 16), long, true}, // 64 characters, 192 bytes
		{"語四八二九一", long, true},
		{" 48291", long, true}, // never trimmed
		{"48291\n", long, false},
		{"4829\x0015", long, false},
		{"4829\xff15", long, false},
		{"４８２９１５", long, true},  // full width: NFKC
		{"１２３４５６", long, false}, // and what it stands for is looked at
		{"291285", long, false}, {"122985", long, false}, {"851229", long, false},
		{"29121985", long, false}, {"19851229", long, false}, {"12291985", long, false},
		{"198573", long, false}, {"731985", long, false}, {"73841999", long, false},
		{"19857362840173", long, true}, // a year and much more
		{"737373", long, false}, {"739739", long, false}, {"777777", long, false}, {"7397397", long, true},
		{"773373", long, false},                          // two digits
		{"135791", long, false}, {"987654", long, false}, // a step modulo 10
		{"738837", long, false}, {"773388", long, false},
		{"abcdef", long, false}, {"fedcba", long, false}, {"acegik", long, false},
		{"racecar", long, false}, {"aabbcc", long, false},
		{"qwertz", long, false}, {"QwErTy", long, false}, {"poiuyt", long, false}, {"asdfghjkl", long, false},
		{"qwerasdf", long, false}, {"1qaz2wsx", long, false}, {"йцукен", long, false},
		{"dragon", long, false}, {"Dragon", long, false}, {"dragon1", long, false}, {"dragon123", long, false},
		{"dragon1985", long, false}, {"!dragon!", long, false}, {"love99", long, false}, {"p@ssw0rd", long, false},
		{"dragon482", long, true}, {"dragon house", long, true}, {"xkcdhb", long, true},
	}
	for _, tc := range tests {
		_, err := recovery.NewPIN(tc.pin, tc.rules)
		if tc.ok && err != nil {
			t.Errorf("%q: %v", tc.pin, err)
		}
		if pe := new(*recovery.PINError); !tc.ok && (!errors.Is(err, recovery.ErrPIN) || !errors.As(err, pe)) {
			t.Errorf("%q: error %v, want ErrPIN", tc.pin, err)
		}
	}
}

// TestLeastPIN: a service can ask for longer PINs than the app does, and never for
// shorter ones.
func TestLeastPIN(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	for _, tt := range []struct {
		name           string
		compiled, says int
		pin            string
		ok             bool
	}{
		{"both six", 0, 6, "482915", true},
		{"a service that lies", 0, 4, "4829", false},
		{"that says nothing", 0, 0, "48291", false},
		{"that says something else", 0, -1, "48291", false},
		{"to an app of eight", 8, 6, "4829157", false},
		{"an app of four", 4, 4, "4829", true},
		{"that nobody overrules", 4, 8, "4829157", false},
		{"which has four", 4, 3, "482", false},
		{"a service that wants more", 0, 8, "4829157", false},
		{"and gets it", 0, 8, "48291573", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p.net.Config = func(c *recovery.Config) { c.PINMin = tt.says }
			c := p.newClient(func(o *recovery.ClientOptions) { o.PINMin = tt.compiled })
			if _, err := c.NewPIN(t.Context(), tt.pin); (err == nil) != tt.ok || err != nil && !errors.Is(err, recovery.ErrPIN) {
				t.Error(err)
			}
		})
	}
	p.net.Script = func(recoverytest.Call) recoverytest.Fault { return recoverytest.Drop }
	if _, err := p.newClient(nil).NewPIN(t.Context(), "482915"); !errors.Is(err, recoverytest.ErrLost) {
		t.Error("no answer:", err)
	}
}

func TestTypedPIN(t *testing.T) {
	for _, pin := range []string{"1", "123456", " x ", strings.Repeat("a", 256)} { // whatever the rules are now
		if _, err := recovery.TypedPIN(pin); err != nil {
			t.Errorf("%q: %v", pin, err)
		}
	}
	for _, pin := range []string{"", "a\x7f", "\xff", strings.Repeat("a", 257)} {
		if _, err := recovery.TypedPIN(pin); !errors.Is(err, recovery.ErrPIN) {
			t.Errorf("%q: error %v, want ErrPIN", pin, err)
		}
	}
	a, _ := recovery.TypedPIN("ｆｏｏ９")
	if b, _ := recovery.TypedPIN("foo9"); !a.Equal(b) {
		t.Error("the same text, written otherwise, is another PIN")
	}
	if b, _ := recovery.TypedPIN("foo8"); a.Equal(b) {
		t.Error("two PINs are equal")
	}
}

// printed is all the ways in which a value gets into a log.
func printed(t *testing.T, v any) string {
	t.Helper()
	var out strings.Builder
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x %d %X", v, v, v, v, v, v, v, v)
	fmt.Fprintf(&out, "%v %#v %x", []any{v}, struct{ V any }{v}, map[string]any{"v": v})
	if b, err := json.Marshal(map[string]any{"v": v}); err == nil {
		out.Write(b)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("", "v", v)
	slog.New(slog.NewTextHandler(&out, nil)).Info("", "v", v)
	return out.String()
}

func TestPINPrintsNothing(t *testing.T) {
	p, err := recovery.NewPIN("482915", recovery.PINRules{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{p, &p} {
		if s := printed(t, v); strings.Contains(s, "482915") || strings.Contains(s, fmt.Sprintf("%x", "482915")) {
			t.Errorf("a PIN in %s", s)
		}
	}
}
