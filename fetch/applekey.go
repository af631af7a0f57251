package fetch

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// redacted is what an AppleKey prints as.
const redacted = "[redacted]"

// AppleKey is the private key with which a team asks Apple.
type AppleKey struct {
	team, id string
	es256    func(input string) ([]byte, error) // holds the key where no printing finds it
}

// ParseAppleKey reads the .p8 file that App Store Connect gives out once, for a
// key with the service DeviceCheck: PKCS #8 in PEM, on P-256. team is the team
// id, keyID the id of the key; both are letters and digits.
func ParseAppleKey(team, keyID string, p8 []byte) (*AppleKey, error) {
	if !isAppleID(team) || !isAppleID(keyID) {
		return nil, fmt.Errorf("%w: team id %q, key id %q: they have letters and digits, 10 of them at Apple", ErrKey, team, keyID)
	}
	fail := func(reason string) (*AppleKey, error) { // no part of the file in a text
		return nil, fmt.Errorf("%w for team %s: the file of key %s %s: take the .p8 file as Apple gives it out", ErrKey, team, keyID, reason)
	}
	block, rest := pem.Decode(p8)
	switch {
	case block == nil:
		return fail("is no PEM, or its base64 is damaged")
	case block.Type != "PRIVATE KEY" || len(strings.TrimSpace(string(rest))) > 0:
		return fail("is not one PEM block PRIVATE KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return fail("holds no PKCS #8 key")
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() { // RFC 7518, Section 3.4: ES256
		return fail("holds a key that is not on P-256")
	}
	return &AppleKey{team, keyID, func(input string) ([]byte, error) { return es256(key, input) }}, nil
}

// es256 signs as RFC 7518, Section 3.4 says: R and S, 32 octets each, not DER.
func es256(key *ecdsa.PrivateKey, input string) ([]byte, error) {
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return nil, err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signature, nil
}

func isAppleID(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}

// Team is the team id.
func (k AppleKey) Team() string { return k.team }

// String, GoString, LogValue and MarshalJSON give "[redacted]".
func (k AppleKey) String() string               { return redacted }
func (k AppleKey) GoString() string             { return redacted }
func (k AppleKey) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (k AppleKey) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// sign makes a JWT (RFC 7519) that says who asks and since when: in the compact
// form (RFC 7515, Section 7.1) with ES256 (RFC 7518, Section 3.4).
func (k AppleKey) sign(now time.Time) (string, error) {
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
	}{"ES256", k.id})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(struct {
		Iss string `json:"iss"`
		Iat int64  `json:"iat"`
	}{k.team, now.Unix()})
	if err != nil {
		return "", err
	}
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	signature, err := k.es256(input)
	if err != nil {
		return "", err
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// tokenLife is how long a JWT is used: Apple takes none that is an hour old,
// and wants no new one within 20 minutes.
const tokenLife = 40 * time.Minute

// credentials are a team's key and the JWT in use.
type credentials struct {
	key AppleKey

	mu   sync.Mutex
	jwt  func() string // a secret as long as it lives: no printing finds it; nil: none yet
	iat  time.Time
	mono time.Time
}

// current is the JWT in use, or a new one when there is none, when it is too old
// by either clock, when it is from the future, or when it is the one that Apple
// has refused.
func (c *credentials) current(now time.Time, refused string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := max(now.Sub(c.iat), time.Since(c.mono))
	if c.jwt != nil && c.jwt() != refused && age < tokenLife && !now.Before(c.iat) {
		return c.jwt(), nil
	}
	token, err := c.key.sign(now)
	if err != nil {
		return "", fmt.Errorf("%w for team %s: %w", ErrKey, c.key.team, err)
	}
	c.jwt, c.iat, c.mono = func() string { return token }, now, time.Now()
	return token, nil
}

// stale reports whether a JWT that Apple has refused was made more than a
// minute ago, or has been replaced since, so that a new one may fare better.
func (c *credentials) stale(token string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.jwt() != token || now.Sub(c.iat).Abs() > time.Minute
}
