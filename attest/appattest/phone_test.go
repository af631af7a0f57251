package appattest_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/internal/cbor"
)

// now is when everything in these tests happens.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const appID = "A1B2C3D4E5.com.example.chat"

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// keys are the same in every process: a fuzzing worker must trust the seeds
// that its parent made.
type keys struct{ root, ca, leaf, other, receiptRoot, receiptCA, signer *ecdsa.PrivateKey }

var testKeys = sync.OnceValue(func() *keys {
	derive := func(curve elliptic.Curve, label string) *ecdsa.PrivateKey {
		scalar := sha512.Sum384([]byte(label))
		return must(ecdsa.ParseRawPrivateKey(curve, scalar[:curve.Params().BitSize/8]))
	}
	return &keys{
		root: derive(elliptic.P384(), "root"), ca: derive(elliptic.P384(), "ca"),
		leaf: derive(elliptic.P256(), "leaf"), other: derive(elliptic.P256(), "other"),
		receiptRoot: derive(elliptic.P384(), "receipt root"), receiptCA: derive(elliptic.P256(), "receipt ca"),
		signer: derive(elliptic.P256(), "signer"),
	}
})

func caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name, Organization: []string{"Test"}},
		NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

func issue(template, parent *x509.Certificate, public any, signer crypto.Signer) []byte {
	return must(x509.CreateCertificate(rand.Reader, template, parent, public, signer))
}

// roots are the test CA's.
func roots() appattest.Roots {
	k := testKeys()
	root := caTemplate("Test Attestation Root")
	receipt := caTemplate("Test Receipt Root")
	return appattest.Roots{
		Attestation: []*x509.Certificate{must(x509.ParseCertificate(issue(root, root, k.root.Public(), k.root)))},
		Receipt:     []*x509.Certificate{must(x509.ParseCertificate(issue(receipt, receipt, k.receiptRoot.Public(), k.receiptRoot)))},
	}
}

func appleOID(arcs ...int) asn1.ObjectIdentifier {
	return append(asn1.ObjectIdentifier{1, 2, 840, 113635, 100}, arcs...)
}

// tlv encodes a value with a tag of one octet.
func tlv(tag byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	out := []byte{tag}
	switch n := len(body); {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 0x100:
		out = append(out, 0x81, byte(n))
	default:
		out = append(out, 0x82, byte(n>>8), byte(n))
	}
	return append(out, body...)
}

// raw encodes v unless it is encoded.
func raw(v any) []byte {
	if b, ok := v.(cbor.RawMessage); ok {
		return b
	}
	return encode(v)
}

// rawMap encodes a map with these keys and values in this order, keys twice
// where they are given twice.
func rawMap(pairs ...any) cbor.RawMessage {
	b := []byte{0xa0 | byte(len(pairs)/2)}
	for _, v := range pairs {
		b = append(b, raw(v)...)
	}
	return b
}

// endless makes a map of at most 23 pairs one of indefinite length.
func endless(m cbor.RawMessage) cbor.RawMessage {
	return append(append([]byte{0xbf}, m[1:]...), 0xff)
}

// tagged puts a CBOR tag before an item.
func tagged(item []byte) cbor.RawMessage { return append([]byte{0xc6}, item...) }

func point(key *ecdsa.PrivateKey) []byte { return must(key.PublicKey.Bytes()) }

func spki(key *ecdsa.PrivateKey) []byte { return must(x509.MarshalPKIXPublicKey(key.Public())) }

func coseKey(point []byte) map[int64]any {
	return map[int64]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]}
}

func encode(v any) []byte { return must(cbor.Marshal(v)) }

// phone is an attestation while it can still be changed; the tests change one
// thing each.
type phone struct {
	root, ca, leaf   *x509.Certificate // templates
	caIssuer         *x509.Certificate // whose Subject CA 1 names; nil: root
	leafIssuer       *x509.Certificate // whose Subject the leaf names; nil: ca
	caSigner         *ecdsa.PrivateKey
	leafSigner       *ecdsa.PrivateKey
	leafKey          *ecdsa.PrivateKey // certified
	clientDataHash   []byte
	nonceExtension   func(nonce []byte) []byte // value of .8.2; nil: none
	appID            string
	flags            byte
	counter          uint32
	aaguid           string
	credentialID     []byte
	credentialLength int // as stated
	coseKey          any
	extensions       []byte                   // what follows the COSE key
	editAuthData     func([]byte) []byte      // before the nonce is made
	chain            func([][]byte) [][]byte  // edits x5c
	statement        func(map[string]any)     // edits attStmt
	object           func(map[string]any) any // edits the object
}

// newPhone is the good case.
func newPhone() *phone {
	k := testKeys()
	id := sha256.Sum256(point(k.leaf))
	hash := sha256.Sum256([]byte("challenge"))
	return &phone{
		root: caTemplate("Test Attestation Root"),
		ca:   caTemplate("Test Attestation CA 1"),
		leaf: &x509.Certificate{
			SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: "leaf"},
			NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(48 * time.Hour),
			BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		},
		caSigner: k.root, leafSigner: k.ca, leafKey: k.leaf,
		clientDataHash:   hash[:],
		nonceExtension:   func(nonce []byte) []byte { return tlv(0x30, tlv(0xa1, tlv(4, nonce))) },
		appID:            appID,
		flags:            0x40,
		aaguid:           "appattest\x00\x00\x00\x00\x00\x00\x00",
		credentialID:     id[:],
		credentialLength: 32,
		coseKey:          coseKey(point(k.leaf)),
	}
}

func (p *phone) authData() []byte {
	rpIDHash := sha256.Sum256([]byte(p.appID))
	b := append(rpIDHash[:], p.flags)
	b = binary.BigEndian.AppendUint32(b, p.counter)
	b = append(b, p.aaguid...)
	b = binary.BigEndian.AppendUint16(b, uint16(p.credentialLength))
	b = append(b, p.credentialID...)
	b = append(b, encode(p.coseKey)...)
	b = append(b, p.extensions...)
	if p.editAuthData != nil {
		b = p.editAuthData(b)
	}
	return b
}

// attest makes the attestation object.
func (p *phone) attest() []byte {
	k := testKeys()
	authData := p.authData()
	leaf := *p.leaf
	if p.nonceExtension != nil {
		nonce := sha256.Sum256(append(bytes.Clone(authData), p.clientDataHash...))
		leaf.ExtraExtensions = append([]pkix.Extension{{Id: appleOID(8, 2), Value: p.nonceExtension(nonce[:])}}, leaf.ExtraExtensions...)
	}
	caIssuer, leafIssuer := p.root, p.ca
	if p.caIssuer != nil {
		caIssuer = p.caIssuer
	}
	if p.leafIssuer != nil {
		leafIssuer = p.leafIssuer
	}
	chain := [][]byte{
		issue(&leaf, leafIssuer, p.leafKey.Public(), p.leafSigner),
		issue(p.ca, caIssuer, k.ca.Public(), p.caSigner),
	}
	if p.chain != nil {
		chain = p.chain(chain)
	}
	statement := map[string]any{"x5c": chain, "receipt": []byte("receipt")}
	if p.statement != nil {
		p.statement(statement)
	}
	object := map[string]any{"fmt": "apple-appattest", "attStmt": statement, "authData": authData}
	if p.object != nil {
		return raw(p.object(object))
	}
	return encode(object)
}

func (p *phone) expect() *appattest.Expect {
	return &appattest.Expect{ClientDataHash: p.clientDataHash, KeyID: bytes.Clone(must(appattest.KeyID(point(testKeys().leaf)))), Roots: roots()}
}

// signer is an assertion while it can still be changed.
type signer struct {
	key            *ecdsa.PrivateKey
	clientDataHash []byte
	flags          byte
	counter        uint32
	extensions     []byte
	editAuthData   func([]byte) []byte
	digest         func(nonce []byte) []byte // what is signed
	object         func(map[string]any) any
}

func newSigner() *signer {
	hash := sha256.Sum256([]byte("request"))
	return &signer{
		key: testKeys().leaf, clientDataHash: hash[:], flags: 0x40, counter: 1,
		digest: func(nonce []byte) []byte { d := sha256.Sum256(nonce); return d[:] },
	}
}

func (s *signer) assert() []byte {
	rpIDHash := sha256.Sum256([]byte(appID))
	b := append(rpIDHash[:], s.flags)
	b = append(binary.BigEndian.AppendUint32(b, s.counter), s.extensions...)
	if s.editAuthData != nil {
		b = s.editAuthData(b)
	}
	nonce := sha256.Sum256(append(bytes.Clone(b), s.clientDataHash...))
	signature := must(ecdsa.SignASN1(rand.Reader, s.key, s.digest(nonce[:])))
	object := map[string]any{"signature": signature, "authenticatorData": b}
	if s.object != nil {
		return raw(s.object(object))
	}
	return encode(object)
}

// field is one field of a receipt.
type field struct {
	number byte
	value  []byte
}

// receipt is a receipt while it can still be changed.
type receipt struct {
	fields       []field
	payload      func([]byte) []byte
	signerCert   *x509.Certificate
	certifiedKey *ecdsa.PrivateKey // of signerCert
	caSigner     *ecdsa.PrivateKey
	signers      int
	attributes   bool
	extra        []pkcs7.Attribute // signed attributes beside the usual
	digest       asn1.ObjectIdentifier
	algorithm    asn1.ObjectIdentifier // of the signature; nil: fits digest
	sign         crypto.Signer
	certificates func([]*x509.Certificate) []*x509.Certificate
}

const receiptTime = "2006-01-02T15:04:05.000Z"

// newReceipt is the good case: a RECEIPT with risk metric 2.
func newReceipt() *receipt {
	k := testKeys()
	ca := caTemplate("Test Attestation CA 1")
	leaf := newPhone().leaf
	return &receipt{
		fields: []field{
			{17, []byte("2")},
			{6, []byte("RECEIPT")},
			{2, []byte(appID)},
			{3, issue(leaf, ca, k.leaf.Public(), k.ca)},
			{4, []byte("mangled")},
			{5, []byte("token")},
			{7, []byte("production")},
			{12, []byte(now.Format(receiptTime))},
			{19, []byte(now.Add(24 * time.Hour).Format(receiptTime))},
			{21, []byte(now.Add(90 * 24 * time.Hour).Format(receiptTime))},
		},
		signerCert: &x509.Certificate{
			SerialNumber: big.NewInt(11), Subject: pkix.Name{CommonName: "Test Receipt Signing"},
			NotBefore: now.AddDate(0, -6, 0), NotAfter: now.AddDate(0, 7, 0),
			KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		},
		certifiedKey: k.signer, sign: k.signer, caSigner: k.receiptRoot, signers: 1,
		digest: pkcs7.OIDDigestAlgorithmSHA256,
	}
}

// set changes the value of a field; nil removes it.
func (r *receipt) set(number byte, value []byte) {
	for i, f := range r.fields {
		if f.number == number {
			if value == nil {
				r.fields = append(r.fields[:i:i], r.fields[i+1:]...)
			} else {
				r.fields[i].value = value
			}
			return
		}
	}
	r.fields = append(r.fields, field{number, value})
}

// cms makes the receipt.
func (r *receipt) cms() []byte {
	k := testKeys()
	var body []byte
	for _, f := range r.fields {
		body = append(body, tlv(0x30, tlv(2, []byte{f.number}), tlv(2, []byte{1}), tlv(4, f.value))...)
	}
	content := tlv(0x31, body)
	if r.payload != nil {
		content = r.payload(content)
	}
	root := caTemplate("Test Receipt Root")
	ca := caTemplate("Test Receipt CA")
	caCert := must(x509.ParseCertificate(issue(ca, root, k.receiptCA.Public(), r.caSigner)))
	cert := must(x509.ParseCertificate(issue(r.signerCert, ca, r.certifiedKey.Public(), k.receiptCA)))

	data := must(pkcs7.NewSignedData(content))
	data.SetDigestAlgorithm(r.digest)
	if r.algorithm != nil {
		data.SetEncryptionAlgorithm(r.algorithm)
	}
	for range r.signers {
		if !r.attributes {
			if err := data.SignWithoutAttr(cert, r.sign, pkcs7.SignerInfoConfig{}); err != nil {
				panic(err)
			}
		} else if err := data.AddSigner(cert, r.sign, pkcs7.SignerInfoConfig{ExtraSignedAttributes: r.extra}); err != nil {
			panic(err)
		}
	}
	others := []*x509.Certificate{caCert}
	if r.certificates != nil {
		others = r.certificates(others)
	}
	for _, c := range others {
		data.AddCertificate(c)
	}
	return must(data.Finish())
}

// memory is a Cache that counts.
type memory struct {
	facts          map[[2][32]byte]bool
	asked, stored  int
	rememberedCert [32]byte
}

func (m *memory) Verified(cert, spki [32]byte) bool {
	m.asked++
	return m.facts[[2][32]byte{cert, spki}]
}

func (m *memory) Remember(cert, spki [32]byte) {
	if m.facts == nil {
		m.facts = make(map[[2][32]byte]bool)
	}
	m.stored++
	m.rememberedCert = cert
	m.facts[[2][32]byte{cert, spki}] = true
}

func verify(t testing.TB, object []byte, want *appattest.Expect) (*appattest.Attestation, error) {
	t.Helper()
	return appattest.VerifyAttestation(object, want, now)
}
