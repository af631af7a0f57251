package transfer

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/staunchid/staunch/transfer/handover"
	"github.com/staunchid/staunch/transfer/sealed"
)

// Bounds of what comes with a grant.
const (
	maxSecrets = 64<<10 + sealed.TagSize
	retrySoon  = time.Second      // until N has fetched something
	retryLater = 30 * time.Second // until other transfers have ended
)

// sends refuses a segment where none can come (spec/transfer.md, "States": PUT in
// HELD and STREAMING).
func (t *Transfer) sends(revision uint32) error {
	if err := t.in(Held, Streaming); err != nil {
		return err
	}
	return t.current(revision)
}

// fetches refuses N's GET and Received where there is nothing to fetch.
func (t *Transfer) fetches(revision uint32) error {
	if err := t.in(Held, Streaming, Sealed); err != nil {
		return err
	}
	return t.current(revision)
}

func (t *Transfer) current(revision uint32) error {
	if revision != t.Revision {
		return fmt.Errorf("%w: revision %d is the current one, not %d", &StateError{t.State}, t.Revision, revision)
	}
	return nil
}

// room refuses a segment that there is no room for. own and all are the bytes at the
// server that N has not acknowledged: of this transfer, and of all.
func (t *Transfer) room(p *Policy, h sealed.Header, own, all int64, now time.Time) error {
	switch size := h.Size(); {
	case t.BytesStored+uint64(h.Plain) > uint64(p.MaxBytes):
		return &WaitError{Err: fmt.Errorf("%w: a transfer may have %d bytes", ErrQuota, p.MaxBytes)}
	case own+size > p.Window:
		return &WaitError{Err: ErrWindow, RetryAt: now.Add(retrySoon)}
	case all+size > p.RelaySpace:
		return &WaitError{Err: ErrQuota, RetryAt: now.Add(retryLater)}
	}
	return nil
}

// stored notes a new segment.
func (t *Transfer) stored(p *Policy, h sealed.Header, now time.Time) {
	t.BytesStored += uint64(h.Plain)
	t.moved(p, now)
}

// acked notes that all below a record is durable at N.
func (t *Transfer) acked(p *Policy, record uint64, now time.Time) {
	t.RecordAcked = record
	t.moved(p, now)
}

// moved puts the idle limit off. Progress does not count as a change.
func (t *Transfer) moved(p *Policy, now time.Time) {
	t.Moved = now
	if t.State == Held || t.State == Streaming {
		t.Deadline = t.moving(p)
	}
}

// bytesAcked is how much of the plaintext N has verified and made durable.
func (t *Transfer) bytesAcked() uint64 {
	return min(t.RecordAcked*sealed.RecordSize, t.BytesStored)
}

// revise begins the stream anew. The same revision again changes nothing.
func (t *Transfer) revise(p *Policy, revision uint32, bytes uint64, now time.Time) (changed bool, err error) {
	if err := t.in(Held, Streaming); err != nil {
		return false, err
	}
	switch {
	case revision == t.Revision && bytes == t.BytesExpected:
		return false, nil
	case revision == t.Revision:
		return false, fmt.Errorf("%w: revision %d is there, of %d bytes", ErrConflict, revision, t.BytesExpected)
	case revision != t.Revision+1:
		return false, fmt.Errorf("%w: after revision %d comes %d, not %d", &StateError{t.State}, t.Revision, t.Revision+1, revision)
	case bytes > uint64(p.MaxBytes):
		return false, &WaitError{Err: fmt.Errorf("%w: %d bytes are announced, a transfer may have %d", ErrQuota, bytes, p.MaxBytes)}
	}
	t.Revision, t.BytesExpected, t.BytesStored, t.RecordAcked = revision, bytes, 0, 0
	t.moved(p, now)
	t.Version++
	return true, nil
}

// granted is what a grant alone must meet (spec/transfer.md, "Seal").
func (t *Transfer) granted(m *handover.Grant, now time.Time) error {
	switch {
	case m.Records == 0:
		return fmt.Errorf("%w: a grant of nothing: a stream has a record at least", ErrMalformed)
	case m.Revision != uint64(t.Revision):
		return fmt.Errorf("%w: a grant of revision %d, the current one is %d", ErrConflict, m.Revision, t.Revision)
	case t.held() && m.StepUp == nil:
		return fmt.Errorf("%w: the transfer was held, so its grant needs the owner's passkey once more", ErrMalformed)
	case !t.held() && m.StepUp != nil:
		return fmt.Errorf("%w: the transfer was not held, so its grant has no second passkey", ErrMalformed)
	case !now.Before(time.Unix(int64(m.Expires), 0)):
		return fmt.Errorf("%w: the grant has expired: make it by the server's clock", ErrMalformed)
	}
	return nil
}

// seal is row 7. have is the stream of the stored segments, from record 0 on;
// missing says that more are stored behind its first gap.
func (t *Transfer) seal(p *Policy, m *handover.Grant, in *Sealing, have *sealed.Stream, missing bool, now time.Time) error {
	switch {
	case len(in.Sealed) > maxSecrets:
		return fmt.Errorf("%w: sealed secrets of %d bytes, more than %d", ErrMalformed, len(in.Sealed), maxSecrets)
	case sha256.Sum256(in.Sealed) != m.SecretsHash:
		return fmt.Errorf("%w: the sealed secrets are not those of the grant", ErrMalformed)
	case sha256.Sum256(in.CommitShare[:]) != m.CommitShareHash:
		return fmt.Errorf("%w: the commit share is not the one of the grant", ErrMalformed)
	case m.SealingKeyHash != in.SealingKeyHash:
		return fmt.Errorf("%w: the grant names another sealing key than the old phone has", ErrMalformed)
	case missing || have.Records() < m.Records:
		return &IncompleteError{have.Records()}
	case have.Records() != m.Records, have.Bytes() != m.Bytes, have.Root() != m.Root:
		return fmt.Errorf("%w: what is stored is another stream than the grant's: list it, and make a new revision", ErrConflict)
	}
	t.SealedKeys, t.CommitShare = in.Sealed, in.CommitShare[:]
	t.to(Sealed, earlier(time.Unix(int64(m.Expires), 0).UTC(), now.Add(p.SealTTL)))
	t.keep(handover.StepGrant, in.Envelope)
	return nil
}
