package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// exchangeWorkers is how many exchanges of a team run at a time.
const exchangeWorkers = 4

// RefreshReceipts exchanges the App Attest receipts that are due, by
// Options.Exchange, until none is left or ctx ends. Call it every few seconds.
// It does nothing without Options.Exchange.
//
// A receipt is taken by lease, so that several processes share the work, and
// that another takes it up when one dies: an exchange may then happen twice,
// and its answer counts once. What Apple answers decides when it is exchanged
// next; see ExchangeResult. Credentials that Apple refuses stop the exchanges
// of their team until ResumeReceipts.
func (s *Service) RefreshReceipts(ctx context.Context) error {
	if s.receipts.exchange == nil {
		return nil
	}
	var teams []string
	err := s.view(ctx, func(tx Tx) (err error) {
		teams, err = tx.ReceiptTeams(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("registry: look for receipts: %w", err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, name := range teams {
		t := s.receipts.team(name)
		for range s.receipts.workers {
			all.Go(func() {
				if e := s.work(ctx, t); e != nil {
					mu.Lock()
					defer mu.Unlock()
					err = e
				}
			})
		}
	}
	all.Wait()
	return err
}

// ResumeReceipts lets the teams go on whose credentials were refused: call it
// when there are new ones.
func (s *Service) ResumeReceipts() { s.receipts.resume() }

// work exchanges receipts of a team one after another.
func (s *Service) work(ctx context.Context, t *team) error {
	for t.turn(ctx) {
		r, k, err := s.leaseReceipt(ctx, t.name)
		if err != nil {
			return fmt.Errorf("registry: lease a receipt: %w", err)
		}
		if r == nil {
			t.giveBack()
			return nil
		}
		if err := s.exchangeReceipt(ctx, t, *r, k); err != nil {
			return fmt.Errorf("registry: exchange the receipt of key %s: %w", r.Key, err)
		}
	}
	return nil
}

// leaseReceipt takes the receipt that has been due for longest, with its key.
// Receipts that are not to be exchanged any more leave the schedule on the way.
// nil: none is due.
func (s *Service) leaseReceipt(ctx context.Context, team string) (leased *Receipt, key Key, err error) {
	for again := true; again; {
		now := s.now()
		err := s.update(ctx, func(tx Tx) error {
			leased, again = nil, false
			r, found, err := tx.DueReceipt(ctx, team, now)
			if err != nil || !found {
				return err
			}
			if key, err = tx.AttestedKey(ctx, r.Key); err != nil {
				return err
			}
			if rested, rests := r.rest(key, now); rests {
				again = true
				return tx.PutReceipt(ctx, rested)
			}
			until := now.Add(leaseTime)
			won, err := tx.LeaseReceipt(ctx, r.Key, r.LeaseUntil, until)
			if err != nil {
				return err
			}
			if again = !won; won {
				r.LeaseUntil = until
				leased = &r
			}
			return nil
		})
		if err != nil {
			return nil, Key{}, err
		}
	}
	return leased, key, nil
}

// exchangeReceipt asks Apple and stores what it answers. When ctx ends in the
// middle, the lease runs out and the receipt is exchanged again.
func (s *Service) exchangeReceipt(ctx context.Context, t *team, r Receipt, k Key) error {
	within, cancel := context.WithTimeout(ctx, leaseTime/2) // time is left to store the answer
	defer cancel()
	x, err := s.receipts.exchange(within, r)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		x = Exchanged{Result: ExchangeLater, Detail: err.Error()}
	}
	now := s.now()
	var fresh *Receipt
	if x.Result == ExchangeNew {
		if fresh, err = s.freshReceipt(r, k, x.Receipt, now); err != nil {
			x = Exchanged{Result: ExchangeInvalid, Detail: err.Error()}
		}
	}
	held, err := s.saveReceipt(ctx, r, x, fresh, now)
	if err != nil {
		return err
	}
	t.answered(x)
	s.tellExchange(r, x, held)
	return nil
}

// freshReceipt verifies a receipt that is to follow r: everything that a
// receipt of this key must be (Apple, "Assessing fraud risk", section "Validate
// the receipt"). The error says what it is not.
func (s *Service) freshReceipt(r Receipt, k Key, cms []byte, now time.Time) (*Receipt, error) {
	policy, _, err := s.current(s.id)
	if err != nil {
		return nil, err
	}
	// Signature, chain, app id, public key, expiration.
	v, err := s.verify(attest.Evidence{Format: attest.FormatAppleReceipt, Object: cms},
		attest.Expect{App: string(s.id), AppID: k.AppID, PublicKey: k.SPKI}, policy, now)
	if err != nil {
		return nil, err
	}
	if v.Claims == nil || v.Claims.Apple == nil || v.Claims.Apple.Receipt == nil || v.Has("apple.receipt_expired") {
		return nil, fmt.Errorf("it does not verify: %s", rejections(v))
	}
	c := v.Claims.Apple
	created := microOrZero(c.Receipt.CreationTime)
	switch {
	case c.Receipt.Type != "RECEIPT":
		return nil, fmt.Errorf("it is of type %s", c.Receipt.Type)
	case c.Environment != r.Environment:
		return nil, fmt.Errorf("it is of environment %s, the key of %s", c.Environment, r.Environment)
	case created.Before(r.CreatedAt): // an older metric
		return nil, fmt.Errorf("it was made at %s, before the stored one", created)
	case now.Sub(created) > receiptSkew || created.Sub(now) > receiptSkew:
		return nil, fmt.Errorf("it was made at %s, and it is %s", created, now)
	}
	return &Receipt{
		CMS: cms, CreatedAt: created, NotBefore: microOrZero(c.Receipt.NotBefore),
		ExpiresAt: microOrZero(c.Receipt.ExpirationTime), Metric: c.RiskMetric,
	}, nil
}

// rejections names the codes that reject, with their details.
func rejections(v attest.Verdict) string {
	var texts []string
	for _, f := range v.Findings {
		if f.Effect == attest.Reject {
			texts = append(texts, f.Code+" ("+f.Detail+")")
		}
	}
	return strings.Join(texts, ", ")
}

// saveReceipt stores an answer, if the lease is still ours: if it has run out,
// or if a registration has brought another receipt, the answer counts nothing.
func (s *Service) saveReceipt(ctx context.Context, r Receipt, x Exchanged, fresh *Receipt, now time.Time) (held bool, err error) {
	policy := s.policy()
	err = s.update(ctx, func(tx Tx) error {
		stored, found, err := tx.AttestedReceipt(ctx, r.Key)
		if held = err == nil && found && stored.LeaseUntil.Equal(r.LeaseUntil); !held {
			return err
		}
		next := stored.answered(x, fresh, now)
		if err := tx.PutReceipt(ctx, next); err != nil {
			return err
		}
		return riskChanged(ctx, tx, policy, s.id, stored, next, now)
	})
	return held, err
}

// riskChanged tells of a metric with which other risk rules fire than with the
// one before. It changes no key: the rules are asked again at its next use.
func riskChanged(ctx context.Context, tx Tx, p *attest.Policy, app account.AppID, was, is Receipt, now time.Time) error {
	if p == nil {
		return nil
	}
	before, after := metricRules(p, app, was.Metric), metricRules(p, app, is.Metric)
	if len(before) == len(after) { // rules have lower bounds: those of the lower value are among those of the higher
		return nil
	}
	body, err := json.Marshal(struct {
		Key      string  `json:"key"`
		Platform string  `json:"platform"`
		Signal   string  `json:"signal"`
		Was      *uint32 `json:"was"`
		Is       *uint32 `json:"is"`
		Codes    []code  `json:"codes"`
		Policy   string  `json:"policy"`
	}{is.Key, "apple", attest.RiskMetric, was.Metric, is.Metric, after, p.Digest()})
	if err != nil {
		return fmt.Errorf("registry: encode detail: %w", err)
	}
	err = tx.AppendAudit(ctx, audit.Entry{
		Account: is.Account, Time: now, Actor: audit.Actor{Kind: account.System, ID: "receipts"},
		Action: "attest.risk_changed", Subject: is.Key, Reason: attest.RiskMetric, Detail: body,
	})
	if err != nil {
		return err
	}
	return tx.AppendEvent(ctx, event.Event{Type: "attest.risk_changed", Account: is.Account, Body: body, At: now})
}

// metricRules are the findings that a metric raises.
func metricRules(p *attest.Policy, app account.AppID, metric *uint32) []code {
	fired := []code{}
	if metric == nil {
		return fired
	}
	for _, f := range p.Risk(string(app), map[string]uint64{attest.RiskMetric: uint64(*metric)}) {
		fired = append(fired, code{f.Code, string(f.Class), string(f.Effect)})
	}
	return fired
}

// tellExchange tells an operator of what does not pass by itself, and
// Options.Exchanged of everything.
func (s *Service) tellExchange(r Receipt, x Exchanged, held bool) {
	switch x.Result {
	case ExchangeInvalid:
		s.log.Error("registry: Apple's answer is no receipt for this key: is that Apple's server?", "app", s.id, "key", r.Key, "detail", x.Detail)
	case ExchangeBadReceipt:
		s.log.Error("registry: Apple calls the receipt of a key bad; it is exchanged no more", "app", s.id, "key", r.Key, "detail", x.Detail)
	case ExchangeBadCredentials:
		s.log.Error("registry: Apple refuses the credentials of a team; no receipt of it is exchanged until they are loaded anew (SIGHUP)",
			"app", s.id, "team", r.Team, "detail", x.Detail)
	case ExchangeLater:
		s.log.Warn("registry: no new receipt yet", "app", s.id, "key", r.Key, "failures", r.Failures+1, "detail", x.Detail)
	}
	if !held {
		s.log.Warn("registry: an answer came too late for its lease", "app", s.id, "key", r.Key)
	}
	if s.receipts.exchanged != nil {
		s.receipts.exchanged(x.Result)
	}
}

// addReceipt puts the receipt of a key that has just been registered on the
// schedule. A new attestation may also have made Apple remember the device.
func addReceipt(ctx context.Context, tx Tx, k Key, v attest.Verdict, now time.Time) error {
	if k.Platform != "apple" {
		return nil
	}
	if k.Account != "" { // else Adopt does
		if err := tx.ReviveReceipts(ctx, k.Account, now); err != nil {
			return err
		}
	}
	r := firstReceipt(k, v, now)
	if r == nil {
		return nil
	}
	old, _, err := tx.AttestedReceipt(ctx, k.ID)
	if err != nil {
		return err
	}
	r.Metric, r.MetricAt = old.Metric, old.MetricAt
	return tx.PutReceipt(ctx, *r)
}
