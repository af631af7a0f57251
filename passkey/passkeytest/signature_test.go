package passkeytest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// verify is the standard library's opinion of a signature.
func verify(pub any, alg int, message, sig []byte) bool {
	hash := map[int]crypto.Hash{-7: crypto.SHA256, -35: crypto.SHA384, -36: crypto.SHA512, -37: crypto.SHA256, -38: crypto.SHA384,
		-39: crypto.SHA512, -257: crypto.SHA256, -258: crypto.SHA384, -259: crypto.SHA512, -65535: crypto.SHA1}[alg]
	var digest []byte
	if hash != 0 {
		h := hash.New()
		h.Write(message)
		digest = h.Sum(nil)
	}
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(pub, message, sig)
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(pub, digest, sig)
	case *rsa.PublicKey:
		if alg <= -37 && alg >= -39 {
			return rsa.VerifyPSS(pub, hash, digest, sig, nil) == nil
		}
		return rsa.VerifyPKCS1v15(pub, hash, digest, sig) == nil
	}
	return false
}

// TestSignatures: answers of every algorithm verify; changed ones do too, except
// those with another hash or a changed signature.
func TestSignatures(t *testing.T) {
	changes := map[string]struct {
		change passkeytest.Change
		ok     bool
	}{
		"good":               {func(*passkeytest.Draft) {}, true},
		"client data":        {passkeytest.Set("clientData.type", 7), true},
		"flags":              {func(d *passkeytest.Draft) { d.Flags = 0x40 }, true},
		"authenticator data": {passkeytest.Edit(passkeytest.AuthenticatorData, passkeytest.Append(1)), true},
		"signature":          {passkeytest.Edit(passkeytest.Signature, passkeytest.Flip), false},
		"hash":               {func(d *passkeytest.Draft) { d.SignedHash = make([]byte, 32) }, false},
	}
	for _, alg := range []int{-7, -8, -35, -36, -37, -38, -39, -257, -258, -259, -65535} {
		a := authenticator(t, &passkeytest.Options{Algorithm: alg, Attestation: passkeytest.Self})
		var pub any
		for name, c := range changes {
			if alg != -7 && name != "good" { // keys of RSA take long to make
				continue
			}
			response, err := a.Create([]byte(creation), origin, c.change)
			created := parse(t, response, err)
			var key struct {
				Response struct {
					PublicKey          string
					PublicKeyAlgorithm int
				}
			}
			if err := json.Unmarshal(response, &key); err != nil {
				t.Fatal(err)
			}
			if pub, err = x509.ParsePKIXPublicKey(raw(t, key.Response.PublicKey)); err != nil || key.Response.PublicKeyAlgorithm != alg {
				t.Fatalf("algorithm %d: %d, %v", alg, key.Response.PublicKeyAlgorithm, err)
			}
			object, err := cbor.TextMap(raw(t, created.Response.AttestationObject))
			if err != nil {
				t.Fatal(err)
			}
			statement, err := cbor.TextMap(object["attStmt"])
			if err != nil {
				t.Fatal(err)
			}
			sig, _ := cbor.Bytes(statement["sig"])
			hash := sha256.Sum256(raw(t, created.Response.ClientDataJSON))
			message := append(raw(t, created.Response.AuthenticatorData), hash[:]...)
			if verify(pub, alg, message, sig) != c.ok {
				t.Errorf("algorithm %d, %s: the attestation verifies: %t", alg, name, !c.ok)
			}

			response, err = a.Get([]byte(request), origin, c.change)
			got := parse(t, response, err)
			hash = sha256.Sum256(raw(t, got.Response.ClientDataJSON))
			message = append(raw(t, got.Response.AuthenticatorData), hash[:]...)
			if verify(pub, alg, message, raw(t, got.Response.Signature)) != c.ok {
				t.Errorf("algorithm %d, %s: the assertion verifies: %t", alg, name, !c.ok)
			}
		}
	}
}

// TestCertificates: the chain of Certified leads to Root, and its leaf attests.
func TestCertificates(t *testing.T) {
	for _, kind := range []passkeytest.Attestation{passkeytest.Certified, passkeytest.U2F, passkeytest.TPM} {
		a := authenticator(t, &passkeytest.Options{Algorithm: -7, Attestation: kind, AAGUID: [16]byte{1}})
		response, err := a.Create([]byte(creation), origin)
		object, err := cbor.TextMap(raw(t, parse(t, response, err).Response.AttestationObject))
		if err != nil {
			t.Fatal(err)
		}
		var statement struct {
			X5C [][]byte `cbor:"x5c"`
		}
		if err := cbor.Unmarshal(object["attStmt"], &statement); err != nil {
			t.Fatal(err)
		}
		der, err := a.Root()
		if err != nil {
			t.Fatal(err)
		}
		root, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		roots, middle := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(root)
		var leaf *x509.Certificate // of TPM: its alternative name is none that x509 knows
		for i, der := range statement.X5C {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				leaf = c
			} else {
				middle.AddCert(c)
			}
		}
		leaf.UnhandledCriticalExtensions = nil
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: middle, CurrentTime: leaf.NotBefore, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
			t.Errorf("kind %d: %v", kind, err)
		}
	}
}

func ExampleAuthenticator() {
	a, err := passkeytest.New(&passkeytest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := a.Create([]byte(creation), "https://example.org"); err != nil {
		fmt.Println(err)
		return
	}
	unverified := func(d *passkeytest.Draft) { d.Flags &^= passkeytest.UserVerified }
	response, err := a.Get([]byte(request), "https://example.org", unverified)
	fmt.Println(len(response) > 0, err)
	// Output: true <nil>
}
