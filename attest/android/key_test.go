package android_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/rsa"
	"slices"
	"testing"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

// key is a SubjectPublicKeyInfo.
func key(oid string, params []byte, public ...byte) []byte {
	return sequence(sequence(tlv(6, []byte(oid)), params), bits(0, public...))
}

const (
	oidEC  = "\x2a\x86\x48\xce\x3d\x02\x01"
	oidRSA = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
)

func TestKeyAlgorithm(t *testing.T) {
	curve := func(oid string) []byte { return tlv(6, []byte(oid)) }
	modulus := func(bytes ...byte) []byte { return sequence(integer(bytes...), integer(1, 0, 1)) }
	mldsa := func(last byte) string { return "\x60\x86\x48\x01\x65\x03\x04\x03" + string(last) }
	for _, c := range []struct {
		name string
		spki []byte
		want string
	}{
		{"P-224", key(oidEC, curve("\x2b\x81\x04\x00\x21")), "EC-P224"},
		{"P-256", key(oidEC, curve("\x2a\x86\x48\xce\x3d\x03\x01\x07")), "EC-P256"},
		{"P-384", key(oidEC, curve("\x2b\x81\x04\x00\x22")), "EC-P384"},
		{"P-521", key(oidEC, curve("\x2b\x81\x04\x00\x23")), "EC-P521"},
		{"secp256k1", key(oidEC, curve("\x2b\x81\x04\x00\x0a")), "1.2.840.10045.2.1"},
		{"RSA of 9 bits", key(oidRSA, null(), modulus(0x01, 0xff)...), "RSA-9"},
		{"RSA without NULL", key(oidRSA, nil, modulus(0x00, 0xff)...), "RSA-8"},
		{"RSA with a negative modulus", key(oidRSA, null(), modulus(0xff)...), "1.2.840.113549.1.1.1"},
		{"RSA with a damaged key", key(oidRSA, null(), 0x30), "1.2.840.113549.1.1.1"},
		{"RSA with trailing bytes", key(oidRSA, null(), append(modulus(0x7f), 0)...), "1.2.840.113549.1.1.1"},
		{"RSA with a huge exponent", key(oidRSA, null(), sequence(integer(0x7f), integer(0, 0x80, 0, 0, 0))...), "1.2.840.113549.1.1.1"},
		{"Ed25519", key("\x2b\x65\x70", nil, make([]byte, 32)...), "Ed25519"},
		{"X25519", key("\x2b\x65\x6e", nil, make([]byte, 32)...), "X25519"},
		{"ML-DSA-44", key(mldsa(0x11), nil), "ML-DSA-44"},
		{"ML-DSA-65", key(mldsa(0x12), nil), "ML-DSA-65"},
		{"ML-DSA-87", key(mldsa(0x13), nil), "ML-DSA-87"},
		{"an unknown one", key("\x2a\x03\x04", null()), "1.2.3.4"},
		{"an OID that is none", key("\x80", nil), ""},
		{"no curve", key(oidEC, nil), "1.2.840.10045.2.1"},
		{"unused bits", sequence(sequence(tlv(6, []byte("\x2b\x65\x70"))), bits(1, 0)), ""},
		{"a third field", sequence(sequence(tlv(6, []byte("\x2b\x65\x70"))), bits(0), null()), ""},
		{"no algorithm", sequence(bits(0)), ""},
		{"empty", nil, ""},
	} {
		if got := android.KeyAlgorithm(c.spki); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	for _, name := range []string{"EC-P224", "EC-P256", "EC-P384", "EC-P521", "RSA-2048", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"} {
		p := phone(t, attesttest.Factory)
		p.Algorithm = name
		k, err := p.GenerateKey(testNow(), challenge())
		if err != nil {
			t.Fatal(err)
		}
		a, err := android.Verify(k.Chain(), trusting(t), testNow())
		if err != nil || a.Leaf().KeyAlgorithm() != name || !bytes.Equal(a.Leaf().SPKI, k.PublicKey()) {
			t.Errorf("a leaf of %s: %v", name, err)
		}
	}
}

// TestParsePublicKey: which keys may sign requests, and no others are verified by.
func TestParsePublicKey(t *testing.T) {
	curve := func(oid string) []byte { return tlv(6, []byte(oid)) }
	p256, p224 := curve("\x2a\x86\x48\xce\x3d\x03\x01\x07"), curve("\x2b\x81\x04\x00\x21")
	point := func(c elliptic.Curve) []byte {
		return elliptic.Marshal(c, c.Params().Gx, c.Params().Gy) //nolint:staticcheck // there is no other way to P-224's
	}
	off := point(elliptic.P256())
	off[64] ^= 1
	modulus := func(bits int, exponent ...byte) []byte {
		n := bytes.Repeat([]byte{0xff}, bits/8)
		return sequence(integer(append([]byte{0}, n...)...), integer(exponent...))
	}
	for _, c := range []struct {
		name string
		spki []byte
		ok   bool
	}{
		{"P-256", key(oidEC, p256, point(elliptic.P256())...), true},
		{"P-256, off the curve", key(oidEC, p256, off...), false},
		{"P-256, no point", key(oidEC, p256), false},
		{"P-256, infinity", key(oidEC, p256, 0), false},
		{"P-224", key(oidEC, p224, point(elliptic.P224())...), false},
		{"RSA of 2048 bits", key(oidRSA, null(), modulus(2048, 1, 0, 1)...), true},
		{"RSA without NULL", key(oidRSA, nil, modulus(2048, 1, 0, 1)...), true},
		{"RSA of 8192 bits", key(oidRSA, null(), modulus(8192, 1, 0, 1)...), true},
		{"RSA of 2040 bits", key(oidRSA, null(), modulus(2040, 1, 0, 1)...), false},
		{"RSA of 8200 bits", key(oidRSA, null(), modulus(8200, 1, 0, 1)...), false},
		{"RSA with a huge exponent", key(oidRSA, null(), modulus(2048, 0, 0x80, 0, 0, 0)...), false},
		{"Ed25519", key("\x2b\x65\x70", nil, make([]byte, 32)...), true},
		{"Ed25519 of 31 bytes", key("\x2b\x65\x70", nil, make([]byte, 31)...), false},
		{"X25519", key("\x2b\x65\x6e", nil, make([]byte, 32)...), false},
		{"ML-DSA-44", key("\x60\x86\x48\x01\x65\x03\x04\x03\x11", nil, make([]byte, 1312)...), false},
		{"nothing", nil, false},
	} {
		if key, err := android.ParsePublicKey(c.spki); (err == nil) != c.ok || (key != nil) != c.ok {
			t.Errorf("%s: %v, %v", c.name, key, err)
		}
	}
}

// TestSignatureAlgorithms: A.2, every pairing that is allowed, and those that
// are not.
func TestSignatureAlgorithms(t *testing.T) {
	small, large := rsaKey(t, 1024), rsaKey(t, 2048)
	ecAlgorithm := func(last byte, params []byte) []byte {
		return sequence(tlv(6, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, last}), params)
	}
	rsaAlgorithm := func(last byte, params []byte) []byte {
		return sequence(tlv(6, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last}), params)
	}
	for _, c := range []struct {
		name      string
		key       crypto.Signer
		hash      crypto.Hash
		algorithm []byte // claimed instead of the one that was used
		want      string
	}{
		{"P-256, SHA-256", newKey(t, elliptic.P256()), crypto.SHA256, nil, ""},
		{"P-256, SHA-384", newKey(t, elliptic.P256()), crypto.SHA384, nil, ""},
		{"P-256, SHA-512", newKey(t, elliptic.P256()), crypto.SHA512, nil, ""},
		{"P-384, SHA-256", newKey(t, elliptic.P384()), crypto.SHA256, nil, ""},
		{"P-521, SHA-256", newKey(t, elliptic.P521()), crypto.SHA256, nil, ""},
		{"P-521, SHA-512", newKey(t, elliptic.P521()), crypto.SHA512, nil, ""},
		{"RSA 2048, SHA-256", large, crypto.SHA256, nil, ""},
		{"RSA 2048, SHA-384", large, crypto.SHA384, nil, ""},
		{"RSA 2048, SHA-512", large, crypto.SHA512, nil, ""},
		{"RSA 1024", small, crypto.SHA256, nil, android.CodeSignatureAlgorithm},
		{"P-224", newKey(t, elliptic.P224()), crypto.SHA256, nil, android.CodeSignatureAlgorithm},
		{"ECDSA with SHA-1", newKey(t, elliptic.P256()), crypto.SHA1, nil, android.CodeSignatureAlgorithm},
		{"RSA with SHA-1", large, crypto.SHA1, nil, android.CodeSignatureAlgorithm},
		{"RSASSA-PSS", large, crypto.SHA256, rsaAlgorithm(0x0a, nil), android.CodeSignatureAlgorithm},
		{"ECDSA with SHA-224", newKey(t, elliptic.P256()), crypto.SHA256, ecAlgorithm(1, nil), android.CodeSignatureAlgorithm},
		{"ECDSA with other parameters", newKey(t, elliptic.P256()), crypto.SHA256, ecAlgorithm(2, octets("")), android.CodeSignatureAlgorithm},
		{"RSA with other parameters", large, crypto.SHA256, rsaAlgorithm(0x0b, sequence()), android.CodeSignatureAlgorithm},
		{"ECDSA with a NULL that is not empty", newKey(t, elliptic.P256()), crypto.SHA256, ecAlgorithm(2, []byte{5, 1, 0}), android.CodeSignatureAlgorithm},
		{"an EC key, RSA claimed", newKey(t, elliptic.P256()), crypto.SHA256, rsaAlgorithm(0x0b, null()), android.CodeSignature},
		{"an RSA key, ECDSA claimed", large, crypto.SHA256, ecAlgorithm(2, nil), android.CodeSignature},
		{"another hash claimed", newKey(t, elliptic.P256()), crypto.SHA256, ecAlgorithm(3, nil), android.CodeSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := attested(t, attesttest.Factory, at(1, rekey(t, c.key)), at(0, func(x *attesttest.Certificate) {
				x.Hash, x.Algorithm = c.hash, c.algorithm
			}))
			if _, err := android.Verify(chain, trusting(t), testNow()); code(t, err) != c.want || c.want != "" && position(err) != 0 {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestIssuerKeys: a batch certificate whose key cannot be used.
func TestIssuerKeys(t *testing.T) {
	good := newKey(t, elliptic.P256())
	point, err := good.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	p256 := tlv(6, []byte("\x2a\x86\x48\xce\x3d\x03\x01\x07"))
	off := slices.Clone(point)
	off[64] ^= 1
	even := &rsa.PublicKey{N: rsaKey(t, 2048).N, E: 2}
	for name, c := range map[string]struct {
		spki []byte
		want string
	}{
		"good":               {key(oidEC, p256, point...), ""},
		"not on the curve":   {key(oidEC, p256, off...), android.CodeSignature},
		"compressed":         {key(oidEC, p256, append([]byte{2 + point[64]&1}, point[1:33]...)...), android.CodeSignature},
		"the point at 0":     {key(oidEC, p256, 0), android.CodeSignature},
		"no point":           {key(oidEC, p256), android.CodeSignature},
		"secp256k1":          {key(oidEC, tlv(6, []byte("\x2b\x81\x04\x00\x0a")), point...), android.CodeSignatureAlgorithm},
		"Ed25519":            {key("\x2b\x65\x70", nil, point[1:33]...), android.CodeSignatureAlgorithm},
		"no key at all":      {sequence(), android.CodeSignature},
		"RSA, exponent 2":    {key(oidRSA, null(), sequence(tlv(2, append([]byte{0}, even.N.Bytes()...)), integer(2))...), android.CodeSignature},
		"RSA, exponent 0":    {key(oidRSA, null(), sequence(tlv(2, append([]byte{0}, even.N.Bytes()...)), integer(0))...), android.CodeSignature},
		"RSA, exponent 1":    {key(oidRSA, null(), sequence(tlv(2, append([]byte{0}, even.N.Bytes()...)), integer(1))...), android.CodeSignature},
		"RSA, even modulus":  {key(oidRSA, null(), sequence(tlv(2, slices.Concat([]byte{0x7f}, make([]byte, 256))), integer(1, 0, 1))...), android.CodeSignature},
		"RSA, modulus 0":     {key(oidRSA, null(), sequence(integer(0), integer(1, 0, 1))...), android.CodeSignatureAlgorithm},
		"RSA of 65,536 bits": {key(oidRSA, null(), sequence(tlv(2, slices.Repeat([]byte{0x7f}, 8192)), integer(1, 0, 1))...), android.CodeSignatureAlgorithm},
	} {
		chain := attested(t, attesttest.Factory, at(1, func(x *attesttest.Certificate) {
			x.PublicKey, x.Key = c.spki, crypto.Signer(good)
		}))
		if _, err := android.Verify(chain, trusting(t), testNow()); code(t, err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
