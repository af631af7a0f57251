package server_test

import (
	"bytes"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/server"
)

// TestKeysAreApart: no two keys of an app are one, no two apps share one, and
// each depends on the root secret.
func TestKeysAreApart(t *testing.T) {
	var seen [][]byte
	for _, root := range []string{secret, secret + "x"} {
		for _, id := range []account.AppID{"demo", "chat"} {
			for name, key := range server.AppKeys([]byte(root), id) {
				if len(key) < 32 {
					t.Errorf("%s of %s has %d bytes", name, id, len(key))
				}
				for _, other := range seen {
					if bytes.Equal(key, other) {
						t.Errorf("%s of %s is another key too", name, id)
					}
				}
				seen = append(seen, key)
			}
		}
	}
	if len(seen) < 2*2*5 {
		t.Errorf("%d keys", len(seen))
	}
}
