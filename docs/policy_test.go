package docs_test

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
)

// block is a fenced TOML block; kind is what stands behind "toml" on its fence.
type block struct{ page, kind, text string }

func tomlBlocks(t *testing.T) (all []block) {
	t.Helper()
	fence := regexp.MustCompile("(?ms)^```toml *([^\n]*)\n(.*?)^```$")
	for name, page := range pages(t) {
		for _, m := range fence.FindAllStringSubmatch(page, -1) {
			all = append(all, block{name, m[1], m[2]})
		}
	}
	return all
}

// TestTOML: every TOML block of the documents is what it says it is. A
// "policy" is a whole policy file, a "policy-part" is good at the end of the
// sample of docs/policy.md, a "rollout" in the place of the sample's rollout, a
// "demo-part" at the end of that of `staunch dev` with profile strict, a "config" is a
// whole configuration file, a "config-part" is good at the end of the one of
// docs/operations.md. Nothing of a policy is there to do nothing.
func TestTOML(t *testing.T) {
	blocks := tomlBlocks(t)
	sample, base := "", ""
	for _, b := range blocks {
		if b.page == "docs/operations.md" && b.kind == "config" && base == "" {
			base = b.text
		}
		if b.page == "docs/policy.md" && b.kind == "policy" {
			sample = b.text
		}
	}
	if sample == "" {
		t.Fatal("docs/policy.md has no policy")
	}
	for _, b := range blocks {
		var err error
		switch b.kind {
		case "policy":
			err = decodePolicy(b.text)
		case "policy-part":
			err = decodePolicy(sample + "\n" + b.text)
		case "rollout":
			begin := strings.Index(sample, "\nrollout = [")
			end := begin + strings.Index(sample[begin:], "\n]\n")
			err = decodePolicy(sample[:begin+1] + b.text + sample[end+3:])
		case "demo-part":
			err = decodePolicy(strings.Replace(attesttest.DemoPolicy(), `profile = "google"`, `profile = "strict"`, 1) + "\n" + b.text)
		case "config":
			_, err = config.Parse([]byte(b.text))
		case "config-part":
			_, err = config.Parse([]byte(base + "\n" + b.text))
		default:
			t.Errorf("%s: a block of kind %q", b.page, b.kind)
		}
		if err != nil {
			t.Errorf("%s: %v in\n%s", b.page, err, b.text)
		}
	}
	for _, key := range keysOf(reflect.TypeFor[attest.PolicyFile]()) {
		if !regexp.MustCompile(`\b` + key + `\b`).MatchString(sample) {
			t.Errorf("the policy in docs/policy.md does not show the key %s", key)
		}
	}
}

func decodePolicy(text string) error {
	var f attest.PolicyFile
	if err := config.Decode([]byte(text), &f); err != nil {
		return err
	}
	p, err := attest.NewPolicy(&f)
	if err != nil {
		return err
	}
	for _, w := range p.Warnings(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)) {
		return fmt.Errorf("%s: %s", w.Key, w.Reason)
	}
	return nil
}

// keysOf are the keys of a struct and of the structs in it.
func keysOf(t reflect.Type) (keys []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("toml"), ","); name != "" {
			keys = append(keys, name)
			keys = append(keys, keysOf(f.Type)...)
		}
	}
	return keys
}
