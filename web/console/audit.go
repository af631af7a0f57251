package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/integrity"
)

// auditReader reads the app's record.
type auditReader interface {
	SearchAudit(ctx context.Context, who account.Caller, q *audit.Query) (*audit.Page, error)
	AuditStanding(ctx context.Context, who account.Caller) (*audit.Standing, error)
	CheckChain(ctx context.Context, who account.Caller, id account.ID) (*audit.ChainReport, error)
}

// appChain is what stands in an address for the app's own chain.
const appChain = "app"

type auditPage struct {
	page
	Asked    auditAsked
	Found    *audit.Page
	Entries  []entryView
	Wrong    int
	Standing *audit.Standing
	Late     bool   // entries wait for a seal, and it does not come
	Next     string // address of the page behind this one; empty: there is none
}

// auditAsked is the form of the search, as somebody has filled it in.
type auditAsked struct {
	Account, Kind, Action, From, To string
	after                           audit.Place
}

// Kinds are the choices of the form.
func (a auditAsked) Kinds() []choice {
	all := []choice{{Label: "anybody"}}
	for _, k := range kinds() {
		all = append(all, choice{string(k), kindName(k), string(k) == a.Kind})
	}
	return all
}

// Actions are what the record's own words are for. Others can be asked for as well:
// an app has actions of its own.
func (auditAsked) Actions() (all []choice) {
	for _, action := range audit.Actions() {
		all = append(all, choice{Value: action, Label: audit.Words(audit.Entry{Action: action})})
	}
	return all
}

func kinds() []account.Kind {
	return []account.Kind{account.Phone, account.Browser, account.Backend, account.Operator, account.System, account.Anonymous}
}

func kindName(k account.Kind) string {
	switch k {
	case account.Phone:
		return "a phone"
	case account.Browser:
		return "a browser"
	case account.Backend:
		return "the app's backend"
	case account.Operator:
		return "an operator"
	case account.System:
		return "the server"
	case account.Anonymous:
		return "somebody unknown"
	}
	return string(k)
}

// auditPage searches the record. What the form does not take is said beside it.
func (c *call) auditPage() error {
	ctx := c.r.Context()
	p := auditPage{page: c.page("", "Audit record")}
	q, err := p.read(c.r.URL.Query())
	if err != nil {
		return err
	}
	if p.Found, err = c.read.SearchAudit(ctx, c.who, q); err != nil {
		return err
	}
	if err := c.lookAt(q.Account, p.Found.Entries); err != nil {
		return err
	}
	for _, e := range p.Found.Entries {
		v := viewEntry(e)
		if q.Account == nil && e.Account != "" {
			v = fromAfar(e)
		}
		if p.Entries = append(p.Entries, v); v.Wrong != "" {
			p.Wrong++
		}
	}
	if p.Standing, err = c.read.AuditStanding(ctx, c.who); err != nil {
		return err
	}
	p.Late = p.Standing.Unsealed > 0 && (len(p.Standing.Seals) == 0 || c.now.Sub(p.Standing.Seals[0].Time) > sealLate)
	if next := p.Found.Next; next != (audit.Place{}) {
		a := p.Asked
		a.after = next
		p.Next = a.address()
	}
	return c.pages.Render(c.w, http.StatusOK, "audit", p)
}

// lookAt records that the operator looks at the account whose entries he has asked
// for, before he sees one; also when what he asks leaves none, for that tells
// something too.
func (c *call) lookAt(asked *account.ID, found []audit.Judged) error {
	if asked == nil || *asked == "" {
		return nil
	}
	if len(found) == 0 {
		switch _, err := c.read.FindAccount(c.r.Context(), c.who, string(*asked)); {
		case errors.Is(err, integrity.ErrAccountUnknown):
			return nil
		case err != nil:
			return err
		}
	}
	return c.look(*asked)
}

// read reads an address into the form and a query.
func (p *auditPage) read(in url.Values) (*audit.Query, error) {
	for name, values := range in {
		if len(values) != 1 || len(values[0]) > maxValue || !slices.Contains([]string{"account", "kind", "action", "from", "to", "after"}, name) {
			return nil, fmt.Errorf("%w: %s", errAsked, name)
		}
	}
	text := func(name string) string { return strings.TrimSpace(in.Get(name)) }
	p.Asked = auditAsked{Account: text("account"), Kind: text("kind"), Action: text("action"), From: text("from"), To: text("to")}
	q := &audit.Query{Kind: account.Kind(p.Asked.Kind), Action: p.Asked.Action}
	if q.Kind != "" && !slices.Contains(kinds(), q.Kind) {
		return nil, fmt.Errorf("%w: kind=%s", errAsked, q.Kind)
	}
	switch id := account.ID(p.Asked.Account); id {
	case "":
	case appChain:
		q.Account = new(account.ID)
	default:
		q.Account = &id
	}
	var err error
	if q.From, err = readMoment(p.Asked.From, false); err != nil {
		return nil, err
	}
	if q.To, err = readMoment(p.Asked.To, true); err != nil {
		return nil, err
	}
	if q.After, err = readPlace(text("after")); err != nil {
		return nil, err
	}
	return q, nil
}

// readMoment reads a day or a moment, as a field of the form or a person writes
// it; a day as an end is taken whole.
func readMoment(s string, end bool) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		if end {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: %q is no time", errAsked, s)
}

// address is the page of a search.
func (a auditAsked) address() string {
	q := url.Values{}
	for name, value := range map[string]string{"account": a.Account, "kind": a.Kind, "action": a.Action, "from": a.From, "to": a.To, "after": placeText(a.after)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return "/audit?" + q.Encode()
}

// placeText and readPlace are a place in an address: microseconds, number, account.
func placeText(p audit.Place) string {
	if p == (audit.Place{}) {
		return ""
	}
	return fmt.Sprintf("%d.%d.%s", p.Time.UnixMicro(), p.N, p.Account)
}

func readPlace(s string) (p audit.Place, err error) {
	if s == "" {
		return p, nil
	}
	at, rest, ok := strings.Cut(s, ".")
	n, id, both := strings.Cut(rest, ".")
	us, err := strconv.ParseInt(at, 10, 64)
	if err == nil {
		p.N, err = strconv.ParseUint(n, 10, 63)
	}
	p.Time, p.Account = time.UnixMicro(us).UTC(), account.ID(id)
	if err != nil || !ok || !both || id != "" && p.Account.Validate() != nil {
		return audit.Place{}, fmt.Errorf("%w: after=%s", errAsked, s)
	}
	return p, nil
}
