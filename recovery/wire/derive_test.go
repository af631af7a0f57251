package wire_test

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

// hkdfSHA256 is the whole of HKDF, with an info of the other encoder.
func hkdfSHA256(t testing.TB, salt, secret []byte, n int, info ...any) []byte {
	t.Helper()
	b, err := cbor.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	out, err := hkdf.Key(sha256.New, secret, salt, string(b), n)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// expand is HKDF-Expand alone.
func expand(t testing.TB, prk []byte, n int, info ...any) []byte {
	t.Helper()
	b, err := cbor.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	out, err := hkdf.Expand(sha256.New, prk, string(b), n)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func hmacSHA256(k, message []byte) []byte {
	h := hmac.New(sha256.New, k)
	h.Write(message)
	return h.Sum(nil)
}

func marshal(t testing.TB, v ...any) []byte {
	t.Helper()
	b, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDerivations writes the table of the specification a second time, with the
// library's HKDF and another encoder, and compares.
func TestDerivations(t *testing.T) {
	mk, wk, root := key(1), key(2), count(3, 32)
	b, e := wire.Element(count(4, 32)), wire.Element(count(5, 32))
	s, rwd := wire.Scalar(count(6, 32)), wire.Secret(count(7, 64))
	shareKey, markKey, pepper := wire.DeriveShareKey(wk, "v1"), wire.DeriveMarkKey(wk, "v1"), wire.DerivePepper(root, "v1")
	dataKey, err := wire.DeriveDataKey(wire.Suite1, reg, rwd, s)
	if err != nil {
		t.Fatal(err)
	}
	prs, err := wire.DerivePRS(wire.Suite1, reg, rwd, "v1")
	if err != nil {
		t.Fatal(err)
	}
	mark := sampleRecord(wire.Suite1).Mark(acct)
	tagged, err := markKey.Tag(&mark)
	if err != nil {
		t.Fatal(err)
	}
	h, c, seed := wire.AttemptName(reg, b), wire.ContentName([]byte("tbs")), shareKey.Seed(acct, reg, 9, b, e)
	record, pinHash := wire.DeriveRecordKey(mk, "v1", 7, acct), wire.SeedPINHash(id16(8), wire.Secret("123456"))
	account := pepper.Acct("a_1")
	counted, plain := sampleRecord(wire.Suite1), sampleRecord(wire.Suite1)
	plain.State, plain.Charges, plain.Base, plain.Closed, plain.Ver, plain.Last, plain.Redo = 0, 0, 0, 0, 0, wire.ID16{}, wire.ID16{}
	rebased, err := wire.RebaseName(c, counted)
	if err != nil {
		t.Fatal(err)
	}
	content := sha256.Sum256(mustEncode(plain))
	rebase := sha256.Sum256(marshal(t, "staunch/kr1/rebase", c[:], content[:]))
	hB, tbs := sha256.Sum256(marshal(t, reg[:], []byte(b))), sha256.Sum256([]byte("tbs"))
	for _, d := range []struct {
		name      string
		got, want []byte
	}{
		{"record key", record.Key[:], expand(t, mk[:], 32, "staunch/kr1/vault-record", "v1", 7, acct[:])},
		{"share key", shareKey.Key[:], expand(t, wk[:], 32, "staunch/kr1/vault-share", "v1")},
		{"seed of y_a", seed[:], hmacSHA256(shareKey.Key[:], marshal(t, acct[:], reg[:], 9, []byte(b), []byte(e)))},
		{"mark key", markKey.Key[:], expand(t, wk[:], 32, "staunch/kr1/vault-mark", "v1")},
		{"tag", tagged.Tag[:], hmacSHA256(markKey.Key[:], tagged.Mark)[:16]},
		{"h", h[:], hB[:16]},
		{"c", c[:], tbs[:16]},
		{"re-base", rebased[:], rebase[:16]},
		{"pepper", pepper.Key[:], expand(t, root, 32, "staunch/kr1/pepper", "v1")},
		{"acct", account[:], hmacSHA256(pepper.Key[:], []byte("a_1"))[:16]},
		{"K", dataKey.Key[:], hkdfSHA256(t, reg[:], append(append([]byte{}, rwd...), s[:]...), 32, "staunch/kr1/data")},
		{"prs", prs.Key[:], hkdfSHA256(t, reg[:], rwd, 32, "staunch/kr1/prs", "v1")},
		{"generator", prs.Generator("v1", acct, reg, b, e), marshal(t, prs.Key[:], "v1", acct[:], reg[:], []byte(b), []byte(e))},
		{"manage", manageKey(t, wire.Suite1, 1).Public(), edKeyOf(count(1, 32))},
		{"seed PIN", pinHash[:], hmacSHA256(count(8, 16), []byte("staunch/seed/pin123456"))},
	} {
		if string(d.got) != string(d.want) {
			t.Errorf("%s: %s, want %s", d.name, hex.EncodeToString(d.got), hex.EncodeToString(d.want))
		}
	}
}
