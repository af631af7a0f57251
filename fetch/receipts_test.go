package fetch_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/fetch"
	"github.com/staunchid/staunch/fetch/fetchtest"
)

const team, keyID = "TEAM123456", "KEY1234567"

func newReceipts(t testing.TB, v *fetchtest.Server, edit func(*fetch.ReceiptOptions)) *fetch.Receipts {
	t.Helper()
	key := must(fetch.ParseAppleKey(team, keyID, must(v.NewAppleKey(team, keyID))))
	o := &fetch.ReceiptOptions{
		Client: v.Client(), Keys: []*fetch.AppleKey{key},
		URL: v.ReceiptURL(appattest.Production), DevelopmentURL: v.ReceiptURL(appattest.Development),
	}
	if edit != nil {
		edit(o)
	}
	return must(fetch.NewReceipts(o))
}

// answering lets the vendor answer each call in the same way.
func answering(v *fetchtest.Server, a fetchtest.Answer) {
	v.SetExchange(func(fetchtest.Exchange) fetchtest.Answer { return a })
}

func TestExchange(t *testing.T) {
	v := newVendor(t)
	r := newReceipts(t, v, nil)
	v.SetExchange(func(e fetchtest.Exchange) fetchtest.Answer {
		return fetchtest.Answer{Status: http.StatusOK, Receipt: append([]byte("newer than "), e.Receipt...)}
	})
	for _, env := range []appattest.Environment{appattest.Production, appattest.Development} {
		o, err := r.Exchange(t.Context(), team, env, []byte("receipt\xff"))
		if err != nil || o.Kind != fetch.OutcomeNew || string(o.Receipt) != "newer than receipt\xff" || o.Status != 200 || o.Detail != "" || o.RetryAfter != 0 {
			t.Errorf("%+v, %v", o, err)
		}
		calls := v.Exchanges()
		last := calls[len(calls)-1]
		if last.Environment != env || last.Team != team || last.KeyID != keyID || last.Refused != "" || string(last.Receipt) != "receipt\xff" {
			t.Errorf("%+v", last)
		}
		if age := time.Since(last.IssuedAt); age < -time.Second || age > time.Minute {
			t.Errorf("iat is %s ago", age)
		}
	}
	largest := make([]byte, 16<<10)
	if o, err := r.Exchange(t.Context(), team, appattest.Production, largest[:len(largest)-11]); err != nil || len(o.Receipt) != len(largest) {
		t.Errorf("the largest receipt: %+v, %v", o.Kind, err)
	}
	if o, err := r.Exchange(t.Context(), team, appattest.Production, largest); err != nil || o.Kind != fetch.OutcomeLater || o.Receipt != nil {
		t.Errorf("an answer larger than any receipt: %+v, %v", o.Kind, err)
	}
}

func TestOutcomes(t *testing.T) {
	receipt := []byte("newer")
	retry := func(value string) http.Header { return http.Header{"Retry-After": {value}} }
	for _, c := range []struct {
		name   string
		answer fetchtest.Answer
		kind   fetch.OutcomeKind
		after  time.Duration
		detail string
	}{
		{"new", fetchtest.Answer{Status: 200, Receipt: receipt}, fetch.OutcomeNew, 0, ""},
		{"new, with line breaks", fetchtest.Answer{Status: 200, Body: "bmV3\nZXI=\r\n"}, fetch.OutcomeNew, 0, ""},
		{"200 and no base64", fetchtest.Answer{Status: 200, Body: "{}"}, fetch.OutcomeLater, 0, "200 OK without a receipt: {}"},
		{"200 and nothing", fetchtest.Answer{Status: 200}, fetch.OutcomeLater, 0, "without a receipt"},
		{"200 and base64 without an end", fetchtest.Answer{Status: 200, Body: "bmV3ZXI"}, fetch.OutcomeLater, 0, "without a receipt"},
		{"a page of a proxy", fetchtest.Answer{Fault: fetchtest.HTML}, fetch.OutcomeLater, 0, "Sign in"},
		{"too large", fetchtest.Answer{Fault: fetchtest.TooLarge}, fetch.OutcomeLater, 0, "too large"},
		{"broken off", fetchtest.Answer{Status: 200, Receipt: receipt, Fault: fetchtest.Truncated}, fetch.OutcomeLater, 0, "error"},
		{"201", fetchtest.Answer{Status: 201, Receipt: receipt}, fetch.OutcomeLater, 0, "201"},
		{"too early", fetchtest.Answer{Status: 304}, fetch.OutcomeTooEarly, 0, "304"},
		{"no data", fetchtest.Answer{Status: 404, Body: "No data found"}, fetch.OutcomeNoData, 0, "404 Not Found: No data found"},
		{"bad receipt", fetchtest.Answer{Status: 400, Body: "Bad payload\n"}, fetch.OutcomeBadReceipt, 0, "400 Bad Request: Bad payload"},
		{"not authenticated", fetchtest.Answer{Status: 401}, fetch.OutcomeBadCredentials, 0, "401"},
		{"forbidden", fetchtest.Answer{Status: 403}, fetch.OutcomeBadCredentials, 0, "403"},
		{"another 4xx", fetchtest.Answer{Status: 418}, fetch.OutcomeLater, 0, "418"},
		{"a redirect", fetchtest.Answer{Fault: fetchtest.Redirect}, fetch.OutcomeLater, 0, "302 Found"},
		{"too many", fetchtest.Answer{Status: 429, Header: retry("120")}, fetch.OutcomeLater, 2 * time.Minute, "429"},
		{"too many, no word", fetchtest.Answer{Status: 429}, fetch.OutcomeLater, 0, "429"},
		{"at once", fetchtest.Answer{Status: 429, Header: retry("0")}, fetch.OutcomeLater, time.Minute, "429"},
		{"next year", fetchtest.Answer{Status: 429, Header: retry("31536000")}, fetch.OutcomeLater, 6 * time.Hour, "429"},
		{"negative", fetchtest.Answer{Status: 429, Header: retry("-5")}, fetch.OutcomeLater, 0, "429"},
		{"at a date", fetchtest.Answer{Status: 503, Header: http.Header{"Retry-After": {"Wed, 21 Oct 2015 07:38:00 GMT"}, "Date": {"Wed, 21 Oct 2015 07:28:00 GMT"}}}, fetch.OutcomeLater, 10 * time.Minute, "503"},
		{"at a date long ago", fetchtest.Answer{Status: 503, Header: retry("Wed, 21 Oct 2015 07:38:00 GMT")}, fetch.OutcomeLater, time.Minute, "503"},
		{"at a date far away", fetchtest.Answer{Status: 503, Header: retry("Wed, 21 Oct 2093 07:38:00 GMT")}, fetch.OutcomeLater, 6 * time.Hour, "503"},
		{"server error", fetchtest.Answer{Fault: fetchtest.ServerError}, fetch.OutcomeLater, 0, "500 Internal Server Error: internal error"},
		{"no answer", fetchtest.Answer{Fault: fetchtest.Unreachable}, fetch.OutcomeLater, 0, "Post"},
		{"hangs", fetchtest.Answer{Fault: fetchtest.Hang}, fetch.OutcomeLater, 0, "deadline exceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newVendor(t)
			r := newReceipts(t, v, func(o *fetch.ReceiptOptions) {
				if c.answer.Fault == fetchtest.Hang {
					o.Timeout = 50 * time.Millisecond
				}
			})
			answering(v, c.answer)
			o, err := r.Exchange(t.Context(), team, appattest.Production, []byte("old"))
			if err != nil || o.Kind != c.kind || o.RetryAfter != c.after || !strings.Contains(o.Detail, c.detail) || (o.Detail == "") != (c.detail == "") {
				t.Errorf("%+v, %v; want %s, %s, %q", o, err, c.kind, c.after, c.detail)
			}
			if want := c.kind == fetch.OutcomeNew; bytes.Equal(o.Receipt, receipt) != want || (o.Receipt != nil) != want {
				t.Errorf("receipt %q", o.Receipt)
			}
			if calls := v.Exchanges(); len(calls) != 1 {
				t.Errorf("%d calls", len(calls))
			}
		})
	}
}

func TestExchangeCannotTell(t *testing.T) {
	v := newVendor(t)
	r := newReceipts(t, v, nil)
	answering(v, fetchtest.Answer{Fault: fetchtest.Hang})
	stopped, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for _, c := range []struct {
		name    string
		ctx     context.Context
		team    string
		env     appattest.Environment
		receipt []byte
		want    error
	}{
		{"another team", t.Context(), "TEAM999999", appattest.Production, []byte("old"), fetch.ErrKey},
		{"no team", t.Context(), "", appattest.Production, []byte("old"), fetch.ErrKey},
		{"another environment", t.Context(), team, "sandbox", []byte("old"), fetch.ErrExchange},
		{"no environment", t.Context(), team, "", []byte("old"), fetch.ErrExchange},
		{"no receipt", t.Context(), team, appattest.Production, nil, fetch.ErrExchange},
		{"too large", t.Context(), team, appattest.Production, make([]byte, 16<<10+1), fetch.ErrExchange},
		{"stopped by the caller", stopped, team, appattest.Production, []byte("old"), context.DeadlineExceeded},
	} {
		o, err := r.Exchange(c.ctx, c.team, c.env, c.receipt)
		if !errors.Is(err, c.want) || o.Kind != "" {
			t.Errorf("%s: %+v, %v", c.name, o, err)
		}
	}
	if calls := v.Exchanges(); len(calls) != 1 { // the last
		t.Errorf("%d calls", len(calls))
	}
}

// TestExchangeIsBounded: a vendor that never answers is left after half a minute.
func TestExchangeIsBounded(t *testing.T) {
	v := newVendor(t)
	synctest.Test(t, func(t *testing.T) {
		v.SetNow(time.Now)
		answering(v, fetchtest.Answer{Fault: fetchtest.Hang})
		r := newReceipts(t, v, func(o *fetch.ReceiptOptions) { o.Client = v.InProcess() })
		begun := time.Now()
		o, err := r.Exchange(t.Context(), team, appattest.Production, []byte("old"))
		if took := time.Since(begun); err != nil || o.Kind != fetch.OutcomeLater || took != 30*time.Second {
			t.Errorf("%+v, %v after %s", o, err, took)
		}
	})
}

func TestNewReceipts(t *testing.T) {
	v := newVendor(t)
	key := must(fetch.ParseAppleKey(team, keyID, must(v.NewAppleKey(team, keyID))))
	for _, c := range []struct {
		name string
		opts fetch.ReceiptOptions
		want string
	}{
		{"good", fetch.ReceiptOptions{Client: v.Client(), Keys: []*fetch.AppleKey{key}}, ""},
		{"no client", fetch.ReceiptOptions{Keys: []*fetch.AppleKey{key}}, "needs Client and Keys"},
		{"no keys", fetch.ReceiptOptions{Client: v.Client()}, "needs Client and Keys"},
		{"no key", fetch.ReceiptOptions{Client: v.Client(), Keys: []*fetch.AppleKey{nil}}, "ParseAppleKey"},
		{"an empty key", fetch.ReceiptOptions{Client: v.Client(), Keys: []*fetch.AppleKey{{}}}, "ParseAppleKey"},
		{"two keys", fetch.ReceiptOptions{Client: v.Client(), Keys: []*fetch.AppleKey{key, key}}, "two for team " + team},
		{"http", fetch.ReceiptOptions{Client: v.Client(), Keys: []*fetch.AppleKey{key}, URL: "http://data.appattest.apple.com/"}, "URL of receipts, production"},
		{"http for development", fetch.ReceiptOptions{Client: v.Client(), Keys: []*fetch.AppleKey{key}, DevelopmentURL: "http://192.0.2.1/"}, "URL of receipts, development"},
	} {
		r, err := fetch.NewReceipts(&c.opts)
		if (r == nil) != (err != nil) || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestExchangeConcurrently(t *testing.T) {
	v := newVendor(t)
	r := newReceipts(t, v, nil)
	answering(v, fetchtest.Answer{Status: 200, Body: base64.StdEncoding.EncodeToString([]byte("newer"))})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if o, err := r.Exchange(t.Context(), team, appattest.Production, []byte("old")); err != nil || o.Kind != fetch.OutcomeNew {
				t.Errorf("%+v, %v", o, err)
			}
		})
	}
	all.Wait()
	tokens := map[string]bool{}
	for _, e := range v.Exchanges() {
		tokens[e.Token] = true
	}
	if len(tokens) != 1 {
		t.Errorf("%d JWTs for 8 calls", len(tokens))
	}
}
