package wire

import (
	"bytes"
	"fmt"
	"math"

	"github.com/staunchid/staunch/internal/cbor"
)

// Coded is a structure that describes its own encoding: Code walks its fields,
// writing or reading them.
type Coded interface{ Code(c *cbor.Coder) }

// MaxFrame is the most that a message may have, on every link: host to vault,
// and witness to witness.
const MaxFrame = 262_144

// Encode returns v as deterministic CBOR. It fails with ErrMalformed when a
// field of v is outside its bounds.
func Encode(v Coded) ([]byte, error) {
	b, err := cbor.Encode(v.Code)
	if err == nil && len(b) > MaxFrame {
		err = fmt.Errorf("%d bytes, more than %d", len(b), MaxFrame)
	}
	if err != nil {
		return nil, malformed(v, err)
	}
	return b, nil
}

// Decode reads b, the whole of it, as the T that it must be:
//
//	answer, err := wire.Decode[wire.Answer](b)
func Decode[T any, P interface {
	*T
	Coded
}](b []byte) (T, error) {
	var v T
	if len(b) > MaxFrame {
		return v, malformed(P(&v), fmt.Errorf("%d bytes, more than %d", len(b), MaxFrame))
	}
	if err := cbor.Decode(b, P(&v).Code); err != nil {
		return *new(T), malformed(P(&v), err)
	}
	return v, nil
}

// decodePadded reads a structure of which at most zeros follow.
func decodePadded(b []byte, v Coded) error {
	rest, err := cbor.DecodeFirst(b, v.Code)
	if err != nil {
		return malformed(v, err)
	}
	for zeros := [256]byte{}; len(rest) > 0; {
		n := min(len(rest), len(zeros))
		if !bytes.Equal(rest[:n], zeros[:n]) {
			return malformed(v, fmt.Errorf("something other than zeros after it"))
		}
		rest = rest[n:]
	}
	return nil
}

// encodePadded writes a structure and zeros up to size.
func encodePadded(v Coded, size int) ([]byte, error) {
	return appendPadded(make([]byte, 0, size), v, size)
}

// appendPadded is encodePadded behind head, into its capacity: size bytes at least,
// all of them zero. It returns what it wrote, without head.
func appendPadded(head []byte, v Coded, size int) ([]byte, error) {
	b, err := cbor.Append(head, v.Code)
	b = b[min(len(head), len(b)):]
	switch {
	case err != nil:
		err = malformed(v, err)
	case len(b) > size:
		err = fmt.Errorf("%w: %d bytes do not fit into %d", ErrMalformed, len(b), size)
	default:
		return b[:size], nil
	}
	clear(head[len(head):cap(head)])
	clear(b)
	return nil, err
}

func malformed(v Coded, err error) error {
	return fmt.Errorf("%w: %T: %w", ErrMalformed, v, err)
}

// list encodes the parts of an info or of an associated data. They are ours, so
// they fit.
func list(parts ...any) []byte {
	b, err := cbor.Encode(func(c *cbor.Coder) {
		c.Array(len(parts))
		for _, part := range parts {
			switch v := part.(type) {
			case string:
				cbor.String(c, &v, 0, MaxFrame)
			case []byte:
				cbor.Octets(c, &v, 0, MaxFrame)
			case uint32:
				cbor.Uint(c, &v, 0, math.MaxUint32)
			default:
				c.Failf("a part of type %T", part)
			}
		}
	})
	if err != nil {
		panic("wire: " + err.Error()) // only another type, or text that is not UTF-8
	}
	return b
}
