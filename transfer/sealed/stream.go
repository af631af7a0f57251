package sealed

import (
	"encoding/binary"
	"fmt"
)

// Stream is what is known of a stream whose segments have come one after the other
// from its beginning: how far it goes, and the tree over their leaves. C keeps one
// over what it has sealed, S computes one from its rows, N keeps one over what it has
// opened: all three come to the same [Stream.Root], or one of them sees another
// stream. It is a few hundred bytes, at any length.
type Stream struct {
	revision       uint32
	records, bytes uint64
	tree           Tree
}

// NewStream is the empty stream of a revision.
func NewStream(revision uint32) *Stream { return &Stream{revision: revision} }

// Add takes the next segment: its header, of which the salt is not looked at, and its
// leaf. The error is ErrOrder, and nothing has changed.
func (s *Stream) Add(h Header, l Leaf) error {
	if err := h.check(); err != nil {
		return err
	}
	switch {
	case h.Revision != s.revision:
		return fmt.Errorf("%w: it is of revision %d, the stream is revision %d", ErrOrder, h.Revision, s.revision)
	case h.First != s.records: // no gap, no overlap, none twice
		return fmt.Errorf("%w: it begins with record %d, the next is %d", ErrOrder, h.First, s.records)
	case s.bytes != s.records*RecordSize: // spec/transfer.md, "Segment": only the last one may end in a short record
		return fmt.Errorf("%w: the stream has ended with the short record %d", ErrOrder, s.records-1)
	}
	s.records += uint64(h.Records())
	s.bytes += uint64(h.Plain)
	s.tree.Append(l)
	return nil
}

// Revision is the stream's revision.
func (s *Stream) Revision() uint32 { return s.revision }

// Records says how many there are: the number of the next one.
func (s *Stream) Records() uint64 { return s.records }

// Bytes says how many bytes of plaintext there are.
func (s *Stream) Bytes() uint64 { return s.bytes }

// Segments says how many there are.
func (s *Stream) Segments() uint64 { return s.tree.Leaves() }

// Root is the root of the stream, if it ends here.
func (s *Stream) Root() [32]byte {
	return Root(s.revision, s.records, s.bytes, s.tree.Leaves(), s.tree.Hash())
}

const streamVersion = 1

// MarshalBinary is for a checkpoint.
func (s *Stream) MarshalBinary() ([]byte, error) {
	tree, err := s.tree.MarshalBinary()
	if err != nil {
		return nil, err
	}
	b := binary.BigEndian.AppendUint32([]byte{streamVersion}, s.revision)
	b = binary.BigEndian.AppendUint64(b, s.records)
	b = binary.BigEndian.AppendUint64(b, s.bytes)
	return append(b, tree...), nil
}

// UnmarshalBinary reads what MarshalBinary wrote. The error is ErrCheckpoint.
func (s *Stream) UnmarshalBinary(b []byte) error {
	if len(b) < 21 || b[0] != streamVersion {
		return fmt.Errorf("%w: no stream of version %d", ErrCheckpoint, streamVersion)
	}
	var tree Tree
	if err := tree.UnmarshalBinary(b[21:]); err != nil {
		return err
	}
	got := Stream{binary.BigEndian.Uint32(b[1:]), binary.BigEndian.Uint64(b[5:]), binary.BigEndian.Uint64(b[13:]), tree}
	full := got.records * RecordSize
	if got.records > maxFirst+MaxRecords || got.bytes > full || full-got.bytes >= RecordSize || tree.leaves > got.records {
		return fmt.Errorf("%w: %d records of %d bytes in %d segments", ErrCheckpoint, got.records, got.bytes, tree.leaves)
	}
	*s = got
	return nil
}
