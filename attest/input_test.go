package attest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/internal/cbor"
)

func pemOf(chain [][]byte) (text string) {
	for _, c := range chain {
		text += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c}))
	}
	return text
}

// alphabets writes bytes in every form that JSON members may have.
func alphabets(b []byte) []string {
	return []string{
		base64.StdEncoding.EncodeToString(b), base64.RawStdEncoding.EncodeToString(b),
		base64.URLEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b),
	}
}

// objects are one piece of evidence of each format.
func objects(t testing.TB) (chain [][]byte, android, apple, asserted, receipt []byte) {
	t.Helper()
	ev, key := attestation(t, sum(challenge()))
	r, err := key.Receipt(testNow(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return evidence(t, attesttest.RKP).Chain, registration(t, sum(challenge())).Object, ev.Object, assertion(t, key, sum(challenge())).Object, r
}

// TestParse: every form of every format, alone, in base64 and with spaces.
func TestParse(t *testing.T) {
	chain, android, apple, asserted, receipt := objects(t)
	joined := slices.Concat(chain...)
	list := `{"chain":["` + base64.StdEncoding.EncodeToString(chain[0]) + `"]}`
	for _, c := range []struct {
		name  string
		input []byte
		want  attest.Format
	}{
		{"PEM", []byte(pemOf(chain)), attest.FormatAndroidChain},
		{"PEM behind spaces", []byte(" \r\n\t" + pemOf(chain)), attest.FormatAndroidChain},
		{"DER", joined, attest.FormatAndroidChain},
		{"android-key", android, attest.FormatAndroidKey},
		{"apple-appattest", apple, attest.FormatAppleAppAttest},
		{"apple-assertion", asserted, attest.FormatAppleAssertion},
		{"apple-receipt", receipt, attest.FormatAppleReceipt},
		{"JSON", []byte(list), attest.FormatAndroidChain},
		{"JSON behind spaces", []byte("\n " + list + "\n"), attest.FormatAndroidChain},
	} {
		inputs := [][]byte{c.input}
		for _, text := range alphabets(c.input) {
			lines := ""
			for i, r := range text {
				if lines += string(r); i%64 == 63 {
					lines += "\r\n"
				}
			}
			inputs = append(inputs, []byte(text), []byte("\n "+lines+"\n"))
		}
		for i, input := range inputs {
			ev, _, err := attest.Parse(input, attest.FormatAuto)
			if err != nil || ev.Format != c.want {
				t.Errorf("%s, form %d: %s, %v", c.name, i, ev.Format, err)
				continue
			}
			if c.want == attest.FormatAndroidChain && !bytes.Equal(ev.Chain[0], chain[0]) || c.want != attest.FormatAndroidChain && !bytes.Equal(ev.Object, c.input) {
				t.Errorf("%s, form %d: other evidence", c.name, i)
			}
			for _, f := range []attest.Format{attest.FormatAndroidChain, attest.FormatAndroidKey, attest.FormatAppleAppAttest, attest.FormatAppleAssertion, attest.FormatAppleReceipt, "tpm"} {
				if _, _, err := attest.Parse(input, f); (err == nil) != (f == c.want) || err != nil && !unsupported(err) {
					t.Errorf("%s as %s: %v", c.name, f, err)
				}
			}
			if _, _, err := attest.Parse(input, ""); err != nil {
				t.Errorf("%s with no format: %v", c.name, err)
			}
		}
		twice := base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(c.input)))
		if _, _, err := attest.Parse([]byte(twice), attest.FormatAuto); !malformed(err) {
			t.Errorf("%s, in base64 twice: %v", c.name, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	_, android, _, _, receipt := objects(t)
	object := func(v any) []byte {
		b, err := cbor.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, input := range map[string][]byte{
		"nothing": nil, "spaces": []byte(" \n"), "text": []byte("evidence!"), "a number": {0}, "a CBOR array": {0x80}, "a CBOR text": {0x61, 'a'},
		"an empty map":               {0xa0},
		"a map with a byte behind":   append(bytes.Clone(android), 0),
		"a map of something else":    object(map[string]any{"x": 1}),
		"signature without data":     object(map[string]any{"signature": []byte{1}}),
		"data without signature":     object(map[string]any{"authenticatorData": []byte{1}}),
		"fmt that is no text":        object(map[string]any{"fmt": 1}),
		"a map with number keys":     object(map[int]any{1: 1}),
		"a receipt behind spaces":    append([]byte(" "), receipt...),
		"signedData that is no CMS":  []byte("0\x01\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"),
		"a JSON array":               []byte("[]"),
		"a JSON text":                []byte(`"x"`),
		"base64 of nothing":          []byte("===="),
		"base64 of base64 of noise":  []byte("QUJDRA=="),
		"a character outside base64": []byte("AAAA*AAA"),
		"a key in PEM":               []byte("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
		"a megabyte and one":         make([]byte, attest.MaxInput+1),
	} {
		if ev, _, err := attest.Parse(input, attest.FormatAuto); !malformed(err) || ev.Format != "" {
			t.Errorf("%s: %+v, %v", name, ev.Format, err)
		}
	}
	for _, format := range []string{"packed", "apple", "tpm", "none", "fido-u2f", "android-safetynet", ""} {
		if _, _, err := attest.Parse(object(map[string]any{"fmt": format}), attest.FormatAuto); !unsupported(err) {
			t.Errorf("fmt %q: %v", format, err)
		}
	}
}

// TestParseObject: the JSON form, each member in both alphabets.
func TestParseObject(t *testing.T) {
	chain, android, apple, asserted, receipt := objects(t)
	odd := []byte{0xfb, 0xff, 0xfe, 0x3f, 0x00} // shows the alphabet and the padding
	evidences := map[string]struct {
		member string
		format attest.Format
		object []byte
	}{
		"attestation":       {`"attestation":%q`, attest.FormatAppleAppAttest, apple},
		"android-key":       {`"attestation":%q`, attest.FormatAndroidKey, android},
		"attestationObject": {`"attestationObject":%q`, attest.FormatAppleAppAttest, apple},
		"response":          {`"response":{"attestationObject":%q}`, attest.FormatAndroidKey, android},
		"assertion":         {`"assertion":%q`, attest.FormatAppleAssertion, asserted},
		"receipt":           {`"receipt":%q`, attest.FormatAppleReceipt, receipt},
		"chain":             {`"chain":[%q]`, attest.FormatAndroidChain, chain[0]},
	}
	for name, e := range evidences {
		for _, text := range alphabets(e.object) {
			ev, want, err := attest.Parse([]byte("{"+fmt.Sprintf(e.member, text)+"}"), attest.FormatAuto)
			got := ev.Object
			if e.format == attest.FormatAndroidChain && len(ev.Chain) == 1 {
				got = ev.Chain[0]
			}
			if err != nil || ev.Format != e.format || !bytes.Equal(got, e.object) || !reflect.DeepEqual(want, attest.Expect{}) {
				t.Errorf("%s: %s, %+v, %v", name, ev.Format, want, err)
			}
		}
	}
	base := fmt.Sprintf(`"receipt":%q`, base64.StdEncoding.EncodeToString(receipt))
	for member, want := range map[string]attest.Expect{
		"client_data": {ClientData: odd}, "client_data_hash": {ClientDataHash: odd}, "challenge": {Challenge: odd},
		"key_id": {KeyID: odd}, "public_key": {PublicKey: odd},
	} {
		for _, text := range alphabets(odd) {
			_, got, err := attest.Parse(fmt.Appendf(nil, `{%s,%q:%q}`, base, member, text), attest.FormatAuto)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, %v", member, got, err)
			}
		}
	}
	for text, want := range map[string]attest.Expect{
		`"app_id":"T.b"`:       {AppID: "T.b"},
		`"counter":4294967295`: {Counter: 4294967295},
		`"challenge":null,"counter":null,"app_id":null,"response":null,"chain":null`: {},
		`"CHALLENGE":"AAAA","Counter":1,"new":{"a":[1,2]}`:                           {},
		`"challenge":""`:               {Challenge: []byte{}},
		`"format":"apple-receipt"`:     {},
		`"format":"auto"`:              {},
		`"format":null`:                {},
		`"challenge":"AA\u0041A"`:      {Challenge: []byte{0, 0, 0}},
		`"challenge" : "AA\nAA" `:      {Challenge: []byte{0, 0, 0}},
		`"\u0063hallenge":"AAAA"`:      {Challenge: []byte{0, 0, 0}},
		`"x":1,"y":-1.5e3,"z":"}\"{:"`: {},
	} {
		_, got, err := attest.Parse([]byte(`{`+text+`,`+base+`}`), attest.FormatAuto)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	webAuthn := fmt.Appendf(nil, `{"id":"x","response":{"clientDataJSON":%q,"attestationObject":%q,"transports":[]}}`, base64.RawURLEncoding.EncodeToString(odd), base64.RawURLEncoding.EncodeToString(android))
	if _, got, err := attest.Parse(webAuthn, attest.FormatAuto); err != nil || !bytes.Equal(got.ClientData, odd) {
		t.Errorf("a WebAuthn registration: %+v, %v", got, err)
	}
	both := bytes.Replace(webAuthn, []byte(`{"id"`), []byte(`{"client_data":"AAAA","id"`), 1)
	if _, got, err := attest.Parse(both, attest.FormatAuto); err != nil || !bytes.Equal(got.ClientData, []byte{0, 0, 0}) {
		t.Errorf("client_data wins: %+v, %v", got, err)
	}
}

func TestParseObjectRefuses(t *testing.T) {
	chain, android, apple, _, receipt := objects(t)
	text := func(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
	r, a, k := `"receipt":"`+text(receipt)+`"`, `"attestation":"`+text(apple)+`"`, `"response":{"attestationObject":"`+text(android)+`"}`
	c := `"chain":["` + text(chain[0]) + `"]`
	for name, members := range map[string]string{
		"nothing": "", "no evidence": `"challenge":"AAAA"`, "evidence null": `"receipt":null`,
		"two evidences": r + `,` + a, "chain and response": c + `,` + k, "both attestations": a + `,"attestationObject":"` + text(apple) + `"`,
		"a member twice": r + `,` + r, "a member twice, escaped": r + `,"challenge":"AAAA","\u0063hallenge":"AAAA"`,
		"an unknown member twice": r + `,"x":1,"x":2`, "a member of response twice": `"response":{"attestationObject":"` + text(android) + `","attestationObject":"` + text(android) + `"}`,
		"response without object": `"response":{}`, "response of another case": `"response":{"ATTESTATIONOBJECT":"` + text(android) + `"}`,
		"response that is text": `"response":"x"`, "a receipt that is an array": `"receipt":[1]`, "a receipt that is a number": `"receipt":1`,
		"a receipt outside base64": `"receipt":"!"`, "chain that is text": `"chain":"` + text(chain[0]) + `"`, "chain of numbers": `"chain":[1,2,3]`,
		"chain of objects": `"chain":[{}]`, "challenge as number": r + `,"challenge":1`, "challenge outside base64": r + `,"challenge":"a b!"`,
		"counter as text": r + `,"counter":"1"`, "counter negative": r + `,"counter":-1`, "counter 2^32": r + `,"counter":4294967296`, "counter 1.5": r + `,"counter":1.5`,
		"app_id as number": r + `,"app_id":1`, "format as number": r + `,"format":1`, "an attestation that is no CBOR": `"attestation":"AAAA"`, "a comma too many": r + `,`,
	} {
		if ev, want, err := attest.Parse([]byte(`{`+members+`}`), attest.FormatAuto); !malformed(err) || ev.Format != "" || !reflect.DeepEqual(want, attest.Expect{}) {
			t.Errorf("%s: %+v, %v", name, ev.Format, err)
		}
	}
	for name, input := range map[string]string{
		"cut short": `{` + r, "something behind it": `{` + r + `}{}`, "no key": `{1:2}`, "single quotes": `{'receipt':'x'}`, "a comment": `{` + r + `/* */}`,
	} {
		if _, _, err := attest.Parse([]byte(input), attest.FormatAuto); !malformed(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, members := range map[string]string{
		"format contradicts": r + `,"format":"android-chain"`, "an unknown format": r + `,"format":"tpm"`,
	} {
		if _, _, err := attest.Parse([]byte(`{`+members+`}`), attest.FormatAuto); !unsupported(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if ev, _, err := attest.Parse([]byte(`{`+r+`,"format":"android-chain"}`), attest.FormatAppleReceipt); err != nil || ev.Format != attest.FormatAppleReceipt {
		t.Errorf("the flag wins over the member: %v", err)
	}
	many := `"` + strings.Join(slices.Repeat([]string{text(chain[0])}, 20), `","`) + `"`
	if ev, _, err := attest.Parse([]byte(`{"chain":[`+many+`]}`), attest.FormatAuto); err != nil || len(ev.Chain) != 9 {
		t.Errorf("a chain of twenty: %d, %v", len(ev.Chain), err)
	}
	if ev, _, err := attest.Parse([]byte(`{"chain":[]}`), attest.FormatAuto); err != nil || len(ev.Chain) != 0 {
		t.Errorf("a chain of none: %v", err)
	} else if v, err := newVerifier(t).Verify(ev, expecting(t), policyOf(t), testNow()); err != nil || !v.Has("android.chain_length") || v.UnverifiedClaims != nil {
		t.Errorf("a chain of none: %v, %v", v.Findings, err)
	}
}
