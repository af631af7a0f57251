package registry

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/request"
)

// BackendKeyID is the keyid of what an app's backend signs. No phone's key has it.
const BackendKeyID = "backend"

// BackendKey is the public key of an app's backend. The zero BackendKey verifies
// nothing.
type BackendKey struct {
	public    crypto.PublicKey
	algorithm string // RFC 9421, Section 6.2.2
}

// ParseBackendKey reads the PEM text of one public key: Ed25519, or ECDSA on
// P-256. `openssl pkey -pubout` writes such a one.
func ParseBackendKey(text []byte) (BackendKey, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return BackendKey{}, errors.New(`registry: backend key: no PEM text; write the public key as "-----BEGIN PUBLIC KEY-----"`)
	case block.Type != "PUBLIC KEY":
		return BackendKey{}, fmt.Errorf(`registry: backend key: the PEM block is a %.40q, not a "PUBLIC KEY"; write the public half alone, with openssl pkey -pubout`, block.Type)
	case strings.TrimSpace(string(rest)) != "":
		return BackendKey{}, errors.New("registry: backend key: there is more behind the first PEM block; one key is wanted")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return BackendKey{}, fmt.Errorf("registry: backend key: %w", err)
	}
	switch k := public.(type) {
	case ed25519.PublicKey:
		return BackendKey{k, "ed25519"}, nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return BackendKey{k, "ecdsa-p256-sha256"}, nil
		}
	}
	return BackendKey{}, errors.New("registry: backend key: neither Ed25519 nor ECDSA on P-256")
}

// ProveBackend judges a call of the app's backend, which is signed like a
// phone's, with keyid="backend" and by the key that the config names. Its nonce
// is used up like any other. A refusal is a *ProofRefused.
func (s *Service) ProveBackend(ctx context.Context, key BackendKey, m *request.Message, hosts []string, loopbackToo bool) error {
	rules, err := s.requestRules(s.id)
	if err != nil {
		return err
	}
	a := &ask{in: &RequestCheck{App: s.id, Message: m}, rules: rules, now: s.now()}
	a.verdict = rules.nothing(a.now)
	p, err := a.parseCall(hosts, loopbackToo)
	if err != nil {
		return err
	}
	if p != nil {
		a.judgeBackend(key, p)
	}
	if !a.good {
		return a.refusal(a.verdict)
	}
	var used *attest.Finding
	err = s.update(ctx, func(tx Tx) error {
		t := &settlement{s: s, tx: tx, asks: []*ask{a}, keys: map[string]*heldKey{BackendKeyID: {}}}
		if err := t.addNonces(ctx); err != nil {
			return err
		}
		used = t.replay(a, t.keys[BackendKeyID])
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("registry: prove backend: %w", err)
	case used != nil:
		return refusedAt(a.now, *used)
	}
	return nil
}

// judgeBackend verifies the signature. RFC 9421, Section 3.2: the algorithm comes
// from the key, and one that the call names must be it.
func (a *ask) judgeBackend(key BackendKey, p *request.Parsed) {
	switch {
	case p.KeyID != BackendKeyID:
		a.refuse(keyUnknown, `a backend signs with keyid="backend"`)
	case p.Alg != "" && p.Alg != key.algorithm:
		a.refuse(request.CodeComponents, "alg is not "+key.algorithm+", the algorithm of the backend's key")
	case !request.VerifySignature(key.algorithm, key.public, p.Base, p.Signature):
		a.refuse(signatureInvalid, "not signed by the backend's key over this call")
	default:
		a.good, a.nonce = true, nonceHash(BackendKeyID, p.Nonce)
		a.key = &requestKey{id: BackendKeyID, platform: BackendKeyID}
	}
}
