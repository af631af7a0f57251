package attesttest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"
)

// WebAuthnDraft is what an android-key object says beside its chain (WebAuthn
// L3 §8.4), while it can still be changed.
type WebAuthnDraft struct {
	Format            string
	RPIDHash          []byte
	Flags             byte
	Counter           uint32
	AAGUID            []byte
	CredentialID      []byte
	CredentialKey     []byte // COSE key; nil: the attested key
	AuthenticatorData []byte // instead of all the fields above
	ClientDataHash    []byte // that sig is made over
	Algorithm         int    // alg: -7 ES256, -35 ES384, -36 ES512
	Signature         []byte // sig; nil: by the attested key
}

// Register makes a key and the WebAuthn attestation object with statement
// format android-key that attests it. The key's challenge is clientDataHash, as
// WebAuthn L3 §8.4 demands. Only EC keys can do it.
func (p *AndroidPhone) Register(now time.Time, rpID string, clientDataHash []byte, opts ...AndroidOption) (*AndroidKey, []byte, error) {
	rpIDHash := sha256.Sum256([]byte(rpID))
	draft := &WebAuthnDraft{
		Format:         "android-key",
		RPIDHash:       rpIDHash[:],
		Flags:          0x45, // user present, user verified, attested credential data
		AAGUID:         []byte("\xb9\x3f\xd9\x61\xf2\xe6\x46\x2f\xb1\x22\x82\x00\x22\x47\xde\x78"),
		ClientDataHash: bytes.Clone(clientDataHash),
	}
	d, key, err := p.generate(now, clientDataHash, draft, opts, nil)
	if err != nil {
		return nil, nil, err
	}
	signer, ok := key.signer.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, errors.New("attesttest: android-key objects need an EC key")
	}
	object, err := d.WebAuthn.encode(signer, key)
	return key, object, err
}

func (w *WebAuthnDraft) encode(signer *ecdsa.PrivateKey, key *AndroidKey) ([]byte, error) {
	hash, alg := crypto.SHA256, -7
	switch signer.Curve.Params().BitSize {
	case 384:
		hash, alg = crypto.SHA384, -35
	case 521:
		hash, alg = crypto.SHA512, -36
	}
	if w.Algorithm != 0 {
		alg = w.Algorithm
	}
	authData := w.AuthenticatorData
	if authData == nil {
		if w.CredentialID == nil {
			sum := sha256.Sum256(key.spki)
			w.CredentialID = sum[:]
		}
		if w.CredentialKey == nil {
			w.CredentialKey = coseKey(&signer.PublicKey)
		}
		authData = authenticatorData(w.RPIDHash, w.Flags, w.Counter, w.AAGUID, w.CredentialID, w.CredentialKey)
	}
	sig := w.Signature
	if sig == nil {
		var err error
		if sig, err = signBytes(signer, hash, append(bytes.Clone(authData), w.ClientDataHash...)); err != nil {
			return nil, err
		}
	}
	return encodeCBOR(map[string]any{
		"fmt":      w.Format,
		"attStmt":  map[string]any{"alg": alg, "sig": sig, "x5c": key.chain},
		"authData": authData,
	}), nil
}

// authenticatorData lays out WebAuthn L3 §6.1 and §6.5.1.
func authenticatorData(rpIDHash []byte, flags byte, counter uint32, aaguid, credentialID, credentialKey []byte) []byte {
	out := append(bytes.Clone(rpIDHash), flags)
	out = binary.BigEndian.AppendUint32(out, counter)
	out = append(out, aaguid...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(credentialID)))
	out = append(out, credentialID...)
	return append(out, credentialKey...)
}
