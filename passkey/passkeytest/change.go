package passkeytest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/staunchid/staunch/internal/cbor"
)

// Change makes an answer different.
type Change func(*Draft)

// Part is a piece of an answer, for Edit.
type Part string

// The parts, in the order in which they are made: what comes later is made
// from the changed bytes of what came before.
const (
	ClientData        Part = "clientData"        // the JSON of the client data
	CredentialKey     Part = "credentialKey"     // the COSE key; Create only
	Extensions        Part = "extensions"        // the CBOR of Draft.Extensions
	AuthenticatorData Part = "authenticatorData" // whole
	PubArea           Part = "pubArea"           // of a TPM: TPMT_PUBLIC
	CertInfo          Part = "certInfo"          // of a TPM: TPMS_ATTEST
	Signature         Part = "signature"         // of the assertion or of the attestation statement
	Statement         Part = "attStmt"           // the CBOR of the attestation statement
	AttestationObject Part = "attestationObject" // whole
	Response          Part = "response"          // the JSON of the answer
)

// Edit changes the bytes of a part.
func Edit(part Part, f func([]byte) []byte) Change {
	return func(d *Draft) {
		if d.edits == nil {
			d.edits = map[Part][]func([]byte) []byte{}
		}
		d.edits[part] = append(d.edits[part], f)
	}
}

// Set sets a member to any value that its encoding knows. The path begins with
// clientData, or with attestationObject ("attestationObject.attStmt.alg"), or
// with a member of the response ("id", "response.signature").
func Set(path string, value any) Change {
	return func(d *Draft) { d.fields = append(d.fields, field{path: path, value: value}) }
}

// Remove leaves a member out; the path is as with Set.
func Remove(path string) Change {
	return func(d *Draft) { d.fields = append(d.fields, field{path: path, gone: true}) }
}

// Use answers with another passkey than the one that the options lead to,
// whether they allow it or not.
func Use(c Credential) Change {
	return func(d *Draft) {
		c := c.clone()
		d.Credential, d.CredentialID, d.SignCount, d.Sign = &c, c.ID, c.SignCount, c.Sign
		const backup = BackupEligible | BackupState
		d.Flags = d.Flags&^backup | c.flags()&backup
		if d.UserHandle != nil {
			d.UserHandle = c.UserHandle
		}
	}
}

// Truncate leaves out the last n bytes.
func Truncate(n int) func([]byte) []byte {
	return func(b []byte) []byte { return b[:max(0, len(b)-n)] }
}

// Append adds bytes at the end.
func Append(extra ...byte) func([]byte) []byte {
	return func(b []byte) []byte { return slices.Concat(b, extra) }
}

// Overwrite puts bytes in the place of those at offset.
func Overwrite(offset int, with ...byte) func([]byte) []byte {
	return func(b []byte) []byte {
		out := bytes.Clone(b)
		copy(out[min(offset, len(out)):], with)
		return out
	}
}

// Flip inverts the lowest bit of the last byte.
func Flip(b []byte) []byte {
	out := bytes.Clone(b)
	if n := len(out); n > 0 {
		out[n-1] ^= 1
	}
	return out
}

// DuplicateKey repeats the first pair of a small CBOR map. It panics when b is
// none.
func DuplicateKey(b []byte) []byte {
	if !cbor.IsMajor(b, cbor.MajorMap) || b[0] == 0xa0 || b[0] >= 0xb7 {
		panic("passkeytest: DuplicateKey needs a CBOR map of 1 to 22 pairs")
	}
	var key, value cbor.RawMessage
	rest, err := cbor.UnmarshalFirst(b[1:], &key)
	if err == nil {
		_, err = cbor.UnmarshalFirst(rest, &value)
	}
	if err != nil {
		panic("passkeytest: DuplicateKey needs a CBOR map: " + err.Error())
	}
	return slices.Concat([]byte{b[0] + 1}, key, value, b[1:])
}

// HugeLength makes a small CBOR map, array or string claim 2^63-1 elements.
func HugeLength(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	return slices.Concat([]byte{b[0]&0xe0 | 27, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, b[1:])
}

func (d *Draft) edited(part Part, b []byte) []byte {
	for _, f := range d.edits[part] {
		b = f(bytes.Clone(b))
	}
	return b
}

// field is a member that Set or Remove names.
type field struct {
	path  string
	value any
	gone  bool
}

// fieldsOf returns the fields below root, with their paths from there; those
// of the response have no root.
func (d *Draft) fieldsOf(root string) []field {
	var all []field
	for _, f := range d.fields {
		first, rest, _ := strings.Cut(f.path, ".")
		switch {
		case first == root:
			f.path = rest
			all = append(all, f)
		case root == "" && first != "clientData" && first != "attestationObject":
			all = append(all, f)
		}
	}
	return all
}

// setIn applies a field to nested maps.
func setIn(m map[string]any, f field) error {
	path := strings.Split(f.path, ".")
	for _, name := range path[:len(path)-1] {
		inner, ok := m[name].(map[string]any)
		if !ok {
			return fmt.Errorf("passkeytest: Set or Remove of %q: %q holds no members", f.path, name)
		}
		m = inner
	}
	name := path[len(path)-1]
	if _, there := m[name]; f.gone && !there {
		return fmt.Errorf("passkeytest: Remove of %q: there is none", f.path)
	}
	if f.gone {
		delete(m, name)
	} else {
		m[name] = f.value
	}
	return nil
}

// object is a JSON object whose members have an order.
type object []member

type member struct {
	name  string
	value any
}

func (o object) apply(f field) object {
	i := slices.IndexFunc(o, func(m member) bool { return m.name == f.path })
	switch {
	case f.gone && i >= 0:
		return slices.Delete(o, i, i+1)
	case i >= 0:
		o[i].value = f.value
		return o
	case f.gone:
		return o
	}
	return append(o, member{f.path, f.value})
}

func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		name, err1 := marshal(m.name)
		value, err2 := marshal(m.value)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// marshal writes JSON as browsers do: < > and & stand as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("passkeytest: no JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}
