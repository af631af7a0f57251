package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	fxcbor "github.com/fxamacker/cbor/v2"

	"github.com/staunchid/staunch/recovery/wire"
)

var update = flag.Bool("update", false, "write the vectors of spec/vectors/kr1 anew")

const vectors = "../../spec/vectors/kr1/"

// text is bytes in hexadecimal, as vectors have them.
type text []byte

func (b text) MarshalText() ([]byte, error)        { return []byte(hex.EncodeToString(b)), nil }
func (b *text) UnmarshalText(s []byte) (err error) { *b, err = hex.DecodeString(string(s)); return err }

// readVectors reads a file of vectors, if it is there.
func readVectors(t testing.TB, name string, v any) bool {
	t.Helper()
	b, err := os.ReadFile(vectors + name)
	if err != nil {
		if !*update {
			t.Fatal(err)
		}
		return false
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return true
}

// compareVectors wants the file to be exactly got; -update writes it.
func compareVectors(t testing.TB, name string, got any) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(vectors+name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectors + name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s is not what comes out; -update writes it, and every other implementation must follow", name)
	}
}

type structureVector struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Diagnostic string `json:"diagnostic"`
	CBOR       text   `json:"cbor"`
}

type refusedVector struct {
	Name string `json:"name"`
	Type string `json:"type"`
	CBOR text   `json:"cbor"`
}

// TestStructureVectors: every structure, and encodings of them that nobody may
// read.
func TestStructureVectors(t *testing.T) {
	var file struct {
		About   string            `json:"about"`
		Good    []structureVector `json:"good"`
		Refused []refusedVector   `json:"refused"`
	}
	file.About = "Every structure of spec/kr1.md: what decodes encodes to the same bytes. diagnostic is RFC 8949, Section 8. " +
		"refused: a decoder of the type must not read them."
	for _, s := range samples() {
		b := encoded(t, s.value)
		diagnostic, err := fxcbor.Diagnose(b)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		file.Good = append(file.Good, structureVector{s.name, specName(s.value), diagnostic, b})
		for _, bad := range spoilt(b) {
			if _, err := s.decode(bad.CBOR); err == nil {
				t.Errorf("%s, %s: %x is read", s.name, bad.Name, bad.CBOR)
			}
			bad.Type = specName(s.value)
			bad.Name = s.name + ": " + bad.Name
			if len(bad.CBOR) < 200 { // the long ones say nothing more
				file.Refused = append(file.Refused, bad)
			}
		}
	}
	compareVectors(t, "structures.json", file)
}

// spoilt are ways in which an encoding can be wrong whatever it is of.
func spoilt(b []byte) (all []refusedVector) {
	major, info := b[0]&0xe0, b[0]&0x1f
	indefinite := append(append([]byte{major | 31}, b[1:]...), 0xff)
	longer := append([]byte{major | 24, info}, b[1:]...)
	return []refusedVector{
		{Name: "a byte behind it", CBOR: append(bytes.Clone(b), 0)},
		{Name: "cut short", CBOR: b[:len(b)-1]},
		{Name: "a longer head", CBOR: longer},
		{Name: "an indefinite length", CBOR: indefinite},
		{Name: "a tag", CBOR: append([]byte{0xc0}, b...)},
	}
}

// specName is what the CDDL calls the type.
func specName(v wire.Coded) string {
	return map[string]string{
		"Evaluate": "evaluate", "Release": "release", "Transcript": "transcript", "Create": "create-tbs", "Activate": "activate-tbs",
		"Finalize": "finalize-tbs", "Update": "update-tbs", "Delete": "delete-tbs", "Status": "status", "Managed": "managed",
		"Answer": "answer", "Call": "call", "Reply": "reply", "Voucher": "voucher", "Receipt": "receipt", "Mark": "mark", "Tagged": "tagged",
		"View": "view", "Record": "record", "Header": "header", "Payload": "payload", "Blob": "blob", "Binding": "binding", "Config": "config",
		"VaultSet": "vault-set", "Measurement": "measurement", "Ceremony": "ceremony", "Signed": "signed", "KofM": "k-of-m",
		"SeedRequest": "seed-request", "SeedRecord": "seed-record", "SeedAnswer": "seed-answer", "Frame": "frame",
	}[typeName(v)]
}

type derivationVector struct {
	Name   string          `json:"name"`
	Suite  uint8           `json:"suite,omitempty"`
	Input  map[string]any  `json:"input"`
	Output map[string]text `json:"output"`
}

// TestDerivationVectors: the table of derivations.
func TestDerivationVectors(t *testing.T) {
	mk, wk, root := key(1), key(2), text(count(3, 32))
	b, e := text(count(4, 32)), text(count(5, 32))
	shareKey, markKey, pepper := wire.DeriveShareKey(wk, "v1"), wire.DeriveMarkKey(wk, "v1"), wire.DerivePepper(root, "v1")
	recordKey := wire.DeriveRecordKey(mk, "v1", 7, acct)
	mark := sampleRecord(wire.Suite1).Mark(acct)
	tagged, err := markKey.Tag(&mark)
	if err != nil {
		t.Fatal(err)
	}
	seed := shareKey.Seed(acct, reg, 9, wire.Element(b), wire.Element(e))
	h, tbs := wire.AttemptName(reg, wire.Element(b)), mustEncode(&wire.Delete{Target: sampleTarget()})
	c, account := wire.ContentName(tbs), pepper.Acct("a_0123456789")
	pinHash := wire.SeedPINHash(id16(8), wire.Secret("123456"))
	rebased, err := wire.RebaseName(c, sampleRecord(wire.Suite1))
	if err != nil {
		t.Fatal(err)
	}
	type in = map[string]any
	type out = map[string]text
	all := []derivationVector{
		{"record key", 0, in{"mk": text(mk[:]), "vault": "v1", "epoch": 7, "acct": text(acct[:])}, out{"key": recordKey.Key[:]}},
		{"seed of y_a", 0, in{"wk": text(wk[:]), "vault": "v1", "acct": text(acct[:]), "reg": text(reg[:]), "charges": 9, "b": b, "e": e}, out{"key": shareKey.Key[:], "seed": seed[:]}},
		{"mark tag", 0, in{"wk": text(wk[:]), "vault": "v1", "mark": text(tagged.Mark)}, out{"key": markKey.Key[:], "tag": tagged.Tag[:]}},
		{"h", 0, in{"reg": text(reg[:]), "b": b}, out{"h": h[:]}},
		{"c", 0, in{"tbs": text(tbs)}, out{"c": c[:]}},
		{"re-base", 0, in{"ceremony": text(c[:]), "record": text(mustEncode(sampleRecord(wire.Suite1)))}, out{"redo": rebased[:]}},
		{"acct", 0, in{"root": root, "vault": "v1", "account": "a_0123456789"}, out{"pepper": pepper.Key[:], "acct": account[:]}},
		{"seed PIN", 0, in{"salt": text(count(8, 16)), "pin": "123456"}, out{"hash": pinHash[:]}},
	}
	for _, suite := range []wire.Suite{wire.Suite1, wire.Suite2} {
		rwd, s, seed := text(count(7, suite.OutputSize())), wire.Scalar(count(6, 32)), key(9)
		prs, err := wire.DerivePRS(suite, reg, wire.Secret(rwd), "v1")
		if err != nil {
			t.Fatal(err)
		}
		data, err := wire.DeriveDataKey(suite, reg, wire.Secret(rwd), s)
		if err != nil {
			t.Fatal(err)
		}
		hpke, err := wire.DeriveHPKE(suite, mk, "v1", 7)
		if err != nil {
			t.Fatal(err)
		}
		manage, err := wire.DeriveManageKey(suite, seed)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all,
			derivationVector{"prs", uint8(suite), in{"reg": text(reg[:]), "rwd": rwd, "vault": "v1"}, out{"prs": prs.Key[:]}},
			derivationVector{"manage key", uint8(suite), in{"manage_seed": text(seed[:])}, out{"public": text(manage.Public())}},
			derivationVector{"data key", uint8(suite), in{"reg": text(reg[:]), "rwd": rwd, "s": text(s[:])}, out{"key": data.Key[:]}},
			derivationVector{"hpke key pair", uint8(suite), in{"mk": text(mk[:]), "vault": "v1", "epoch": 7}, out{"public": hpke.Public()}})
	}
	compareVectors(t, "derivations.json", struct {
		About string             `json:"about"`
		Cases []derivationVector `json:"cases"`
	}{"The derivations of spec/kr1.md. suite: where it matters.", all})
}
