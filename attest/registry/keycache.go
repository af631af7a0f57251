package registry

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/staunchid/staunch/attest/appattest"
)

// requestKey is of a key what never changes under its id, so that it can be
// kept: state, account and counter are read anew for every request.
type requestKey struct {
	id       string
	platform string
	spki     []byte
	kind     string           // "EC-P256" ...
	public   crypto.PublicKey // Android; nil: of a kind that signs no requests
	appID    string           // Apple: may change, which the guard notices
	about    Key              // for statistics: platform, model and OS, as they were
}

// newRequestKey parses a key record. Its id must be the hash of its public key,
// so that nobody can put another key under it: what is kept by id could
// otherwise be one that was observed and that nobody has proved.
func newRequestKey(k Key) (*requestKey, error) {
	id, err := hashedID(k)
	if err == nil && id != k.ID {
		err = errors.New("its id is that of another public key")
	}
	if err != nil {
		return nil, fmt.Errorf("registry: key %s is damaged; run staunch check: %w", k.ID, err)
	}
	r := &requestKey{id: k.ID, platform: k.Platform, spki: k.SPKI, kind: k.Algorithm, appID: k.AppID}
	r.about = Key{Platform: k.Platform, Model: k.Model, OS: k.OS, Batch: k.Batch, Provisioning: k.Provisioning}
	if k.Platform != platformAndroid || len(r.algorithms()) == 0 {
		return r, nil
	}
	public, err := x509.ParsePKIXPublicKey(k.SPKI)
	if err != nil {
		return nil, fmt.Errorf("registry: key %s is damaged; run staunch check: %w", k.ID, err)
	}
	r.public = public
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
// first of the policy's that the key is good for, or else the key's own. It is
// never taken from the request. Empty: the key signs no requests.
func (k *requestKey) algorithm(allowed []string) (name string, permitted bool) {
	own := k.algorithms()
	for _, a := range allowed {
		for _, b := range own {
			if a == b {
				return a, true
			}
		}
	}
	if len(own) == 0 {
		return "", false
	}
	return own[0], false
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
