package handover

import (
	"bytes"
	"crypto/aes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write code.json and handshake.json of spec/vectors/transfer anew")

const vectors = "../../spec/vectors/transfer/"

// text is bytes in hexadecimal, as vectors have them.
type text []byte

func (b text) MarshalText() ([]byte, error)        { return []byte(hex.EncodeToString(b)), nil }
func (b *text) UnmarshalText(s []byte) (err error) { *b, err = hex.DecodeString(string(s)); return err }

func readVectors(t *testing.T, name string, v any) {
	t.Helper()
	b, err := os.ReadFile(vectors + name)
	if errors.Is(err, os.ErrNotExist) && *update {
		return
	}
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// compareVectors wants the file to be exactly got; -update writes it.
func compareVectors(t *testing.T, name string, got any) {
	t.Helper()
	b, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	if *update {
		if err := os.WriteFile(vectors+name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectors + name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b) {
		t.Errorf("%s is not what comes out; -update writes it, and every other implementation must follow", name)
	}
}

// span is n bytes that count up from one.
func span(from byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

type codeVector struct {
	Name     string `json:"name"`
	Beacons  int    `json:"beacons"`
	SID      text   `json:"sid"`
	KeyHash  text   `json:"key_hash"`
	QS       text   `json:"qs"`
	Public   text   `json:"qr_public"`
	URI      string `json:"uri"`
	Transfer string `json:"transfer"`
	KEID     text   `json:"k_eid"`
	Prox     text   `json:"prox"`
	Beacon   text   `json:"beacon"`
}

type refusedCode struct {
	Name string `json:"name"`
	URI  string `json:"uri"`
	Why  string `json:"why"` // "malformed" or "version"
}

// TestCodeVectors: codes, the beacons under them, and texts that are no codes.
func TestCodeVectors(t *testing.T) {
	var file struct {
		About   string        `json:"about"`
		Good    []codeVector  `json:"good"`
		Refused []refusedCode `json:"refused"`
	}
	file.About = "Codes of spec/transfer.md, section 3, and their beacons, section 6. refused: texts that an app must not take for a code, and whether to say that they are malformed or of a version that it does not know."
	for _, b := range [][]byte{append([]byte{1, 0, 1}, span(0x10, 80)...), append([]byte{1, 7, 1}, bytes.Repeat([]byte{0xff}, 80)...), append([]byte{1, 4, 1}, make([]byte, 80)...)} {
		c, err := ParseCode(scheme + digits(b))
		if err != nil {
			t.Fatal(err)
		}
		p := Proximity(span(0xa0, 16))
		beacon, err := c.beacon(p)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := c.OpenBeacon(beacon); err != nil || back != p {
			t.Errorf("beacon: %x, %v", back, err)
		}
		public := c.Public()
		keid := expand(t, extract(t, make([]byte, 32), c.Secret[:]), "eid", c.ID[:], 64)
		block, err := aes.NewCipher(keid[:32])
		if err != nil {
			t.Fatal(err)
		}
		e := make([]byte, 16)
		block.Encrypt(e, p[:])
		if want := append(e, sum(keid[32:], e)[:4]...); !bytes.Equal(beacon, want) {
			t.Errorf("beacon %x, want %x", beacon, want)
		}
		file.Good = append(file.Good, codeVector{
			Name: fmt.Sprintf("beacons %d", c.Beacons), Beacons: int(c.Beacons), SID: c.ID[:], KeyHash: c.KeyHash[:], QS: c.Secret[:],
			Public: public[:], URI: c.URI(), Transfer: c.TransferID(), KEID: keid, Prox: p[:], Beacon: beacon,
		})
	}
	good := file.Good[0].URI
	for _, r := range []refusedCode{
		{"empty", "", "malformed"}, {"another scheme", "FIDO:/" + good[9:], "malformed"}, {"no slash", "STAUNCH:" + good[9:], "malformed"},
		{"a digit less", good[:210], "malformed"}, {"a digit more", good + "0", "malformed"}, {"a letter", good[:50] + "A" + good[51:], "malformed"},
		{"a group of 7 overflows", good[:26] + "72057594037927936" + good[43:], "malformed"}, {"the last group overflows", good[:196] + "281474976710656", "malformed"},
		{"a beacon that is not known", scheme + digits(append([]byte{1, 8, 1}, make([]byte, 80)...)), "malformed"},
		{"another suite", scheme + digits(append([]byte{1, 0, 2}, make([]byte, 80)...)), "malformed"},
		{"version 2", scheme + digits(append([]byte{2, 0, 1}, make([]byte, 80)...)), "version"},
		{"version 2, longer", scheme + digits(append([]byte{2, 0, 1}, make([]byte, 87)...)), "version"},
	} {
		want := ErrMalformed
		if r.Why == "version" {
			want = ErrVersion
		}
		if _, err := ParseCode(r.URI); !errors.Is(err, want) {
			t.Errorf("%s: %v", r.Name, err)
		}
		file.Refused = append(file.Refused, r)
	}
	compareVectors(t, "code.json", file)
}

// The notation of the specification, once more and in the plainest way.

func input(label string, parts ...[]byte) (b []byte) {
	b = append(b, "staunch/transfer/v1\x00"...)
	for _, p := range append([][]byte{[]byte(label)}, parts...) {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
	}
	return b
}

func hash(label string, parts ...[]byte) []byte {
	s := sha256.Sum256(input(label, parts...))
	return s[:]
}

func extract(t *testing.T, salt, ikm []byte) []byte {
	t.Helper()
	b, err := hkdf.Extract(sha256.New, ikm, salt)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func expand(t *testing.T, key []byte, label string, context []byte, n int) []byte {
	t.Helper()
	b, err := hkdf.Expand(sha256.New, key, string(input(label, context)), n)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sum(key, b []byte) []byte { m := hmac.New(sha256.New, key); m.Write(b); return m.Sum(nil) }
