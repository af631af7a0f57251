package attest

import "errors"

// Errors mean "cannot tell"; a verdict means "can tell, and this is it".
var (
	// ErrMalformed: a container (PEM, JSON, CBOR, CMS, a certificate) cannot be
	// read, or is too large. The sender must send something else.
	ErrMalformed = errors.New("attest: malformed evidence")
	// ErrUnsupported: the evidence is readable and of a format that Staunch does
	// not verify, or of another one than was asked for.
	ErrUnsupported = errors.New("attest: unsupported format")
)

// expectError is an ErrMalformed that is the caller's own doing: what the
// evidence should be compared with does not go with its format, or is missing.
type expectError string

func (e expectError) Error() string { return "attest: " + string(e) }
func (e expectError) Unwrap() error { return ErrMalformed }
