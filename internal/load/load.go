// Package load drives a server with software phones, and knows what each of them
// must be answered: it measures how fast a server decides, and counts how often
// it decides otherwise than it should.
//
//	l, err := load.New(&load.Options{
//		Service: attestv1connect.NewAttestServiceClient(http, url), // http sends the app's token along
//		Phones: 200, Rate: 50, Duration: 30 * time.Second,
//	})
//	report, err := l.Run(ctx)
//	fmt.Println(report.Surprises)
//
// Every phone has an account of its own. First all of them register, then they
// send signed requests, as the app's backend hands them on (VerifyRequest). There
// are three kinds:
//
//   - honest: good phones of several models. All that they do must be accepted.
//   - deviating: good phones of models with a fault, each with a chain that
//     departs from a rule in one way. Whether it is accepted is for the policy to
//     say: by the profile, or by an exception. Refused for anything else, it
//     counts as a surprise.
//   - abusive: each has a genuine phone and does with it what attackers do:
//     another app's evidence, a used challenge, an amount changed on the way, a
//     request sent twice. All of that must be refused, and for the right reason.
//
// An abuse that is let in and an honest phone that is refused are surprises,
// and so is a key that the server names for a request which it has not signed.
// What is judged is the verdict: where a stage of the rollout only observes, a
// refused phone is let pass, which is counted apart.
//
// The phones come from the test roots of package attesttest, so the policy must
// trust these, as that of `staunch dev` does. A server for real phones refuses
// them all, and Run says so.
package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
)

// Options are what New takes.
type Options struct {
	// Service is the server, asked with the token of the app's backend. Required.
	Service attestv1connect.AttestServiceClient
	// App is the id of the app; empty: the token's.
	App string
	// Authority is the host that requests are signed for, one of the policy's
	// request.authorities. Empty: pay.example.com, that of the demo policy.
	Authority string

	// Phones is how many phones there are. Required.
	Phones int
	// Mix says how many of each kind. The zero Mix is DefaultMix.
	Mix Mix
	// Rate is how many requests are begun in a second; with RegisterOnly, how
	// many phones. 0: as many as the server answers.
	Rate float64
	// Duration and Requests say when the requests end: by time, by number, by
	// whichever comes first. One of them is required without RegisterOnly.
	Duration time.Duration
	Requests int
	// RegisterOnly ends when all phones have registered.
	RegisterOnly bool
	// Concurrency is how many calls are made at once. 0: 16.
	Concurrency int
	// Deviating is what deviating phones must be answered. Empty: Either.
	Deviating Outcome

	// Now is the clock of the phones. nil: time.Now. It does not pace the calls.
	Now func() time.Time
	// Progress is told now and then how far it is. nil: nobody is.
	Progress func(Progress)
}

// Outcome is what deviating phones must be answered at registration.
type Outcome string

// The outcomes.
const (
	Either   Outcome = "either" // accepted, or refused for the fault of the model
	Accepted Outcome = "accepted"
	Refused  Outcome = "refused" // for the fault of the model
)

// DemoAuthority is the host that the demo policy takes requests for.
const DemoAuthority = "pay.example.com"

const defaultConcurrency = 16

// Load is a fleet of phones. It is not safe for concurrent use.
type Load struct {
	opts  Options
	fleet *fleet
}

// New makes the issuers of the phones, which takes some hundred milliseconds.
func New(opts *Options) (*Load, error) {
	l := &Load{opts: *opts}
	o := &l.opts
	switch {
	case o.Service == nil:
		return nil, errors.New("load: options: no Service")
	case o.Phones < 1:
		return nil, fmt.Errorf("load: options: %d phones: at least 1 is needed", o.Phones)
	case o.Rate < 0 || o.Duration < 0 || o.Requests < 0 || o.Concurrency < 0:
		return nil, errors.New("load: options: Rate, Duration, Requests and Concurrency must not be negative")
	case !o.RegisterOnly && o.Duration == 0 && o.Requests == 0:
		return nil, errors.New("load: options: neither Duration nor Requests says when the requests end")
	}
	if o.Mix == (Mix{}) {
		o.Mix = DefaultMix()
	}
	if o.Authority == "" {
		o.Authority = DemoAuthority
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	switch o.Deviating {
	case "":
		o.Deviating = Either
	case Either, Accepted, Refused:
	default:
		return nil, fmt.Errorf("load: options: deviating %q: want either, accepted or refused", o.Deviating)
	}
	var err error
	l.fleet, err = newFleet(o.Now(), o.Mix)
	return l, err
}

// Run registers the phones and sends the requests. It ends early when ctx does.
//
// The report is never nil: with an error it holds what was done before. An error
// means that it made no sense to go on; it wraps ErrAway, ErrToken or ErrRefused
// where these fit. Run may be called again, with new phones.
func (l *Load) Run(ctx context.Context) (*Report, error) {
	t := newTally(l.opts.Phones)
	r := &run{Load: l, tally: t}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.stop = stop

	done := make(chan struct{})
	var telling sync.WaitGroup
	if l.opts.Progress != nil {
		telling.Go(func() { r.tell(done) })
	}
	err := r.all(ctx)
	close(done)
	telling.Wait()

	out := t.report(&l.opts)
	if cause := context.Cause(ctx); cause != nil {
		out.Interrupted = errors.Is(cause, context.Canceled)
		if err == nil && !out.Interrupted {
			err = cause
		}
	}
	return out, err
}

// run is one Run.
type run struct {
	*Load
	tally *tally
	stop  context.CancelCauseFunc // ends the run, for the reason given
}

func (r *run) all(ctx context.Context) error {
	if err := r.preflight(ctx); err != nil {
		return err
	}
	phones, err := r.registerAll(ctx)
	if err != nil || r.opts.RegisterOnly || ctx.Err() != nil {
		return err
	}
	return r.requestAll(ctx, phones)
}

// preflight finds out with one call whether the server, the token and the app
// are right.
func (r *run) preflight(ctx context.Context) error {
	_, err := r.createChallenge(ctx, newAccount(), purposeRegister)
	if err != nil && ctx.Err() == nil {
		return explain(err)
	}
	return nil
}

// tell reports how far it is, once a second.
func (r *run) tell(done <-chan struct{}) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-t.C:
			r.opts.Progress(r.tally.progress(&r.opts))
		}
	}
}
