package console

import (
	"fmt"
	"net/http"
	"time"
)

type homePage struct {
	page
	View  *Overview
	Needs []need
}

// need is something that somebody must look at.
type need struct{ Title, Text, Link string }

// sealLate is how old the last seal may be while entries wait for one: the server
// seals once a minute.
const sealLate = 5 * time.Minute

// homePage is the overview.
func (c *call) homePage() error {
	ctx := c.r.Context()
	o, err := c.read.Overview(ctx)
	if err != nil {
		return err
	}
	p := homePage{page: c.page("", "Overview"), View: o}
	if s := o.Seal; s.Unsealed > 0 && c.now.Sub(s.At) > sealLate {
		p.Needs = append(p.Needs, need{"The audit record is not sealed", fmt.Sprintf("%s since the last seal. Is audit_key_file configured, and what does the server's log say?", count(s.Unsealed, "entry", "entries")), "/audit"})
	}
	if o.Recovery {
		v, err := c.read.Vaults(ctx)
		if err != nil {
			return err
		}
		for _, text := range vaultProblems(v, c.now) {
			p.Needs = append(p.Needs, need{"Vaults", text, "/vaults"})
		}
		q, err := c.read.Queue(ctx)
		if err != nil {
			return err
		}
		for _, text := range queueProblems(q, c.now) {
			p.Needs = append(p.Needs, need{"Retry queue", text, "/queue"})
		}
	}
	return c.pages.Render(c.w, http.StatusOK, "home", p)
}
