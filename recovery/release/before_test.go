package release

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// TestSetBefore: who can write the desk's folder has it sign no set of his own, and
// gives no vault's keys away, however well his fits together.
func TestSetBefore(t *testing.T) {
	own, second, his := newKey(t), newKey(t), newKey(t)
	type folder struct {
		signed  []byte
		configs map[string]wire.Config
	}
	made := func(change func(*Plan), edit func(*wire.VaultSet), by ...ed25519.PrivateKey) (f folder) {
		t.Helper()
		p := plan(own)
		p.Release = wire.ReleaseKeys{K: 1, Keys: []wire.EdKey{Public(own), Public(second)}}
		change(p)
		set, configs, err := p.Make()
		if err != nil {
			t.Fatal(err)
		}
		edit(&set)
		f.configs = configs
		if f.signed, err = Document(&set, by[0]); err != nil {
			t.Fatal(err)
		}
		for _, key := range by[1:] {
			if f.signed, err = Sign(f.signed, key); err != nil {
				t.Fatal(err)
			}
		}
		return f
	}
	asPlanned, asMade := func(*Plan) {}, func(*wire.VaultSet) {}
	both := func(p *Plan) { p.Release.K = 2 }
	for name, tt := range map[string]struct {
		folder
		want error
	}{
		"its own":                {made(asPlanned, asMade, own), nil},
		"its own and another's":  {made(both, asMade, second, own), nil},
		"another desk's":         {made(asPlanned, asMade, second), ErrBefore},
		"of keys that he lists":  {made(func(p *Plan) { p.Release.Keys[1] = Public(his) }, asMade, his), ErrBefore},
		"of keys that he has":    {made(func(p *Plan) { p.Release.Keys = []wire.EdKey{Public(his)} }, asMade, his), ErrBefore},
		"that one key is to do":  {made(both, func(s *wire.VaultSet) { s.Release.K = 1 }, own), ErrBefore},
		"that is another's work": {folder{ceremonyOf(t, own), nil}, ErrDocument},
	} {
		r := &Replacement{
			Signed: tt.signed, Like: tt.configs["v1"], Lost: "v2", New: Party{"v4", "up"}, Measurements: programsOf(t, tt.signed), From: noon, Key: Public(own),
		}
		h := &Handover{Signed: tt.signed, Old: tt.configs["v1"], Next: tt.configs["v1"], NotBefore: noon, NotAfter: noon.Add(time.Hour), Key: Public(own)}
		h.Next.Policy = "strict"
		if _, _, err := r.Make(); !errors.Is(err, tt.want) {
			t.Errorf("a set %s, for a replacement: %v", name, err)
		}
		if _, _, err := h.Make(); !errors.Is(err, tt.want) {
			t.Errorf("a set %s, for a hand-over: %v", name, err)
		}
	}
}

// programsOf is what runs as the vaults of a set, if it is one.
func programsOf(t *testing.T, signed []byte) []wire.Measurement {
	t.Helper()
	set, err := Set(signed)
	if err != nil {
		return []wire.Measurement{{}}
	}
	return set.Vaults[0].Measurements
}

// TestChanges: who signs is shown each member that stays, goes and comes.
func TestChanges(t *testing.T) {
	key := newKey(t)
	first, configs, err := plan(key).Make()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := Document(&first, key)
	if err != nil {
		t.Fatal(err)
	}
	set, _, err := (&Replacement{
		Signed: signed, Like: configs["v1"], Lost: "v2", New: Party{"v4", "up"}, Measurements: first.Vaults[0].Measurements, From: noon, Key: Public(key),
	}).Make()
	if err != nil {
		t.Fatal(err)
	}
	text, err := Changes(signed, &set)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); f[0] == "stays" || f[0] == "goes" || f[0] == "comes" || f[0] == "signed" {
			got = append(got, strings.Join(f[:3], " "))
		}
	}
	want := "stays vault v1,; goes vault v2,; stays vault v3,; stays witness w1,; comes vault v4,; comes witness v2,; signed by " + Public(key).String() + ":"
	if s := strings.Join(got, "; "); s != want || !strings.HasPrefix(text, "vault set, version 2, in the place of version 1\n") {
		t.Errorf("%s\n%s", s, text)
	}
}
