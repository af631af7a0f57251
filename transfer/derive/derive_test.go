package derive_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/staunchid/staunch/transfer/derive"
)

// TestNotation: against values that another implementation has computed from
// spec/transfer.md, "Notation".
func TestNotation(t *testing.T) {
	seven := bytes.Repeat([]byte{7}, 32)
	hash := func(label string, parts ...[]byte) []byte { h := derive.Hash(label, parts...); return h[:] }
	key, err := derive.Key(seven, "ab", []byte("ctx"), 40)
	if err != nil {
		t.Fatal(err)
	}
	extracted, err := derive.Extract([]byte("salt"), []byte("ikm"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{`I("ab", "", "xyz")`, derive.Input("ab", nil, []byte("xyz")), "737461756e63682f7472616e736665722f763100000000026162000000000000000378797a"},
		{`T("ab", "", "xyz")`, hash("ab", nil, []byte("xyz")), "5f4a89b25bf3ddfa1e743a8a0a72dadb46c8e0ab95d11e6aee4d27ad8ce4bf8b"},
		{`T("ab")`, hash("ab"), "a079d18a88ffa3a3112ceabb2fe14241a54d52c0b95017369c18c3b35662731e"},
		{`X(7…, "ab", "ctx", 40)`, key, "949a3cc22030f4b2642f8614247bf318e2a535135c7e1ea24a9c3e445f1a3cd4588e2cfe01ea654c"},
		{`HKDF-Extract("salt", "ikm")`, extracted, "6c1a16bbfd2d010d2b2508af08a0cfb6a6f8445e71e209e4daabbe6d1bebf402"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s is %s, want %s", c.name, got, c.want)
		}
	}
}

// TestKeyLength: HKDF gives at most 255 hashes.
func TestKeyLength(t *testing.T) {
	if _, err := derive.Key(make([]byte, 32), "l", nil, 255*32+1); err == nil {
		t.Error("a key of 8161 bytes")
	}
}
