package server

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/web/console"
)

// consoles are those of all apps, by host.
type consoles map[string]*console.Site

// openConsoles makes the consoles that the configuration names.
func (s *Server) openConsoles(l *loaded, trusted proxies, pages sites) (consoles, error) {
	all := consoles{}
	for i := range s.cfg.Apps {
		c, a := &s.cfg.Apps[i], s.apps[i]
		if c.Console == nil {
			continue
		}
		host := c.Console.Host
		if pages[host] != nil || all[host] != nil { // config.Parse has looked, and a program may have made its own
			return nil, fmt.Errorf("server: app %s: the console's host %q is used already", c.ID, host)
		}
		var err error
		if a.people, err = newOperators(a.store, c, l.roots[c.ID], s.now); err != nil {
			return nil, fmt.Errorf("server: app %s: %w", c.ID, err)
		}
		keys, err := l.auditPublicKeys(s.cfg, fmt.Sprintf("app[%d].", i), c)
		if err != nil {
			return nil, err
		}
		all[host], err = console.New(&console.Options{
			App: a.id, Name: cmp.Or(c.Name, c.ID), Origin: c.Console.Origin, Operators: a.people,
			Reader: &consoleReader{s: s, a: a, c: c, auditKeys: keys}, Address: trusted.client, Now: s.now, Logger: s.log,
			Away: func(err error) bool { return errors.Is(err, store.ErrAway) },
		})
		if err != nil {
			return nil, fmt.Errorf("server: app %s: %w", c.ID, err)
		}
	}
	return all, nil
}

// alone keeps the host of a console for the console: neither API nor metrics nor
// any other page is of its origin.
func (all consoles) alone(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if site := all[host(r)]; site != nil {
			site.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// newOperators makes the operators of an app over its store.
func newOperators(st *sqlite.Store, c *config.App, root rootSecret, now func() time.Time) (*operator.Service, error) {
	id := account.AppID(c.ID)
	key, err := rowKey(root, id)
	if err != nil {
		return nil, err
	}
	o := &operator.Options{
		App: id, RowKey: key, Now: now,
		Update: func(ctx context.Context, fn func(operator.Tx) error) error {
			return st.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		View: func(ctx context.Context, fn func(operator.Tx) error) error {
			return st.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	}
	if k := c.Console; k != nil {
		o.DangerousSynced = k.DangerousSyncedPasskeys
		o.Passkey, err = passkey.New(&passkey.Options{
			App: id, RPID: k.RPID, Name: cmp.Or(c.Name, c.ID) + " console", Origins: []string{k.Origin}, Policy: operator.PasskeyPolicy(k.DangerousSyncedPasskeys),
		})
		if err != nil {
			return nil, err
		}
	}
	return operator.New(o)
}

// consoleReader is what a console reads: one app.
type consoleReader struct {
	s         *Server
	a         *app
	c         *config.App
	auditKeys []ed25519.PublicKey

	asking sync.Mutex // vaults are asked by one at a time, and not at each reload
	vaults *console.Vaults
}

// view runs fn over the app's store.
func (r *consoleReader) view(ctx context.Context, fn func(*sqlite.Tx) error) error {
	return r.a.store.View(ctx, fn)
}

// Overview is what the first page shows.
func (r *consoleReader) Overview(ctx context.Context) (*console.Overview, error) {
	o := &console.Overview{Since: r.s.began, Version: version(), PolicyDigest: r.s.policy.Load().Digest(), Recovery: r.a.recovery != nil}
	err := r.view(ctx, func(tx *sqlite.Tx) error {
		st, err := audit.ReadStanding(ctx, tx, r.auditKeys)
		if err != nil {
			return err
		}
		o.Seal.Unsealed = st.Unsealed
		if len(st.Seals) > 0 {
			o.Seal.Number, o.Seal.At = st.Seals[0].Number, st.Seals[0].Time
		}
		return nil
	})
	return o, err
}

// version is what was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}
