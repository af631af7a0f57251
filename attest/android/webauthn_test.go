package android_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/internal/cbor"
)

func clientDataHash() []byte { sum := sha256.Sum256([]byte("client data")); return sum[:] }

func registered(t testing.TB, algorithm string, opts ...attesttest.AndroidOption) []byte {
	t.Helper()
	p := phone(t, attesttest.RKP)
	if algorithm != "" {
		p.Algorithm = algorithm
	}
	_, object, err := p.Register(testNow(), "demo.example.com", clientDataHash(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// web changes what the object says beside its chain.
func web(edit func(*attesttest.WebAuthnDraft)) attesttest.AndroidOption {
	return func(d *attesttest.AndroidDraft) { edit(d.WebAuthn) }
}

// anObject is an attestation object, to be changed and encoded again.
type anObject struct {
	Format    string         `cbor:"fmt"`
	AuthData  []byte         `cbor:"authData"`
	Statement map[string]any `cbor:"attStmt"`
}

func edited(t testing.TB, object []byte, edit func(*anObject)) []byte {
	t.Helper()
	var o anObject
	if err := cbor.Unmarshal(object, &o); err != nil {
		t.Fatal(err)
	}
	edit(&o)
	return encode(t, o)
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVerifyObject(t *testing.T) {
	rpID := sha256.Sum256([]byte("demo.example.com"))
	for _, algorithm := range []string{"EC-P256", "EC-P384", "EC-P521"} {
		a, err := android.VerifyObject(registered(t, algorithm), clientDataHash(), trusting(t), testNow())
		if err != nil || !bytes.Equal(a.RPIDHash, rpID[:]) || a.Leaf().KeyAlgorithm() != algorithm {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	for _, c := range []struct {
		name string
		opt  attesttest.AndroidOption
		want string
	}{
		{"another client data hash was signed", web(func(w *attesttest.WebAuthnDraft) { w.ClientDataHash[0] ^= 1 }), android.CodeWebAuthnSignature},
		{"another challenge in the description", func(d *attesttest.AndroidDraft) { d.Description.AttestationChallenge[0] ^= 1 }, android.CodeChallengeMismatch},
		{"no signature", web(func(w *attesttest.WebAuthnDraft) { w.Signature = []byte{} }), android.CodeWebAuthnSignature},
		{"a signature of zeros", web(func(w *attesttest.WebAuthnDraft) { w.Signature = []byte{0x30, 6, 2, 1, 0, 2, 1, 0} }), android.CodeWebAuthnSignature},
		{"another algorithm", web(func(w *attesttest.WebAuthnDraft) { w.Algorithm = -35 }), android.CodeWebAuthnSignature},
		{"an unknown algorithm", web(func(w *attesttest.WebAuthnDraft) { w.Algorithm = -8 }), android.CodeWebAuthnSignature},
		{"RS256 for an EC key", web(func(w *attesttest.WebAuthnDraft) { w.Algorithm = -257 }), android.CodeWebAuthnSignature},
		{"the credential's key is another", web(func(w *attesttest.WebAuthnDraft) {
			w.CredentialKey = encode(t, map[int]any{1: 2, 3: -7, -1: 1, -2: make([]byte, 32), -3: make([]byte, 32)})
		}), android.CodeWebAuthnKey},
		{"the credential's key names no curve", web(func(w *attesttest.WebAuthnDraft) { w.CredentialKey = encode(t, map[int]any{1: 2, 3: -7}) }), android.CodeWebAuthnKey},
		{"the credential's key is RSA", web(func(w *attesttest.WebAuthnDraft) {
			w.CredentialKey = encode(t, map[int]any{1: 3, 3: -257, -1: make([]byte, 256), -2: []byte{1, 0, 1}})
		}), android.CodeWebAuthnKey},
		{"the credential's key is no map", web(func(w *attesttest.WebAuthnDraft) { w.CredentialKey = []byte{0x01} }), android.CodeWebAuthnAuthData},
		{"flag 0x40 is not set", web(func(w *attesttest.WebAuthnDraft) { w.Flags = 0x05 }), android.CodeWebAuthnAuthData},
		{"flag 0x80 without extensions", web(func(w *attesttest.WebAuthnDraft) { w.Flags |= 0x80 }), android.CodeWebAuthnAuthData},
		{"authenticator data cut short", web(func(w *attesttest.WebAuthnDraft) { w.AuthenticatorData = make([]byte, 54) }), android.CodeWebAuthnAuthData},
		{"no authenticator data", web(func(w *attesttest.WebAuthnDraft) { w.AuthenticatorData = []byte{} }), android.CodeWebAuthnAuthData},
		{"a credential id longer than the data", web(func(w *attesttest.WebAuthnDraft) {
			w.AuthenticatorData = slices.Concat(w.RPIDHash, []byte{0x41, 0, 0, 0, 0}, w.AAGUID, []byte{0xff, 0xff, 1})
		}), android.CodeWebAuthnAuthData},
		{"the chain fails first", func(d *attesttest.AndroidDraft) { d.Chain[0].Hash, d.WebAuthn.Signature = crypto.SHA1, []byte{} }, android.CodeSignatureAlgorithm},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := android.VerifyObject(registered(t, "", c.opt), clientDataHash(), trusting(t), testNow())
			if code(t, err) != c.want || a != nil {
				t.Errorf("%v, want %q", err, c.want)
			}
			var failure *android.Failure
			if errors.As(err, &failure) && failure.Unverified.Leaf() == nil {
				t.Error("nothing was read")
			}
		})
	}
}

// TestVerifyObjectBytes: the order inside authenticator data, and nothing
// behind it.
func TestVerifyObjectBytes(t *testing.T) {
	base := registered(t, "")
	for name, c := range map[string]struct {
		edit func(*anObject)
		want string
	}{
		"nothing":                     {func(*anObject) {}, ""},
		"another format":              {func(o *anObject) { o.Format = "packed" }, "malformed"},
		"no format":                   {func(o *anObject) { o.Format = "" }, "malformed"},
		"a byte behind authData":      {func(o *anObject) { o.AuthData = append(o.AuthData, 0) }, android.CodeWebAuthnAuthData},
		"an altered counter":          {func(o *anObject) { o.AuthData[36] ^= 1 }, android.CodeWebAuthnSignature},
		"another rpIdHash":            {func(o *anObject) { o.AuthData[0] ^= 1 }, android.CodeWebAuthnSignature},
		"no chain":                    {func(o *anObject) { delete(o.Statement, "x5c") }, "malformed"},
		"an empty chain":              {func(o *anObject) { o.Statement["x5c"] = []any{} }, android.CodeChainLength},
		"a chain of nine":             {func(o *anObject) { x := o.Statement["x5c"].([]any); o.Statement["x5c"] = slices.Concat(x, x) }, android.CodeChainLength},
		"a chain that is text":        {func(o *anObject) { o.Statement["x5c"] = "x" }, "malformed"},
		"a certificate that is none":  {func(o *anObject) { o.Statement["x5c"] = []any{[]byte{1}, []byte{1}, []byte{1}} }, "malformed"},
		"no sig":                      {func(o *anObject) { delete(o.Statement, "sig") }, "malformed"},
		"alg as text":                 {func(o *anObject) { o.Statement["alg"] = "ES256" }, "malformed"},
		"a member that nobody knows":  {func(o *anObject) { o.Statement["new"] = 1 }, ""},
		"alg above the range of ints": {func(o *anObject) { o.Statement["alg"] = uint64(1) << 63 }, "malformed"},
	} {
		_, err := android.VerifyObject(edited(t, base, c.edit), clientDataHash(), trusting(t), testNow())
		if code(t, err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "a number": {1}, "an array": {0x80}, "an empty map": {0xa0}, "a byte behind it": append(bytes.Clone(base), 0),
		"an indefinite map": slices.Concat([]byte{0xbf}, base[1:], []byte{0xff}), "cut short": base[:len(base)-1],
	} {
		if _, err := android.VerifyObject(b, clientDataHash(), trusting(t), testNow()); code(t, err) != "malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestVerifyObjectExtensions: with flag 0x80 there is one map, and it is read
// over.
func TestVerifyObjectExtensions(t *testing.T) {
	for name, c := range map[string]struct {
		behind []byte
		want   string
	}{
		"a map":           {encode(t, map[string]any{"credProtect": 2}), ""},
		"an empty map":    {[]byte{0xa0}, ""},
		"two maps":        {[]byte{0xa0, 0xa0}, android.CodeWebAuthnAuthData},
		"no map":          {[]byte{0x01}, android.CodeWebAuthnAuthData},
		"a map cut short": {[]byte{0xa1, 0x61}, android.CodeWebAuthnAuthData},
	} {
		// The key is known only once it is made: the phone signs what is put together here.
		var draft *attesttest.AndroidDraft
		p := phone(t, attesttest.RKP)
		_, object, err := p.Register(testNow(), "demo.example.com", clientDataHash(), func(d *attesttest.AndroidDraft) {
			draft = d
			point := d.Chain[0].PublicKey[len(d.Chain[0].PublicKey)-64:]
			credentialKey := encode(t, map[int]any{1: 2, 3: -7, -1: 1, -2: point[:32], -3: point[32:]})
			d.WebAuthn.AuthenticatorData = slices.Concat(d.WebAuthn.RPIDHash, []byte{0xc5, 0, 0, 0, 1}, d.WebAuthn.AAGUID, []byte{0, 1, 9}, credentialKey, c.behind)
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := android.VerifyObject(object, clientDataHash(), trusting(t), testNow()); code(t, err) != c.want {
			t.Errorf("%s: %v, want %q (flags %x)", name, err, c.want, draft.WebAuthn.Flags)
		}
	}
}

// TestVerifyObjectRSA: an RSA credential, which the software phone cannot
// register by itself.
func TestVerifyObjectRSA(t *testing.T) {
	key := rsaKey(t, 2048)
	chain := attested(t, attesttest.RKP, at(0, rekey(t, key)), func(d *attesttest.AndroidDraft) { d.Description.AttestationChallenge = clientDataHash() })
	authData := func(n, e []byte) []byte {
		return slices.Concat(make([]byte, 32), []byte{0x41, 0, 0, 0, 0}, make([]byte, 16), []byte{0, 0}, encode(t, map[int]any{1: 3, 3: -257, -1: n, -2: e}))
	}
	object := func(auth []byte, alg int) []byte {
		sum := sha256.Sum256(append(bytes.Clone(auth), clientDataHash()...))
		sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return encode(t, anObject{"android-key", auth, map[string]any{"alg": alg, "sig": sig, "x5c": chain}})
	}
	n, e := key.N.Bytes(), []byte{1, 0, 1}
	for name, c := range map[string]struct {
		object []byte
		want   string
	}{
		"good":             {object(authData(n, e), -257), ""},
		"padded":           {object(authData(append([]byte{0}, n...), append([]byte{0}, e...)), -257), ""},
		"another modulus":  {object(authData(append([]byte{1}, n...), e), -257), android.CodeWebAuthnKey},
		"another exponent": {object(authData(n, []byte{3}), -257), android.CodeWebAuthnKey},
		"a huge exponent":  {object(authData(n, slices.Repeat([]byte{0xff}, 100)), -257), android.CodeWebAuthnKey},
		"ES256":            {object(authData(n, e), -7), android.CodeWebAuthnSignature},
		"RS384":            {object(authData(n, e), -258), android.CodeWebAuthnSignature},
	} {
		if _, err := android.VerifyObject(c.object, clientDataHash(), trusting(t), testNow()); code(t, err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestVerifyObjectCannotSign: a key without an algorithm for requests.
func TestVerifyObjectCannotSign(t *testing.T) {
	p := phone(t, attesttest.RKP)
	p.Algorithm = "ML-DSA-65"
	k, err := p.GenerateKey(testNow(), clientDataHash())
	if err != nil {
		t.Fatal(err)
	}
	auth := slices.Concat(make([]byte, 32), []byte{0x41, 0, 0, 0, 0}, make([]byte, 16), []byte{0, 0}, encode(t, map[int]any{1: 7, 3: -49}))
	object := encode(t, anObject{"android-key", auth, map[string]any{"alg": -49, "sig": []byte{1}, "x5c": k.Chain()}})
	_, err = android.VerifyObject(object, clientDataHash(), trusting(t), testNow())
	if code(t, err) != android.CodeWebAuthnSignature || !strings.Contains(err.Error(), "ML-DSA-65") {
		t.Errorf("%v", err)
	}
}

// TestVerifyObjectWithoutHash: only who asks for danger gets it, and only when
// he gives nothing to compare with.
func TestVerifyObjectWithoutHash(t *testing.T) {
	object := registered(t, "")
	dangerous := trusting(t)
	dangerous.DangerousAnyChallenge = true
	if _, err := android.VerifyObject(object, nil, dangerous, testNow()); err != nil {
		t.Errorf("any challenge, no hash: %v", err)
	}
	other := sha256.Sum256([]byte("other"))
	if _, err := android.VerifyObject(object, other[:], dangerous, testNow()); code(t, err) != android.CodeChallengeMismatch {
		t.Errorf("any challenge, another hash: %v", err)
	}
	if _, err := android.VerifyObject(object, nil, trusting(t), testNow()); err == nil {
		t.Error("no hash: accepted")
	}
	strict := trusting(t)
	strict.Challenge = clientDataHash() // the hash is the argument, not the option
	if _, err := android.VerifyObject(object, other[:], strict, testNow()); code(t, err) != android.CodeChallengeMismatch {
		t.Errorf("the option counts: %v", err)
	}
	if strict.DangerousAnyChallenge || !bytes.Equal(strict.Challenge, clientDataHash()) {
		t.Error("the caller's options were changed")
	}
}
