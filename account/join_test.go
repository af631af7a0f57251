package account_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
)

// TestJoinCode: a code is read back, and nothing else is one.
func TestJoinCode(t *testing.T) {
	id, hash := account.NewJoinID(), account.JoinKeysHash("k", "x25519", []byte{1})
	good := account.JoinCode(id, hash[:])
	if got, h, err := account.ParseJoinCode(good); err != nil || got != id || !bytes.Equal(h, hash[:16]) {
		t.Fatalf("%s: %s, %x, %v", good, got, h, err)
	}
	for name, code := range map[string]string{
		"empty": "", "without the prefix": good[len("staunch-join:"):], "without a hash": strings.Split(good, ".")[0],
		"another id": strings.Replace(good, "j_", "a_", 1), "a short hash": good[:len(good)-2], "a long hash": good + "AA",
		"padded": good + "==", "not base64url": good[:len(good)-1] + "+",
	} {
		if _, _, err := account.ParseJoinCode(code); !errors.Is(err, account.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestJoinKeysHash: every field counts, and none runs into the next.
func TestJoinKeysHash(t *testing.T) {
	seen := map[[32]byte]bool{}
	for _, f := range [][3]string{{"k", "a", "s"}, {"ka", "", "s"}, {"k", "as", ""}, {"", "ka", "s"}, {"k", "a", "t"}} {
		seen[account.JoinKeysHash(f[0], f[1], []byte(f[2]))] = true
	}
	if len(seen) != 5 {
		t.Errorf("%d hashes of 5", len(seen))
	}
}
