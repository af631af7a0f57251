package attest

import "errors"

// Errors mean "cannot tell"; a verdict means "can tell, and this is it".
var (
	// ErrMalformed: a container (PEM, JSON, CBOR, CMS, a certificate) cannot be
	// read, or is too large, or what should be compared with it does not fit
	// its format. The sender must send something else.
	ErrMalformed = errors.New("attest: malformed evidence")
	// ErrUnsupported: the evidence is readable and of a format that Staunch does
	// not verify, or of another one than was asked for.
	ErrUnsupported = errors.New("attest: unsupported format")
)
