package attesttest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
)

// A software phone that lives longer than the program, as `staunch phone` does,
// keeps its key in a file of its own. Export writes it, and ParseAndroidKey and
// ParseAppleKey read it. Only the key is kept, not the evidence: that was over a
// challenge which is used up.

// kept is the form that Export writes.
type kept struct {
	Version    int    `json:"v"`
	PrivateKey []byte `json:"private_key"`       // PKCS #8 (RFC 5958)
	Counter    uint32 `json:"counter,omitempty"` // of the last assertion; Apple
}

func export(key crypto.Signer, counter uint32) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("attesttest: export: %w", err)
	}
	return json.Marshal(kept{1, der, counter})
}

func parseKept(data []byte) (crypto.Signer, uint32, error) {
	var k kept
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&k); err != nil {
		return nil, 0, fmt.Errorf("attesttest: not a key as Export writes it: %w", err)
	}
	if k.Version != 1 {
		return nil, 0, fmt.Errorf("attesttest: key of version %d; this program reads version 1", k.Version)
	}
	key, err := x509.ParsePKCS8PrivateKey(k.PrivateKey)
	if err != nil {
		return nil, 0, fmt.Errorf("attesttest: private_key is not PKCS #8: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, 0, fmt.Errorf("attesttest: private_key is %T, which cannot sign", key)
	}
	return signer, k.Counter, nil
}

// Export returns the key as one JSON object, with the private key in PKCS #8:
// keep it like a key. The chain is not part of it.
func (k *AndroidKey) Export() ([]byte, error) {
	if k.signer == nil {
		return nil, errCannotSign
	}
	return export(k.signer, 0)
}

// ParseAndroidKey reads what AndroidKey.Export wrote. The key signs as before;
// its Chain is empty.
func ParseAndroidKey(data []byte) (*AndroidKey, error) {
	signer, counter, err := parseKept(data)
	if err != nil {
		return nil, err
	}
	if counter != 0 {
		return nil, errors.New("attesttest: a key with a counter is an iPhone's; read it with ParseAppleKey")
	}
	spki, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return nil, fmt.Errorf("attesttest: %w", err)
	}
	return &AndroidKey{signer: signer, spki: spki}, nil
}

// Export returns the key as one JSON object, with the private key in PKCS #8 and
// the counter: keep it like a key. A copy that is older than the last assertion
// counts backwards, and servers refuse that.
func (k *AppleKey) Export() ([]byte, error) {
	if k.key == nil {
		return nil, errNoCA
	}
	return export(k.key, k.counter)
}

// ParseAppleKey reads what AppleKey.Export wrote, as a key of phone p.
func (p *ApplePhone) ParseAppleKey(data []byte) (*AppleKey, error) {
	signer, counter, err := parseKept(data)
	if err != nil {
		return nil, err
	}
	key, ok := signer.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("attesttest: an iPhone's key is P-256, and this is %T", signer)
	}
	return &AppleKey{phone: p, key: key, counter: counter}, nil
}
