package load

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
)

const (
	purposeRegister = attestv1.Purpose_PURPOSE_REGISTER
	purposeRequest  = attestv1.Purpose_PURPOSE_REQUEST
)

// registerAll makes the phones and registers them, and returns those that have
// a key.
func (r *run) registerAll(ctx context.Context) (chan *phone, error) {
	r.tally.phase(phaseRegister)
	registered := make(chan *phone, r.opts.Phones)
	rate := 0.0
	if r.opts.RegisterOnly {
		rate = r.opts.Rate
	}
	p := newPace(rate, r.opts.Phones, 0)
	var mu sync.Mutex // of the fleet, and of the order in which phones come from it
	err := r.workers(ctx, func(ctx context.Context) error {
		for p.next(ctx) {
			mu.Lock()
			phone := r.fleet.next()
			mu.Unlock()
			if err := r.register(ctx, phone); err != nil {
				return err
			}
			if phone.key != nil {
				registered <- phone
			}
		}
		return nil
	})
	close(registered)
	if err != nil || ctx.Err() != nil {
		return nil, err
	}
	all := make(chan *phone, len(registered)+1)
	for p := range registered {
		all <- p
	}
	return all, nil
}

// workers runs fn in as many goroutines as calls are made at once.
func (r *run) workers(ctx context.Context, fn func(context.Context) error) error {
	var all sync.WaitGroup
	var first atomic.Pointer[error]
	for range r.opts.Concurrency {
		all.Go(func() {
			if err := fn(ctx); err != nil && first.CompareAndSwap(nil, &err) {
				r.stop(err)
			}
		})
	}
	all.Wait()
	if err := first.Load(); err != nil {
		return *err
	}
	return nil
}

// register registers a phone; an abusive one then tries its abuse. An error is
// one of this program.
func (r *run) register(ctx context.Context, p *phone) error {
	want := expect{accept: true}
	action := "register"
	switch p.kind {
	case Abusive:
		action = "register a genuine phone"
	case Deviating:
		action += " " + p.model.String()
		want = expect{either: true, accept: true, code: p.model.fault}
		switch r.opts.Deviating {
		case Accepted:
			want.either = false
		case Refused:
			want.either, want.accept = false, false
		}
	}
	challenge := r.challenge(ctx, p.account, purposeRegister)
	if challenge == nil {
		return nil
	}
	k, call, err := p.attest(r.opts.Now(), challenge, nil)
	if err != nil {
		return err
	}
	a := r.send(ctx, p, action, want, call)
	if a == nil {
		return nil
	}
	r.tally.registered()
	if a.keyID != "" && a.accepted {
		p.key, p.challenge = k, challenge
	}
	if p.abuse == nil || p.key == nil {
		return nil
	}
	return r.registerAbuse(ctx, p)
}

func (r *run) registerAbuse(ctx context.Context, p *phone) error {
	account := p.account
	if p.abuse.from == stolen {
		account = newAccount()
	}
	challenge := p.challenge
	if p.abuse.from != used {
		if challenge = r.challenge(ctx, account, purposeRegister); challenge == nil {
			return nil
		}
	}
	if p.abuse.from == raced {
		return r.registerAtOnce(ctx, p, challenge)
	}
	over := challenge
	if p.abuse.from == unrelated {
		over = make([]byte, 32)
		rand.Read(over)
	}
	_, call, err := p.attest(r.opts.Now(), over, p.abuse)
	if err != nil {
		return err
	}
	call.Challenge = challenge
	r.send(ctx, p, "register: "+p.abuse.name, expect{code: p.abuse.code}, call)
	return nil
}

// registerAtOnce registers two keys with one challenge: one of the two is good.
func (r *run) registerAtOnce(ctx context.Context, p *phone, challenge []byte) error {
	calls := make(chan *attestv1.RegisterRequest, 2)
	for range cap(calls) {
		_, call, err := p.attest(r.opts.Now(), challenge, nil)
		if err != nil {
			return err
		}
		calls <- call
	}
	r.race(p, callRegister, "register, the first of two", "register: "+p.abuse.name, expect{code: p.abuse.code},
		func() *answer { return r.answer(ctx, <-calls) })
	return nil
}

// challenge asks for one; nil: there is no answer.
func (r *run) challenge(ctx context.Context, account string, purpose attestv1.Purpose) []byte {
	c, err := r.createChallenge(ctx, account, purpose)
	if err != nil { // it is counted
		return nil
	}
	return c
}

func (r *run) createChallenge(ctx context.Context, account string, purpose attestv1.Purpose) ([]byte, error) {
	begin := time.Now()
	res, err := r.opts.Service.CreateChallenge(ctx, connect.NewRequest(&attestv1.CreateChallengeRequest{
		App: r.opts.App, Account: account, Purpose: purpose,
	}))
	r.called(ctx, callChallenge, begin, err)
	if err != nil {
		return nil, err
	}
	return res.Msg.GetChallenge(), nil
}

// send sends evidence and holds the answer against what it should be; nil: there
// is no answer.
func (r *run) send(ctx context.Context, p *phone, action string, want expect, call *attestv1.RegisterRequest) *answer {
	a := r.answer(ctx, call)
	if a != nil {
		r.judge(p, callRegister, action, want, a)
	}
	return a
}

// answer sends evidence; nil: there is no answer.
func (r *run) answer(ctx context.Context, call *attestv1.RegisterRequest) *answer {
	call.App = r.opts.App
	begin := time.Now()
	res, err := r.opts.Service.Register(ctx, connect.NewRequest(call))
	r.called(ctx, callRegister, begin, err)
	if err != nil {
		return nil
	}
	a := answerOf(res.Msg.GetDecision(), res.Msg.GetVerdict())
	a.keyID = res.Msg.GetKeyId()
	return a
}
