package integrity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
)

// takeMove takes from a bucket of moves. Where signed calls to this machine's own
// names are taken, in staunch dev, they are lifted. What has none: the calls that bring
// a message, of which there is one of each; those for ciphertext, which pass as fast as
// two phones can, need the token of a transfer that an attested phone has opened, and
// are bounded by its window; and lists, which read one page by its key and write
// nothing.
func (s *Service) takeMove(ctx context.Context, kind, value string, l Limit) error {
	if s.policy.LoopbackToo {
		return nil
	}
	return s.take(ctx, kind, value, l)
}

// MoveBegun is what a new phone needs for its offer.
type MoveBegun struct {
	Challenge []byte // of the evidence for its key
	ExpiresAt time.Time
	At        time.Time // now
	OfferTTL  time.Duration
	Audience  string
}

// BeginMove gives a new phone the challenge over which its hardware makes a key.
func (s *Service) BeginMove(ctx context.Context, c account.Caller) (*MoveBegun, error) {
	if err := s.moving(c); err != nil {
		return nil, err
	}
	begun, err := s.BeginDevice(ctx, c)
	if err != nil {
		return nil, err
	}
	return &MoveBegun{
		Challenge: begun.Challenge, ExpiresAt: begun.ExpiresAt, At: s.now(), OfferTTL: s.moves.Terms().OfferTTL, Audience: s.moves.Audience(),
	}, nil
}

// MoveOffer is what a new phone brings.
type MoveOffer struct {
	Envelope []byte
	Token    [32]byte
	// Place is where the phone is, in the server's word, for whoever moves his account
	// to it.
	Place string
}

// OfferMove opens a transfer for a new phone. Its evidence is judged under the
// challenge of BeginMove, which is used up; the key is kept pending, and is
// nobody's. The device proof of that key is over the offer, so that key, evidence
// and what is in the code belong together.
func (s *Service) OfferMove(ctx context.Context, c account.Caller, in *MoveOffer) (*transfer.View, error) {
	if err := s.moving(c); err != nil {
		return nil, err
	}
	if c.Kind != account.Anonymous {
		return nil, fmt.Errorf("%w: a phone that an account moves to is new", ErrNotAllowed)
	}
	if err := s.takeMove(ctx, "move_offer", c.Network, s.policy.Limits.MoveOffer); err != nil {
		return nil, err
	}
	now := s.now()
	turn := transfer.Turn{Token: in.Token, Step: handover.StepOffer, Envelope: in.Envelope}
	var w *transfer.Wanted
	err := s.lookMove(ctx, func(tx Tx, moves transfer.Tx) (err error) {
		if w, err = s.moves.Expect(ctx, moves, turn, now); err != nil || w.Repeat {
			return err
		}
		return s.mayFail(ctx, tx, c, "", now)
	})
	if err != nil {
		return nil, err
	}
	offering := &transfer.Offering{Envelope: in.Envelope, Token: in.Token, Value: w.Value, Place: in.Place, Network: c.Network}
	if w.Repeat {
		return s.offeredMove(ctx, offering, now)
	}
	k, err := s.verifyOffer(ctx, w, now)
	if err != nil {
		return nil, s.failed(ctx, c, "", err)
	}
	var out *transfer.View
	var untrusted *Untrusted
	err = s.act(ctx, func(tx Tx) error {
		out, untrusted = nil, nil
		moves, err := transferTx(tx)
		if err != nil {
			return err
		}
		r, err := k.attempt.Commit(ctx, tx, registry.StatePending)
		if err != nil {
			return err
		}
		if r.Decision != registry.Allow || r.KeyID == "" {
			untrusted = &Untrusted{Advice: string(r.Advice)}
			return nil
		}
		offering.KeyID = r.KeyID
		if offering.Verdict, err = verdictText(r.Verdict); err != nil {
			return err
		}
		out, err = s.moves.OfferTx(ctx, moves, offering, now)
		return err
	})
	if err == nil && untrusted != nil {
		return nil, untrustedMove(untrusted.Advice)
	}
	return out, err
}

// offeredMove answers an offer that is stored already.
func (s *Service) offeredMove(ctx context.Context, in *transfer.Offering, now time.Time) (*transfer.View, error) {
	var out *transfer.View
	err := s.actMove(ctx, "", func(_ Tx, moves transfer.Tx) (err error) {
		out, err = s.moves.OfferTx(ctx, moves, in, now)
		return err
	})
	return out, err
}

// verifyOffer judges the evidence of an offer, and that the key in it is the one
// which the offer names and which has proved the offer.
func (s *Service) verifyOffer(ctx context.Context, w *transfer.Wanted, now time.Time) (*newKey, error) {
	o, ok := w.Message.(*handover.Offer)
	if !ok {
		return nil, fmt.Errorf("%w: an offer is wanted", transfer.ErrMalformed)
	}
	ev, err := handover.Decode[handover.Evidence](o.Evidence)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", transfer.ErrMalformed, err)
	}
	in := registry.Registration{
		App: s.app, Challenge: o.Challenge[:], ForNobody: true, CertificateChain: ev.Chain, AttestationObject: ev.Object, KeyID: ev.KeyID,
		Hints: registry.Hints{OSVersion: ev.OSVersion, AppVersion: ev.AppVersion, Model: ev.Model},
	}
	attempt, err := s.attest.Verify(ctx, account.Caller{Kind: account.Anonymous, App: s.app}, &in)
	if err != nil {
		return nil, err
	}
	if !attempt.Open() {
		return nil, ErrCeremonyExpired
	}
	id, spki := attempt.Key()
	if !bytes.Equal(spki, o.Device) {
		return nil, fmt.Errorf("%w: the evidence is for another key than the offer's", transfer.ErrProof)
	}
	err = attempt.ProvesValue(w.Value, w.Proof)
	if errors.Is(err, registry.ErrProofRefused) {
		return nil, fmt.Errorf("%w: %v", transfer.ErrProof, err) //nolint:errorlint // see expected
	}
	if err != nil {
		return nil, err
	}
	return &newKey{attempt}, s.look(ctx, func(tx Tx) error {
		_, found, err := tx.DeviceByKey(ctx, id)
		if err != nil || !found {
			return err
		}
		return ErrDeviceKeyKnown
	})
}

// MoveVerdict is what the server's verdict of a new phone says to people, as a
// transfer keeps it.
type MoveVerdict struct {
	Verdict  string   `json:"verdict"` // "TRUSTED", or "WARN"
	Findings []string `json:"findings,omitempty"`
}

func verdictText(v *attest.Verdict) (string, error) {
	out := MoveVerdict{Verdict: "WARN"}
	if v != nil {
		if v.Tier == attest.TierAffirming {
			out.Verdict = "TRUSTED"
		}
		for _, f := range v.Findings {
			if f.Effect != attest.Note && !slices.Contains(out.Findings, f.Code) {
				out.Findings = append(out.Findings, f.Code)
			}
		}
	}
	text, err := json.Marshal(out)
	return string(text), err
}

// verdictOf reads it.
func verdictOf(t transfer.Transfer) (v MoveVerdict) {
	if json.Unmarshal([]byte(t.Verdict), &v) != nil {
		return MoveVerdict{Verdict: "WARN"}
	}
	return v
}
