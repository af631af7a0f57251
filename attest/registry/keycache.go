package registry

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/appattest"
)

// requestKey is of a key what never changes under its id, so that it can be
// kept: state, account and counter are read anew for every request.
type requestKey struct {
	id       string
	platform string
	spki     []byte
	kind     string           // "EC-P256" ...
	unfit    string           // why nothing that it signs is verified; empty: it is fit
	public   crypto.PublicKey // Android; nil if it is unfit
	appID    string           // Apple: may change, which the guard notices
	about    Key              // for statistics: platform, model and OS, as they were
}

// newRequestKey parses a key record. Its id must be the hash of its public key,
// so that nobody can put another key under it: what is kept by id could
// otherwise be one that was observed and that nobody has proved. A key that
// cannot be read is unfit, and no error: a phone may have sent it as it is, and
// an error would tell the backend that nothing can be told.
func newRequestKey(k Key) (*requestKey, error) {
	r := &requestKey{id: k.ID, platform: k.Platform, spki: k.SPKI, kind: k.Algorithm, appID: k.AppID}
	r.about = Key{Platform: k.Platform, Model: k.Model, OS: k.OS, Batch: k.Batch, Provisioning: k.Provisioning}
	id, err := hashedID(k)
	switch {
	case err != nil:
		r.unfit = "its public key cannot be read: " + err.Error()
	case id != k.ID:
		return nil, fmt.Errorf("registry: key %s is damaged; run staunch check: its id is that of another public key", k.ID)
	case k.Platform == platformApple: // P-256, or there were no id
	case len(r.algorithms()) == 0:
		r.unfit = "keys of " + k.Algorithm + " sign no requests"
	default:
		if r.public, err = android.ParsePublicKey(k.SPKI); err != nil {
			r.unfit = err.Error()
		}
	}
	return r, nil
}

// hashedID is the id of the public key in a record: SHA-256 of Apple's point, and
// of Android's SubjectPublicKeyInfo.
func hashedID(k Key) (string, error) {
	if k.Platform != platformApple {
		sum := sha256.Sum256(k.SPKI)
		return base64.RawURLEncoding.EncodeToString(sum[:]), nil
	}
	id, err := appattest.KeyID(k.SPKI)
	return base64.RawURLEncoding.EncodeToString(id), err
}

// algorithms are those of RFC 9421, Section 6.2.2, that a kind of key can sign
// with. There are two for RSA, and the record of a key does not say which.
func (k *requestKey) algorithms() []string {
	switch {
	case k.kind == "EC-P256":
		return []string{"ecdsa-p256-sha256"}
	case k.kind == "EC-P384":
		return []string{"ecdsa-p384-sha384"}
	case k.kind == "Ed25519":
		return []string{"ed25519"}
	case strings.HasPrefix(k.kind, "RSA-"):
		return []string{"rsa-v1_5-sha256", "rsa-pss-sha512"}
	}
	return nil
}

// algorithm is the one that a request by this key must be signed with: the
// first of the policy's that the key is good for. It is never taken from the
// request. Empty: the policy takes none of them.
func (k *requestKey) algorithm(allowed []string) string {
	own := k.algorithms()
	for _, a := range allowed {
		if slices.Contains(own, a) {
			return a
		}
	}
	return ""
}

// keyCacheSize bounds a keyCache: two generations of this many keys.
const keyCacheSize = 1 << 16

// keyCache keeps parsed keys by id. It forgets those that were not used while
// as many others were.
type keyCache struct {
	size int

	mu       sync.Mutex
	now, old map[string]*requestKey
}

func newKeyCache(size int) *keyCache {
	return &keyCache{size: size, now: map[string]*requestKey{}}
}

func (c *keyCache) find(id string) *requestKey {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.now[id]
	if k == nil {
		if k = c.old[id]; k != nil {
			c.put(k)
		}
	}
	return k
}

func (c *keyCache) keep(k *requestKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(k)
}

func (c *keyCache) put(k *requestKey) {
	if len(c.now) >= c.size {
		c.now, c.old = make(map[string]*requestKey, c.size), c.now
	}
	c.now[k.id] = k
}

func (c *keyCache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.now, id)
	delete(c.old, id)
}
