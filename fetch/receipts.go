package fetch

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/appattest"
)

// Where Apple exchanges receipts.
const (
	AppleReceiptURL            = "https://data.appattest.apple.com/v1/attestationData"
	AppleDevelopmentReceiptURL = "https://data-development.appattest.apple.com/v1/attestationData"
)

// maxReceipt is what appattest.VerifyReceipt takes, in bytes.
const maxReceipt = 16 << 10

// ReceiptOptions are a Receipts'.
type ReceiptOptions struct {
	// Client makes the calls; see NewClient. Required. Redirects are refused,
	// whatever it says of them.
	Client *http.Client
	// Keys are those of the teams, one a team. Required.
	Keys []*AppleKey
	// URL and DevelopmentURL are the vendor's. Empty: AppleReceiptURL and
	// AppleDevelopmentReceiptURL.
	URL, DevelopmentURL string
	// Timeout bounds one exchange. 0: 30 seconds.
	Timeout time.Duration
	// Now is the wall clock. nil: time.Now.
	Now func() time.Time
}

// Receipts exchanges receipts. It is safe for concurrent use.
type Receipts struct {
	client  *http.Client
	teams   map[string]*credentials
	urls    map[appattest.Environment]string
	timeout time.Duration
	clock   func() time.Time
}

// OutcomeKind says what became of a receipt. The zero kind is none.
type OutcomeKind string

// The kinds, and what to do.
const (
	OutcomeNew            OutcomeKind = "new"             // 200: verify Receipt, and keep it in place of the old one
	OutcomeTooEarly       OutcomeKind = "too_early"       // 304: not before field 19 of the old receipt
	OutcomeNoData         OutcomeKind = "no_data"         // 404: the vendor has forgotten the key; the metric is unknown
	OutcomeBadReceipt     OutcomeKind = "bad_receipt"     // 400: stop for this key
	OutcomeBadCredentials OutcomeKind = "bad_credentials" // 401, 403: stop for this team; key, key id, team id or clock are wrong
	OutcomeLater          OutcomeKind = "later"           // 429, 5xx, no answer, or one that nobody can read: ask again
)

// Outcome is what the vendor made of a receipt.
type Outcome struct {
	Kind       OutcomeKind
	Receipt    []byte        // OutcomeNew alone: CMS that nobody has verified
	RetryAfter time.Duration // the vendor's wish, 1 minute to 6 hours; 0: he has none
	Status     int           // of HTTP; 0: there was no answer
	Detail     string        // for an operator: what went wrong; quotes the vendor
}

// NewReceipts checks the options.
func NewReceipts(opts *ReceiptOptions) (*Receipts, error) {
	if opts.Client == nil || len(opts.Keys) == 0 {
		return nil, errors.New("fetch: ReceiptOptions needs Client and Keys")
	}
	r := &Receipts{
		client: bounded(opts.Client), teams: make(map[string]*credentials), timeout: opts.Timeout, clock: opts.Now,
		urls: map[appattest.Environment]string{appattest.Production: opts.URL, appattest.Development: opts.DevelopmentURL},
	}
	for _, k := range opts.Keys {
		if k == nil || k.es256 == nil {
			return nil, fmt.Errorf("%w: an empty one: make it with ParseAppleKey", ErrKey)
		}
		if r.teams[k.team] != nil {
			return nil, fmt.Errorf("%w: two for team %s: leave one out", ErrKey, k.team)
		}
		r.teams[k.team] = &credentials{key: *k}
	}
	for env, vendors := range map[appattest.Environment]string{appattest.Production: AppleReceiptURL, appattest.Development: AppleDevelopmentReceiptURL} {
		if r.urls[env] == "" {
			r.urls[env] = vendors
		}
		if err := checkURL("URL of receipts, "+string(env), r.urls[env]); err != nil {
			return nil, err
		}
	}
	if r.timeout <= 0 {
		r.timeout = 30 * time.Second
	}
	if r.clock == nil {
		r.clock = time.Now
	}
	return r, nil
}

// Exchange sends a receipt of an app of team to the vendor's server for env,
// once. A JWT that has been in use for a while and is refused is replaced, and
// the receipt sent once more. The error is ErrKey, ErrExchange, or that of ctx,
// and then nothing is known of the receipt.
func (r *Receipts) Exchange(ctx context.Context, team string, env appattest.Environment, receipt []byte) (Outcome, error) {
	c := r.teams[team]
	if c == nil {
		return Outcome{}, fmt.Errorf("%w for team %q: give NewReceipts one", ErrKey, team)
	}
	url := r.urls[env]
	if url == "" {
		return Outcome{}, fmt.Errorf("%w: environment %q", ErrExchange, env)
	}
	if len(receipt) == 0 || len(receipt) > maxReceipt {
		return Outcome{}, fmt.Errorf("%w: %d bytes", ErrExchange, len(receipt))
	}
	now := r.clock().Round(0)
	inUse, err := c.current(now, "")
	if err != nil {
		return Outcome{}, err
	}
	o, err := r.post(ctx, url, inUse, receipt)
	if err != nil || o.Kind != OutcomeBadCredentials || !c.stale(inUse, now) {
		return o, err
	}
	renewed, err := c.current(now, inUse)
	if err != nil {
		return Outcome{}, err
	}
	return r.post(ctx, url, renewed, receipt)
}

// post makes one call (Apple, Assessing fraud risk, "Get a new receipt").
func (r *Receipts) post(ctx context.Context, url, token string, receipt []byte) (Outcome, error) {
	within, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(within, http.MethodPost, url, strings.NewReader(base64.StdEncoding.EncodeToString(receipt)))
	if err != nil {
		return Outcome{}, fmt.Errorf("fetch: exchange: %w", err)
	}
	req.Header.Set("Authorization", token)
	req.Header.Set("Content-Type", "base64")
	req.Header.Set("User-Agent", "staunch")
	later := func(status int, err error) (Outcome, error) {
		if ctx.Err() != nil {
			return Outcome{}, fmt.Errorf("fetch: exchange: %w", ctx.Err())
		}
		return Outcome{Kind: OutcomeLater, Status: status, Detail: err.Error()}, nil
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return later(0, err)
	}
	defer resp.Body.Close()
	// Only a 200 must arrive whole.
	body, err := readBody(resp.Body, base64.StdEncoding.EncodedLen(maxReceipt)+64)
	if err != nil && resp.StatusCode == http.StatusOK {
		return later(resp.StatusCode, err)
	}
	return outcome(resp, body, token, r.clock()), nil
}

// outcome reads an answer.
func outcome(resp *http.Response, body []byte, token string, now time.Time) Outcome {
	o := Outcome{
		Kind: OutcomeLater, Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header, now),
		Detail: fmt.Sprintf("answered %s: %s", status(resp.StatusCode), quote(body, token)),
	}
	switch resp.StatusCode {
	case http.StatusOK:
		receipt, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(string(body)))
		if err != nil || len(receipt) == 0 || len(receipt) > maxReceipt {
			o.Detail = "answered 200 OK without a receipt: " + quote(body, token)
			break
		}
		o.Kind, o.Receipt, o.Detail = OutcomeNew, receipt, ""
	case http.StatusNotModified:
		o.Kind = OutcomeTooEarly
	case http.StatusNotFound:
		o.Kind = OutcomeNoData
	case http.StatusBadRequest:
		o.Kind = OutcomeBadReceipt
	case http.StatusUnauthorized, http.StatusForbidden:
		o.Kind = OutcomeBadCredentials
	}
	return o
}
