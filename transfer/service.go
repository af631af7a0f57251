package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/staunchid/staunch/account"
)

// Options are what New takes. All that has no default is required.
type Options struct {
	App account.AppID
	// Update and View run a function in a transaction of the app's store.
	Update, View func(context.Context, func(Tx) error) error
	// Blobs keeps the ciphertext.
	Blobs  Blobs
	Policy Policy
	// Audience is whom a hello must name: app ID "@" host.
	Audience string
	// RowKey is the key of the rows' MACs: 32 bytes.
	RowKey []byte
	// Now is the clock. nil: time.Now.
	Now func() time.Time
	// Logger gets what an operator must know. nil discards.
	Logger *slog.Logger
}

// Service is the server's part of the transfers of one app. It is safe for
// concurrent use.
type Service struct {
	app      account.AppID
	update   func(context.Context, func(Tx) error) error
	view     func(context.Context, func(Tx) error) error
	blobs    Blobs
	terms    terms
	rowKey   []byte
	now      func() time.Time
	log      *slog.Logger
	watches  watches // what both phones wait for: another version
	arrivals watches // what N waits for: a segment. Mere progress calls nobody else
	coming   coming
}

// New returns the service of one app.
func New(o *Options) (*Service, error) {
	switch {
	case o.Update == nil, o.View == nil, o.Blobs == nil:
		return nil, errors.New("transfer: options: Update, View and Blobs are required")
	case len(o.RowKey) != 32:
		return nil, errors.New("transfer: options: RowKey is of 32 bytes")
	case o.Audience == "":
		return nil, errors.New("transfer: options: Audience is required")
	}
	if err := o.App.Validate(); err != nil {
		return nil, fmt.Errorf("transfer: options: %w", err)
	}
	p, err := o.Policy.check()
	if err != nil {
		return nil, err
	}
	s := &Service{
		app: o.App, update: o.Update, view: o.View, blobs: o.Blobs, terms: terms{p, o.Audience}, rowKey: o.RowKey,
		now: o.Now, log: o.Logger,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// Audience is whom a hello must name.
func (s *Service) Audience() string { return s.terms.audience }

// Terms are the policy with what zero stands for filled in: a hold of none is 0.
func (s *Service) Terms() Policy { return s.terms.Policy }

// party finds whose token it is. One that is nobody's, or of another transfer, is
// ErrNotFound, as is a transfer that is not there.
func (s *Service) party(ctx context.Context, tx Tx, id ID, token [32]byte) (Party, error) {
	k, found, err := tx.TransferToken(ctx, sha256.Sum256(token[:]))
	if err != nil {
		return "", err
	}
	if !found || k.Transfer != id {
		return "", ErrNotFound
	}
	return k.Party, nil
}

// open loads the transfer that a token is good for.
func (s *Service) open(ctx context.Context, tx Tx, id ID, token [32]byte, now time.Time) (*row, Party, error) {
	by, err := s.party(ctx, tx, id, token)
	if err != nil {
		return nil, "", err
	}
	r, err := s.load(ctx, tx, id, now)
	return r, by, err
}
