package appattest_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smallstep/pkcs7"

	"github.com/staunchid/staunch/attest/appattest"
)

// hashSigner signs its own hash of a content, whatever digest it is given.
type hashSigner struct {
	key     *ecdsa.PrivateKey
	hash    crypto.Hash
	content *[]byte
}

func (s hashSigner) Public() crypto.PublicKey { return s.key.Public() }

func (s hashSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	h := s.hash.New()
	h.Write(*s.content)
	return ecdsa.SignASN1(rand.Reader, s.key, h.Sum(nil))
}

func TestVerifyReceipt(t *testing.T) {
	k := testKeys()
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	for _, tc := range []struct {
		name string
		edit func(*receipt)
		code string
	}{
		{"good", func(*receipt) {}, ""},
		{"attest", func(r *receipt) {
			r.set(6, []byte("ATTEST"))
			r.set(17, nil)
			r.set(19, nil)
		}, ""},
		{"sandbox", func(r *receipt) { r.set(7, []byte("sandbox")) }, ""},
		{"fields the other way round", func(r *receipt) { slices.Reverse(r.fields) }, ""},
		{"unknown field", func(r *receipt) { r.set(99, []byte("new")) }, ""},
		{"unknown field twice", func(r *receipt) {
			r.fields = append(r.fields, field{99, nil}, field{99, nil})
		}, ""},
		{"no unread fields", func(r *receipt) { r.set(4, nil); r.set(5, nil) }, ""},
		{"signed attributes", func(r *receipt) {
			r.attributes, r.signerCert.NotAfter = true, now.AddDate(50, 0, 0) // signing time is the test's
			r.signerCert.NotBefore = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		}, ""},
		{"with the root", func(r *receipt) {
			r.certificates = func(c []*x509.Certificate) []*x509.Certificate { return append(c, roots().Receipt...) }
		}, ""},
		{"SHA-384", func(r *receipt) { r.digest = pkcs7.OIDDigestAlgorithmSHA384 }, ""},

		// The fields.
		{"no app id", func(r *receipt) { r.set(2, nil) }, "receipt_invalid"},
		{"empty app id", func(r *receipt) { r.set(2, []byte{}) }, "receipt_invalid"},
		{"app id no text", func(r *receipt) { r.set(2, []byte{0xff}) }, "receipt_invalid"},
		{"no certificate", func(r *receipt) { r.set(3, nil) }, "receipt_invalid"},
		{"certificate unreadable", func(r *receipt) { r.set(3, []byte("mangled")) }, "receipt_invalid"},
		{"certificate on P-384", func(r *receipt) {
			r.set(3, issue(newPhone().leaf, caTemplate("CA"), p384.Public(), k.ca))
		}, "receipt_invalid"},
		{"no type", func(r *receipt) { r.set(6, nil) }, "receipt_invalid"},
		{"unknown type", func(r *receipt) { r.set(6, []byte("attest")) }, "receipt_invalid"},
		{"no environment", func(r *receipt) { r.set(7, nil) }, "receipt_invalid"},
		{"unknown environment", func(r *receipt) { r.set(7, []byte("development")) }, "receipt_invalid"},
		{"no creation time", func(r *receipt) { r.set(12, nil) }, "receipt_invalid"},
		{"creation time unreadable", func(r *receipt) { r.set(12, []byte("yesterday")) }, "receipt_invalid"},
		{"creation time zero", func(r *receipt) { r.set(12, []byte("0001-01-01T00:00:00Z")) }, "receipt_invalid"},
		{"not before unreadable", func(r *receipt) { r.set(19, []byte{}) }, "receipt_invalid"},
		{"no expiration time", func(r *receipt) { r.set(21, nil) }, "receipt_invalid"},
		{"expiration time unreadable", func(r *receipt) { r.set(21, []byte("never")) }, "receipt_invalid"},
		{"risk metric no number", func(r *receipt) { r.set(17, []byte("low")) }, "receipt_invalid"},
		{"risk metric negative", func(r *receipt) { r.set(17, []byte("-1")) }, "receipt_invalid"},
		{"risk metric empty", func(r *receipt) { r.set(17, []byte{}) }, "receipt_invalid"},
		{"read field twice", func(r *receipt) { r.fields = append(r.fields, field{17, []byte("1")}) }, "receipt_invalid"},
		{"read field twice, alike", func(r *receipt) { r.fields = append(r.fields, field{2, []byte(appID)}) }, "receipt_invalid"},
		{"payload no set", func(r *receipt) {
			r.payload = func(b []byte) []byte { b[0] = 0x30; return b }
		}, "receipt_invalid"},
		{"payload empty", func(r *receipt) { r.payload = func([]byte) []byte { return nil } }, "receipt_invalid"},
		{"a byte after the payload", func(r *receipt) { r.payload = func(b []byte) []byte { return append(b, 0) } }, "receipt_invalid"},
		{"field no sequence", func(r *receipt) {
			r.payload = func(b []byte) []byte { return tlv(0x31, b[4:], tlv(4, nil)) }
		}, "receipt_invalid"},
		{"field without version", func(r *receipt) {
			r.payload = func(b []byte) []byte { return tlv(0x31, b[4:], tlv(0x30, tlv(2, []byte{99}), tlv(4, nil))) }
		}, "receipt_invalid"},
		{"field with negative type", func(r *receipt) {
			r.payload = func(b []byte) []byte {
				return tlv(0x31, b[4:], tlv(0x30, tlv(2, []byte{0xff}), tlv(2, []byte{1}), tlv(4, nil)))
			}
		}, "receipt_invalid"},
		{"field with more", func(r *receipt) {
			r.payload = func(b []byte) []byte {
				return tlv(0x31, b[4:], tlv(0x30, tlv(2, []byte{99}), tlv(2, []byte{1}), tlv(4, nil), tlv(5, nil)))
			}
		}, "receipt_invalid"},
		{"field of text", func(r *receipt) {
			r.payload = func(b []byte) []byte {
				return tlv(0x31, b[4:], tlv(0x30, tlv(2, []byte{99}), tlv(2, []byte{1}), tlv(12, nil)))
			}
		}, "receipt_invalid"},

		// The signature.
		{"no signer", func(r *receipt) { r.signers = 0 }, "receipt_invalid"},
		{"two signers", func(r *receipt) { r.signers = 2 }, "receipt_invalid"},
		{"another key", func(r *receipt) { r.sign = k.other }, "receipt_invalid"},
		{"SHA-1", func(r *receipt) { r.digest = pkcs7.OIDDigestAlgorithmSHA1 }, "receipt_invalid"},
		{"signature with SHA-1 under the digest SHA-256", func(r *receipt) {
			var content []byte
			r.payload = func(b []byte) []byte { content = b; return b }
			r.algorithm, r.sign = pkcs7.OIDDigestAlgorithmECDSASHA1, hashSigner{k.signer, crypto.SHA1, &content}
		}, "receipt_invalid"},
		{"signature with SHA-256 under the digest SHA-1", func(r *receipt) {
			var content []byte
			r.payload = func(b []byte) []byte { content = b; return b }
			r.digest, r.algorithm = pkcs7.OIDDigestAlgorithmSHA1, pkcs7.OIDDigestAlgorithmECDSASHA256
			r.sign = hashSigner{k.signer, crypto.SHA256, &content}
		}, "receipt_invalid"},
		{"signed attributes of another content type", func(r *receipt) {
			r.attributes, r.signerCert.NotAfter = true, now.AddDate(50, 0, 0)
			r.signerCert.NotBefore = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
			r.extra = []pkcs7.Attribute{{Type: pkcs7.OIDAttributeContentType, Value: asn1.ObjectIdentifier{1, 2, 3}}}
		}, "receipt_invalid"},

		// The chain, at the creation time.
		{"signer expired", func(r *receipt) { r.signerCert.NotAfter = now.Add(-time.Second) }, "receipt_invalid"},
		{"signer expires now", func(r *receipt) { r.signerCert.NotAfter = now }, ""},
		{"signer not yet valid", func(r *receipt) { r.signerCert.NotBefore = now.Add(time.Second) }, "receipt_invalid"},
		{"created after the signer's certificate", func(r *receipt) {
			r.set(12, []byte(now.AddDate(1, 0, 0).Format(receiptTime)))
		}, "receipt_invalid"},
		{"created long ago, with a certificate of then", func(r *receipt) {
			r.signerCert.NotBefore, r.signerCert.NotAfter = now.AddDate(-4, 0, 0), now.AddDate(-3, 0, 0)
			r.set(12, []byte(now.AddDate(-4, 6, 0).Format(receiptTime)))
		}, ""},
		{"CA under another root", func(r *receipt) { r.caSigner = p384 }, "receipt_invalid"},
		{"CA under another root that came along", func(r *receipt) {
			r.caSigner = p384
			r.certificates = func(c []*x509.Certificate) []*x509.Certificate {
				root := caTemplate("Test Receipt Root")
				return append(c, must(x509.ParseCertificate(issue(root, root, p384.Public(), p384))))
			}
		}, "receipt_invalid"},
		{"eight certificates", func(r *receipt) {
			r.certificates = func(c []*x509.Certificate) []*x509.Certificate { return slices.Repeat(c, 7) }
		}, ""},
		{"nine certificates", func(r *receipt) {
			r.certificates = func(c []*x509.Certificate) []*x509.Certificate { return slices.Repeat(c, 8) }
		}, "receipt_invalid"},
		{"a certificate with an RSA key", func(r *receipt) {
			r.certificates = func(c []*x509.Certificate) []*x509.Certificate {
				rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
				return append(c, must(x509.ParseCertificate(issue(caTemplate("RSA"), caTemplate("RSA"), rsaKey.Public(), rsaKey))))
			}
		}, "receipt_invalid"},
		{"CA missing", func(r *receipt) {
			r.certificates = func([]*x509.Certificate) []*x509.Certificate { return nil }
		}, "receipt_invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newReceipt()
			tc.edit(r)
			_, err := appattest.VerifyReceipt(r.cms(), roots())
			if got := code(t, err); got != tc.code {
				t.Fatalf("%v, want %q", err, tc.code)
			}
		})
	}
}

func TestReceiptFacts(t *testing.T) {
	k := testKeys()
	r := newReceipt()
	got, err := appattest.VerifyReceipt(r.cms(), roots())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Chain) != 2 {
		t.Errorf("chain of %d", len(got.Chain))
	}
	got.Chain = nil
	want := &appattest.Receipt{
		Type: "RECEIPT", AppID: appID, KeySPKI: spki(k.leaf), KeyID: must(appattest.KeyID(point(k.leaf))),
		Environment: appattest.Production, CreationTime: now, NotBefore: now.Add(24 * time.Hour),
		Expiration: now.Add(90 * 24 * time.Hour), RiskMetric: new(uint32(2)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	// After a Failure, what was claimed is there if the payload can be read.
	if got, err = appattest.VerifyReceipt(r.cms(), appattest.AppleRoots()); code(t, err) != "receipt_invalid" || got == nil || got.AppID != appID {
		t.Errorf("%+v, %v", got, err)
	}
	r.set(2, nil)
	if got, err = appattest.VerifyReceipt(r.cms(), roots()); code(t, err) != "receipt_invalid" || got != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReceiptRoots(t *testing.T) {
	cms := newReceipt().cms()
	for name, tc := range map[string]struct {
		roots appattest.Roots
		code  string
	}{
		"none":              {appattest.Roots{}, "receipt_invalid"},
		"Apple's":           {appattest.AppleRoots(), "receipt_invalid"},
		"Apple's and ours":  {appattest.Roots{Receipt: append(appattest.AppleRoots().Receipt, roots().Receipt...)}, ""},
		"ours and Apple's":  {appattest.Roots{Receipt: append(roots().Receipt, appattest.AppleRoots().Receipt...)}, ""},
		"only attestations": {appattest.Roots{Attestation: roots().Receipt}, "receipt_invalid"},
	} {
		if _, err := appattest.VerifyReceipt(cms, tc.roots); code(t, err) != tc.code {
			t.Errorf("%s: %v, want %q", name, err, tc.code)
		}
	}
}

// TestReceiptSigner: under Apple Root CA - G3 not every key may sign receipts.
func TestReceiptSigner(t *testing.T) {
	root := roots()
	spki := sha256.Sum256(root.Receipt[0].RawSubjectPublicKeyInfo)
	r := newReceipt()
	if _, err := appattest.VerifyReceiptMarked(r.cms(), root, hex.EncodeToString(spki[:])); code(t, err) != "receipt_invalid" {
		t.Errorf("unmarked: %v", err)
	}
	r.signerCert.ExtraExtensions = []pkix.Extension{ext(appleOID(12, 15), false, []byte{5, 0})}
	if _, err := appattest.VerifyReceiptMarked(r.cms(), root, hex.EncodeToString(spki[:])); err != nil {
		t.Errorf("marked: %v", err)
	}
	g3 := sha256.Sum256(appattest.AppleRoots().Receipt[0].RawSubjectPublicKeyInfo)
	if hex.EncodeToString(g3[:]) != appattest.RootCAG3SPKI {
		t.Error("the marked key is not that of Apple Root CA - G3")
	}
}

func TestReceiptTimes(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-21T12:00:00Z":            "2026-11-21T12:00:00Z",
		"2026-11-21T12:00:00.1Z":          "2026-11-21T12:00:00.1Z",
		"2026-11-21T12:00:00.796Z":        "2026-11-21T12:00:00.796Z",
		"2026-11-21T12:00:00.123456789Z":  "2026-11-21T12:00:00.123456789Z",
		"2026-11-21T21:00:00+09:00":       "2026-11-21T12:00:00Z",
		"2026-11-21T12:00:00,796Z":        "",
		"2026-11-21T12:00:00.1234567890Z": "",
		"2026-11-21T12:00:00":             "",
		"2026-11-21 12:00:00Z":            "",
		"2026-11-21T12:00:00Z ":           "",
		"2026-13-21T12:00:00Z":            "",
		"2026-11-21":                      "",
	} {
		r := newReceipt()
		r.set(12, []byte(text))
		got, err := appattest.VerifyReceipt(r.cms(), roots())
		if want == "" {
			if code(t, err) != "receipt_invalid" {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if s := got.CreationTime.Format(time.RFC3339Nano); s != want {
			t.Errorf("%s: %s", text, s)
		}
	}
}

func TestReceiptContainer(t *testing.T) {
	cms := newReceipt().cms()
	enveloped := must(pkcs7.Encrypt([]byte("x"), roots().Receipt[:0]))
	for name, b := range map[string][]byte{
		"empty":             {},
		"null":              {5, 0},
		"empty sequence":    {0x30, 0},
		"other BER":         tlv(0x30, tlv(2, []byte{1}), tlv(4, []byte("text"))),
		"broken inside":     bytes.Replace(cms, []byte("Test Receipt CA"), []byte("Test Receipt C\xff"), 1),
		"noise":             bytes.Repeat([]byte{0xa5}, 100),
		"a byte after it":   append(bytes.Clone(cms), 0),
		"zeros after it":    append(bytes.Clone(cms), 0, 0),
		"twice":             append(bytes.Clone(cms), cms...),
		"enveloped data":    enveloped,
		"16 KiB and a byte": tlv(0x30, make([]byte, 16<<10+1-4)),
		"deeply nested":     bytes.Repeat([]byte{0x30, 0x80}, 4000),
		"deep and closed":   append(bytes.Repeat([]byte{0x30, 0x80}, 4000), make([]byte, 8000)...),
		"length of 5 bytes": {0x30, 0x85, 0, 0, 0, 0, 0},
		"primitive endless": {0x04, 0x80, 0, 0},
		"tag without end":   {0x3f, 0xff, 0xff, 0xff},
		"certificate cut":   bytes.Replace(cms, []byte("Test Receipt CA"), []byte("Test Receipt C\xff"), 1)[:len(cms)-1],
	} {
		if r, err := appattest.VerifyReceipt(b, roots()); code(t, err) != "malformed" || r != nil {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

// TestReceiptSize: 16 KiB are read, and a byte more is not.
func TestReceiptSize(t *testing.T) {
	padded := func(n int) []byte {
		r := newReceipt()
		r.set(99, make([]byte, n))
		return r.cms()
	}
	padding := 12 << 10
	for range 200 { // signatures vary in length
		cms := padded(padding)
		padding += 16<<10 - len(cms)
		if len(cms) == 16<<10 {
			if _, err := appattest.VerifyReceipt(cms, roots()); err != nil {
				t.Error(err)
			}
			for {
				if cms = padded(padding + 1); len(cms) > 16<<10 {
					break
				}
			}
			if _, err := appattest.VerifyReceipt(cms, roots()); code(t, err) != "malformed" {
				t.Errorf("%d bytes: %v", len(cms), err)
			}
			return
		}
	}
	t.Fatal("no receipt of 16 KiB was made")
}

func TestPanicOfTheLibrary(t *testing.T) {
	// A root that is nil makes crypto/x509 panic inside the verification.
	none := appattest.Roots{Receipt: []*x509.Certificate{nil}}
	if r, err := appattest.VerifyReceipt(newReceipt().cms(), none); code(t, err) != "malformed" || r != nil {
		t.Errorf("%v, %v", r, err)
	}
	if err := appattest.Contain(func() error { panic("x") }); code(t, err) != "malformed" {
		t.Errorf("%v", err)
	}
	if err := appattest.Contain(func() error { return nil }); err != nil {
		t.Errorf("%v", err)
	}
}
