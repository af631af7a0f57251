package request

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
)

// VerifySignature reports whether sig is a signature of base by key, with an
// algorithm named as in RFC 9421, Section 6.2.2: ecdsa-p256-sha256,
// ecdsa-p384-sha384, ed25519, rsa-pss-sha512 or rsa-v1_5-sha256. Another
// algorithm is false, and so is a key of another kind than the algorithm's. The
// algorithm must come from the record of the key, never from the request.
func VerifySignature(alg string, key crypto.PublicKey, base, sig []byte) bool {
	switch alg {
	case "ecdsa-p256-sha256": // Section 3.3.4
		digest := sha256.Sum256(base)
		return verifyECDSA(elliptic.P256(), key, digest[:], sig)
	case "ecdsa-p384-sha384": // Section 3.3.5
		digest := sha512.Sum384(base)
		return verifyECDSA(elliptic.P384(), key, digest[:], sig)
	case "ed25519": // Section 3.3.6
		k, ok := key.(ed25519.PublicKey)
		return ok && len(k) == ed25519.PublicKeySize && ed25519.Verify(k, base, sig)
	case "rsa-pss-sha512": // Section 3.3.1: MGF1 with SHA-512, a salt of 64 bytes
		k, ok := key.(*rsa.PublicKey)
		digest := sha512.Sum512(base)
		return ok && k != nil && rsa.VerifyPSS(k, crypto.SHA512, digest[:], sig, &rsa.PSSOptions{SaltLength: sha512.Size, Hash: crypto.SHA512}) == nil
	case "rsa-v1_5-sha256": // Section 3.3.2
		k, ok := key.(*rsa.PublicKey)
		digest := sha256.Sum256(base)
		return ok && k != nil && rsa.VerifyPKCS1v15(k, crypto.SHA256, digest[:], sig) == nil
	}
	return false
}

// verifyECDSA verifies r || s, each as long as the order of the curve.
func verifyECDSA(curve elliptic.Curve, key crypto.PublicKey, digest, sig []byte) bool {
	k, ok := key.(*ecdsa.PublicKey)
	size := curve.Params().BitSize / 8
	if !ok || k == nil || k.Curve != curve || len(sig) != 2*size {
		return false
	}
	// ecdsa takes SEQUENCE { r INTEGER, s INTEGER } in DER; with at most 2 x 48
	// bytes every length has one byte.
	der := make([]byte, 2, 2+2*(3+48))
	der = appendInteger(der, sig[:size])
	der = appendInteger(der, sig[size:])
	der[0], der[1] = 0x30, byte(len(der)-2)
	return ecdsa.VerifyASN1(k, digest, der)
}

// appendInteger appends an unsigned number as a DER INTEGER.
func appendInteger(der, number []byte) []byte {
	for len(number) > 1 && number[0] == 0 {
		number = number[1:]
	}
	if number[0] >= 0x80 {
		der = append(der, 0x02, byte(len(number)+1), 0)
	} else {
		der = append(der, 0x02, byte(len(number)))
	}
	return append(der, number...)
}
