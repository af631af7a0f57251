package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestRun: what the command line says, and the exit code that it means.
func TestRun(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"help", []string{"-h"}, 0, "witness-at"},
		{"no such flag", []string{"-x"}, 2, "not defined"},
		{"no flag", []string{"x"}, 2, `"x" is no flag`},
		{"a witness without an address", []string{"-witness-at", "w1"}, 2, "want ID=ADDRESS"},
		{"no id", []string{"-dir", t.TempDir()}, 1, "is no id"},
		{"an empty folder", []string{"-id", "v1", "-dir", t.TempDir()}, 1, "config.cbor"},
		{"an empty folder of a witness", []string{"-witness", "-id", "w1", "-dir", t.TempDir()}, 1, "config.cbor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := os.Open(os.DevNull) // no pipe: it says nothing
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			var out, logs bytes.Buffer
			if code := run(c.args, in, &out, &logs); code != c.code || !strings.Contains(logs.String(), c.want) || out.Len() > 0 {
				t.Errorf("exit %d, %q, %q", code, out.String(), logs.String())
			}
		})
	}
}
