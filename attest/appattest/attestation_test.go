package appattest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/internal/cbor"
)

// macOSACL is fact A.5 of the design.
var macOSACL = must(hex.DecodeString("30400c023131303a30090c026f6ba1030101ff30090c026f61a1030101ff300b0c046f64656ca1030101ff30150c046f73676ea0060c04727365633005a603020101"))

func ext(oid asn1.ObjectIdentifier, critical bool, value []byte) pkix.Extension {
	return pkix.Extension{Id: oid, Critical: critical, Value: value}
}

func TestVerifyAttestation(t *testing.T) {
	k := testKeys()
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	otherID := sha256.Sum256(point(k.other))
	for _, tc := range []struct {
		name string
		edit func(*phone, *appattest.Expect)
		code string
	}{
		{"good", func(*phone, *appattest.Expect) {}, ""},
		{"no key id expected", func(_ *phone, w *appattest.Expect) { w.KeyID = nil }, ""},
		{"raw client data", func(p *phone, w *appattest.Expect) {
			p.clientDataHash = []byte("x")
			w.ClientDataHash = p.clientDataHash
		}, ""},
		{"raw client data of 128 bytes", func(p *phone, w *appattest.Expect) {
			p.clientDataHash = make([]byte, 128)
			w.ClientDataHash = p.clientDataHash
		}, ""},
		{"development", func(p *phone, _ *appattest.Expect) { p.aaguid = "appattestdevelop" }, ""},
		{"no receipt", func(p *phone, _ *appattest.Expect) { p.statement = func(s map[string]any) { delete(s, "receipt") } }, ""},

		// The arguments.
		{"no client data hash", func(_ *phone, w *appattest.Expect) { w.ClientDataHash = nil }, "malformed"},
		{"client data hash of 129 bytes", func(p *phone, w *appattest.Expect) {
			p.clientDataHash = make([]byte, 129)
			w.ClientDataHash = p.clientDataHash
		}, "malformed"},

		// The container.
		{"another fmt", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { o["fmt"] = "apple"; return o }
		}, "unsupported"},
		{"another fmt without the rest", func(p *phone, _ *appattest.Expect) {
			p.object = func(map[string]any) any { return map[string]any{"fmt": "none"} }
		}, "unsupported"},
		{"no fmt", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { delete(o, "fmt"); return o }
		}, "malformed"},
		{"fmt in bytes", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { o["fmt"] = []byte("apple-appattest"); return o }
		}, "malformed"},
		{"an array", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { return []any{o["fmt"], o["attStmt"], o["authData"]} }
		}, "malformed"},
		{"null", func(p *phone, _ *appattest.Expect) { p.object = func(map[string]any) any { return nil } }, "malformed"},
		{"no authData", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { delete(o, "authData"); return o }
		}, "malformed"},
		{"authData null", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { o["authData"] = nil; return o }
		}, "malformed"},
		{"authData text", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { o["authData"] = "text"; return o }
		}, "malformed"},
		{"authData an array of numbers", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { o["authData"] = []int{1, 2, 3}; return o }
		}, "malformed"},
		{"no attStmt", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { delete(o, "attStmt"); return o }
		}, "malformed"},
		{"attStmt null", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { o["attStmt"] = nil; return o }
		}, "malformed"},
		{"no x5c", func(p *phone, _ *appattest.Expect) { p.statement = func(s map[string]any) { delete(s, "x5c") } }, "malformed"},
		{"x5c null", func(p *phone, _ *appattest.Expect) { p.statement = func(s map[string]any) { s["x5c"] = nil } }, "malformed"},
		{"x5c of text", func(p *phone, _ *appattest.Expect) {
			p.statement = func(s map[string]any) { s["x5c"] = []string{"a", "b"} }
		}, "malformed"},
		{"x5c of four, one text", func(p *phone, _ *appattest.Expect) {
			p.statement = func(s map[string]any) { s["x5c"] = []any{[]byte{1}, []byte{2}, []byte{3}, "a"} }
		}, "malformed"},
		{"x5c of no certificates", func(p *phone, _ *appattest.Expect) {
			p.chain = func(c [][]byte) [][]byte { return [][]byte{{1}, {2}} }
		}, "malformed"},
		{"a byte after the leaf", func(p *phone, _ *appattest.Expect) {
			p.chain = func(c [][]byte) [][]byte { return [][]byte{append(c[0], 0), c[1]} }
		}, "malformed"},
		{"receipt text", func(p *phone, _ *appattest.Expect) { p.statement = func(s map[string]any) { s["receipt"] = "text" } }, "malformed"},
		{"receipt null", func(p *phone, _ *appattest.Expect) { p.statement = func(s map[string]any) { s["receipt"] = nil } }, "malformed"},
		{"fmt twice", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any {
				return rawMap("fmt", o["fmt"], "attStmt", o["attStmt"], "authData", o["authData"], "fmt", o["fmt"])
			}
		}, "malformed"},
		{"unknown member twice", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any {
				return rawMap("fmt", o["fmt"], "attStmt", o["attStmt"], "authData", o["authData"], "new", 1, "new", 1)
			}
		}, "malformed"},
		{"a key of bytes", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any {
				return rawMap("fmt", o["fmt"], "attStmt", o["attStmt"], "authData", o["authData"], []byte("new"), 1)
			}
		}, "malformed"},
		{"receipt twice", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any {
				s := o["attStmt"].(map[string]any)
				o["attStmt"] = rawMap("x5c", s["x5c"], "receipt", s["receipt"], "receipt", s["receipt"])
				return o
			}
		}, "malformed"},
		{"unknown member of attStmt twice", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any {
				s := o["attStmt"].(map[string]any)
				o["attStmt"] = rawMap("x5c", s["x5c"], "receipt", s["receipt"], "new", 1, "new", 1)
				return o
			}
		}, "malformed"},
		{"an object of indefinite length", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { return endless(encode(o)) }
		}, "malformed"},
		{"attStmt of indefinite length", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any {
				return rawMap("fmt", o["fmt"], "attStmt", endless(encode(o["attStmt"])), "authData", o["authData"])
			}
		}, "malformed"},
		{"a tag", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { return tagged(encode(o)) }
		}, "malformed"},
		{"a tag on x5c", func(p *phone, _ *appattest.Expect) {
			p.statement = func(s map[string]any) { s["x5c"] = tagged(encode(s["x5c"])) }
		}, "malformed"},
		{"x5c a map", func(p *phone, _ *appattest.Expect) {
			p.statement = func(s map[string]any) { s["x5c"] = map[string]any{} }
		}, "malformed"},
		{"attStmt an array", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { o["attStmt"] = []any{}; return o }
		}, "malformed"},
		{"a byte after the object", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { return cbor.RawMessage(append(encode(o), 0)) }
		}, "malformed"},
		{"unknown members", func(p *phone, _ *appattest.Expect) {
			p.statement = func(s map[string]any) { s["new"] = 1 }
			p.object = func(o map[string]any) any { o["new"] = 1; return o }
		}, ""},

		// Step 1: chain_length.
		{"no certificate", func(p *phone, _ *appattest.Expect) {
			p.chain = func([][]byte) [][]byte { return [][]byte{} }
		}, "chain_length"},
		{"leaf alone", func(p *phone, _ *appattest.Expect) {
			p.chain = func(c [][]byte) [][]byte { return c[:1] }
		}, "chain_length"},
		{"with the root", func(p *phone, w *appattest.Expect) {
			p.chain = func(c [][]byte) [][]byte { return append(c, w.Roots.Attestation[0].Raw) }
		}, ""},
		{"with the root's key in another certificate", func(p *phone, _ *appattest.Expect) {
			p.chain = func(c [][]byte) [][]byte {
				other := caTemplate("Reissued")
				other.NotAfter = now.AddDate(-1, 0, 0)
				return append(c, issue(other, other, k.root.Public(), k.root))
			}
		}, ""},
		{"third certificate no root", func(p *phone, _ *appattest.Expect) {
			p.chain = func(c [][]byte) [][]byte { return append(c, c[1]) }
		}, "chain_length"},
		{"third certificate a look-alike", func(p *phone, _ *appattest.Expect) {
			p.chain = func(c [][]byte) [][]byte { return append(c, issue(p.root, p.root, p384.Public(), p384)) }
		}, "chain_length"},
		{"four certificates", func(p *phone, w *appattest.Expect) {
			p.chain = func(c [][]byte) [][]byte {
				return append(c, w.Roots.Attestation[0].Raw, w.Roots.Attestation[0].Raw)
			}
		}, "chain_length"},
		{"four that are no certificates", func(p *phone, _ *appattest.Expect) {
			p.chain = func([][]byte) [][]byte { return [][]byte{{1}, {2}, {3}, {4}} }
		}, "chain_length"},

		// Step 2: the chain.
		{"no roots", func(_ *phone, w *appattest.Expect) { w.Roots = appattest.Roots{} }, "root_unknown"},
		{"receipt roots only", func(_ *phone, w *appattest.Expect) {
			w.Roots = appattest.Roots{Receipt: w.Roots.Attestation}
		}, "root_unknown"},
		{"Apple's roots", func(_ *phone, w *appattest.Expect) { w.Roots = appattest.AppleRoots() }, "root_unknown"},
		{"Apple's roots and the test root", func(_ *phone, w *appattest.Expect) {
			w.Roots.Attestation = append(appattest.AppleRoots().Attestation, w.Roots.Attestation...)
		}, ""},
		{"CA under a look-alike root", func(p *phone, _ *appattest.Expect) { p.caSigner = p384 }, "root_unknown"},
		{"trusted root on P-224", func(p *phone, w *appattest.Expect) {
			p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
			w.Roots.Attestation = []*x509.Certificate{must(x509.ParseCertificate(issue(p.root, p.root, p224.Public(), p224)))}
			p.caSigner = p224
		}, "root_unknown"},
		{"trusted RSA root beside ours", func(p *phone, w *appattest.Expect) {
			key := must(rsa.GenerateKey(rand.Reader, 2048))
			root := must(x509.ParseCertificate(issue(p.root, p.root, key.Public(), key)))
			w.Roots.Attestation = append([]*x509.Certificate{root}, w.Roots.Attestation...)
		}, ""},
		{"leaf under a look-alike CA", func(p *phone, _ *appattest.Expect) { p.leafSigner = p384 }, "signature"},
		{"leaf under the root", func(p *phone, _ *appattest.Expect) { p.leafSigner = k.root }, "signature"},
		{"flipped bit in the leaf", func(p *phone, _ *appattest.Expect) {
			p.chain = func(c [][]byte) [][]byte {
				c[0][bytes.Index(c[0], []byte("leaf"))] ^= 1
				return c
			}
		}, "signature"},
		{"flipped bit in CA 1", func(p *phone, _ *appattest.Expect) {
			p.chain = func(c [][]byte) [][]byte {
				c[1][bytes.LastIndex(c[1], []byte("CA 1"))] ^= 1
				return c
			}
		}, "root_unknown"},
		{"leaf names another issuer", func(p *phone, _ *appattest.Expect) { p.leafIssuer = caTemplate("Other") }, "ca_constraints"},
		{"CA 1 names another issuer", func(p *phone, _ *appattest.Expect) { p.caIssuer = caTemplate("Other") }, "ca_constraints"},
		{"CA 1 without cA", func(p *phone, _ *appattest.Expect) { p.ca.IsCA = false }, "ca_constraints"},
		{"CA 1 without basic constraints", func(p *phone, _ *appattest.Expect) {
			p.ca.IsCA, p.ca.BasicConstraintsValid = false, false
		}, "ca_constraints"},
		{"CA 1 without keyCertSign", func(p *phone, _ *appattest.Expect) { p.ca.KeyUsage = x509.KeyUsageCRLSign }, "ca_constraints"},
		{"CA 1 without key usage", func(p *phone, _ *appattest.Expect) { p.ca.KeyUsage = 0 }, "ca_constraints"},
		{"leaf expired", func(p *phone, _ *appattest.Expect) { p.leaf.NotAfter = now.Add(-time.Second) }, "cert_time"},
		{"leaf expires now", func(p *phone, _ *appattest.Expect) { p.leaf.NotAfter = now }, ""},
		{"leaf not yet valid", func(p *phone, _ *appattest.Expect) { p.leaf.NotBefore = now.Add(time.Second) }, "cert_time"},
		{"leaf valid from now", func(p *phone, _ *appattest.Expect) { p.leaf.NotBefore = now }, ""},
		{"CA 1 expired", func(p *phone, _ *appattest.Expect) { p.ca.NotAfter = now.Add(-time.Second) }, "cert_time"},
		{"CA 1 not yet valid", func(p *phone, _ *appattest.Expect) { p.ca.NotBefore = now.Add(time.Second) }, "cert_time"},
		{"root expired", func(_ *phone, w *appattest.Expect) {
			root := caTemplate("Test Attestation Root")
			root.NotAfter = now.AddDate(-1, 0, 0)
			w.Roots.Attestation = []*x509.Certificate{must(x509.ParseCertificate(issue(root, root, k.root.Public(), k.root)))}
		}, ""},
		{"extended key usage of 2026", func(p *phone, _ *appattest.Expect) {
			p.leaf.UnknownExtKeyUsage = []asn1.ObjectIdentifier{appleOID(4, 24)}
		}, ""},
		{"critical extension nobody knows", func(p *phone, _ *appattest.Expect) {
			p.leaf.ExtraExtensions = []pkix.Extension{ext(appleOID(8, 99), true, []byte{5, 0})}
		}, ""},

		// Step 3: the nonce.
		{"no nonce", func(p *phone, _ *appattest.Expect) { p.nonceExtension = nil }, "nonce_missing"},
		{"nonce bare", func(p *phone, _ *appattest.Expect) {
			p.nonceExtension = func(n []byte) []byte { return tlv(4, n) }
		}, "nonce_missing"},
		{"nonce under another tag", func(p *phone, _ *appattest.Expect) {
			p.nonceExtension = func(n []byte) []byte { return tlv(0x30, tlv(0xa2, tlv(4, n))) }
		}, "nonce_missing"},
		{"nonce of another type", func(p *phone, _ *appattest.Expect) {
			p.nonceExtension = func(n []byte) []byte { return tlv(0x30, tlv(0xa1, tlv(12, n))) }
		}, "nonce_missing"},
		{"two nonces", func(p *phone, _ *appattest.Expect) {
			p.nonceExtension = func(n []byte) []byte { return tlv(0x30, tlv(0xa1, tlv(4, n)), tlv(0xa1, tlv(4, n))) }
		}, "nonce_missing"},
		{"nonce and more", func(p *phone, _ *appattest.Expect) {
			p.nonceExtension = func(n []byte) []byte { return tlv(0x30, tlv(0xa1, tlv(4, n), tlv(4, n))) }
		}, "nonce_missing"},
		{"a byte after the nonce", func(p *phone, _ *appattest.Expect) {
			p.nonceExtension = func(n []byte) []byte { return append(tlv(0x30, tlv(0xa1, tlv(4, n))), 0) }
		}, "nonce_missing"},
		{"nonce of 31 bytes", func(p *phone, _ *appattest.Expect) {
			p.nonceExtension = func(n []byte) []byte { return tlv(0x30, tlv(0xa1, tlv(4, n[:31]))) }
		}, "nonce_missing"},
		{"another nonce", func(p *phone, _ *appattest.Expect) {
			p.nonceExtension = func(n []byte) []byte { n[31] ^= 1; return tlv(0x30, tlv(0xa1, tlv(4, n))) }
		}, "nonce_mismatch"},
		{"other client data", func(_ *phone, w *appattest.Expect) {
			w.ClientDataHash = bytes.Clone(w.ClientDataHash)
			w.ClientDataHash[0] ^= 1
		}, "nonce_mismatch"},
		{"other authenticator data", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { o["authData"].([]byte)[0] ^= 1; return o }
		}, "nonce_mismatch"},
		{"authenticator data cut", func(p *phone, _ *appattest.Expect) {
			p.object = func(o map[string]any) any { o["authData"] = o["authData"].([]byte)[:163]; return o }
		}, "nonce_mismatch"},

		// Step 4: the authenticator data. All of it is signed by Apple here.
		{"authenticator data of 163 bytes", func(p *phone, _ *appattest.Expect) {
			p.editAuthData = func(b []byte) []byte { return b[:163] }
		}, "auth_data"},
		{"authenticator data of 37 bytes", func(p *phone, _ *appattest.Expect) {
			p.editAuthData = func(b []byte) []byte { return b[:37] }
		}, "auth_data"},
		{"authenticator data without a COSE key", func(p *phone, _ *appattest.Expect) {
			p.editAuthData = func(b []byte) []byte { return b[:87] }
		}, "auth_data"},
		{"authenticator data empty", func(p *phone, _ *appattest.Expect) {
			p.editAuthData = func([]byte) []byte { return []byte{} }
		}, "auth_data"},
		{"flag 0x40 missing", func(p *phone, _ *appattest.Expect) { p.flags = 0 }, "auth_data"},
		{"flag 0x40 missing, others set", func(p *phone, _ *appattest.Expect) { p.flags = 0x3f }, "auth_data"},
		{"all other flags set", func(p *phone, _ *appattest.Expect) { p.flags = 0x7f }, ""},
		{"flag 0x80 without a map", func(p *phone, _ *appattest.Expect) { p.flags = 0xc0 }, "auth_data"},
		{"credential id of 31 bytes", func(p *phone, _ *appattest.Expect) {
			p.credentialLength, p.credentialID = 31, p.credentialID[:31]
		}, "auth_data"},
		{"credential id of 33 bytes", func(p *phone, _ *appattest.Expect) {
			p.credentialLength, p.credentialID = 33, append(p.credentialID, 0)
		}, "auth_data"},
		{"credential id said to be longer than all", func(p *phone, _ *appattest.Expect) { p.credentialLength = 65535 }, "auth_data"},
		{"COSE key of indefinite length", func(p *phone, _ *appattest.Expect) {
			p.editAuthData = func(b []byte) []byte { b[87] = 0xbf; return append(b, 0xff) }
		}, "auth_data"},
		{"map, flag 0x80", func(p *phone, _ *appattest.Expect) {
			p.flags, p.extensions = 0xc0, encode(map[string]any{"apple_bundle_version_01": "1"})
		}, ""},
		{"map, no flag", func(p *phone, _ *appattest.Expect) {
			p.extensions = encode(map[string]any{"apple_bundle_version_01": "1"})
		}, ""},
		{"empty map", func(p *phone, _ *appattest.Expect) { p.flags, p.extensions = 0xc0, encode(map[string]any{}) }, ""},
		{"trailing byte", func(p *phone, _ *appattest.Expect) { p.extensions = []byte{0} }, "trailing_data"},
		{"trailing byte after the map", func(p *phone, _ *appattest.Expect) {
			p.extensions = append(encode(map[string]any{"apple_bundle_version_01": "1"}), 0)
		}, "trailing_data"},
		{"two maps", func(p *phone, _ *appattest.Expect) {
			m := encode(map[string]any{"apple_bundle_version_01": "1"})
			p.extensions = append(m, m...)
		}, "trailing_data"},
		{"an array", func(p *phone, _ *appattest.Expect) { p.extensions = encode([]int{1}) }, "trailing_data"},
		{"null", func(p *phone, _ *appattest.Expect) { p.extensions = []byte{0xf6} }, "trailing_data"},
		{"a map with an integer key", func(p *phone, _ *appattest.Expect) { p.extensions = encode(map[int]any{1: 1}) }, "trailing_data"},
		{"a map with a byte string key", func(p *phone, _ *appattest.Expect) { p.extensions = []byte{0xa1, 0x41, 'a', 0} }, "trailing_data"},
		{"a map with a key twice", func(p *phone, _ *appattest.Expect) {
			p.extensions = []byte{0xa2, 0x61, 'a', 0, 0x61, 'a', 0}
		}, "trailing_data"},
		{"a map of indefinite length", func(p *phone, _ *appattest.Expect) {
			p.extensions = []byte{0xbf, 0x61, 'a', 0, 0xff}
		}, "trailing_data"},
		{"a map cut short", func(p *phone, _ *appattest.Expect) { p.extensions = []byte{0xa1, 0x61, 'a'} }, "trailing_data"},
		{"category of 3 bytes", func(p *phone, _ *appattest.Expect) {
			p.extensions = encode(map[string]any{"apple_validation_category_01": []byte{4, 0, 0}})
		}, "extension_malformed"},
		{"category of 5 bytes", func(p *phone, _ *appattest.Expect) {
			p.extensions = encode(map[string]any{"apple_validation_category_01": []byte{4, 0, 0, 0, 0}})
		}, "extension_malformed"},
		{"category text", func(p *phone, _ *appattest.Expect) {
			p.extensions = encode(map[string]any{"apple_validation_category_01": "4"})
		}, "extension_malformed"},
		{"category negative", func(p *phone, _ *appattest.Expect) {
			p.extensions = encode(map[string]any{"apple_validation_category_01": -4})
		}, "extension_malformed"},
		{"category above 2^32-1", func(p *phone, _ *appattest.Expect) {
			p.extensions = encode(map[string]any{"apple_validation_category_01": 1 << 32})
		}, "extension_malformed"},
		{"category null", func(p *phone, _ *appattest.Expect) {
			p.extensions = encode(map[string]any{"apple_validation_category_01": nil})
		}, "extension_malformed"},
		{"bundle version in bytes", func(p *phone, _ *appattest.Expect) {
			p.extensions = encode(map[string]any{"apple_bundle_version_01": []byte("1")})
		}, "extension_malformed"},
		{"bundle version a number", func(p *phone, _ *appattest.Expect) {
			p.extensions = encode(map[string]any{"apple_bundle_version_01": 1})
		}, "extension_malformed"},
		{"bundle version null", func(p *phone, _ *appattest.Expect) {
			p.extensions = encode(map[string]any{"apple_bundle_version_01": nil})
		}, "extension_malformed"},

		// Step 5: one key, one identifier, one credential.
		{"another key id expected", func(_ *phone, w *appattest.Expect) { w.KeyID[0] ^= 1 }, "key_id_mismatch"},
		{"key id cut short", func(_ *phone, w *appattest.Expect) { w.KeyID = w.KeyID[:31] }, "key_id_mismatch"},
		{"leaf key on P-384", func(p *phone, _ *appattest.Expect) { p.leafKey = p384 }, "key_id_mismatch"},
		{"leaf key on P-384, no key id expected", func(p *phone, w *appattest.Expect) {
			p.leafKey, w.KeyID = p384, nil
		}, "key_id_mismatch"},
		{"leaf with another key", func(p *phone, _ *appattest.Expect) { p.leafKey = k.other }, "key_id_mismatch"},
		{"leaf with another key, no key id expected", func(p *phone, w *appattest.Expect) {
			p.leafKey, w.KeyID = k.other, nil
		}, "credential_id_mismatch"},
		{"another credential id", func(p *phone, _ *appattest.Expect) { p.credentialID = otherID[:] }, "credential_id_mismatch"},
		{"another COSE key", func(p *phone, _ *appattest.Expect) { p.coseKey = coseKey(point(k.other)) }, "cose_key_mismatch"},
		{"COSE x of another key", func(p *phone, _ *appattest.Expect) {
			c := coseKey(point(k.leaf))
			c[-2] = point(k.other)[1:33]
			p.coseKey = c
		}, "cose_key_mismatch"},
		{"COSE y of another key", func(p *phone, _ *appattest.Expect) {
			c := coseKey(point(k.leaf))
			c[-3] = point(k.other)[33:]
			p.coseKey = c
		}, "cose_key_mismatch"},
		{"COSE key of another type", func(p *phone, _ *appattest.Expect) {
			c := coseKey(point(k.leaf))
			c[1] = 1
			p.coseKey = c
		}, "cose_key_mismatch"},
		{"COSE key with another algorithm", func(p *phone, _ *appattest.Expect) {
			c := coseKey(point(k.leaf))
			c[3] = -8
			p.coseKey = c
		}, "cose_key_mismatch"},
		{"COSE key on another curve", func(p *phone, _ *appattest.Expect) {
			c := coseKey(point(k.leaf))
			c[-1] = 2
			p.coseKey = c
		}, "cose_key_mismatch"},
		{"COSE key with one parameter more", func(p *phone, _ *appattest.Expect) {
			c := coseKey(point(k.leaf))
			c[-4] = []byte{1}
			p.coseKey = c
		}, "cose_key_mismatch"},
		{"COSE key without algorithm", func(p *phone, _ *appattest.Expect) {
			c := coseKey(point(k.leaf))
			delete(c, 3)
			p.coseKey = c
		}, "cose_key_mismatch"},
		{"COSE key no map", func(p *phone, _ *appattest.Expect) { p.coseKey = make([]byte, 75) }, "cose_key_mismatch"},
		{"counter 1", func(p *phone, _ *appattest.Expect) { p.counter = 1 }, "counter_not_zero"},
		{"another AAGUID", func(p *phone, _ *appattest.Expect) { p.aaguid = "appattestsandbox" }, "aaguid_unknown"},
		{"AAGUID zero", func(p *phone, _ *appattest.Expect) { p.aaguid = string(make([]byte, 16)) }, "aaguid_unknown"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPhone()
			want := p.expect()
			tc.edit(p, want)
			att, err := verify(t, p.attest(), want)
			if got := code(t, err); got != tc.code {
				t.Fatalf("%v, want %q", err, tc.code)
			}
			if cannotTell := tc.code == "malformed" || tc.code == "unsupported"; (att == nil) != cannotTell {
				t.Errorf("Attestation %v with code %q", att, tc.code)
			}
		})
	}
}

// TestOrder: two things are wrong, and the earlier check speaks.
func TestOrder(t *testing.T) {
	k := testKeys()
	steps := []struct {
		code string
		edit func(*phone, *appattest.Expect)
	}{
		{"root_unknown", func(_ *phone, w *appattest.Expect) { w.Roots = appattest.Roots{} }},
		{"signature", func(p *phone, _ *appattest.Expect) { p.leafSigner = k.root }},
		{"ca_constraints", func(p *phone, _ *appattest.Expect) { p.ca.KeyUsage = x509.KeyUsageCRLSign }},
		{"cert_time", func(p *phone, _ *appattest.Expect) { p.ca.NotAfter = now.Add(-time.Second) }},
		{"nonce_mismatch", func(_ *phone, w *appattest.Expect) { w.ClientDataHash = []byte("other") }},
		{"trailing_data", func(p *phone, _ *appattest.Expect) { p.extensions = []byte{0} }},
		{"key_id_mismatch", func(_ *phone, w *appattest.Expect) { w.KeyID[0] ^= 1 }},
		{"credential_id_mismatch", func(p *phone, _ *appattest.Expect) { p.credentialID = make([]byte, 32) }},
		{"cose_key_mismatch", func(p *phone, _ *appattest.Expect) { p.coseKey = coseKey(point(k.other)) }},
		{"counter_not_zero", func(p *phone, _ *appattest.Expect) { p.counter = 1 }},
		{"aaguid_unknown", func(p *phone, _ *appattest.Expect) { p.aaguid = string(make([]byte, 16)) }},
	}
	for i, step := range steps {
		p := newPhone()
		want := p.expect()
		for _, s := range steps[i:] {
			s.edit(p, want)
		}
		if _, err := verify(t, p.attest(), want); code(t, err) != step.code {
			t.Errorf("from %s on: %v", step.code, err)
		}
	}
}

func TestNilExpect(t *testing.T) {
	if att, err := appattest.VerifyAttestation(newPhone().attest(), nil, now); !errors.Is(err, appattest.ErrMalformed) || att != nil {
		t.Errorf("%v, %v", att, err)
	}
	if _, err := appattest.VerifyAttestation(newPhone().attest(), &appattest.Expect{}, now); !errors.Is(err, appattest.ErrMalformed) {
		t.Errorf("zero Expect: %v", err)
	}
}

func TestFacts(t *testing.T) {
	k := testKeys()
	p := newPhone()
	p.leaf.ExtraExtensions = []pkix.Extension{
		ext(appleOID(8, 6), false, tlv(0x30, tlv(0xa3, tlv(4, macOSACL)))),
		ext(appleOID(8, 7), false, must(hex.DecodeString("3028"+
			"bf8850030201"+"02"+
			"bf8a7808"+"0406"+hex.EncodeToString([]byte("27.0.1"))+
			"bf8a7b07"+"0405"+hex.EncodeToString([]byte("24A43"))+
			"bf880206"+"0404"+hex.EncodeToString([]byte("osxx"))))),
	}
	p.flags = 0xc0
	p.extensions = encode(map[string]any{
		"apple_validation_category_01": []byte{4, 0, 0, 0},
		"apple_bundle_version_01":      "42",
		"apple_cd_hash_type_01":        []byte{2},
		"zulu":                         1,
		"alpha":                        []int{1},
	})
	att, err := verify(t, p.attest(), p.expect())
	if err != nil {
		t.Fatal(err)
	}
	rpIDHash := sha256.Sum256([]byte(appID))
	chain := att.Chain
	att.Chain = nil
	want := &appattest.Attestation{
		KeySPKI: spki(k.leaf), KeyPoint: point(k.leaf), KeyID: must(appattest.KeyID(spki(k.leaf))),
		RPIDHash: rpIDHash[:], Flags: 0xc0, AAGUID: []byte("appattest\x00\x00\x00\x00\x00\x00\x00"), Environment: appattest.Production,
		CredentialID: must(appattest.KeyID(point(k.leaf))),
		Extensions: &appattest.Extensions{
			ValidationCategory: new(appattest.CategoryAppStore),
			BundleVersion:      new("42"),
			CDHashes:           map[string][]byte{"apple_cd_hash_type_01": {0x41, 2}},
			Unknown:            []string{"alpha", "zulu"},
		},
		OSVersion: "27.0.1", OSBuild: "24A43", Platform: "osxx",
		ACL: appattest.ACLMatch, ACLValue: tlv(0x30, tlv(0xa3, tlv(4, macOSACL))),
		Receipt: []byte("receipt"),
	}
	if diff := cmp.Diff(want, att); diff != "" {
		t.Error(diff)
	}
	if len(chain) != 2 || chain[0].Subject.CommonName != "leaf" || chain[1].Subject.CommonName != "Test Attestation CA 1" {
		t.Errorf("chain %v", chain)
	}
}

func TestValidationCategory(t *testing.T) {
	for _, tc := range []struct {
		value any
		want  appattest.Category
	}{
		{[]byte{4, 0, 0, 0}, appattest.CategoryAppStore},
		{[]byte{0, 1, 0, 0}, 256},
		{[]byte{0, 0, 0, 1}, 1 << 24},
		{4, appattest.CategoryAppStore},
		{0, appattest.CategoryInvalid},
		{1<<32 - 1, 1<<32 - 1},
	} {
		p := newPhone()
		p.extensions = encode(map[string]any{"apple_validation_category_01": tc.value})
		att, err := verify(t, p.attest(), p.expect())
		if err != nil {
			t.Fatalf("%v: %v", tc.value, err)
		}
		if got := att.Extensions.ValidationCategory; got == nil || *got != tc.want || att.Extensions.BundleVersion != nil {
			t.Errorf("%v: %v, want %d", tc.value, got, tc.want)
		}
	}
}

func TestACL(t *testing.T) {
	for _, tc := range []struct {
		name  string
		value []byte
		want  appattest.ACL
	}{
		{"absent", nil, appattest.ACLAbsent},
		{"macOS", tlv(0x30, tlv(0xa3, tlv(4, macOSACL))), appattest.ACLMatch},
		{"iOS", tlv(0x30, tlv(0xa3, tlv(4, macOSACL[:20]))), appattest.ACLOther},
		{"one bit", tlv(0x30, tlv(0xa3, tlv(4, append(bytes.Clone(macOSACL[:65]), 0)))), appattest.ACLOther},
		{"another tag", tlv(0x30, tlv(0xa4, tlv(4, macOSACL))), appattest.ACLOther},
		{"more than it", tlv(0x30, tlv(0xa3, tlv(4, macOSACL)), tlv(0xa4, tlv(4, nil))), appattest.ACLOther},
		{"no DER", []byte{0xff}, appattest.ACLOther},
		{"empty", []byte{}, appattest.ACLOther},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPhone()
			if tc.value != nil {
				p.leaf.ExtraExtensions = []pkix.Extension{ext(appleOID(8, 6), false, tc.value)}
			}
			att, err := verify(t, p.attest(), p.expect())
			if err != nil {
				t.Fatal(err)
			}
			if att.ACL != tc.want || !bytes.Equal(att.ACLValue, tc.value) {
				t.Errorf("%s %x", att.ACL, att.ACLValue)
			}
		})
	}
}

// TestClaimsAfterFailure: what can be read is there, what cannot is not.
func TestClaimsAfterFailure(t *testing.T) {
	p := newPhone()
	want := p.expect()
	want.Roots = appattest.AppleRoots()
	att, err := verify(t, p.attest(), want)
	if code(t, err) != "root_unknown" {
		t.Fatal(err)
	}
	if len(att.Chain) != 2 || len(att.KeyID) != 32 || len(att.RPIDHash) != 32 || att.Environment != appattest.Production {
		t.Errorf("%+v", att)
	}
	if f := (*appattest.Failure)(nil); !errors.As(err, &f) || f.Position != 1 || f.Error() != "appattest: root_unknown at certificate 1: "+f.Detail {
		t.Errorf("%v", err)
	}

	p = newPhone()
	p.editAuthData = func(b []byte) []byte { return b[:60] }
	att, err = verify(t, p.attest(), p.expect())
	if code(t, err) != "auth_data" || att.RPIDHash != nil || att.Environment != "" || len(att.KeyID) != 32 {
		t.Errorf("%+v, %v", att, err)
	}
	if f := (*appattest.Failure)(nil); !errors.As(err, &f) || f.Position != -1 || f.Error() != "appattest: auth_data: "+f.Detail {
		t.Errorf("%v", err)
	}

	p = newPhone()
	p.chain = func([][]byte) [][]byte { return [][]byte{} }
	att, err = verify(t, p.attest(), p.expect())
	if code(t, err) != "chain_length" || att.Chain != nil || att.KeySPKI != nil || att.ACL != "" || len(att.RPIDHash) != 32 {
		t.Errorf("%+v, %v", att, err)
	}
}

func TestCache(t *testing.T) {
	p := newPhone()
	object := p.attest()
	want := p.expect()
	cache := &memory{}
	want.Cache = cache

	// What does not verify leaves nothing behind.
	for name, edit := range map[string]func(*phone, *appattest.Expect){
		"root_unknown":   func(p *phone, _ *appattest.Expect) { p.caSigner = testKeys().ca },
		"signature":      func(p *phone, _ *appattest.Expect) { p.leafSigner = testKeys().root },
		"ca_constraints": func(p *phone, _ *appattest.Expect) { p.ca.IsCA = false },
		"cert_time":      func(p *phone, _ *appattest.Expect) { p.leaf.NotAfter = now.Add(-time.Second) },
	} {
		bad := newPhone()
		edit(bad, want)
		if _, err := verify(t, bad.attest(), want); code(t, err) != name || cache.stored != 0 {
			t.Errorf("%s: %v, %d facts", name, err, cache.stored)
		}
	}

	if _, err := verify(t, object, want); err != nil || cache.stored != 1 {
		t.Fatalf("%v, %d facts", err, cache.stored)
	}
	asked := cache.asked
	att, err := verify(t, object, want)
	if err != nil || cache.stored != 1 || cache.asked != asked+1 {
		t.Fatalf("%v, %d facts, asked %d times", err, cache.stored, cache.asked-asked)
	}
	if cache.rememberedCert != sha256.Sum256(att.Chain[1].Raw) {
		t.Error("what was remembered is not CA 1")
	}

	// A warm cache says nothing of roots, names, constraints and dates.
	other := *want
	other.Roots = appattest.AppleRoots()
	if _, err := verify(t, object, &other); code(t, err) != "root_unknown" {
		t.Errorf("another root: %v", err)
	}
	renamed := caTemplate("Renamed")
	other.Roots = appattest.Roots{Attestation: []*x509.Certificate{
		must(x509.ParseCertificate(issue(renamed, renamed, testKeys().root.Public(), testKeys().root))),
	}}
	if _, err := verify(t, object, &other); code(t, err) != "ca_constraints" {
		t.Errorf("another name of the root: %v", err)
	}
	if _, err := appattest.VerifyAttestation(object, want, now.AddDate(6, 0, 0)); code(t, err) != "cert_time" {
		t.Errorf("later: %v", err)
	}
}
