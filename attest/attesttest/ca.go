package attesttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// year is long enough for certificates.
const year = 365 * 24 * time.Hour

// AndroidCA stands in for Google and for the factories: two roots, and under
// them factory issuers for TEE and StrongBox, rkp issuers, and issuers that
// name no provisioning at all. It is safe for concurrent use.
type AndroidCA struct {
	rsaRoot, ecRoot *Certificate
	factory         map[Level]*Certificate // position 2, under the RSA root
	batch           map[Level]*Certificate // position 1
	vendor          *Certificate           // position 2 of a chain of kind none
	vendorBatch     *Certificate
	droidCA2        map[*Certificate]*Certificate // position 3, by root
	droidCA3        map[*Certificate]*Certificate // position 2, by root
}

// TestAndroidCA returns the CA whose roots are TestRootsPEM, with issuers that
// are valid at now.
func TestAndroidCA(now time.Time) (*AndroidCA, error) {
	rsaKey, err := parseKey(publicAndroidRSAKey)
	if err != nil {
		return nil, err
	}
	ecKey, err := parseKey(publicAndroidECKey)
	if err != nil {
		return nil, err
	}
	rsaRoot, err := rootFromPEM(publicAndroidRSARoot, rsaKey)
	if err != nil {
		return nil, err
	}
	ecRoot, err := rootFromPEM(publicAndroidECRoot, ecKey)
	if err != nil {
		return nil, err
	}
	return newAndroidCA(now, rsaRoot, ecRoot)
}

// NewAndroidCA returns a CA with a P-384 root of its own. rsaKey is the key of
// its other root; nil takes the public one of the fixed test CA, because
// generating 4096 bits takes seconds. RootsPEM says what a policy must trust.
func NewAndroidCA(now time.Time, rsaKey *rsa.PrivateKey) (*AndroidCA, error) {
	var signer crypto.Signer = rsaKey
	if rsaKey == nil {
		var err error
		if signer, err = parseKey(publicAndroidRSAKey); err != nil {
			return nil, err
		}
	}
	rsaRoot, err := newRoot(now, signer, Name("SERIALNUMBER", randomHex(8)))
	if err != nil {
		return nil, err
	}
	ecRoot, err := newRoot(now, newECKey(elliptic.P384()), Name("C", "US", "O", "Staunch Test", "OU", "Android", "CN", "Key Attestation CA1 "+randomHex(4)))
	if err != nil {
		return nil, err
	}
	return newAndroidCA(now, rsaRoot, ecRoot)
}

// RootsPEM returns the certificates of both roots, RSA first.
func (ca *AndroidCA) RootsPEM() []string {
	return []string{certPEM(ca.rsaRoot.DER), certPEM(ca.ecRoot.DER)}
}

func newAndroidCA(now time.Time, rsaRoot, ecRoot *Certificate) (*AndroidCA, error) {
	ca := &AndroidCA{
		rsaRoot: rsaRoot, ecRoot: ecRoot,
		factory: map[Level]*Certificate{}, batch: map[Level]*Certificate{},
		droidCA2: map[*Certificate]*Certificate{}, droidCA3: map[*Certificate]*Certificate{},
	}
	for level, title := range map[Level]string{Software: "Software", TEE: "TEE", StrongBox: "StrongBox"} {
		f := issuer(elliptic.P384(), Name("SERIALNUMBER", randomHex(8), "T", title), now.Add(-5*year), now.Add(5*year))
		b := issuer(elliptic.P256(), Name("SERIALNUMBER", randomHex(8), "T", title), now.Add(-5*year), now.Add(5*year))
		ca.factory[level], ca.batch[level] = f, b
		if err := presign(b, f, rsaRoot); err != nil {
			return nil, err
		}
	}
	ca.vendor = issuer(elliptic.P384(), Name("O", "Vendor", "CN", "Vendor CA"), now.Add(-5*year), now.Add(5*year))
	ca.vendorBatch = issuer(elliptic.P256(), Name("O", "Vendor", "CN", "Vendor batch "+randomHex(8)), now.Add(-5*year), now.Add(5*year))
	if err := presign(ca.vendorBatch, ca.vendor, rsaRoot); err != nil {
		return nil, err
	}
	for _, root := range []*Certificate{rsaRoot, ecRoot} {
		ca2 := issuer(elliptic.P384(), Name("O", "Google LLC", "CN", "Droid CA2"), now.Add(-3*year), now.Add(12*year))
		ca2.Extensions = []Extension{basicConstraints(true, 2), keyUsage(usageCertAndCRLSign)}
		ca3 := issuer(elliptic.P256(), Name("O", "Google LLC", "CN", "Droid CA3"), now.Add(-10*24*time.Hour), now.Add(year))
		ca.droidCA2[root], ca.droidCA3[root] = ca2, ca3
		if err := presign(ca3, ca2, root); err != nil {
			return nil, err
		}
	}
	return ca, nil
}

// errNoCA: a phone was not made by AndroidCA.Phone or AppleCA.Phone.
var errNoCA = errors.New("attesttest: the phone is of no CA")

// issuer is a CA certificate as factories and Google write them.
func issuer(curve elliptic.Curve, subject []byte, notBefore, notAfter time.Time) *Certificate {
	key := newECKey(curve)
	return &Certificate{
		Subject: subject, NotBefore: notBefore, NotAfter: notAfter, PublicKey: spkiOf(key), Key: key,
		Extensions: []Extension{basicConstraints(true, -1), keyUsage(usageCertSign)},
	}
}

// presign signs the chain once, so that the same certificate is the same bytes
// in every chain, as it is with real phones.
func presign(chain ...*Certificate) error {
	for i := len(chain) - 2; i >= 0; i-- {
		if _, err := chain[i].encode(chain[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func newRoot(now time.Time, key crypto.Signer, subject []byte) (*Certificate, error) {
	c := &Certificate{
		Subject: subject, NotBefore: now.Add(-4 * year), NotAfter: now.Add(16 * year),
		PublicKey: spkiOf(key), Key: key, Signer: key,
		Extensions: []Extension{basicConstraints(true, -1), keyUsage(usageCertSign)},
	}
	der, err := c.encode(nil)
	if err != nil {
		return nil, err
	}
	c.DER = der
	return c, nil
}

func rootFromPEM(text string, key crypto.Signer) (*Certificate, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("attesttest: no PEM block")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("attesttest: %w", err)
	}
	return &Certificate{
		Serial: cert.SerialNumber.Bytes(), Subject: cert.RawSubject,
		NotBefore: cert.NotBefore, NotAfter: cert.NotAfter,
		PublicKey: cert.RawSubjectPublicKeyInfo, Key: key, Signer: key,
		Extensions: []Extension{basicConstraints(true, -1), keyUsage(usageCertSign)},
		DER:        block.Bytes,
	}, nil
}

func parseKey(text string) (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("attesttest: no PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("attesttest: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("attesttest: %T cannot sign", key)
	}
	return signer, nil
}

func newECKey(curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic("attesttest: " + err.Error()) // crypto/rand does not fail, and the curves are the standard library's
	}
	return key
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return fmt.Sprintf("%x", b)
}

func certPEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
