package attest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/config"
)

// TestEverything: the policy file with everything in it sets every key, and its
// canonical form is the golden one: a change of it changes the digest of every
// policy there is, and what is kept by digest is not found again. -update writes
// it.
func TestEverything(t *testing.T) {
	var f attest.PolicyFile
	if err := config.Decode(readFile(t, "testdata", "policies", "everything.toml"), &f); err != nil {
		t.Fatal(err)
	}
	f.Android.DangerousExtraRoots, f.Apple.DangerousExtraRoots = []string{"-"}, []string{"-"} // empty in the file, and shown
	set := map[string]bool{}
	keysSet(reflect.ValueOf(f), "", set)
	for key, isSet := range set {
		if !isSet {
			t.Errorf("%s is set nowhere", key)
		}
	}
	if len(set) < 70 {
		t.Errorf("%d keys", len(set))
	}
	f.Android.DangerousExtraRoots, f.Apple.DangerousExtraRoots = nil, nil
	p, err := attest.NewPolicy(&f)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := json.Indent(&text, p.Canonical(), "", "  "); err != nil {
		t.Fatal(err)
	}
	text.WriteByte('\n')
	into := filepath.Join("testdata", "policies", "everything.json")
	if *update {
		if err := os.WriteFile(into, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden := readFile(t, into)
	if diff := cmp.Diff(string(golden), text.String()); diff != "" {
		t.Errorf("golden (-), now (+):\n%s", diff)
	}
	back, err := attest.ParsePolicy(golden)
	if err != nil || back.Digest() != p.Digest() {
		t.Errorf("the golden form reads as another policy: %v", err)
	}
	if w := p.Warnings(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)); len(w) != 1 || w[0].Key != "exception[1].expires" {
		t.Errorf("warnings: %v", w)
	}
}

// keysSet notes for each key whether some value of it is not zero.
func keysSet(v reflect.Value, path string, set map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			keysSet(v.Elem(), path, set)
		}
		return
	case reflect.Slice:
		set[path] = set[path] || v.Len() > 0
		if v.Type().Elem().Kind() == reflect.Struct {
			for i := range v.Len() {
				keysSet(v.Index(i), path, set)
			}
		}
		return
	case reflect.Struct:
		if _, ok := v.Interface().(time.Time); !ok {
			for i := range v.NumField() {
				keysSet(v.Field(i), path+"."+v.Type().Field(i).Name, set)
			}
			return
		}
	}
	set[path] = set[path] || !v.IsZero()
}
