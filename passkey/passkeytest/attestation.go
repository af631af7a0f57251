package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/staunchid/staunch/internal/cbor"
)

// Attestation is the kind of attestation statement.
type Attestation int

const (
	None      Attestation = iota // format none, an empty statement (WebAuthn L3 §8.7)
	Self                         // format packed, signed by the credential's key (§8.2)
	Certified                    // format packed, signed by a certified key: leaf and intermediate under Authenticator.Root
	U2F                          // format fido-u2f, with a certified key right under the root (§8.6); for ES256
	TPM                          // format tpm, with an AIK certificate right under the root (§8.3); for ECDSA and RSA
)

// certified reports whether a certificate under Authenticator.Root attests.
func (a Attestation) certified() bool { return a == Certified || a == U2F || a == TPM }

// maker makes attestation certificates: one root and one key for all of them.
// Their dates are so wide that no clock is needed.
type maker struct {
	mu      sync.Mutex
	aaguid  [16]byte
	rootKey *ecdsa.PrivateKey
	key     *ecdsa.PrivateKey // that attests
	root    []byte
	rootCrt *x509.Certificate
}

// make makes root and key, once.
func (m *maker) make(aaguid [16]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.root != nil {
		return nil
	}
	rootKey, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	t := template("Staunch Test Root")
	t.IsCA, t.BasicConstraintsValid, t.KeyUsage = true, true, x509.KeyUsageCertSign
	root, err := x509.CreateCertificate(rand.Reader, t, t, rootKey.Public(), rootKey)
	if err != nil {
		return fmt.Errorf("passkeytest: root: %w", err)
	}
	if m.rootCrt, err = x509.ParseCertificate(root); err != nil {
		return fmt.Errorf("passkeytest: root: %w", err)
	}
	m.aaguid, m.rootKey, m.key, m.root = aaguid, rootKey, key, root
	return nil
}

// sign signs with the key that attests.
func (m *maker) sign(message []byte) ([]byte, error) { return sign(m.key, algES256, message) }

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{Country: []string{"JP"}, Organization: []string{"Staunch Test"}, CommonName: name},
		NotBefore:    time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// leaf is the template of WebAuthn L3 §8.2.1.
func (m *maker) leaf() (*x509.Certificate, error) {
	t := template("Staunch Test Authenticator")
	t.Subject.OrganizationalUnit = []string{"Authenticator Attestation"}
	t.BasicConstraintsValid = true
	aaguid, err := asn1.Marshal(m.aaguid[:])
	t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 4}, Value: aaguid}}
	return t, err
}

// chain makes leaf, intermediate and root.
func (m *maker) chain(changeLeaf, changeIntermediate func(*x509.Certificate)) ([][]byte, error) {
	middle := template("Staunch Test Intermediate")
	middle.IsCA, middle.BasicConstraintsValid, middle.KeyUsage = true, true, x509.KeyUsageCertSign
	if changeIntermediate != nil {
		changeIntermediate(middle)
	}
	middleKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	middleDER, err := x509.CreateCertificate(rand.Reader, middle, m.rootCrt, middleKey.Public(), m.rootKey)
	if err != nil {
		return nil, fmt.Errorf("passkeytest: intermediate: %w", err)
	}
	issuer, err := x509.ParseCertificate(middleDER)
	if err != nil {
		return nil, fmt.Errorf("passkeytest: intermediate: %w", err)
	}
	leaf, err := m.leaf()
	if err != nil {
		return nil, err
	}
	if changeLeaf != nil {
		changeLeaf(leaf)
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, issuer, m.key.Public(), middleKey)
	if err != nil {
		return nil, fmt.Errorf("passkeytest: leaf: %w", err)
	}
	return [][]byte{leafDER, middleDER, m.root}, nil
}

// statement makes format and attestation statement.
func (d *Draft) statement(m *maker, authData, hash []byte) (string, map[string]any, error) {
	if d.Attestation.certified() && m.root == nil {
		return "", nil, errors.New("passkeytest: a certified attestation is chosen with Options.Attestation; a Change is too late for it")
	}
	switch d.Attestation {
	case Self:
		sig, err := d.signature(slices.Concat(authData, hash))
		return "packed", map[string]any{"alg": d.Credential.Algorithm, "sig": sig}, err
	case Certified:
		chain, err := m.chain(d.Leaf, d.Intermediate)
		if err != nil {
			return "", nil, err
		}
		x5c := chain[:2] // WebAuthn L3 §8.2: the root is left out
		if d.Chain != nil {
			x5c = d.Chain(chain)
		}
		sig, err := d.signature(slices.Concat(authData, hash))
		return "packed", map[string]any{"alg": algES256, "sig": sig, "x5c": x5c}, err
	case U2F:
		return d.statementU2F(m, hash)
	case TPM:
		return d.statementTPM(m, authData, hash)
	}
	return "none", map[string]any{}, nil
}

// statementU2F is WebAuthn L3 §8.6: the message of a U2F registration.
func (d *Draft) statementU2F(m *maker, hash []byte) (string, map[string]any, error) {
	cose, err := d.Credential.PublicKey()
	if err != nil {
		return "", nil, err
	}
	var key map[int]cbor.RawMessage
	if err := cbor.Unmarshal(cose, &key); err != nil {
		return "", nil, err
	}
	x, okX := cbor.Bytes(key[-2])
	y, okY := cbor.Bytes(key[-3])
	if !okX || !okY || d.Credential.Algorithm != algES256 {
		return "", nil, errors.New("passkeytest: fido-u2f is for ES256 only")
	}
	leaf := template("Staunch Test U2F")
	if d.Leaf != nil {
		d.Leaf(leaf)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, m.rootCrt, m.key.Public(), m.rootKey)
	if err != nil {
		return "", nil, fmt.Errorf("passkeytest: leaf: %w", err)
	}
	sig, err := d.signature(slices.Concat([]byte{0}, d.rpIDHash(), hash, d.CredentialID, []byte{4}, x, y))
	return "fido-u2f", map[string]any{"sig": sig, "x5c": [][]byte{der}}, err
}
