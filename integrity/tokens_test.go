package integrity_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"testing"

	"github.com/staunchid/staunch/integrity"
)

// TestTokensStoredHashed: in all bytes of the store there is no token, in no
// encoding, but the SHA-256 of each (alexedwards/scs#257).
func TestTokensStoredHashed(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	tokens := []integrity.Token{p.token, p.signIn().Token}
	var all []byte
	for _, name := range []string{r.path, r.path + "-wal"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	for i, token := range tokens {
		sum := sha256.Sum256(token)
		if len(token) != 32 || !bytes.Contains(all, sum[:]) {
			t.Fatalf("the SHA-256 of token %d, of %d bytes, is not in the store", i, len(token))
		}
		for _, form := range [][]byte{
			token, hex.AppendEncode(nil, token), bytes.ToUpper(hex.AppendEncode(nil, token)),
			base64.RawStdEncoding.AppendEncode(nil, token), base64.RawURLEncoding.AppendEncode(nil, token),
		} {
			if bytes.Contains(all, form) {
				t.Errorf("token %d is in the store", i)
			}
		}
	}
}
