package load

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
)

// forgery is something that an attacker does with a request, or with the key of
// a phone. code is what must refuse it, by platform.
type forgery struct {
	name           string
	android, apple string // codes; apple empty: the same
	draft          func(*run, *phone) (*draft, error)
	change         func(*http.Request) // on the way from the phone to the backend

	// Instead of the two above: what is done with a good request.
	send func(r *run, ctx context.Context, p *phone, m *request.Message, action string, want expect)
}

const (
	signatureInvalid   = "common.signature_invalid"
	assertionSignature = "apple.assertion_signature"
	requestReplay      = "common.request_replay"
	counterReplay      = "apple.counter_replay"
)

// forgeries are what abusive phones do, in turn.
func forgeries() []*forgery {
	plain := func(_ *run, p *phone) (*draft, error) { return topUp(p), nil }
	signed := func(opt attesttest.RequestOption) func(*run, *phone) (*draft, error) {
		return func(_ *run, p *phone) (*draft, error) {
			d := topUp(p)
			d.opts = append(d.opts, opt)
			return d, nil
		}
	}
	return []*forgery{
		{name: "amount changed on the way", android: request.CodeDigest, draft: plain, change: func(r *http.Request) { setBody(r, changedTopUp) }},
		{name: "amount and digest changed", android: signatureInvalid, apple: assertionSignature, draft: plain, change: func(r *http.Request) {
			setBody(r, changedTopUp)
			sum := sha256.Sum256([]byte(changedTopUp))
			r.Header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":")
		}},
		{name: "path changed on the way", android: signatureInvalid, apple: assertionSignature, draft: plain, change: func(r *http.Request) { r.URL.Path = "/v1/withdraw" }},
		{name: "sent twice", android: requestReplay, apple: counterReplay, send: (*run).sendTwice},
		{name: "sent twice at once", android: requestReplay, apple: counterReplay, send: (*run).sendAtOnce},
		{name: "an hour old", android: request.CodeClock, draft: signed(func(d *attesttest.RequestDraft) { d.Created = d.Created.Add(-time.Hour) })},
		{name: "not signed", android: request.CodeSignatureMissing, draft: plain, change: func(r *http.Request) {
			r.Header.Del("Signature")
			r.Header.Del("Signature-Input")
		}},
		{name: "key that is not registered", android: "common.key_unknown", draft: func(r *run, p *phone) (*draft, error) {
			k, _, err := p.attest(r.opts.Now(), make([]byte, 32), nil)
			d := topUp(p)
			d.key = k
			return d, err
		}},
		{name: "another key under a registered id", android: signatureInvalid, apple: assertionSignature, draft: func(r *run, p *phone) (*draft, error) {
			k, _, err := p.attest(r.opts.Now(), make([]byte, 32), nil)
			d := topUp(p)
			d.key = k
			d.opts = append(d.opts, func(d *attesttest.RequestDraft) { d.KeyID = p.key.id })
			return d, err
		}},
		{name: "for another account", android: "common.account_mismatch", draft: func(_ *run, p *phone) (*draft, error) {
			d := topUp(p)
			d.account = newAccount()
			return d, nil
		}},
	}
}

func topUp(p *phone) *draft {
	return &draft{method: http.MethodPost, path: "/v1/topup", body: fmt.Sprintf(`{"amount":"%d","payee":"wallet-1"}`, p.turn)}
}

const changedTopUp = `{"amount":"9000","payee":"wallet-2"}`

func setBody(r *http.Request, body string) {
	r.Body = io.NopCloser(strings.NewReader(body))
	r.ContentLength = int64(len(body))
}

// do commits a forgery.
func (f *forgery) do(ctx context.Context, r *run, p *phone) error {
	want := expect{code: f.android}
	if p.model.platform == apple && f.apple != "" {
		want.code = f.apple
	}
	action := "request: " + f.name
	if f.draft != nil {
		d, err := f.draft(r, p)
		if err != nil {
			return err
		}
		return r.sign(ctx, p, action, want, d, f.change)
	}
	req, err := r.signed(p, topUp(p))
	if err != nil {
		return err
	}
	m, _, err := request.FromHTTP(req, 1<<20)
	if err != nil {
		return err
	}
	f.send(r, ctx, p, m, action, want)
	return nil
}

func (r *run) sendTwice(ctx context.Context, p *phone, m *request.Message, action string, want expect) {
	r.verify(ctx, p, "request, not altered", expect{accept: true}, m, p.account)
	r.verify(ctx, p, action, want, m, p.account)
}

// sendAtOnce sends a request twice at the same time: one of the two is good.
func (r *run) sendAtOnce(ctx context.Context, p *phone, m *request.Message, action string, want expect) {
	want.key, want.account = p.key.id, p.account
	r.race(p, callRequest, "request, the first of two", action, want, func() *answer { return r.verdict(ctx, p, m, p.account) })
}

// race does something twice at the same time. It must be accepted once; want is
// for the other one.
func (r *run) race(p *phone, call, winner, loser string, want expect, do func() *answer) {
	var answers [2]*answer
	var both sync.WaitGroup
	for i := range answers {
		both.Go(func() { answers[i] = do() })
	}
	both.Wait()
	won, lost := answers[0], answers[1]
	if won == nil || lost == nil {
		return
	}
	if !won.accepted {
		won, lost = lost, won
	}
	r.judge(p, call, winner, expect{accept: true, key: want.key, account: want.account}, won)
	r.judge(p, call, loser, want, lost)
}
