package storetest

import (
	"context"
	"crypto/ed25519"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// testAuditSearch: whatever is asked for, page by page, is what was appended,
// each entry once, the newest first.
func testAuditSearch(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	keys := []ed25519.PublicKey{private.Public().(ed25519.PublicKey)}
	var all []audit.Entry
	update(t, s, func(tx Tx) error {
		all = nil
		for i := range 90 { // three at each moment
			e := entry([]account.ID{"", alice, bob}[i%3], "x")
			e.Time = noon().Add(time.Duration(i/3) * time.Second)
			e.Action = []string{"attest.register", "account.freeze"}[i%2]
			e.Actor.Kind = []account.Kind{account.Phone, account.Backend, account.Operator, account.System, account.Phone}[i%5]
			e.N = uint64(i/3 + 1)
			if err := tx.AppendAudit(ctx, e); err != nil {
				return err
			}
			all = append(all, e)
		}
		return sealOnce(ctx, tx, audit.Seal{}, 60, private)
	})
	own, ofBob, nobody := account.ID(""), bob, account.ID("a_zzzzzzzzzzzzzzzzzzzzzzzzzz")
	at := func(n int) time.Time { return noon().Add(time.Duration(n) * time.Second) }
	for name, q := range map[string]audit.Query{
		"all":                   {},
		"the app's own":         {Account: &own},
		"an account":            {Account: &ofBob},
		"nobody":                {Account: &nobody},
		"an account's action":   {Account: &ofBob, Action: "account.freeze", Kind: account.Phone},
		"an account, some time": {Account: &ofBob, From: at(4), To: at(9)},
		"an action":             {Action: "account.freeze"},
		"no action":             {Action: "account"},
		"an action, some time":  {Action: "attest.register", From: at(5), To: at(20)},
		"operators":             {Kind: account.Operator},
		"operators, some time":  {Kind: account.Operator, From: at(3), To: at(20)},
		"an operator's action":  {Kind: account.Operator, Action: "account.freeze", To: at(20)},
		"phones":                {Kind: account.Phone},
		"from":                  {From: at(28)},
		"to, in between":        {To: at(2).Add(time.Nanosecond)},
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			for _, e := range all {
				if (q.Account == nil || e.Account == *q.Account) && (q.Action == "" || e.Action == q.Action) && (q.Kind == "" || e.Actor.Kind == q.Kind) &&
					!e.Time.Before(q.From) && (q.To.IsZero() || e.Time.Before(q.To)) {
					want = append(want, line(e))
				}
			}
			slices.Reverse(want)
			if diff := cmp.Diff(want, paged(t, s, q, keys)); diff != "" {
				t.Error(diff)
			}
		})
	}
	view(t, s, func(tx Tx) error {
		_, found, err := tx.AuditEntry(ctx, bob, 31)
		if found || err != nil {
			t.Errorf("an entry that is not there: %v, %v", found, err)
		}
		e, found, err := tx.AuditEntry(ctx, bob, 30)
		if !found || err != nil || e.N != 30 || e.Seal != 0 {
			t.Errorf("the last entry: %+v, %v, %v", e, found, err)
		}
		first, found, err := tx.AuditSeal(ctx, 1)
		if !found || err != nil || first.Count != 60 || !first.Verify(App, keys) {
			t.Errorf("seal 1: %+v, %v, %v", first, found, err)
		}
		_, found, err = tx.AuditSeal(ctx, 2)
		if found || err != nil {
			t.Errorf("a seal that is not there: %v, %v", found, err)
		}
		standing, err := audit.ReadStanding(ctx, tx, keys)
		if err != nil || len(standing.Seals) != 1 || standing.Seals[0].Wrong != "" || standing.Unsealed != 30 {
			t.Errorf("standing: %+v, %v", standing, err)
		}
		chain, err := audit.CheckChain(ctx, tx, alice, keys)
		if err != nil || !chain.OK() || !chain.Whole || chain.Looked != 30 || chain.Head != 30 || chain.Sealed != 30 {
			t.Errorf("chain: %+v, %v", chain, err)
		}
		return err
	})
}

func line(e audit.Entry) string {
	return e.Time.Format("05 ") + string(e.Account) + " " + string(e.Actor.Kind) + " " + e.Action
}

// paged gives all that a query finds, seven at a time.
func paged(t *testing.T, s Store, q audit.Query, keys []ed25519.PublicKey) (got []string) {
	t.Helper()
	q.Limit = 7
	for range 20 {
		var page *audit.Page
		view(t, s, func(tx Tx) (err error) {
			page, err = audit.Search(context.WithoutCancel(t.Context()), tx, &q, keys)
			return err
		})
		for _, e := range page.Entries {
			if e.Wrong != "" {
				t.Errorf("%s: %s", line(e.Entry), e.Wrong)
			}
			got = append(got, line(e.Entry))
		}
		if page.Next == (audit.Place{}) {
			return got
		}
		q.After = page.Next
	}
	t.Fatal("it goes on and on")
	return nil
}
