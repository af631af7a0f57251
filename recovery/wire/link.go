package wire

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/staunchid/staunch/internal/cbor"
)

// The kinds of frames between a vault and its host.
const (
	FrameCall     = "call"     // body: a Call; answered by a Reply
	FrameEvidence = "evidence" // body: a nonce, or none; answered by evidence
	FrameState    = "state"    // body: what the host keeps for a vault without a disk, or none
	FrameInfo     = "info"     // no body
	FrameCancel   = "cancel"   // no body: whoever made the call of that id has given it up
	FrameError    = "error"    // an answer: the body says in English what went wrong
)

// Frame is one message between a vault and its host. An answer has the ID of
// what it answers.
type Frame struct {
	ID   uint64
	Kind string
	Body []byte // nil: none
}

// Code walks [id, kind, body or null].
func (f *Frame) Code(c *cbor.Coder) {
	c.Array(3)
	cbor.Uint(c, &f.ID, 0, math.MaxUint64)
	cbor.String(c, &f.Kind, 1, 16)
	codeBytesOrNull(c, &f.Body, MaxFrame)
}

// WriteFrame writes a message of any link: its length in 4 bytes, and itself.
func WriteFrame(w io.Writer, v Coded) error {
	b, err := Encode(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b))), b...))
	return err
}

// ReadFrame reads a message of any link, the T that it must be. io.EOF: the other
// end has closed between two messages.
func ReadFrame[T any, P interface {
	*T
	Coded
}](r io.Reader) (T, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return *new(T), err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > MaxFrame {
		return *new(T), fmt.Errorf("%w: a frame of %d bytes, more than %d", ErrMalformed, n, MaxFrame)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return *new(T), fmt.Errorf("wire: a frame cut short: %w", err)
	}
	return Decode[T, P](b)
}
