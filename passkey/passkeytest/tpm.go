package passkeytest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
)

// Values of TPM 2.0 Library, Part 2: Structures.
const (
	tpmGenerated    = 0xff544347 // TPM_GENERATED_VALUE
	tpmAttestCert   = 0x8017     // TPM_ST_ATTEST_CERTIFY
	tpmAlgRSA       = 0x0001
	tpmAlgECC       = 0x0023
	tpmAlgSHA256    = 0x000b
	tpmAlgNull      = 0x0010
	tpmManufacturer = "id:494E5443" // of the TCG's registry: Intel
)

// sized is a TPM2B: a 2-byte length and the bytes.
func sized(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// words are 16-bit values.
func words(all ...uint16) []byte {
	var out []byte
	for _, w := range all {
		out = binary.BigEndian.AppendUint16(out, w)
	}
	return out
}

// pubArea is TPMT_PUBLIC (Section 12.2.4) of the credential's key.
func (d *Draft) pubArea() ([]byte, error) {
	attributes := []byte{0, 6, 0, 0x72} // a signing key that never leaves the TPM
	switch pub := d.Credential.key.Public().(type) {
	case *ecdsa.PublicKey:
		point, err := pub.Bytes()
		if err != nil {
			return nil, err
		}
		size := (len(point) - 1) / 2
		curve := map[int]uint16{256: 3, 384: 4, 521: 5}[pub.Curve.Params().BitSize]
		return slices.Concat(words(tpmAlgECC, tpmAlgSHA256), attributes, sized(nil),
			words(tpmAlgNull, tpmAlgNull, curve, tpmAlgNull), sized(point[1:1+size]), sized(point[1+size:])), nil
	case *rsa.PublicKey:
		return slices.Concat(words(tpmAlgRSA, tpmAlgSHA256), attributes, sized(nil),
			words(tpmAlgNull, tpmAlgNull, uint16(pub.N.BitLen())), []byte{0, 0, 0, 0}, sized(pub.N.Bytes())), nil
	}
	return nil, fmt.Errorf("passkeytest: a TPM has no keys for algorithm %d", d.Credential.Algorithm)
}

// certInfo is TPMS_ATTEST (Section 10.12.12) over the public area.
func certInfo(extraData, pubArea []byte) []byte {
	name := sha256.Sum256(pubArea)
	return slices.Concat(
		binary.BigEndian.AppendUint32(nil, tpmGenerated), words(tpmAttestCert),
		sized(nil), sized(extraData),
		make([]byte, 8+4+4+1+8), // clockInfo and firmwareVersion
		sized(slices.Concat(words(tpmAlgSHA256), name[:])), sized(nil),
	)
}

// statementTPM is WebAuthn L3 §8.3.
func (d *Draft) statementTPM(m *maker, authData, hash []byte) (string, map[string]any, error) {
	area, err := d.pubArea()
	if err != nil {
		return "", nil, err
	}
	area = d.edited(PubArea, area)
	extra := sha256.Sum256(slices.Concat(authData, hash))
	info := d.edited(CertInfo, certInfo(extra[:], area))
	leaf, err := m.aik()
	if err != nil {
		return "", nil, err
	}
	if d.Leaf != nil {
		d.Leaf(leaf)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, m.rootCrt, m.key.Public(), m.rootKey)
	if err != nil {
		return "", nil, fmt.Errorf("passkeytest: AIK certificate: %w", err)
	}
	x5c := [][]byte{der}
	if d.Chain != nil {
		x5c = d.Chain([][]byte{der, m.root})
	}
	sig, err := d.signature(info)
	return "tpm", map[string]any{
		"ver": "2.0", "alg": algES256, "x5c": x5c, "sig": sig, "certInfo": info, "pubArea": area,
	}, err
}

// aik is the template of WebAuthn L3 §8.3.1: no subject, the TPM's maker and
// model as alternative name, and the extended key usage tcg-kp-AIKCertificate.
func (m *maker) aik() (*x509.Certificate, error) {
	attribute := func(n int, value string) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: asn1.ObjectIdentifier{2, 23, 133, 2, n}, Value: value}}
	}
	directoryName, err := asn1.Marshal(pkix.RDNSequence{attribute(1, tpmManufacturer), attribute(2, "Staunch Test TPM"), attribute(3, "id:0001")})
	if err != nil {
		return nil, err
	}
	names, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: directoryName}})
	if err != nil {
		return nil, err
	}
	t := template("")
	t.SerialNumber, t.Subject = big.NewInt(2), pkix.Name{}
	t.BasicConstraintsValid = true
	t.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{2, 23, 133, 8, 3}}
	t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: true, Value: names}}
	return t, nil
}
