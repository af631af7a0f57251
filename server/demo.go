package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/rpc"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/web/demo"
	"github.com/staunchid/staunch/web/demo/insider"
)

// checkDemo refuses a demo where real phones could be concerned.
func (s *Server) checkDemo() error {
	if !s.demo {
		return nil
	}
	if !s.testRoots {
		return errors.New("server: options: Demo makes phones in software, so it wants DangerousTestRoots as well; `staunch dev` sets both")
	}
	all := []string{s.cfg.Listen}
	if s.listener != nil { // which may be elsewhere than the configuration says
		all = append(all, s.listener.Addr().String())
	}
	for _, listen := range all {
		if host, _, err := net.SplitHostPort(listen); err != nil || !config.Loopback(host) {
			return fmt.Errorf("server: options: Demo makes phones for whoever reaches it, and %q is not a loopback address", listen)
		}
	}
	return nil
}

// demoSite makes the page /demo of the first app that has accounts; nil: there is
// no demo.
func (s *Server) demoSite() (*demo.Site, error) {
	if !s.demo {
		return nil, nil
	}
	for i := range s.cfg.Apps {
		c, a := &s.cfg.Apps[i], s.apps[i]
		origins := slices.DeleteFunc(pageOrigins(c), func(origin string) bool {
			u, err := url.Parse(origin)
			return err != nil || u.Scheme != "http" || u.Hostname() != "localhost"
		})
		if a.flows == nil || len(origins) == 0 {
			continue
		}
		hands, err := insider.Open(storePath(s.cfg, a.id))
		if err != nil {
			return nil, fmt.Errorf("server: %w", err)
		}
		site, err := demo.New(&demo.Options{
			App: a.id, Name: a.name, Origins: origins, Server: &demoServer{s, a, hands}, Now: s.now, Logger: s.log,
		})
		if err != nil {
			return nil, fmt.Errorf("server: app %s: %w", a.id, err)
		}
		return site, nil
	}
	return nil, errors.New("server: options: Demo wants an app with accounts and an origin of http://localhost")
}

// withDemo puts the demo, if there is one, beside all else, and lets it see which
// calls are refused.
func (s *Server) withDemo(mux *http.ServeMux, opts *rpc.Options) error {
	site, err := s.demoSite()
	if err != nil || site == nil {
		return err
	}
	mux.Handle("GET /{$}", site) // who clicks on the printed address comes to the demo
	mux.Handle("/demo", site)
	mux.Handle("/demo/", site)
	before := opts.Observe
	opts.Observe = func(c rpc.Call) {
		before(c)
		site.Called(c.Procedure, c.App, c.Caller, c.Code, c.Reason)
	}
	return nil
}

// demoServer is what the demo sees of its server.
type demoServer struct {
	*Server
	app   *app
	hands *insider.Insider
}

// Vaults says which there are.
func (d *demoServer) Vaults(context.Context) (*demo.Vaults, error) {
	if d.app.recovery == nil {
		return nil, nil
	}
	doc, err := wire.Decode[wire.KofM](d.recovery.vaults.Signed())
	if err != nil {
		return nil, fmt.Errorf("server: the vault set: %w", err)
	}
	set, err := wire.Decode[wire.VaultSet](doc.TBS)
	if err != nil {
		return nil, fmt.Errorf("server: the vault set: %w", err)
	}
	out := &demo.Vaults{
		Profile: set.Profile, Limit: int(set.Limit), Threshold: int(set.T), PINMin: d.cfg.Recovery.PINMinLength,
		SetVersion: set.Version, ReleaseK: int(set.Release.K), Process: d.cfg.Vault.Mode == "spawn",
	}
	for _, k := range set.Release.Keys {
		out.Release = append(out.Release, slices.Clone(k[:]))
	}
	for _, m := range set.Vaults {
		out.Members = append(out.Members, demo.Member{ID: m.Vault, Operator: m.Operator})
	}
	return out, nil
}

// Holdings says what the vaults hold for an account.
func (d *demoServer) Holdings(ctx context.Context, id account.ID) (*demo.Holdings, error) {
	if d.app.recovery == nil {
		return nil, nil
	}
	h, err := d.app.recovery.Holdings(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &demo.Holdings{Limit: h.Limit, Remaining: h.Remaining, Assurance: h.Assurance}
	for _, v := range h.Vaults {
		one := demo.Holding{Member: demo.Member{ID: v.Vault, Operator: v.Operator}, Platform: v.Platform, Answers: v.Error == "", Has: v.Found}
		if v.Found {
			one.State, one.Used, one.Version, one.At = v.State.String(), v.Used, v.Ver, v.At
		}
		out.Vaults = append(out.Vaults, one)
	}
	return out, nil
}

// Bounds of what the demo reads of the record in one look.
const (
	demoBatch = 200
	demoMost  = 5000
)

// Recorded reads the entries of all chains since a time, the newest first.
func (d *demoServer) Recorded(ctx context.Context, since time.Time, yield func(audit.Entry)) error {
	return d.app.store.View(ctx, func(tx *sqlite.Tx) error {
		q := audit.Query{From: since}
		for n := 0; n < demoMost; n += demoBatch {
			batch, err := tx.AuditBatch(ctx, &q, demoBatch)
			if err != nil {
				return err
			}
			for _, e := range batch {
				if e.Time.Before(since) {
					return nil
				}
				yield(e)
			}
			if len(batch) < demoBatch {
				return nil
			}
			q.After = batch[len(batch)-1].At()
		}
		return nil
	})
}

// Checker is the backend's, which asks about each request.
func (d *demoServer) Checker() request.Checker {
	return d.app.attest.Checker(account.Caller{Kind: account.Backend, App: d.app.id}, func(err error) bool { return errors.Is(err, store.ErrAway) })
}

// CopyRecord and RestoreRecord are an administrator's hands in the store.
func (d *demoServer) CopyRecord(_ context.Context, id account.ID, vault string) (*demo.Record, error) {
	return inHand(d.hands.Copy(id, vault))
}

// RestoreRecord puts back what CopyRecord has kept.
func (d *demoServer) RestoreRecord(_ context.Context, id account.ID, vault string) (*demo.Record, error) {
	return inHand(d.hands.Restore(id, vault))
}

func inHand(r insider.Record, found bool, err error) (*demo.Record, error) {
	if err == nil && !found {
		err = demo.ErrNoRecord
	}
	if err != nil {
		return nil, err
	}
	return &demo.Record{Version: r.Version, Used: r.Used}, nil
}
