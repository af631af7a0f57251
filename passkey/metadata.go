package passkey

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/metadata/providers/memory"
)

// Metadata is what the FIDO Alliance publishes about models of authenticator.
type Metadata struct {
	NextUpdate time.Time // when a newer one is due
	Number     int       // goes up with each
	Skipped    int       // entries that the library could not read: their models are unknown

	provider metadata.Provider
}

// maxMetadata is far above what is published (about 10 MB).
const maxMetadata = 64 << 20

// MetadataRoot returns the root certificate of the FIDO Metadata Service.
func MetadataRoot() (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(metadata.ProductionMDSRoot)
	if err != nil {
		return nil, fmt.Errorf("passkey: root of the metadata service: %w", err)
	}
	return x509.ParseCertificate(der)
}

// ParseMetadata verifies a blob of the FIDO Metadata Service, as downloaded,
// against its root, and reads it. Whether the certificates were revoked is not
// looked up: that needs the network. A blob past NextUpdate is taken; who
// downloads watches that.
// FIDO Metadata Service 3.1.1, Section 3.1.7
func ParseMetadata(blob []byte, root *x509.Certificate, now time.Time) (*Metadata, error) {
	if root == nil {
		return nil, errors.New("passkey: metadata without a root; see MetadataRoot")
	}
	if len(blob) > maxMetadata {
		return nil, fmt.Errorf("passkey: metadata of %d bytes; at most %d are read", len(blob), maxMetadata)
	}
	text, err := verifyBlob(bytes.TrimSpace(blob), root, now)
	if err != nil {
		return nil, fmt.Errorf("passkey: metadata: %w", err)
	}
	var payload metadata.PayloadJSON
	if err := json.Unmarshal(text, &payload); err != nil {
		return nil, fmt.Errorf("passkey: metadata: %w", err)
	}
	// An entry of a form that is not known yet must not cost all others.
	decoder, err := metadata.NewDecoder(metadata.WithIgnoreEntryParsingErrors())
	if err != nil {
		return nil, fmt.Errorf("passkey: metadata: %w", err)
	}
	parsed, err := decoder.Parse(&payload)
	if err != nil {
		return nil, fmt.Errorf("passkey: metadata: %w", err)
	}
	provider, err := memory.New(
		memory.WithMetadata(parsed.ToMap()),
		memory.WithValidateEntry(true),
		memory.WithValidateTrustAnchor(true),
		memory.WithValidateAttestationTypes(true),
		memory.WithValidateAAGUID(true),
		memory.WithValidateStatus(false), // judged at our own time
	)
	if err != nil {
		return nil, fmt.Errorf("passkey: metadata: %w", err)
	}
	return &Metadata{
		NextUpdate: parsed.Parsed.NextUpdate, Number: parsed.Parsed.Number,
		Skipped: len(parsed.Unparsed), provider: provider,
	}, nil
}

// entry returns what is known of model, or nil.
func (d *Metadata) entry(model AAGUID) *metadata.Entry {
	if d == nil || model == (AAGUID{}) {
		return nil
	}
	entry, err := d.provider.GetEntry(context.Background(), [16]byte(model)) // in memory
	if err != nil {
		return nil
	}
	return entry
}

// verifyBlob checks the JWS around the payload and returns the payload. RFC
// 7515, Section 5.2; the certificates come from its header, the root does not.
func verifyBlob(blob []byte, root *x509.Certificate, now time.Time) ([]byte, error) {
	parts := bytes.Split(blob, []byte("."))
	if len(parts) != 3 {
		return nil, fmt.Errorf("%d parts; a JWS has 3", len(parts))
	}
	header, err1 := decode(string(parts[0]))
	payload, err2 := decode(string(parts[1]))
	signature, err3 := decode(string(parts[2]))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	var h struct {
		Alg  string          `json:"alg"`
		X5C  [][]byte        `json:"x5c"` // base64, not base64url
		X5U  json.RawMessage `json:"x5u"`
		Crit json.RawMessage `json:"crit"`
	}
	if err := json.Unmarshal(header, &h); err != nil {
		return nil, err
	}
	if h.X5U != nil || h.Crit != nil {
		return nil, errors.New("a header with x5u or crit, which are not followed")
	}
	leaf, err := chainTo(root, h.X5C, now)
	if err != nil {
		return nil, err
	}
	signed := sha256.Sum256(blob[:len(parts[0])+1+len(parts[1])])
	switch key := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		if h.Alg == "RS256" {
			return payload, rsa.VerifyPKCS1v15(key, crypto.SHA256, signed[:], signature)
		}
	case *ecdsa.PublicKey:
		if h.Alg == "ES256" {
			return payload, verifyES256(key, signed[:], signature)
		}
	}
	return nil, fmt.Errorf("alg %q with a key of type %T; want RS256 or ES256", h.Alg, leaf.PublicKey)
}

// chainTo parses x5c, leaf first, and verifies that it leads to root.
func chainTo(root *x509.Certificate, x5c [][]byte, now time.Time) (*x509.Certificate, error) {
	if len(x5c) == 0 {
		return nil, errors.New("a header without x5c")
	}
	opts := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	opts.Roots.AddCert(root)
	var leaf *x509.Certificate
	for i, der := range x5c {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			leaf = cert
			continue
		}
		opts.Intermediates.AddCert(cert)
	}
	_, err := leaf.Verify(opts)
	return leaf, err
}

// verifyES256 verifies a JWS signature, which is R and S in 32 bytes each.
// RFC 7518, Section 3.4
func verifyES256(key *ecdsa.PublicKey, digest, signature []byte) error {
	if len(signature) != 64 || key.Params().BitSize != 256 {
		return errors.New("a signature or key that is not of ES256")
	}
	if !ecdsa.Verify(key, digest, new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return errors.New("the signature does not verify")
	}
	return nil
}
