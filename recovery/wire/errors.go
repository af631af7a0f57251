package wire

import "errors"

var (
	// ErrMalformed: the bytes are not this structure, or a field is outside its
	// bounds. Repeating helps nobody; whoever made them has a mistake.
	ErrMalformed = errors.New("wire: malformed")

	// ErrUnreadable: what is sealed does not open. It was made for another vault,
	// epoch, configuration, account or operation, or was changed on its way.
	ErrUnreadable = errors.New("wire: what is sealed cannot be opened with this key")

	// ErrSignature: a signature is wrong, or by another key.
	ErrSignature = errors.New("wire: the signature is wrong")

	// ErrThreshold: too few of the keys that may sign have signed, or none were
	// given: collect the missing signatures, or pin the right keys.
	ErrThreshold = errors.New("wire: not signed by enough of the keys that may")
)
