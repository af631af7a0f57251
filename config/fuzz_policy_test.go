package config_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
)

// FuzzDecodePolicy: a policy file in TOML is decoded or refused with an error
// that names key and line; what is decoded becomes a policy with one digest or
// is refused with its key.
func FuzzDecodePolicy(f *testing.F) {
	text := attesttest.DemoPolicy()
	f.Add([]byte(text))
	roots := regexp.MustCompile(`(?s)dangerous_extra_roots = \[.*?\n\]`)
	short := roots.ReplaceAllString(text, "dangerous_extra_roots = []") // they are most of it
	if len(short) > len(text)/2 {
		f.Fatal("the roots are still there")
	}
	f.Add([]byte(short))
	f.Add([]byte(strings.Replace(short, "version = 1", "version = 2", 1)))
	f.Add([]byte(short + "\n[[exception]]\nid = \"x\"\napps = [\"demo\"]\ncheck = \"ca_bit\"\nposition = 1\nmatch = { batch_spki = [] }\n" +
		"owner = \"o\"\nticket = \"t\"\nreason = \"r\"\nnot_before = 2026-11-01T00:00:00Z\nexpires = 2027-05-01T00:00:00Z\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		var file, again attest.PolicyFile
		if err := config.Decode(data, &file); err != nil {
			if !errors.Is(err, config.ErrInvalid) {
				t.Fatalf("%v", err)
			}
			return
		}
		p, err := attest.NewPolicy(&file)
		if err != nil {
			var wrong *attest.PolicyError
			if !errors.As(err, &wrong) || wrong.Key == "" {
				t.Fatalf("%v", err)
			}
			if line := config.Line(data, wrong.Key); line < 0 {
				t.Fatalf("%s is on line %d", wrong.Key, line)
			}
			return
		}
		if err := config.Decode(data, &again); err != nil {
			t.Fatal(err)
		}
		if q, err := attest.NewPolicy(&again); err != nil || q.Digest() != p.Digest() {
			t.Errorf("a second time: %v", err)
		}
	})
}
