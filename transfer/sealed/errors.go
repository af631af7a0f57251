package sealed

import "errors"

var (
	// ErrSegment is bytes that are no segment: a header, a length or a place that
	// cannot be. Whoever sent them made a mistake; the same bytes will not do later.
	ErrSegment = errors.New("sealed: not a segment")
	// ErrRecord is a record that does not open: another key, another place, or changed
	// bytes. It can be fetched again; if it fails again, end the transfer (integrity).
	ErrRecord = errors.New("sealed: a record does not open")
	// ErrOrder is a segment that is not the next one of its stream: another revision, a
	// gap, an overlap, or one behind the end.
	ErrOrder = errors.New("sealed: not the next segment")
	// ErrItem is a stream whose items are not those of the format, or do not add up.
	// What was sealed is wrong, not the way here: end the transfer (integrity).
	ErrItem = errors.New("sealed: not a stream of items")
	// ErrChanged is a source whose content is not what its plan says. Make a new plan,
	// and a new revision.
	ErrChanged = errors.New("sealed: the source has changed")
	// ErrKey is a key that is none: never set, wiped, or of another length.
	ErrKey = errors.New("sealed: no key")
	// ErrCheckpoint is stored state that cannot be read. Begin the stream anew.
	ErrCheckpoint = errors.New("sealed: a checkpoint that cannot be read")
)
