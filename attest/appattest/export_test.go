package appattest

// VerifyReceiptMarked is VerifyReceipt with another key in place of that of
// Apple Root CA - G3, whose signer must be marked.
func VerifyReceiptMarked(cms []byte, roots Roots, spki string) (*Receipt, error) {
	return verifyReceipt(cms, roots, spki)
}

// RootCAG3SPKI is the key that VerifyReceipt treats so.
const RootCAG3SPKI = rootCAG3SPKI

// ParseAuthData reads authenticator data as VerifyAttestation does.
func ParseAuthData(b []byte) (ext *Extensions, readable bool, err error) {
	d, failure := parseAuthData(b)
	if failure != nil {
		err = failure
	}
	if d == nil {
		return nil, false, err
	}
	return d.extensions, true, err
}

// Contain runs call as calls into the CMS library are run.
func Contain(call func() error) error { return contain(call) }

// IsBER is what is asked of a CMS before the library reads it.
func IsBER(b []byte) bool { return isBER(b) }
