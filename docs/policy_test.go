package docs_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

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
// sample of docs/attestation.md, a "demo-part" at the end of the policy of
// `staunch dev`, and a "config" is a whole configuration file.
func TestTOML(t *testing.T) {
	blocks := tomlBlocks(t)
	sample := ""
	for _, b := range blocks {
		if b.page == "docs/attestation.md" && b.kind == "policy" {
			sample = b.text
		}
	}
	if sample == "" {
		t.Fatal("docs/attestation.md has no policy")
	}
	for _, b := range blocks {
		var err error
		switch b.kind {
		case "policy":
			err = decodePolicy(b.text)
		case "policy-part":
			err = decodePolicy(sample + "\n" + b.text)
		case "demo-part":
			err = decodePolicy(attesttest.DemoPolicy() + "\n" + b.text)
		case "config":
			_, err = config.Parse([]byte(b.text))
		default:
			t.Errorf("%s: a block of kind %q", b.page, b.kind)
		}
		if err != nil {
			t.Errorf("%s: %v in\n%s", b.page, err, b.text)
		}
	}
	for _, key := range keysOf(reflect.TypeFor[attest.PolicyFile]()) {
		if !regexp.MustCompile(`\b` + key + `\b`).MatchString(sample) {
			t.Errorf("the policy in docs/attestation.md does not show the key %s", key)
		}
	}
}

func decodePolicy(text string) error {
	var f attest.PolicyFile
	if err := config.Decode([]byte(text), &f); err != nil {
		return err
	}
	_, err := attest.NewPolicy(&f)
	return err
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
