package webhook

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers (Standard Webhooks 1.0.0, "Webhook headers").
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

const (
	scheme    = "v1a,"  // asymmetric (Standard Webhooks 1.0.0, "Signature scheme")
	keyPrefix = "whpk_" // of a public key as text
	tolerance = 5 * time.Minute
	manySigns = 16 // signatures that a header may have
)

// ErrSignature: a call is not one that the app's Staunch has just made. Answer
// 401, and believe nothing of it. If it comes again and again, compare the key
// and the clock.
var ErrSignature = errors.New("webhook: not signed by a known key, or too long ago")

// content is what is signed: id, timestamp and body with dots between them. In
// the first two there are none.
func content(id, timestamp string, body []byte) []byte {
	return append([]byte(id+"."+timestamp+"."), body...)
}

// sign sets the headers.
func sign(h http.Header, key ed25519.PrivateKey, id string, now time.Time, body []byte) {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	h.Set(headerID, id)
	h.Set(headerTimestamp, timestamp)
	h.Set(headerSignature, scheme+base64.StdEncoding.EncodeToString(ed25519.Sign(key, content(id, timestamp, body))))
}

// Verify is a receiver's half: it checks that a call was signed by one of the
// keys, not more than five minutes ago, and gives the id of the event. body is
// what was received, byte for byte. What was seen before, by its id, is for the
// receiver to leave out.
func Verify(h http.Header, body []byte, keys []ed25519.PublicKey, now time.Time) (id string, err error) {
	id, timestamp := h.Get(headerID), h.Get(headerTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	switch {
	case len(h.Values(headerID)) != 1 || len(h.Values(headerTimestamp)) != 1 || len(h.Values(headerSignature)) != 1:
		return "", fmt.Errorf("%w: a header is missing, or there twice", ErrSignature)
	case id == "" || strings.Contains(id, ".") || err != nil || strconv.FormatInt(seconds, 10) != timestamp:
		return "", fmt.Errorf("%w: id or timestamp are not of their form", ErrSignature)
	case now.Sub(time.Unix(seconds, 0)).Abs() > tolerance:
		return "", fmt.Errorf("%w: it was sent at %s", ErrSignature, time.Unix(seconds, 0).UTC().Format(time.RFC3339))
	}
	signatures := strings.Fields(h.Get(headerSignature))
	if len(signatures) > manySigns {
		return "", fmt.Errorf("%w: %d signatures", ErrSignature, len(signatures))
	}
	message := content(id, timestamp, body)
	for _, s := range signatures {
		text, ours := strings.CutPrefix(s, scheme)
		signature, err := base64.StdEncoding.DecodeString(text)
		if !ours || err != nil {
			continue
		}
		for _, key := range keys {
			if len(key) == ed25519.PublicKeySize && ed25519.Verify(key, message, signature) {
				return id, nil
			}
		}
	}
	return "", ErrSignature
}

// PublicKey writes a key as receivers are given it: "whpk_" and base64.
func PublicKey(key ed25519.PublicKey) string {
	return keyPrefix + base64.StdEncoding.EncodeToString(key)
}

// ParsePublicKey reads what PublicKey writes.
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	b64, ok := strings.CutPrefix(text, keyPrefix)
	key, err := base64.StdEncoding.DecodeString(b64)
	if !ok || err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("webhook: no public key: want %s and %d bytes in base64", keyPrefix, ed25519.PublicKeySize)
	}
	return key, nil
}
