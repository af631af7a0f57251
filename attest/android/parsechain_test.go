package android_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

func block(typ string, b []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: b}))
}

func TestParseChain(t *testing.T) {
	chain := attested(t, attesttest.Factory)
	var texts []string
	for _, c := range chain {
		texts = append(texts, block("CERTIFICATE", c))
	}
	text := strings.Join(texts, "")
	many := func(s string, n int) string { return strings.Repeat(s, n) }
	one := [][]byte{chain[0]}
	for _, c := range []struct {
		name, in string
		want     [][]byte
	}{
		{"PEM", text, chain},
		{"spaces before it", " \r\n\t" + text, chain},
		{"text between", texts[0] + "subject=CN=x\nissuer=CN=y\n" + texts[1] + "\n# end\n", chain[:2]},
		{"lines end in CR LF", strings.ReplaceAll(texts[0], "\n", "\r\n"), one},
		{"no line end behind the last line", strings.TrimSuffix(texts[0], "\n"), one},
		{"a header field inside", strings.Replace(texts[0], "\n", "\nProc-Type: x\n\n", 1), one},
		{"nine", many(texts[0], 9), slices.Repeat(one, 9)},
		{"ten: one too many is enough", many(texts[0], 10), slices.Repeat(one, 9)},
		{"DER", string(chain[0]), one},
		{"DER, one after the other", string(slices.Concat(chain...)), chain},
		{"DER, twelve", many(string(chain[0]), 12), slices.Repeat(one, 9)},
		{"an empty SEQUENCE: what it holds is for later", "0\x00", [][]byte{{0x30, 0}}},
		{"an empty block", block("CERTIFICATE", nil), [][]byte{{}}},
	} {
		got, err := android.ParseChain([]byte(c.in))
		if err != nil || !slices.EqualFunc(got, c.want, bytes.Equal) {
			t.Errorf("%s: %d certificates, %v", c.name, len(got), err)
		}
	}
	damaged := texts[1][:100] + "!" + texts[1][101:]
	for name, in := range map[string]string{
		"nothing":                           "",
		"spaces":                            " \n",
		"text":                              "no certificate",
		"text before the first block":       "subject=x\n" + text,
		"a key":                             block("PRIVATE KEY", []byte{1}),
		"a key behind the chain":            text + block("PRIVATE KEY", []byte{1}),
		"TRUSTED CERTIFICATE":               block("TRUSTED CERTIFICATE", chain[0]),
		"X509 CERTIFICATE":                  block("X509 CERTIFICATE", chain[0]),
		"certificate":                       block("certificate", chain[0]),
		"a damaged block":                   damaged,
		"a damaged block in the middle":     texts[0] + damaged + texts[2],
		"a damaged block at the end":        texts[0] + damaged,
		"a block without its end":           texts[0] + texts[1][:len(texts[1])-30],
		"a block whose end names another":   strings.Replace(texts[0], "-----END CERTIFICATE", "-----END RSA KEY", 1),
		"BEGIN alone":                       "-----BEGIN",
		"BEGIN alone behind a good block":   texts[0] + "-----BEGIN CERTIFICATE",
		"a block inside a block":            texts[0][:100] + "\n" + texts[1] + texts[0][100:],
		"DER that is no SEQUENCE":           "1\x00",
		"DER and a byte":                    string(chain[0]) + "\x00",
		"DER cut short":                     string(chain[0][:len(chain[0])-1]),
		"DER, the second one cut short":     string(slices.Concat(chain[0], chain[1][:20])),
		"DER, the tenth is none":            many(string(chain[0]), 9) + "x",
		"an indefinite length":              "0\x80\x00\x00",
		"PEM behind DER":                    string(chain[0]) + text,
		"a length of four gigabytes":        "0\x84\xff\xff\xff\xff",
		"base64 alone, which Parse decodes": strings.Split(texts[0], "\n")[1],
	} {
		if got, err := android.ParseChain([]byte(in)); !errors.Is(err, android.ErrMalformed) || got != nil {
			t.Errorf("%s: %d certificates, %v", name, len(got), err)
		}
	}
}
