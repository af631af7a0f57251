package android

import (
	"bytes"
	"encoding/json"
)

// MarshalJSON writes the tags that are present by their names in the schema,
// in ascending order, and always unknown_tags: INTEGER as number, SET OF
// INTEGER as ascending array, NULL as true, text as string, OCTET STRING in
// base64.
func (l *AuthorizationList) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, t := range tags {
		value, ok := present(t.field(l))
		if !ok {
			continue
		}
		if err := writeMember(&b, t.name, value); err != nil {
			return nil, err
		}
		b.WriteByte(',')
	}
	unknown := make([]unknownTag, 0, len(l.Unknown))
	for _, u := range l.Unknown {
		unknown = append(unknown, unknownTag{u.Tag, u.DER})
	}
	if err := writeMember(&b, "unknown_tags", unknown); err != nil {
		return nil, err
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

type unknownTag struct {
	Tag uint32 `json:"tag"`
	DER []byte `json:"der"`
}

func writeMember(b *bytes.Buffer, name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	b.WriteString(`"` + name + `":`)
	b.Write(text)
	return nil
}

// present returns the value that a field of an AuthorizationList points to.
func present(field any) (value any, ok bool) {
	switch f := field.(type) {
	case *bool:
		return *f, *f
	case **uint64:
		return *f, *f != nil
	case *[]uint64:
		return *f, *f != nil
	case *[]byte:
		return *f, *f != nil
	case **string:
		return *f, *f != nil
	case **RootOfTrust:
		return *f, *f != nil
	case **ApplicationID:
		return *f, *f != nil
	}
	return nil, false
}

// MarshalJSON writes the schema's names; verifiedBootHash is null where the
// version has none.
func (r *RootOfTrust) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		VerifiedBootKey   []byte            `json:"verifiedBootKey"`
		DeviceLocked      bool              `json:"deviceLocked"`
		VerifiedBootState VerifiedBootState `json:"verifiedBootState"`
		VerifiedBootHash  []byte            `json:"verifiedBootHash"`
	}{r.VerifiedBootKey, r.DeviceLocked, r.VerifiedBootState, r.VerifiedBootHash})
}

// MarshalJSON writes the schema's names, in encoded order.
func (a *ApplicationID) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		PackageInfos     []PackageInfo `json:"packageInfos"`
		SignatureDigests [][]byte      `json:"signatureDigests"`
	}{append([]PackageInfo{}, a.PackageInfos...), append([][]byte{}, a.SignatureDigests...)})
}
