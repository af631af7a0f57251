package load

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
)

// requestAll has the phones that are registered send requests, each in its turn.
func (r *run) requestAll(ctx context.Context, phones chan *phone) error {
	if len(phones) == 0 {
		return nil
	}
	r.tally.phase(phaseRequest)
	p := newPace(r.opts.Rate, r.opts.Requests, r.opts.Duration)
	return r.workers(ctx, func(ctx context.Context) error {
		for p.next(ctx) {
			phone := <-phones
			err := r.request(ctx, phone)
			phones <- phone
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// request lets a phone do what is its turn.
func (r *run) request(ctx context.Context, p *phone) error {
	p.turn++
	if p.kind == Abusive {
		forgeries := forgeries()
		return forgeries[p.turn%len(forgeries)].do(ctx, r, p)
	}
	switch p.turn % 10 {
	case 3:
		return r.pay(ctx, p)
	case 6, 9:
		return r.ask(ctx, p, &draft{method: http.MethodGet, path: fmt.Sprintf("/v1/timeline?after=%d", p.turn)})
	}
	return r.ask(ctx, p, message(p))
}

// draft is a request before it is signed.
type draft struct {
	method, path string
	body         string
	opts         []attesttest.RequestOption
	fields       map[string]string
	key          *key   // nil: the phone's
	account      string // that the backend expects; empty: the phone's
}

func message(p *phone) *draft {
	return &draft{method: http.MethodPost, path: "/v1/messages", body: fmt.Sprintf(`{"to":"room-%d","text":"message %d"}`, p.turn%7, p.turn)}
}

// signed signs a draft.
func (r *run) signed(p *phone, d *draft) (*http.Request, error) {
	var body *bytes.Reader
	req, err := http.NewRequest(d.method, "https://"+r.opts.Authority+d.path, nil)
	if err != nil {
		return nil, err
	}
	if d.body != "" {
		body = bytes.NewReader([]byte(d.body))
		if req, err = http.NewRequest(d.method, req.URL.String(), body); err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range d.fields {
		req.Header.Set(name, value)
	}
	k := d.key
	if k == nil {
		k = p.key
	}
	return req, k.sign(r.opts.Now(), req, d.opts...)
}

// ask sends a request that must be accepted.
func (r *run) ask(ctx context.Context, p *phone, d *draft) error {
	action := "request"
	if p.kind == Abusive {
		action = "request, not altered"
	}
	return r.sign(ctx, p, action, expect{accept: true}, d, nil)
}

// sign signs a draft, lets somebody change what the backend receives, and holds
// the answer against what it should be.
func (r *run) sign(ctx context.Context, p *phone, action string, want expect, d *draft, change func(*http.Request)) error {
	req, err := r.signed(p, d)
	if err != nil {
		return err
	}
	if change != nil {
		change(req)
	}
	m, _, err := request.FromHTTP(req, 1<<20)
	if err != nil {
		return err
	}
	account := d.account
	if account == "" {
		account = p.account
	}
	r.verify(ctx, p, action, want, m, account)
	return nil
}

// pay sends a payment, with a nonce of the server and a key that names it.
func (r *run) pay(ctx context.Context, p *phone) error {
	nonce := r.challenge(ctx, p.account, purposeRequest)
	if nonce == nil {
		return nil
	}
	d := payment(p)
	d.opts = append(d.opts, func(d *attesttest.RequestDraft) { d.Nonce = base64.RawURLEncoding.EncodeToString(nonce) })
	return r.ask(ctx, p, d)
}

func payment(p *phone) *draft {
	return &draft{
		method: http.MethodPost, path: "/v1/remit", body: fmt.Sprintf(`{"amount":"%d","payee":"shop-%d"}`, 100+p.turn, p.turn%5),
		fields: map[string]string{"Idempotency-Key": fmt.Sprint(p.turn)},
		opts:   []attesttest.RequestOption{func(d *attesttest.RequestDraft) { d.Fields = []string{"idempotency-key"} }},
	}
}

// verify asks about a request as the app's backend does, and holds the answer
// against what it should be.
func (r *run) verify(ctx context.Context, p *phone, action string, want expect, m *request.Message, account string) {
	if a := r.verdict(ctx, p, m, account); a != nil {
		want.key, want.account = p.key.id, p.account
		r.judge(p, callRequest, action, want, a)
	}
}

// verdict asks about a request; nil: there is no answer.
func (r *run) verdict(ctx context.Context, p *phone, m *request.Message, account string) *answer {
	begin := time.Now()
	res, err := r.opts.Service.VerifyRequest(ctx, connect.NewRequest(&attestv1.VerifyRequestRequest{
		App: r.opts.App, Account: account, Country: p.country,
		Method: m.Method, Authority: m.Authority, Path: m.Path, Query: m.Query, Fields: m.Fields,
		SignatureInput: m.SignatureInput, Signature: m.Signature,
		HasBody: m.HasBody, BodySha256: m.BodySHA256, BodySha512: m.BodySHA512, BodyMembers: m.BodyMembers,
	}))
	r.called(ctx, callRequest, begin, err)
	if err != nil {
		return nil
	}
	a := answerOf(res.Msg.GetDecision(), res.Msg.GetVerdict())
	a.keyID, a.account = res.Msg.GetKey().GetKeyId(), res.Msg.GetKey().GetAccount()
	return a
}
