package wire_test

import (
	"bytes"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/staunchid/staunch/recovery/cpace"
	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

type (
	recoveryVector struct {
		Suite   uint8         `json:"suite"`
		PIN     string        `json:"pin"`
		NFKC    string        `json:"nfkc"`
		RegID   text          `json:"reg_id"`
		X       text          `json:"x"`
		Seed    text          `json:"a"`
		B       text          `json:"b"`
		Vaults  []vaultVector `json:"vaults"`
		Output  text          `json:"rwd"`
		S       text          `json:"s"`
		DataKey text          `json:"data_key"`
		Header  text          `json:"header"`
		Payload text          `json:"payload"`
		Nonce   text          `json:"box_nonce"`
		Blob    text          `json:"blob"`
		Hash    text          `json:"blob_hash"`
	}
	vaultVector struct {
		Vault     string `json:"vault"`
		K         text   `json:"k_i"`
		S         text   `json:"s_i"`
		Public    text   `json:"public_k_i"`
		E         text   `json:"e_i"`
		Acct      text   `json:"acct"`
		PRS       text   `json:"prs_i"`
		ShareSeed text   `json:"y_a_seed"`
		Share     text   `json:"y_a"`
	}
	recoveryFile struct {
		About string            `json:"about"`
		Cases []*recoveryVector `json:"cases"`
	}
)

// TestRecoveryVectors goes through a whole recovery, 2 of 3, from the PIN to the
// payload. The shares were dealt once. The phone's half of an exchange is random:
// exchange.json has one.
func TestRecoveryVectors(t *testing.T) {
	var old recoveryFile
	readVectors(t, "recovery.json", &old)
	file := recoveryFile{About: "A recovery with 2 of 3 vaults, spec/kr1.md: from pin, a, reg_id, the shares, the accts and the seeds of y_a to the payload. " +
		"The phone's half of an exchange is random: exchange.json has one."}
	for i, suite := range []wire.Suite{wire.Suite1, wire.Suite2} {
		var was *recoveryVector
		if i < len(old.Cases) {
			was = old.Cases[i]
		}
		file.Cases = append(file.Cases, recoverOnce(t, suite, was))
	}
	compareVectors(t, "recovery.json", file)
}

func recoverOnce(t *testing.T, suite wire.Suite, was *recoveryVector) *recoveryVector {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	oprf := toprf.Suite(suite)
	v := &recoveryVector{Suite: uint8(suite), PIN: "①23４56", RegID: reg[:], Seed: count(0x40, 32), Nonce: count(0x50, 12)}
	v.NFKC = norm.NFKC.String(v.PIN)
	def := wire.DefaultArgon2()
	v.X = argon2.IDKey([]byte(v.NFKC), reg[:], def.T, def.M, def.P, 32)
	b, err := oprf.Blind(v.X, [32]byte(v.Seed), reg)
	must(err)
	v.B = b.Element.Bytes()

	ks, ss := sharesOf(t, oprf, was)
	header := &wire.Header{Suite: suite, Reg: reg, Argon2: def, N: 3, T: 2}
	var answers []toprf.Answer
	for i := range ks {
		e, err := oprf.Evaluate(ks[i].Scalar, b.Element)
		must(err)
		answers = append(answers, toprf.Answer{Index: i + 1, E: e})
		id := "v" + string(rune('1'+i))
		k, s := ks[i].Scalar.Bytes(), ss[i].Scalar.Bytes()
		header.Vaults = append(header.Vaults, wire.Share{Vault: id, K: ks[i].Public.Bytes()})
		v.Vaults = append(v.Vaults, vaultVector{
			Vault: id, K: k[:], S: s[:], Public: ks[i].Public.Bytes(), E: e.Bytes(), Acct: count(byte(i), 16), ShareSeed: count(byte(0x80+i), 32),
		})
	}
	must(oprf.CheckPolynomial(2, answers))
	combined, err := oprf.Combine(2, answers[1:])
	must(err)
	out, err := b.Finalize(combined)
	must(err)
	v.Output = text(out)
	for i := range v.Vaults {
		halve(t, suite, v, i)
	}
	s, err := oprf.CombineScalars(2, []toprf.Share{ss[0], ss[2]})
	must(err)
	sBytes := s.Bytes()
	v.S = sBytes[:]
	data, err := wire.DeriveDataKey(suite, reg, wire.Secret(v.Output), wire.Scalar(sBytes))
	must(err)
	v.DataKey, v.Header, v.Payload = data.Key[:], mustEncode(header), mustEncode(samplePayload())
	box := sealWith(t, v.DataKey, v.Nonce, padded(v.Payload, 4_096), v.Header)
	v.Blob = mustEncode(&wire.Blob{Header: v.Header, Box: box})
	blobHash := wire.Sum(v.Blob)
	v.Hash = blobHash[:]
	h, p, err := data.OpenBlob(v.Blob)
	must(err)
	if !bytes.Equal(mustEncode(h), v.Header) || !bytes.Equal(mustEncode(p), v.Payload) {
		t.Errorf("suite %d: another blob", suite)
	}
	return v
}

// sharesOf are the shares of the vectors, or new ones when they are written.
func sharesOf(t *testing.T, oprf toprf.Suite, was *recoveryVector) (k, s []toprf.Share) {
	t.Helper()
	if was == nil {
		for _, shares := range []*[]toprf.Share{&k, &s} {
			secret, err := oprf.RandomScalar()
			if err != nil {
				t.Fatal(err)
			}
			if *shares, err = oprf.Deal(secret, 2, 3); err != nil {
				t.Fatal(err)
			}
		}
		return k, s
	}
	for i, v := range was.Vaults {
		ki, err1 := oprf.Scalar(v.K)
		si, err2 := oprf.Scalar(v.S)
		public, err3 := oprf.Element(v.Public)
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		k, s = append(k, toprf.Share{Index: i + 1, Scalar: ki, Public: public}), append(s, toprf.Share{Index: i + 1, Scalar: si})
	}
	return k, s
}

// halve makes the string and the vault's half of the exchange.
func halve(t *testing.T, suite wire.Suite, v *recoveryVector, i int) {
	t.Helper()
	vault := &v.Vaults[i]
	prs, err := wire.DerivePRS(suite, reg, wire.Secret(v.Output), vault.Vault)
	if err != nil {
		t.Fatal(err)
	}
	session := &cpace.Session{Suite: suite, PRS: prs, Vault: vault.Vault, Acct: wire.Acct(vault.Acct), Reg: reg, B: wire.Element(v.B), E: wire.Element(vault.E)}
	x, err := session.Verifier(wire.Key(vault.ShareSeed))
	if err != nil {
		t.Fatal(err)
	}
	vault.PRS, vault.Share = prs.Key[:], text(x.Share())
}

type signatureVector struct {
	Name      string `json:"name"`
	Suite     uint8  `json:"suite,omitempty"`
	Public    text   `json:"public"`
	Message   text   `json:"message"`
	Signature text   `json:"signature"`
	Valid     bool   `json:"valid"`
}

// TestSignatureVectors: both suites, good and spoilt.
func TestSignatureVectors(t *testing.T) {
	var old struct {
		About string            `json:"about"`
		Cases []signatureVector `json:"cases"`
	}
	readVectors(t, "signatures.json", &old)
	file := old
	file.About, file.Cases = "Signatures of manage keys, spec/kr1.md: r then s in suite 2. valid says what a verifier must say.", nil
	message := mustEncode(&wire.Delete{Target: sampleTarget()})
	for _, suite := range []wire.Suite{wire.Suite1, wire.Suite2} {
		k := manageKey(t, suite, 9)
		sig, err := k.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(file.Cases); n < len(old.Cases) && suite.Verify(k.Public(), message, wire.Signature(old.Cases[n].Signature)) == nil {
			sig = wire.Signature(old.Cases[n].Signature)
		}
		changed := sig
		changed[63] ^= 1
		other := manageKey(t, suite, 10).Public()
		for _, v := range []signatureVector{
			{"good", uint8(suite), text(k.Public()), message, sig[:], true},
			{"another message", uint8(suite), text(k.Public()), flipped(message, 30), sig[:], false},
			{"changed", uint8(suite), text(k.Public()), message, changed[:], false},
			{"another key", uint8(suite), text(other), message, sig[:], false},
			{"zeros", uint8(suite), text(k.Public()), message, make(text, 64), false},
		} {
			if err := suite.Verify(wire.PublicKey(v.Public), v.Message, wire.Signature(v.Signature)); (err == nil) != v.Valid {
				t.Errorf("suite %d, %s: %v", suite, v.Name, err)
			}
			file.Cases = append(file.Cases, v)
		}
	}
	compareVectors(t, "signatures.json", file)
}
