package request_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest/request"
)

// The public keys of RFC 9421, Appendix B.1.
const (
	rsaPSSKey  = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5WUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI2wIDAQAB"
	p256Key    = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ=="
	ed25519Key = "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="
	sharedKey  = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)

// rfcRequest is test-request of RFC 9421, Appendix B.2.
func rfcRequest() *request.Message {
	return &request.Message{
		Method: "POST", Authority: "example.com", Path: "/foo", Query: "?param=Value&Pet=dog",
		Fields: map[string]string{
			"host":           "example.com",
			"date":           "Tue, 20 Apr 2021 02:07:55 GMT",
			"content-type":   "application/json",
			"content-digest": "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
			"content-length": "18",
		},
	}
}

// TestRFC9421: the examples of Appendix B.2 whose components this package
// covers: their bases, and the signatures that the RFC gives over them.
func TestRFC9421(t *testing.T) {
	tests := []struct {
		name, params, base, alg, key, signature string
	}{
		{
			name:   "B.2.1",
			params: `();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"`,
			base:   `"@signature-params": ();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"`,
			alg:    "rsa-pss-sha512", key: rsaPSSKey,
			signature: "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==",
		},
		{
			name:   "B.2.3",
			params: `("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"`,
			base: `"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@query": ?param=Value&Pet=dog
"@authority": example.com
"content-type": application/json
"content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"`,
			alg: "rsa-pss-sha512", key: rsaPSSKey,
			signature: "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==",
		},
		{
			name:   "B.2.5",
			params: `("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`,
			base: `"date": Tue, 20 Apr 2021 02:07:55 GMT
"@authority": example.com
"content-type": application/json
"@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`,
			alg: "hmac-sha256", key: sharedKey,
			signature: "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=",
		},
		{
			name:   "B.2.6",
			params: `("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`,
			base: `"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`,
			alg: "ed25519", key: ed25519Key,
			signature: "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, _, _ := strings.Cut(strings.TrimPrefix(tt.params, "("), ")")
			var components []string
			for name := range strings.FieldsSeq(list) {
				components = append(components, strings.Trim(name, `"`))
			}
			base, err := request.Base(rfcRequest(), components, tt.params)
			if err != nil {
				t.Fatal(err)
			}
			if string(base) != tt.base {
				t.Fatalf("base\n%s\nwant\n%s", base, tt.base)
			}
			key, sig := decode(t, tt.key), decode(t, tt.signature)
			if tt.alg == "hmac-sha256" { // not a phone's: no algorithm of this package
				mac := hmac.New(sha256.New, key)
				mac.Write(base)
				if !hmac.Equal(mac.Sum(nil), sig) || request.VerifySignature(tt.alg, key, base, sig) {
					t.Error("hmac-sha256")
				}
				return
			}
			verifies(t, tt.alg, publicKey(t, key), base, sig)
		})
	}
}

// TestRFC9421Response: B.2.4 signs a response, so its base is written here.
func TestRFC9421Response(t *testing.T) {
	base := `"@status": 200
"content-type": application/json
"content-digest": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:
"content-length": 23
"@signature-params": ("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"`
	sig := decode(t, "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==")
	verifies(t, "ecdsa-p256-sha256", publicKey(t, decode(t, p256Key)), []byte(base), sig)
}

// algorithms are those of VerifySignature.
func algorithms() []string {
	return []string{"ecdsa-p256-sha256", "ecdsa-p384-sha384", "ed25519", "rsa-pss-sha512", "rsa-v1_5-sha256"}
}

// verifies demands that sig is good for alg and base, and for nothing else.
func verifies(t *testing.T, alg string, key crypto.PublicKey, base, sig []byte) {
	t.Helper()
	if !request.VerifySignature(alg, key, base, sig) {
		t.Fatalf("%s does not verify", alg)
	}
	for _, other := range append(algorithms(), "", "hmac-sha256", strings.ToUpper(alg)) {
		if other != alg && request.VerifySignature(other, key, base, sig) {
			t.Errorf("a signature of %s verifies as %q", alg, other)
		}
	}
	for _, wrong := range [][]byte{nil, {}, sig[:len(sig)-1], append([]byte{0}, sig...), append(sig[:len(sig):len(sig)], 0), make([]byte, len(sig))} {
		if request.VerifySignature(alg, key, base, wrong) {
			t.Errorf("%s: %x verifies", alg, wrong)
		}
	}
	for i := range sig {
		flipped := append([]byte{}, sig...)
		flipped[i] ^= 1
		if request.VerifySignature(alg, key, base, flipped) {
			t.Errorf("%s: verifies with byte %d changed", alg, i)
		}
	}
	if request.VerifySignature(alg, key, append([]byte{' '}, base...), sig) {
		t.Errorf("%s: verifies over another base", alg)
	}
}

// TestVerifySignature: keys made here, and what must not be taken for one.
func TestVerifySignature(t *testing.T) {
	base := []byte("base")
	for curve, alg := range map[elliptic.Curve]string{elliptic.P256(): "ecdsa-p256-sha256", elliptic.P384(): "ecdsa-p384-sha384"} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		size := curve.Params().BitSize / 8
		short := false
		for i := 0; i < 2000 && (i < 20 || !short); i++ { // until r or s begins with a zero
			sum := sha256.Sum256(base)
			sum384 := sha512.Sum384(base)
			digest := sum[:]
			if size == 48 {
				digest = sum384[:]
			}
			r, s, err := ecdsa.Sign(rand.Reader, key, digest)
			if err != nil {
				t.Fatal(err)
			}
			sig := append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
			if !request.VerifySignature(alg, &key.PublicKey, base, sig) {
				t.Fatalf("%s: %x does not verify", alg, sig)
			}
			short = short || r.BitLen() <= 8*(size-1) || s.BitLen() <= 8*(size-1)
			if i == 0 {
				verifies(t, alg, &key.PublicKey, base, sig)
				// r+n, r || 0 and 0 || s are no signatures.
				n := curve.Params().N
				for _, rs := range [][2]*big.Int{{r, new(big.Int)}, {new(big.Int), s}, {n, s}, {r, n}} {
					wrong := append(rs[0].FillBytes(make([]byte, size)), rs[1].FillBytes(make([]byte, size))...)
					if request.VerifySignature(alg, &key.PublicKey, base, wrong) {
						t.Errorf("%s: %x verifies", alg, wrong)
					}
				}
				longer := append(append(append([]byte{}, sig[:size]...), 0), sig[size:]...)
				if request.VerifySignature(alg, &key.PublicKey, base, longer) {
					t.Errorf("%s: s with a zero in front verifies", alg)
				}
				der, err := key.Sign(rand.Reader, digest, crypto.SHA256)
				if err == nil && request.VerifySignature(alg, &key.PublicKey, base, der) {
					t.Errorf("%s: DER verifies", alg)
				}
			}
		}
		if !short {
			t.Errorf("%s: no signature had a zero in front", alg)
		}
	}

	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	sig := ed25519.Sign(private, base)
	verifies(t, "ed25519", public, base, sig)

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(base)
	if sig, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:]); err != nil {
		t.Fatal(err)
	}
	verifies(t, "rsa-v1_5-sha256", &key.PublicKey, base, sig)
	sum512 := sha512.Sum512(base)
	for salt, want := range map[int]bool{64: true, 32: false, 1: false} { // RFC 9421, Section 3.3.1: 64
		sig, err := rsa.SignPSS(rand.Reader, key, crypto.SHA512, sum512[:], &rsa.PSSOptions{SaltLength: salt})
		if err != nil {
			t.Fatal(err)
		}
		if request.VerifySignature("rsa-pss-sha512", &key.PublicKey, base, sig) != want {
			t.Errorf("a salt of %d bytes: %t", salt, !want)
		}
	}

	// Keys that are none.
	for _, none := range []crypto.PublicKey{nil, "key", (*ecdsa.PublicKey)(nil), (*rsa.PublicKey)(nil), ed25519.PublicKey(nil), ed25519.PublicKey("short"), &ecdsa.PublicKey{}, key, private} {
		for _, alg := range algorithms() {
			for _, sig := range [][]byte{nil, make([]byte, 64), make([]byte, 96), make([]byte, 256)} {
				if request.VerifySignature(alg, none, base, sig) {
					t.Errorf("%s verifies under %T", alg, none)
				}
			}
		}
	}
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func publicKey(t *testing.T, der []byte) crypto.PublicKey {
	t.Helper()
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
