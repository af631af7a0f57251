package attest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/internal/jsonobject"
)

// MaxInput bounds what Parse reads, in bytes.
const MaxInput = 1 << 20

// Parse finds out what input is and separates the evidence from what came
// beside it. It takes
//
//   - PEM with CERTIFICATE blocks, or certificates in DER one after the other;
//   - a WebAuthn attestation object, an App Attest assertion (CBOR);
//   - an App Attest receipt (CMS);
//   - a JSON object with one of the members chain, attestation (or
//     attestationObject), response, assertion, receipt, and what goes with it;
//   - base64 or base64url text of any of these.
//
// format is FormatAuto, or what the input must turn out to be.
func Parse(input []byte, format Format) (Evidence, Expect, error) {
	if len(input) > MaxInput {
		return Evidence{}, Expect{}, fmt.Errorf("%w: larger than %d bytes", ErrMalformed, MaxInput)
	}
	ev, want, err := parse(input, &format, true)
	if err != nil {
		return Evidence{}, Expect{}, err
	}
	if err := format.matches(ev.Format); err != nil {
		return Evidence{}, Expect{}, err
	}
	return ev, want, nil
}

// matches reports whether found is what was asked for.
func (f Format) matches(found Format) error {
	switch f {
	case FormatAuto, "", found:
		return nil
	case FormatAndroidChain, FormatAndroidKey, FormatAppleAppAttest, FormatAppleAssertion, FormatAppleReceipt:
		return fmt.Errorf("%w: the input is %s, not %s", ErrUnsupported, found, f)
	}
	return fmt.Errorf("%w: there is no format %q", ErrUnsupported, f)
}

// parse is Parse without the bounds. A "format" member of a JSON object sets
// format if that is open; text is decoded from base64 once.
func parse(input []byte, format *Format, decode bool) (Evidence, Expect, error) {
	text := bytes.TrimLeft(input, " \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("-----BEGIN")):
		ev, err := parseChain(text)
		return ev, Expect{}, err
	case len(text) > 0 && text[0] == '{':
		return parseObject(text, format)
	case len(input) > 0 && input[0]>>5 == 5: // RFC 8949, Section 3.1: a map
		ev, err := parseCBOR(input)
		return ev, Expect{}, err
	case isSignedData(input):
		return Evidence{Format: FormatAppleReceipt, Object: input}, Expect{}, nil
	case len(input) > 0 && input[0] == 0x30:
		if ev, err := parseChain(input); err == nil {
			return ev, Expect{}, nil
		} else if _, bad := decodeBase64(string(input)); bad != nil || !decode {
			return Evidence{}, Expect{}, err
		}
	}
	if decode {
		if inner, err := decodeBase64(string(input)); err == nil && len(inner) > 0 {
			return parse(inner, format, false)
		}
	}
	return Evidence{}, Expect{}, fmt.Errorf("%w: %s", ErrMalformed, unlike(text))
}

// unlike says, for people, why text is no evidence.
func unlike(text []byte) string {
	if len(text) == 0 {
		return "the input is empty"
	}
	if text[0] == '[' {
		return "a JSON array; want an object"
	}
	if at := bytes.Index(text, []byte("\n-----BEGIN")); at >= 0 {
		return fmt.Sprintf("something stands before the PEM, %d bytes of it: remove it", at+1)
	}
	return "neither PEM, DER, CBOR, CMS, a JSON object nor base64 of one of them"
}

func parseChain(input []byte) (Evidence, error) {
	chain, err := android.ParseChain(input)
	if err != nil {
		return Evidence{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return Evidence{Format: FormatAndroidChain, Chain: chain}, nil
}

// parseCBOR tells attestation objects and assertions by their members.
func parseCBOR(input []byte) (Evidence, error) {
	var whole any // also what nobody reads is held to the rules: no key twice, no tags, no depth
	if err := cbor.Unmarshal(input, &whole); err != nil {
		return Evidence{}, fmt.Errorf("%w: CBOR: %w", ErrMalformed, err)
	}
	members, err := cbor.TextMap(input)
	if err != nil {
		return Evidence{}, fmt.Errorf("%w: CBOR: %w", ErrMalformed, err)
	}
	if raw, ok := members["fmt"]; ok {
		var name string
		if err := cbor.Unmarshal(raw, &name); err != nil {
			return Evidence{}, fmt.Errorf("%w: fmt is no text", ErrMalformed)
		}
		switch format := Format(name); format {
		case FormatAndroidKey, FormatAppleAppAttest:
			return Evidence{Format: format, Object: input}, nil
		}
		return Evidence{}, fmt.Errorf("%w: attestation object of format %q", ErrUnsupported, name)
	}
	if members["signature"] != nil && members["authenticatorData"] != nil {
		return Evidence{Format: FormatAppleAssertion, Object: input}, nil
	}
	return Evidence{}, fmt.Errorf("%w: a CBOR map that is neither an attestation object nor an assertion", ErrMalformed)
}

// isSignedData reports whether input begins as CMS ContentInfo with signedData
// does, in DER or BER (RFC 5652, Section 3).
func isSignedData(input []byte) bool {
	const oid = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	if len(input) < 2 || input[0] != 0x30 {
		return false
	}
	length := 0 // octets after the first length octet
	if input[1] > 0x80 {
		length = int(input[1] & 0x7f)
	}
	return len(input) >= 2+length && bytes.HasPrefix(input[2+length:], []byte(oid))
}

// binary is bytes in a JSON object: base64 or base64url, padded or not.
type binary []byte

func (b *binary) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return errors.New("want a string in base64 or base64url")
	}
	decoded, err := decodeBase64(s)
	*b = decoded
	return err
}

// decodeBase64 reads base64 or base64url, padded or not, over several lines or
// on one.
func decodeBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/", " ", "", "\t", "", "\r", "", "\n", "").Replace(text)
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, errors.New("neither base64 nor base64url")
	}
	return b, nil
}

// inputObject is the JSON object that Parse takes.
type inputObject struct {
	Chain             certificates    `json:"chain"`
	Attestation       binary          `json:"attestation"`
	AttestationObject binary          `json:"attestationObject"`
	Response          *responseObject `json:"response"` // a WebAuthn registration
	Assertion         binary          `json:"assertion"`
	Receipt           binary          `json:"receipt"`

	Format         Format  `json:"format"`
	ClientData     binary  `json:"client_data"`
	ClientDataHash binary  `json:"client_data_hash"`
	Challenge      binary  `json:"challenge"`
	AppID          *string `json:"app_id"`
	KeyID          binary  `json:"key_id"`
	PublicKey      binary  `json:"public_key"`
	Counter        uint32  `json:"counter"`
}

// certificates is an array of binaries. Of a longer chain than the verifier
// looks at it holds one certificate too many and no more.
type certificates []binary

func (c *certificates) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return errors.New("want an array")
	}
	*c = certificates{}
	for d.More() && len(*c) <= 8 {
		var b binary
		if err := d.Decode(&b); err != nil {
			return err
		}
		*c = append(*c, b)
	}
	return nil
}

type responseObject struct {
	AttestationObject binary `json:"attestationObject"`
	ClientDataJSON    binary `json:"clientDataJSON"`
}

// UnmarshalJSON is as strict about names and repetition as parseObject.
func (r *responseObject) UnmarshalJSON(text []byte) error {
	members, err := jsonobject.Members(text)
	if err != nil {
		return err
	}
	return readMembers(members, map[string]any{"attestationObject": &r.AttestationObject, "clientDataJSON": &r.ClientDataJSON})
}

// parseObject reads the JSON object. Members that it does not know are
// ignored; one that stands there twice is an error, for readers differ in which
// of the two they take.
func parseObject(text []byte, format *Format) (Evidence, Expect, error) {
	members, err := jsonobject.Members(text)
	if err != nil {
		return Evidence{}, Expect{}, fmt.Errorf("%w: JSON: %w", ErrMalformed, err)
	}
	var o inputObject
	if err := o.read(members); err != nil {
		return Evidence{}, Expect{}, fmt.Errorf("%w: JSON: %w", ErrMalformed, err)
	}
	want := Expect{
		Challenge: o.Challenge, ClientData: o.ClientData, ClientDataHash: o.ClientDataHash,
		KeyID: o.KeyID, PublicKey: o.PublicKey, Counter: o.Counter,
	}
	if o.AppID != nil {
		if want.AppID = *o.AppID; want.AppID == "" {
			return Evidence{}, Expect{}, fmt.Errorf("%w: JSON: member \"app_id\" is empty", ErrMalformed)
		}
	}
	ev, err := o.evidence(&want)
	if err != nil {
		return Evidence{}, Expect{}, err
	}
	if *format == FormatAuto || *format == "" {
		*format = o.Format
	}
	return ev, want, nil
}

// read decodes each member that the object has a field for, by its exact name.
func (o *inputObject) read(members map[string]json.RawMessage) error {
	return readMembers(members, map[string]any{
		"chain": &o.Chain, "attestation": &o.Attestation, "attestationObject": &o.AttestationObject,
		"response": &o.Response, "assertion": &o.Assertion, "receipt": &o.Receipt,
		"format": &o.Format, "client_data": &o.ClientData, "client_data_hash": &o.ClientDataHash,
		"challenge": &o.Challenge, "app_id": &o.AppID, "key_id": &o.KeyID, "public_key": &o.PublicKey, "counter": &o.Counter,
	})
}

// readMembers decodes the members that there is a place for.
func readMembers(members map[string]json.RawMessage, fields map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(fields)) { // the first error is the same each time
		raw, ok := members[name]
		if !ok || string(raw) == "null" {
			continue
		}
		if err := json.Unmarshal(raw, fields[name]); err != nil {
			return fmt.Errorf("member %q: %w", name, err)
		}
	}
	return nil
}

// evidence picks the one member that is the evidence.
func (o *inputObject) evidence(want *Expect) (Evidence, error) {
	var found []Evidence
	var errs []error
	object := func(b binary, assertion bool) {
		if b == nil {
			return
		}
		ev, err := parseCBOR(b)
		if err == nil && assertion != (ev.Format == FormatAppleAssertion) {
			err = fmt.Errorf("%w: JSON: an attestation object and an assertion have members of their own", ErrMalformed)
		}
		found, errs = append(found, ev), append(errs, err)
	}
	if o.Chain != nil {
		ev := Evidence{Format: FormatAndroidChain}
		for _, c := range o.Chain {
			ev.Chain = append(ev.Chain, c)
		}
		found, errs = append(found, ev), append(errs, nil)
	}
	object(o.Attestation, false)
	object(o.AttestationObject, false)
	if r := o.Response; r != nil {
		object(r.AttestationObject, false)
		if r.AttestationObject == nil {
			return Evidence{}, fmt.Errorf("%w: response has no attestationObject", ErrMalformed)
		}
		if want.ClientData == nil && want.ClientDataHash == nil {
			want.ClientData = r.ClientDataJSON
		}
	}
	object(o.Assertion, true)
	if o.Receipt != nil {
		found, errs = append(found, Evidence{Format: FormatAppleReceipt, Object: o.Receipt}), append(errs, nil)
	}
	if len(found) != 1 {
		return Evidence{}, fmt.Errorf("%w: JSON: %d of the members chain, attestation, attestationObject, response, assertion, receipt; want exactly one", ErrMalformed, len(found))
	}
	return found[0], errs[0]
}

// strictJSON decodes one JSON value into v; unknown members are errors.
func strictJSON(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON value")
	}
	return nil
}
