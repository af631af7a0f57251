package android

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/staunchid/staunch/internal/der"
)

// AuthorizationList is what the key store enforces, in software or in
// hardware. Absent is never zero: numbers and texts are pointers, sets and
// octets nil when absent.
type AuthorizationList struct {
	Purpose                     []uint64 // ascending, like every set
	Algorithm                   *uint64
	KeySize                     *uint64
	BlockMode                   []uint64
	Digest                      []uint64
	Padding                     []uint64
	CallerNonce                 bool
	MinMACLength                *uint64
	ECCurve                     *uint64
	MLDSAVariant                *uint64
	RSAPublicExponent           *uint64
	MGFDigest                   []uint64
	RollbackResistance          bool
	EarlyBootOnly               bool
	ActiveDateTime              *uint64
	OriginationExpireDateTime   *uint64
	UsageExpireDateTime         *uint64
	UsageCountLimit             *uint64
	UserSecureID                *uint64
	NoAuthRequired              bool
	UserAuthType                *uint64
	AuthTimeout                 *uint64
	AllowWhileOnBody            bool
	TrustedUserPresenceRequired bool
	TrustedConfirmationRequired bool
	UnlockedDeviceRequired      bool
	AllApplications             bool
	ApplicationID               []byte
	CreationDateTime            *uint64 // milliseconds since 1970; in 1970 when the clock was unset
	Origin                      *uint64 // an Origin
	RollbackResistant           bool
	RootOfTrust                 *RootOfTrust
	OSVersion                   *uint64 // mmnnpp; may be 0
	OSPatchLevel                *uint64 // see PatchLevel
	AttestationApplicationID    *ApplicationID
	AttestationIDBrand          *string
	AttestationIDDevice         *string
	AttestationIDProduct        *string
	AttestationIDSerial         *string // identifies the phone; never store it
	AttestationIDIMEI           *string // identifies the phone; never store it
	AttestationIDMEID           *string // identifies the phone; never store it
	AttestationIDManufacturer   *string
	AttestationIDModel          *string
	VendorPatchLevel            *uint64
	BootPatchLevel              *uint64
	DeviceUniqueAttestation     bool
	AttestationIDSecondIMEI     *string // identifies the phone; never store it
	ModuleHash                  []byte

	Unknown []UnknownTag // unknown or unusable, in encoded order

	numbers [24]uint64 // what the numbers above point to, of which there are fewer: one allocation for all
	texts   [12]string // and the texts
	used    int        // of numbers
	written int        // of texts
}

// number returns a place for n that lives as long as l.
func (l *AuthorizationList) number(n uint64) *uint64 {
	l.numbers[l.used] = n
	l.used++
	return &l.numbers[l.used-1]
}

// text returns a place for s that lives as long as l.
func (l *AuthorizationList) text(s string) *string {
	l.texts[l.written] = s
	l.written++
	return &l.texts[l.written-1]
}

// UnknownTag is a tag that this release does not know, or knows and cannot
// use: then Name is set, and the field counts as absent.
type UnknownTag struct {
	Tag  uint32
	Name string
	DER  []byte // the value inside the EXPLICIT tag, as it came
}

// tag is a row of the table of tags: number, name in the schema, and the field,
// whose type says how the value is read.
type tag struct {
	number uint32
	name   string
	field  func(*AuthorizationList) any
}

// tags is the AuthorizationList of the attestation schema, versions 1 to 500,
// in ascending order.
var tags = [...]tag{
	{1, "purpose", func(l *AuthorizationList) any { return &l.Purpose }},
	{2, "algorithm", func(l *AuthorizationList) any { return &l.Algorithm }},
	{3, "keySize", func(l *AuthorizationList) any { return &l.KeySize }},
	{4, "blockMode", func(l *AuthorizationList) any { return &l.BlockMode }},
	{5, "digest", func(l *AuthorizationList) any { return &l.Digest }},
	{6, "padding", func(l *AuthorizationList) any { return &l.Padding }},
	{7, "callerNonce", func(l *AuthorizationList) any { return &l.CallerNonce }},
	{8, "minMacLength", func(l *AuthorizationList) any { return &l.MinMACLength }},
	{10, "ecCurve", func(l *AuthorizationList) any { return &l.ECCurve }},
	{11, "mlDsaVariant", func(l *AuthorizationList) any { return &l.MLDSAVariant }},
	{200, "rsaPublicExponent", func(l *AuthorizationList) any { return &l.RSAPublicExponent }},
	{203, "mgfDigest", func(l *AuthorizationList) any { return &l.MGFDigest }},
	{303, "rollbackResistance", func(l *AuthorizationList) any { return &l.RollbackResistance }},
	{305, "earlyBootOnly", func(l *AuthorizationList) any { return &l.EarlyBootOnly }},
	{400, "activeDateTime", func(l *AuthorizationList) any { return &l.ActiveDateTime }},
	{401, "originationExpireDateTime", func(l *AuthorizationList) any { return &l.OriginationExpireDateTime }},
	{402, "usageExpireDateTime", func(l *AuthorizationList) any { return &l.UsageExpireDateTime }},
	{405, "usageCountLimit", func(l *AuthorizationList) any { return &l.UsageCountLimit }},
	{502, "userSecureId", func(l *AuthorizationList) any { return &l.UserSecureID }},
	{503, "noAuthRequired", func(l *AuthorizationList) any { return &l.NoAuthRequired }},
	{504, "userAuthType", func(l *AuthorizationList) any { return &l.UserAuthType }},
	{505, "authTimeout", func(l *AuthorizationList) any { return &l.AuthTimeout }},
	{506, "allowWhileOnBody", func(l *AuthorizationList) any { return &l.AllowWhileOnBody }},
	{507, "trustedUserPresenceRequired", func(l *AuthorizationList) any { return &l.TrustedUserPresenceRequired }},
	{508, "trustedConfirmationRequired", func(l *AuthorizationList) any { return &l.TrustedConfirmationRequired }},
	{509, "unlockedDeviceRequired", func(l *AuthorizationList) any { return &l.UnlockedDeviceRequired }},
	{600, "allApplications", func(l *AuthorizationList) any { return &l.AllApplications }},
	{601, "applicationId", func(l *AuthorizationList) any { return &l.ApplicationID }},
	{701, "creationDateTime", func(l *AuthorizationList) any { return &l.CreationDateTime }},
	{702, "origin", func(l *AuthorizationList) any { return &l.Origin }},
	{703, "rollbackResistant", func(l *AuthorizationList) any { return &l.RollbackResistant }},
	{704, "rootOfTrust", func(l *AuthorizationList) any { return &l.RootOfTrust }},
	{705, "osVersion", func(l *AuthorizationList) any { return &l.OSVersion }},
	{706, "osPatchLevel", func(l *AuthorizationList) any { return &l.OSPatchLevel }},
	{709, "attestationApplicationId", func(l *AuthorizationList) any { return &l.AttestationApplicationID }},
	{710, "attestationIdBrand", func(l *AuthorizationList) any { return &l.AttestationIDBrand }},
	{711, "attestationIdDevice", func(l *AuthorizationList) any { return &l.AttestationIDDevice }},
	{712, "attestationIdProduct", func(l *AuthorizationList) any { return &l.AttestationIDProduct }},
	{713, "attestationIdSerial", func(l *AuthorizationList) any { return &l.AttestationIDSerial }},
	{714, "attestationIdImei", func(l *AuthorizationList) any { return &l.AttestationIDIMEI }},
	{715, "attestationIdMeid", func(l *AuthorizationList) any { return &l.AttestationIDMEID }},
	{716, "attestationIdManufacturer", func(l *AuthorizationList) any { return &l.AttestationIDManufacturer }},
	{717, "attestationIdModel", func(l *AuthorizationList) any { return &l.AttestationIDModel }},
	{718, "vendorPatchLevel", func(l *AuthorizationList) any { return &l.VendorPatchLevel }},
	{719, "bootPatchLevel", func(l *AuthorizationList) any { return &l.BootPatchLevel }},
	{720, "deviceUniqueAttestation", func(l *AuthorizationList) any { return &l.DeviceUniqueAttestation }},
	{723, "attestationIdSecondImei", func(l *AuthorizationList) any { return &l.AttestationIDSecondIMEI }},
	{724, "moduleHash", func(l *AuthorizationList) any { return &l.ModuleHash }},
}

// row finds a tag in the table.
func row(number uint32) (i int, ok bool) {
	return slices.BinarySearchFunc(tags[:], number, func(t tag, n uint32) int { return int(t.number) - int(n) })
}

// readList reads an AuthorizationList: a SEQUENCE of EXPLICIT context tags, by
// number and not by place, for phones write them in any order.
func (d *KeyDescription) readList(outer *der.Reader, l *AuthorizationList) error {
	e, err := outer.Expect(der.Sequence)
	if err != nil {
		return err
	}
	r, err := e.Open()
	if err != nil {
		return err
	}
	var seen uint64 // a bit a row
	unknown := 0
	var last uint32
	for !r.Empty() {
		e, err := r.Next()
		if err != nil {
			return err
		}
		if e.Class != der.ContextSpecific {
			return fmt.Errorf("%w: class %d tag %d in the list", der.ErrSyntax, e.Class, e.Tag)
		}
		if e.Tag < last {
			d.tolerate("tags out of order")
		}
		last = e.Tag
		i, known := row(e.Tag)
		if known && seen>>i&1 == 1 {
			return fmt.Errorf("%w: tag %d twice", der.ErrSyntax, e.Tag)
		}
		if !known {
			if unknown++; unknown == 1 {
				l.Unknown = append(make([]UnknownTag, 0, len(l.Unknown)+1+count(r)), l.Unknown...) // once: a list may hold nothing else
			}
			l.Unknown = append(l.Unknown, UnknownTag{Tag: e.Tag, DER: e.Body})
			continue
		}
		seen |= 1 << i
		if err := d.readTag(l, tags[i], e); err != nil {
			l.Unknown = append(l.Unknown, UnknownTag{Tag: e.Tag, Name: tags[i].name, DER: e.Body})
		}
	}
	if unknown > 1 {
		return l.unknownOnce()
	}
	return nil
}

// unknownOnce fails if an unknown tag is there twice; readList has looked
// after the known ones.
func (l *AuthorizationList) unknownOnce() error {
	numbers := make([]uint32, 0, len(l.Unknown))
	for _, u := range l.Unknown {
		numbers = append(numbers, u.Tag)
	}
	slices.Sort(numbers)
	for i := 1; i < len(numbers); i++ {
		if numbers[i] == numbers[i-1] {
			return fmt.Errorf("%w: tag %d twice", der.ErrSyntax, numbers[i])
		}
	}
	return nil
}

// count is how many values a reader has left.
func count(r der.Reader) (n int) {
	for !r.Empty() {
		if _, err := r.Next(); err != nil {
			break // whoever reads them says so
		}
		n++
	}
	return n
}

// readTag reads one tag into its field, or fails and leaves it absent.
func (d *KeyDescription) readTag(l *AuthorizationList, t tag, explicit der.Element) error {
	field := t.field(l)
	if null, ok := field.(*bool); ok {
		*null = true // present, whatever it holds
		return nil
	}
	e, err := explicit.Only()
	if err != nil {
		return err
	}
	switch f := field.(type) {
	case **uint64:
		if !e.Is(der.Integer) {
			return errWrongType
		}
		n, err := e.Uint64()
		if err != nil {
			return err
		}
		*f = l.number(n)
	case *[]uint64:
		*f, err = d.readSet(e)
	case *[]byte:
		if !e.Is(der.OctetString) {
			return errWrongType
		}
		*f = e.Body
	case **string:
		if !e.Is(der.OctetString) || !utf8.Valid(e.Body) {
			return errWrongType
		}
		*f = l.text(string(e.Body))
	case **RootOfTrust:
		*f, err = d.readRootOfTrust(e)
	case **ApplicationID:
		if !e.Is(der.OctetString) {
			return errWrongType
		}
		*f, err = d.readApplicationID(e.Body)
	}
	return err
}

var errWrongType = fmt.Errorf("%w: a known tag of another type", der.ErrSyntax)

// readSet reads a SET OF INTEGER, in any order.
func (d *KeyDescription) readSet(e der.Element) ([]uint64, error) {
	if !e.Is(der.Set) {
		return nil, errWrongType
	}
	r, err := e.Open()
	if err != nil {
		return nil, err
	}
	set := make([]uint64, 0, 4)
	for !r.Empty() {
		var n uint64
		if err := readNumber(&r, der.Integer, &n); err != nil {
			return nil, err
		}
		set = append(set, n)
	}
	if !slices.IsSorted(set) {
		d.tolerate("unsorted SET OF")
		slices.Sort(set)
	}
	return set, nil
}
