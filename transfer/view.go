package transfer

import (
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer/handover"
)

// View is a transfer as one of its phones sees it. Who is neither of them sees
// state, reason, times, Peer and Place.
type View struct {
	ID          ID
	Account     account.ID
	Party       Party // as whom it is seen; empty: as a session of the account
	State       State
	Version     uint64
	Reason      Reason
	HoldReasons []string
	CreatedAt   time.Time
	Opens       time.Time
	Deadline    time.Time
	RecallUntil time.Time
	At          time.Time // the server's clock

	Revision                               uint32
	BytesExpected, BytesStored, BytesAcked uint64
	RecordAcked                            uint64

	Envelopes []Sent // of the other phone
	// For N: since the hold is over, the seal, the commit.
	HoldShare, Sealed, CommitShare []byte

	Peer  string // N's model, as it says
	Place string // N's, in the server's word

	moved time.Time // when something came last
}

// Sent is an envelope as it came.
type Sent struct {
	Step     handover.Step
	Envelope []byte
}

// view is the settled row as a party sees it, with the envelopes that are newer than
// a version.
func (t *Transfer) view(by Party, after uint64, now time.Time) *View {
	v := &View{
		ID: t.ID, Account: t.Account, Party: by, State: t.State, Version: t.Version, Reason: t.Reason, HoldReasons: t.HoldReasons,
		CreatedAt: t.CreatedAt, Opens: t.Opens, Deadline: t.Deadline, RecallUntil: t.RecallUntil, At: now,
		Peer: t.Peer(), Place: t.Place, moved: t.Moved,
	}
	if by == "" {
		return v
	}
	v.Revision, v.BytesExpected, v.BytesStored, v.BytesAcked, v.RecordAcked = t.Revision, t.BytesExpected, t.BytesStored, t.bytesAcked(), t.RecordAcked
	for _, step := range append(steps(), handover.StepRecall, handover.StepFinal) {
		if b := *t.slot(step); len(b) > 0 && author(step) != by && t.Stamps[step] > after {
			v.Envelopes = append(v.Envelopes, Sent{step, b})
		}
	}
	if by == Sender {
		return v
	}
	switch t.State { // what the state does not have yet, N does not get (spec/transfer.md, "Key schedule")
	case Streaming:
		v.HoldShare = t.HoldShare
	case Sealed:
		v.HoldShare, v.Sealed = t.HoldShare, t.SealedKeys
	case Committed:
		v.HoldShare, v.Sealed, v.CommitShare = t.HoldShare, t.SealedKeys, t.CommitShare
	}
	return v
}

// Peer is N's model: what the offer says, which is shown and decides nothing.
func (t *Transfer) Peer() string {
	e, err := handover.DecodeEnvelope(t.Offer)
	if err != nil {
		return ""
	}
	o, err := handover.Decode[handover.Offer](e.Message)
	if err != nil {
		return ""
	}
	return o.Info.Model
}
