package release

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// TestReplacement: the new vault has the place of the lost one and a configuration
// that differs by the name alone; everybody else stays what he is.
func TestReplacement(t *testing.T) {
	key := newKey(t)
	first, configs, err := plan(key).Make()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := Document(&first, key)
	if err != nil {
		t.Fatal(err)
	}
	good := func() *Replacement {
		return &Replacement{
			Signed: signed, Like: configs["v1"], Lost: "v2", New: Party{"v4", "up"}, Taken: []string{"v0"},
			Measurements: first.Vaults[0].Measurements, From: noon, Key: Public(key),
		}
	}
	set, config, err := good().Make()
	if err != nil {
		t.Fatal(err)
	}
	hash, err := config.Hash()
	if err != nil || config.Vault != "v4" || len(config.Witnesses) != 4 || config.Witnesses[1] != "v2" {
		t.Errorf("%+v, %v", config, err)
	}
	if set.Version != 2 || *set.Previous != wire.Sum(signed) || len(set.Vaults) != 3 || len(set.WitnessesOnly) != 2 {
		t.Fatalf("%+v", set)
	}
	if m := set.Vaults[1]; m.Vault != "v4" || m.Operator != "up" || m.ConfigHash != hash {
		t.Errorf("%+v", m)
	}
	if m := set.WitnessesOnly[1]; m.Vault != "v2" || m.Operator != "west" || m.ConfigHash != first.Vaults[1].ConfigHash {
		t.Errorf("%+v", m)
	}
	if set.Vaults[0].ConfigHash != first.Vaults[0].ConfigHash || set.Vaults[2].ConfigHash != first.Vaults[2].ConfigHash {
		t.Error("another vault has another configuration now")
	}

	single := plan(key)
	single.Profile, single.Vaults, single.Witnesses = "kr1-single", single.Vaults[:1], nil
	alone, alike, err := single.Make()
	if err != nil {
		t.Fatal(err)
	}
	only, err := Document(&alone, key)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := Document(&first, newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(*Replacement)
		want   error
	}{
		"another's configuration":  {func(r *Replacement) { r.Like.Limit = 9 }, ErrReplace},
		"no vault of the set":      {func(r *Replacement) { r.Lost = "v9" }, ErrReplace},
		"a witness":                {func(r *Replacement) { r.Lost = "w1" }, ErrReplace},
		"the only one":             {func(r *Replacement) { r.Signed, r.Like, r.Lost = only, alike["v1"], "v1" }, ErrReplace},
		"an id of the lost one":    {func(r *Replacement) { r.New.ID = "v2" }, ErrReplace},
		"an id of a witness":       {func(r *Replacement) { r.New.ID = "w1" }, ErrReplace},
		"an id of times before":    {func(r *Replacement) { r.New.ID = "v0" }, ErrReplace},
		"no id":                    {func(r *Replacement) { r.New.ID = "V/4" }, ErrReplace},
		"nobody runs it":           {func(r *Replacement) { r.New.Operator = "" }, ErrReplace},
		"no program":               {func(r *Replacement) { r.Measurements = nil }, ErrReplace},
		"a set that nobody signed": {func(r *Replacement) { r.Signed = []byte{1} }, ErrDocument},
		"a set of another's key":   {func(r *Replacement) { r.Signed = stranger }, ErrDocument},
		"something that is no set": {func(r *Replacement) { r.Signed = ceremonyOf(t, key) }, ErrDocument},
	} {
		r := good()
		tt.change(r)
		if _, _, err := r.Make(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// ceremonyOf is a document that release keys sign, and no vault set.
func ceremonyOf(t *testing.T, key []byte) []byte {
	t.Helper()
	doc, err := Document(&wire.Ceremony{Kind: wire.CeremonyAmnesia, Vault: "v1", NotAfter: 1}, key)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
