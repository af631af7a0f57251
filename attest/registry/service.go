// Package registry keeps what devices have proved: the challenges that were
// issued, the keys that were attested, and the evidence behind them. It is the
// service with state beside the pure verifier of package attest.
//
// A key is registered in two calls. The app's backend (or Staunch's own API)
// asks for a challenge and hands it to the phone; the phone makes a key over
// it; the evidence comes back with the challenge.
//
//	c, err := s.CreateChallenge(ctx, caller, &registry.ChallengeRequest{
//		App: "chat", Account: id, Purpose: registry.PurposeRegister,
//	})
//	...
//	r, err := s.Register(ctx, caller, &registry.Registration{
//		App: "chat", Account: id, Challenge: c.Challenge, CertificateChain: chain,
//	})
//	if err != nil { // cannot tell: nothing was consumed, nothing is stored
//	if r.Decision != registry.Allow { // can tell: r.Advice says what the phone may try
//
// From then on the phone signs its requests with the key (package
// attest/request), and the backend asks about each:
//
//	v, err := s.VerifyRequest(ctx, caller, &registry.RequestCheck{App: "chat", Message: m, Account: id})
//	if err != nil { // cannot tell
//	if v.Decision != registry.Allow { // v.Advice is for the phone, v.Verdict for you
//	v.Key // who signed; nil if a rollout let it pass and nothing is proved
//
// In a server that holds both, Service.Checker goes into request.Middleware.
//
// What it promises:
//
//   - A challenge is 32 random bytes, bound to app, account and purpose, kept
//     as its SHA-256 only, and good for one verdict, accept or reject. Of two
//     concurrent uses exactly one wins; the other gets common.challenge_used.
//     Malformed input does not consume it.
//   - Who has neither the backend's token nor an open challenge changes nothing
//     with Register: he is denied, and that is not put on record.
//   - Of those who have proved nothing few at a time have a challenge stored, and
//     who finds no turn gets ErrRate: a flood of them starves no request.
//   - Register verifies outside any transaction and then commits challenge,
//     key, serials, evidence, audit entry and event in one. An answer is given
//     after the commit. If the program dies before the commit the challenge is
//     still open; if it dies after it, the retry gets common.challenge_used and
//     the key is there.
//   - One key belongs to one account, for ever. A key that was revoked or
//     superseded does not come back. A key that was only observed is nobody's
//     yet, and becomes the account's that has it accepted, whatever was done to
//     it in the name of another.
//   - A request with a good signature is good for one answer, whatever that is:
//     its nonce, its counter and its challenge are used up in the transaction
//     that answers, which reads the key's state anew. One without a good
//     signature uses nothing up. If the program dies, a request that was allowed
//     is refused for ever; one that got no answer may have been used up.
//   - An exception with max_uses_per_day is good for so many accepted
//     registrations a day in UTC, over all servers of a store.
//   - Each policy that was in force is kept, and the app's record says since
//     when (AdoptPolicy).
//   - Identifiers of a device are not stored; what is left of them is a keyed
//     hash. Evidence that holds them is not stored either, unless the operator
//     asked for it.
//   - Every verdict is counted in the transaction that decides, by model, code,
//     country and more (Stats), and what honest devices are refused for is
//     ranked (Suspects). Accounts are hashes there, which change every 90 days.
//
// What is true is said by the verdict, and what happens by the policy's rollout:
// where a stage only observes, evidence that rejects is let in, the record says
// would_deny, and the key is StateObserved, which signs nothing. What is found
// of the caller's own permission to register denies in every stage.
//
// What is accepted is counted. What is refused is on record too: a registration
// as said above, a request in the account's chain if its signature is good, and
// else in the app's own. A flood finds little room: five a minute for each key,
// and ten a second for what nobody has signed. The rest is counted alone.
//
// Two kinds of work go on behind the calls, each when the server calls for it:
// Reevaluate revokes the keys that a new revocation list names, and
// RefreshReceipts exchanges App Attest receipts for the risk metric. Both go on
// where they were after a crash, and can be shared by several processes.
//
// Calls to Staunch itself are signed in the same form, and judged by Prove. A flow
// takes it apart: ProveLater verifies the signature, and Proving.Settle uses the
// call up in the flow's own transaction. ProveBackend is for what the app's
// backend signs, VerifyProof for a device proof, Attempt.Proves for a call that
// brings the evidence for its own key.
//
// A flow of several parts takes Register apart: Verify judges, Attempt.Commit
// uses the challenge and saves the key in the flow's own transaction, Activate
// makes a key active that was committed as pending.
package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
)

// Options are a Service's.
type Options struct {
	// App is the app whose store Update opens. Required.
	App account.AppID
	// Policy gives the policy in force. Required; called once per call, and may
	// give another policy each time.
	Policy func() *attest.Policy
	// Verifier judges evidence. Required.
	Verifier *attest.Verifier
	// Status gives the last good revocation list with its age. nil, or a nil
	// list, means that there is none, which the verdict on Android says and the
	// policy judges.
	Status func() *android.StatusList
	// Update runs fn in one transaction that writes, and may run it again. Required.
	Update func(ctx context.Context, fn func(Tx) error) error
	// View runs fn in a transaction that only reads. nil: Update.
	View func(ctx context.Context, fn func(Tx) error) error
	// Now is the clock. nil: time.Now.
	Now func() time.Time
	// Logger gets what an operator should look at. nil discards.
	Logger *slog.Logger
	// HashKey is the key of the hashes that stand for device identifiers: at
	// least 32 bytes. Required; with another key no device is found again.
	HashKey HashKey
	// EvidenceRetention is how long evidence is kept. The zero value keeps none.
	EvidenceRetention time.Duration
	// DangerousStoreDeviceIdentifiers keeps evidence that holds a device's
	// serial number, IMEI, MEID or unique id, and these with it.
	DangerousStoreDeviceIdentifiers bool

	// Observe is told of every verdict once it is committed, in the goroutine
	// that waits for the answer: it must not block. nil: nobody is.
	Observe func(Observation)

	// Exchange asks Apple once for the receipt that follows r; fetch.Receipts
	// does. It must respect its context, and not verify the answer. An error is
	// an answer that did not come. nil: receipts are kept and never exchanged.
	Exchange func(ctx context.Context, r Receipt) (Exchanged, error)
	// ExchangesPerMinute is how many exchanges of one team are made at most.
	// 0: 600.
	ExchangesPerMinute int
	// Exchanged is told of every exchange once its result is committed. nil:
	// nobody is.
	Exchanged func(ExchangeResult)

	testingOnlyVerify      verify // instead of Verifier
	testingOnlyRevokeLimit int    // instead of revokeLimit
	testingOnlyWorkers     int    // instead of exchangeWorkers
}

// verify is what a Service needs of attest.Verifier.
type verify func(ev attest.Evidence, want attest.Expect, p *attest.Policy, now time.Time) (attest.Verdict, error)

// Service registers keys for one app. It is safe for concurrent use.
type Service struct {
	id        account.AppID
	policy    func() *attest.Policy
	status    func() *android.StatusList
	update    func(ctx context.Context, fn func(Tx) error) error
	view      func(ctx context.Context, fn func(Tx) error) error
	clock     func() time.Time
	log       *slog.Logger
	hashKey   HashKey
	retention time.Duration
	keepIDs   bool
	verify    verify
	observe   func(Observation)
	requests  requests
	turns     chan struct{} // held by who has a challenge stored and is not the backend
	memo      memo

	reevaluating reevaluation
	receipts     receiptWork
}

// New returns a Service. It checks opts once and copies them.
func New(opts *Options) (*Service, error) {
	if err := opts.App.Validate(); err != nil {
		return nil, fmt.Errorf("registry: options: %w", err)
	}
	switch {
	case opts.Policy == nil:
		return nil, errors.New("registry: options: no Policy")
	case opts.Verifier == nil && opts.testingOnlyVerify == nil:
		return nil, errors.New("registry: options: no Verifier")
	case opts.Update == nil:
		return nil, errors.New("registry: options: no Update")
	case len(opts.HashKey) < 32:
		return nil, errors.New("registry: options: HashKey is shorter than 32 bytes")
	case opts.ExchangesPerMinute < 0:
		return nil, errors.New("registry: options: ExchangesPerMinute is negative")
	case opts.EvidenceRetention < 0:
		return nil, errors.New("registry: options: EvidenceRetention is negative")
	}
	s := &Service{
		id: opts.App, policy: opts.Policy, status: opts.Status, update: opts.Update, view: opts.View,
		clock: opts.Now, observe: opts.Observe, log: opts.Logger, hashKey: slices.Clone(opts.HashKey),
		retention: opts.EvidenceRetention, keepIDs: opts.DangerousStoreDeviceIdentifiers,
		turns: make(chan struct{}, challengeTurns),
	}
	s.receipts.exchange, s.receipts.exchanged, s.receipts.perMinute = opts.Exchange, opts.Exchanged, opts.ExchangesPerMinute
	if s.reevaluating.limit = opts.testingOnlyRevokeLimit; s.reevaluating.limit == 0 {
		s.reevaluating.limit = revokeLimit
	}
	if s.receipts.workers = opts.testingOnlyWorkers; s.receipts.workers == 0 {
		s.receipts.workers = exchangeWorkers
	}
	if s.receipts.perMinute == 0 {
		s.receipts.perMinute = exchangesPerMinute
	}
	if s.view == nil {
		s.view = s.update
	}
	s.update = s.committed(s.update)
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.verify = opts.testingOnlyVerify; s.verify == nil {
		s.verify = opts.Verifier.Verify
	}
	s.startRequests()
	return s, nil
}

// now reads the clock, in the precision that the store keeps.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// current gives the policy in force and what it says of the app; every call
// asks once.
func (s *Service) current(app account.AppID) (*attest.Policy, attest.AppPolicy, error) {
	if app != s.id {
		return nil, attest.AppPolicy{}, ErrAppUnknown
	}
	p := s.policy()
	if p == nil {
		return nil, attest.AppPolicy{}, fmt.Errorf("%w: no policy is loaded", ErrAppUnknown)
	}
	known, ok := p.App(string(app))
	if !ok {
		return nil, attest.AppPolicy{}, fmt.Errorf("%w: the policy does not name it", ErrAppUnknown)
	}
	return p, known, nil
}
