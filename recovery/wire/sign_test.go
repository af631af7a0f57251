package wire_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"math/big"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

func manageKey(t testing.TB, suite wire.Suite, seed byte) *wire.SigningKey {
	t.Helper()
	k, err := wire.DeriveManageKey(suite, key(seed))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestVerify: a signature of exactly these bytes, by this key, in this suite.
func TestVerify(t *testing.T) {
	message := []byte("message")
	for _, suite := range []wire.Suite{wire.Suite1, wire.Suite2} {
		k := manageKey(t, suite, 1)
		public := k.Public()
		if len(public) != suite.PublicSize() {
			t.Errorf("suite %d: a public key of %d bytes", suite, len(public))
		}
		sig, err := k.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		changed := sig
		changed[40] ^= 1
		for _, c := range []struct {
			name    string
			suite   wire.Suite
			public  wire.PublicKey
			message string
			sig     wire.Signature
			want    error
		}{
			{"good", suite, public, "message", sig, nil},
			{"another message", suite, public, "Message", sig, wire.ErrSignature},
			{"another key", suite, manageKey(t, suite, 2).Public(), "message", sig, wire.ErrSignature},
			{"a signature changed", suite, public, "message", changed, wire.ErrSignature},
			{"zeros", suite, public, "message", wire.Signature{}, wire.ErrSignature},
			{"another suite", 3 - suite, public, "message", sig, wire.ErrSignature},
			{"no suite", 0, public, "message", sig, wire.ErrSignature},
			{"no suite, no key", 0, nil, "message", sig, wire.ErrSignature},
			{"no key", suite, nil, "message", sig, wire.ErrSignature},
			{"a short key", suite, public[1:], "message", sig, wire.ErrSignature},
			{"a key of zeros", suite, make(wire.PublicKey, suite.PublicSize()), "message", sig, wire.ErrSignature},
			{"a key off the curve", suite, append(wire.PublicKey{2}, make(wire.PublicKey, suite.PublicSize()-1)...), "message", sig, wire.ErrSignature},
		} {
			if err := c.suite.Verify(c.public, []byte(c.message), c.sig); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("suite %d, %s: %v", suite, c.name, err)
			}
		}
	}
}

// TestSuite2Key: the key of a seed is what FIPS 186-5, A.2.1 says, with big
// numbers for a second opinion; and its signatures are ECDSA's r and s.
func TestSuite2Key(t *testing.T) {
	n1 := new(big.Int).Sub(elliptic.P256().Params().N, big.NewInt(1))
	for i := range byte(20) {
		root := key(i)
		k, err := wire.DeriveManageKey(wire.Suite2, root)
		if err != nil {
			t.Fatal(err)
		}
		seed := new(big.Int).SetBytes(expand(t, root[:], 48, "staunch/kr1/manage"))
		d := seed.Mod(seed, n1).Add(seed, big.NewInt(1))
		want, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
		if err != nil {
			t.Fatal(err)
		}
		point, err := want.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		public := k.Public()
		if string(public[1:]) != string(point[1:33]) || public[0] != 2|point[64]&1 {
			t.Fatalf("%d: %x, want %x", i, public, point)
		}
		sig, err := k.Sign([]byte("m"))
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte("m"))
		if !ecdsa.Verify(&want.PublicKey, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
			t.Errorf("%d: another ECDSA does not accept it", i)
		}
	}
}

// TestDeriveRefusesLength: an OPRF output of another suite gives no key.
func TestDeriveRefusesLength(t *testing.T) {
	for _, c := range []struct {
		suite wire.Suite
		n     int
		ok    bool
	}{{1, 64, true}, {2, 32, true}, {1, 32, false}, {2, 64, false}, {1, 0, false}, {0, 0, false}, {3, 64, false}} {
		_, err1 := wire.DerivePRS(c.suite, reg, fill(c.n), "v1")
		_, err2 := wire.DeriveDataKey(c.suite, reg, fill(c.n), wire.Scalar{1})
		if (err1 == nil) != c.ok || (err2 == nil) != c.ok {
			t.Errorf("suite %d, %d bytes: %v, %v", c.suite, c.n, err1, err2)
		}
	}
	if _, err := wire.DeriveManageKey(3, key(1)); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("no suite: %v", err)
	}
	if _, err := wire.DeriveHPKE(0, key(1), "v1", 1); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("no suite: %v", err)
	}
}

func TestManaged(t *testing.T) {
	for _, suite := range []wire.Suite{wire.Suite1, wire.Suite2} {
		k := manageKey(t, suite, 1)
		m, err := wire.SignManaged(k, sampleCreate(suite))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name   string
			change func(*wire.Managed)
			public wire.PublicKey
			want   error
		}{
			{"good", func(*wire.Managed) {}, k.Public(), nil},
			{"unsigned", func(m *wire.Managed) { m.Sig = nil }, k.Public(), wire.ErrSignature},
			{"changed", func(m *wire.Managed) { m.TBS = flipped(m.TBS, 25) }, k.Public(), wire.ErrSignature},
			{"another key", func(*wire.Managed) {}, manageKey(t, suite, 2).Public(), wire.ErrSignature},
		} {
			if err := changed(m, c.change).Verify(suite, c.public); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("suite %d, %s: %v", suite, c.name, err)
			}
		}
		if unsigned, err := wire.SignManaged(nil, sampleCreate(suite)); err != nil || unsigned.Sig != nil {
			t.Errorf("suite %d: %v, %v", suite, unsigned, err)
		}
	}
}

func TestSigned(t *testing.T) {
	s := sampleSigned(sampleVoucher())
	for _, c := range []struct {
		name   string
		key    wire.EdKey
		signed *wire.Signed
		want   error
	}{
		{"good", edPublic(1), s, nil},
		{"another key", edPublic(2), s, wire.ErrSignature},
		{"no key", wire.EdKey{}, s, wire.ErrSignature},
		{"changed", edPublic(1), &wire.Signed{TBS: flipped(s.TBS, 22), Sig: s.Sig}, wire.ErrSignature},
		{"no signature", edPublic(1), &wire.Signed{TBS: s.TBS}, wire.ErrSignature},
	} {
		if err := c.signed.Verify(c.key); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestZeroKey: for the key of zeros, a point of small order, signatures can be
// made without any private key: R the same point, S zero.
func TestZeroKey(t *testing.T) {
	for i := range 200 { // one message in a few does
		s := &wire.Signed{TBS: []byte{byte(i)}}
		if err := s.Verify(wire.EdKey{}); !errors.Is(err, wire.ErrSignature) {
			t.Fatalf("message %d: %v", i, err)
		}
		k := &wire.KofM{TBS: []byte{byte(i)}, Sigs: []wire.KeySig{{}}}
		if err := k.Verify(wire.ReleaseKeys{K: 1, Keys: []wire.EdKey{{}}}); !errors.Is(err, wire.ErrThreshold) {
			t.Fatalf("message %d: %v", i, err)
		}
	}
}

func TestKofM(t *testing.T) {
	keys := func(k uint8, seeds ...byte) (r wire.ReleaseKeys) {
		r.K = k
		for _, s := range seeds {
			r.Keys = append(r.Keys, edPublic(s))
		}
		return r
	}
	signed := func(seeds ...byte) *wire.KofM {
		s := &wire.KofM{TBS: mustEncode(sampleConfig())}
		for _, seed := range seeds {
			s.Add(edKey(seed))
		}
		return s
	}
	wrong := signed(1, 2)
	wrong.Sigs[1].Sig[5] ^= 1
	moved := signed(1, 2)
	moved.TBS = flipped(moved.TBS, 30)
	for _, c := range []struct {
		name string
		doc  *wire.KofM
		keys wire.ReleaseKeys
		want error
	}{
		{"2 of 3", signed(1, 3), keys(2, 1, 2, 3), nil},
		{"all", signed(3, 2, 1), keys(2, 1, 2, 3), nil},
		{"1 of 1", signed(1), keys(1, 1), nil},
		{"a stranger's beside", signed(9, 1, 2), keys(2, 1, 2, 3), nil},
		{"too few", signed(1), keys(2, 1, 2, 3), wire.ErrThreshold},
		{"one key twice", signed(1, 1), keys(2, 1, 2, 3), wire.ErrThreshold},
		{"strangers", signed(8, 9), keys(2, 1, 2, 3), wire.ErrThreshold},
		{"nobody", signed(), keys(1, 1), wire.ErrThreshold},
		{"no keys", signed(1), keys(1), wire.ErrThreshold},
		{"no keys, none needed", signed(), keys(0), wire.ErrThreshold},
		{"zero of one", signed(1), keys(0, 1), wire.ErrThreshold},
		{"more than there are", signed(1), keys(2, 1), wire.ErrThreshold},
		{"a key listed twice", signed(1), keys(2, 1, 1), wire.ErrThreshold},
		{"a key listed twice, one needed", signed(1), keys(1, 1, 1), wire.ErrThreshold},
		{"a wrong signature", wrong, keys(2, 1, 2, 3), wire.ErrSignature},
		{"a wrong one beyond what is needed", wrong, keys(1, 1, 2, 3), wire.ErrSignature},
		{"of other bytes", moved, keys(2, 1, 2, 3), wire.ErrSignature},
	} {
		if err := c.doc.Verify(c.keys); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestTag: no witness changes or invents a mark, nor passes off another vault's.
func TestTag(t *testing.T) {
	k := wire.DeriveMarkKey(key(1), "v1")
	mark := sampleRecord(wire.Suite1).Mark(acct)
	tagged, err := k.Tag(&mark)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Open(&tagged); err != nil || got != mark {
		t.Fatalf("%+v, %v", got, err)
	}
	forged := tagged
	forged.Mark = flipped(tagged.Mark, 18) // its gen
	cut := tagged
	cut.Tag[15] ^= 1
	for name, err := range map[string]error{
		"changed":           second(k.Open(&forged)),
		"another tag":       second(k.Open(&cut)),
		"no tag":            second(k.Open(&wire.Tagged{Mark: tagged.Mark})),
		"of another vault":  second(wire.DeriveMarkKey(key(1), "v2").Open(&tagged)),
		"of another secret": second(wire.DeriveMarkKey(key(2), "v1").Open(&tagged)),
	} {
		if !errors.Is(err, wire.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
