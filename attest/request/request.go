package request

import (
	"errors"
	"time"
)

// Label and Tag are those of our signature among the signatures of a request
// (RFC 9421, Sections 4.1 and 2.3).
const (
	Label = "staunch"
	Tag   = "staunch-v1"
)

// The codes of a Failure. They are rows of Staunch's table of findings.
const (
	CodeSignatureMissing = "common.signature_missing"  // no signature with our tag
	CodeComponents       = "common.request_components" // components, parameters or their form are not as demanded
	CodeDigest           = "common.request_digest"     // Content-Digest is missing, wrong or not covered
	CodeParams           = "common.request_params"     // a demanded member of the body is missing or occurs twice
	CodeNonce            = "common.request_nonce"      // nonce is missing or has another form
	CodeClock            = "common.request_clock"      // created or expires is outside the window
)

var (
	// ErrMalformed: a Message that no HTTP request gives, such as a hash of the
	// body with 31 bytes. Whoever made the Message must correct his program.
	ErrMalformed = errors.New("request: malformed message")
	// ErrBodyTooLarge: the body is larger than what was allowed. Answer 413, or
	// allow more.
	ErrBodyTooLarge = errors.New("request: body too large")
	// ErrUnavailable: a Checker could not ask whoever decides, through no doing
	// of the request's. Try again later. Middleware fails open on this error
	// alone, and only with DangerousFailOpen.
	ErrUnavailable = errors.New("request: checker unavailable")
)

// Failure says why a request is not bound as it must be. Methods that return a
// *Failure return nil when all is good: do not assign that nil to an error.
type Failure struct {
	Code   string // of the table of findings: "common.request_components"
	Detail string // for people; not stable
}

func (f *Failure) Error() string { return "request: " + f.Code + ": " + f.Detail }

// Message is what a verifier sees of an HTTP request: all that a signature can
// cover, and of the body its hashes and the names of its members. FromHTTP
// makes one. In another adapter, fill in the request line, the fields that Covered
// names and those three of the content, then call SetBody.
type Message struct {
	Method    string            // as sent: "POST"
	Authority string            // host and port, as in Host or :authority
	Path      string            // the bytes as sent, nothing decoded: "/v1/remit"; empty means "/"
	Query     string            // with its "?", the bytes as sent; "?" or empty: none
	Fields    map[string]string // the covered header fields by lower-case name, several lines combined with ", " (RFC 9421, Section 2.1); must hold content-digest, content-type and content-encoding if the request has them, covered or not

	SignatureInput string // the field Signature-Input, several lines combined with ", "; empty: none
	Signature      string // the field Signature, likewise

	HasBody     bool     // at least one byte of content
	BodySHA256  []byte   // 32 bytes, of the content as sent; required with a body or a Content-Digest
	BodySHA512  []byte   // 64 bytes, or empty; required when Content-Digest holds sha-512
	BodyMembers []string // see Members
}

// Parsed is a message whose form is good. Nothing in it is proved before the
// signature is verified: VerifySignature(alg, key, p.Base, p.Signature), with
// the algorithm of the registered key.
type Parsed struct {
	KeyID     string
	Nonce     string
	Created   time.Time
	Expires   time.Time // zero: none
	Alg       string    // what the request says of the algorithm; empty: nothing. Compare, never choose by it
	Authority string    // lower case, without a default port
	Covered   []string  // the covered components, in their order
	Base      []byte    // the signature base
	Signature []byte

	members         []string
	contentType     string
	contentEncoding string
}
