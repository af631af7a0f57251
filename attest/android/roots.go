package android

import (
	"crypto/sha256"
	"encoding/pem"
	"fmt"
)

// Roots are the keys that are trusted. The zero Roots trust nothing.
type Roots struct{ anchors []anchor }

// anchor is a trusted key with the name under which it signs.
type anchor struct {
	sha256  [sha256.Size]byte // of spki
	subject []byte            // Name, DER
	spki    []byte            // SubjectPublicKeyInfo, DER
}

// GoogleRoots are the keys under which Google provisions phones: the RSA key
// of all phones before 2026, and the P-384 key that is the only one of new
// chains of remote provisioning since 2026-04-10.
func GoogleRoots() Roots {
	roots, err := ParseRoots(googleRSA + googleP384)
	if err != nil {
		panic("android: " + err.Error()) // compiled in: a test reads them
	}
	return roots
}

// ParseRoots reads certificates in PEM, of which only key and Subject count:
// for test rigs. The keys in production are GoogleRoots.
func ParseRoots(text string) (Roots, error) {
	var roots Roots
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return Roots{}, fmt.Errorf("%w: root %d is a %q, not a CERTIFICATE", ErrMalformed, len(roots.anchors), block.Type)
		}
		c, err := parseCertificate(block.Bytes)
		if err != nil {
			return Roots{}, fmt.Errorf("%w: root %d: %w", ErrMalformed, len(roots.anchors), err)
		}
		roots.anchors = append(roots.anchors, anchor{c.SPKISHA256(), c.Subject, c.SPKI})
	}
	if len(roots.anchors) == 0 {
		return Roots{}, fmt.Errorf("%w: no root certificate in PEM", ErrMalformed)
	}
	return roots, nil
}

// And returns the keys of both.
func (r Roots) And(more Roots) Roots {
	all := make([]anchor, 0, len(r.anchors)+len(more.anchors))
	return Roots{append(append(all, r.anchors...), more.anchors...)}
}

func (r Roots) byKey(spki [sha256.Size]byte) (anchor, bool) {
	for _, a := range r.anchors {
		if a.sha256 == spki {
			return a, true
		}
	}
	return anchor{}, false
}

// isSoftwareRoot recognises the two AOSP software roots, whose private keys
// are in the AOSP source tree.
func isSoftwareRoot(spki [sha256.Size]byte) bool {
	return spki == [...]byte{
		0xd5, 0x10, 0x0c, 0x79, 0x42, 0xef, 0x2e, 0x83, 0x10, 0xdc, 0x30, 0xef, 0x82, 0x72, 0x96, 0x80,
		0xcf, 0x48, 0xd6, 0x90, 0x73, 0x5c, 0x3f, 0x68, 0x17, 0x9a, 0x33, 0xc7, 0xc3, 0x70, 0xf2, 0x86,
	} || spki == [...]byte{
		0xf2, 0xc4, 0x74, 0x6f, 0x54, 0x59, 0x46, 0xc1, 0x00, 0xe7, 0x22, 0x97, 0xf8, 0xf9, 0x46, 0x34,
		0x4d, 0x70, 0x52, 0xf0, 0x3a, 0x2f, 0x69, 0x42, 0x21, 0xf9, 0xc8, 0x93, 0xb0, 0xe6, 0xf7, 0x11,
	}
}

// Google's hardware attestation roots. The RSA key stands in four certificates
// (2016, 2019, 2021, 2022); any of them will do, for only the key counts.

const googleRSA = `-----BEGIN CERTIFICATE-----
MIIFHDCCAwSgAwIBAgIJAPHBcqaZ6vUdMA0GCSqGSIb3DQEBCwUAMBsxGTAXBgNV
BAUTEGY5MjAwOWU4NTNiNmIwNDUwHhcNMjIwMzIwMTgwNzQ4WhcNNDIwMzE1MTgw
NzQ4WjAbMRkwFwYDVQQFExBmOTIwMDllODUzYjZiMDQ1MIICIjANBgkqhkiG9w0B
AQEFAAOCAg8AMIICCgKCAgEAr7bHgiuxpwHsK7Qui8xUFmOr75gvMsd/dTEDDJdS
Sxtf6An7xyqpRR90PL2abxM1dEqlXnf2tqw1Ne4Xwl5jlRfdnJLmN0pTy/4lj4/7
tv0Sk3iiKkypnEUtR6WfMgH0QZfKHM1+di+y9TFRtv6y//0rb+T+W8a9nsNL/ggj
nar86461qO0rOs2cXjp3kOG1FEJ5MVmFmBGtnrKpa73XpXyTqRxB/M0n1n/W9nGq
C4FSYa04T6N5RIZGBN2z2MT5IKGbFlbC8UrW0DxW7AYImQQcHtGl/m00QLVWutHQ
oVJYnFPlXTcHYvASLu+RhhsbDmxMgJJ0mcDpvsC4PjvB+TxywElgS70vE0XmLD+O
JtvsBslHZvPBKCOdT0MS+tgSOIfga+z1Z1g7+DVagf7quvmag8jfPioyKvxnK/Eg
sTUVi2ghzq8wm27ud/mIM7AY2qEORR8Go3TVB4HzWQgpZrt3i5MIlCaY504LzSRi
igHCzAPlHws+W0rB5N+er5/2pJKnfBSDiCiFAVtCLOZ7gLiMm0jhO2B6tUXHI/+M
RPjy02i59lINMRRev56GKtcd9qO/0kUJWdZTdA2XoS82ixPvZtXQpUpuL12ab+9E
aDK8Z4RHJYYfCT3Q5vNAXaiWQ+8PTWm2QgBR/bkwSWc+NpUFgNPN9PvQi8WEg5Um
AGMCAwEAAaNjMGEwHQYDVR0OBBYEFDZh4QB8iAUJUYtEbEf/GkzJ6k8SMB8GA1Ud
IwQYMBaAFDZh4QB8iAUJUYtEbEf/GkzJ6k8SMA8GA1UdEwEB/wQFMAMBAf8wDgYD
VR0PAQH/BAQDAgIEMA0GCSqGSIb3DQEBCwUAA4ICAQB8cMqTllHc8U+qCrOlg3H7
174lmaCsbo/bJ0C17JEgMLb4kvrqsXZs01U3mB/qABg/1t5Pd5AORHARs1hhqGIC
W/nKMav574f9rZN4PC2ZlufGXb7sIdJpGiO9ctRhiLuYuly10JccUZGEHpHSYM2G
tkgYbZba6lsCPYAAP83cyDV+1aOkTf1RCp/lM0PKvmxYN10RYsK631jrleGdcdkx
oSK//mSQbgcWnmAEZrzHoF1/0gso1HZgIn0YLzVhLSA/iXCX4QT2h3J5z3znluKG
1nv8NQdxei2DIIhASWfu804CA96cQKTTlaae2fweqXjdN1/v2nqOhngNyz1361mF
mr4XmaKH/ItTwOe72NI9ZcwS1lVaCvsIkTDCEXdm9rCNPAY10iTunIHFXRh+7KPz
lHGewCq/8TOohBRn0/NNfh7uRslOSZ/xKbN9tMBtw37Z8d2vvnXq/YWdsm1+JLVw
n6yYD/yacNJBlwpddla8eaVMjsF6nBnIgQOf9zKSe06nSTqvgwUHosgOECZJZ1Eu
zbH4yswbt02tKtKEFhx+v+OTge/06V+jGsqTWLsfrOCNLuA8H++z+pUENmpqnnHo
vaI47gC+TNpkgYGkkBT6B/m/U01BuOBBTzhIlMEZq9qkDWuM2cA5kW5V3FJUcfHn
w1IdYIg2Wxg7yHcQZemFQg==
-----END CERTIFICATE-----
`

const googleP384 = `-----BEGIN CERTIFICATE-----
MIICIjCCAaigAwIBAgIRAISp0Cl7DrWK5/8OgN52BgUwCgYIKoZIzj0EAwMwUjEc
MBoGA1UEAwwTS2V5IEF0dGVzdGF0aW9uIENBMTEQMA4GA1UECwwHQW5kcm9pZDET
MBEGA1UECgwKR29vZ2xlIExMQzELMAkGA1UEBhMCVVMwHhcNMjUwNzE3MjIzMjE4
WhcNMzUwNzE1MjIzMjE4WjBSMRwwGgYDVQQDDBNLZXkgQXR0ZXN0YXRpb24gQ0Ex
MRAwDgYDVQQLDAdBbmRyb2lkMRMwEQYDVQQKDApHb29nbGUgTExDMQswCQYDVQQG
EwJVUzB2MBAGByqGSM49AgEGBSuBBAAiA2IABCPaI3FO3z5bBQo8cuiEas4HjqCt
G/mLFfRT0MsIssPBEEU5Cfbt6sH5yOAxqEi5QagpU1yX4HwnGb7OtBYpDTB57uH5
Eczm34A5FNijV3s0/f0UPl7zbJcTx6xwqMIRq6NCMEAwDwYDVR0TAQH/BAUwAwEB
/zAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0OBBYEFFIyuyz7RkOb3NaBqQ5lZuA0QepA
MAoGCCqGSM49BAMDA2gAMGUCMETfjPO/HwqReR2CS7p0ZWoD/LHs6hDi422opifH
EUaYLxwGlT9SLdjkVpz0UUOR5wIxAIoGyxGKRHVTpqpGRFiJtQEOOTp/+s1GcxeY
uR2zh/80lQyu9vAFCj6E4AXc+osmRg==
-----END CERTIFICATE-----
`
