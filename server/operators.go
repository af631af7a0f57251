package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/store/sqlite"
)

// Operators are those of an app's console, for who looks after them on the server's
// own machine. A server may run meanwhile.
type Operators struct {
	app    account.AppID
	origin string
	store  *sqlite.Store
	people *operator.Service
	caller account.Caller
}

// OpenOperators opens the operators of an app; of the one app with a console, if app
// is empty. who goes into the audit record as the one who acts. The store must be
// there, and of this program's schema.
func OpenOperators(ctx context.Context, cfg *config.Config, app, who string) (*Operators, error) {
	i, err := consoleOf(cfg, app)
	if err != nil {
		return nil, err
	}
	c := &cfg.Apps[i]
	id := account.AppID(c.ID)
	root, err := (&loaded{}).readSecret(cfg, fmt.Sprintf("app[%d].root_secret_file", i), c.RootSecretFile)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	path := storePath(cfg, id)
	s, err := sqlite.Open(ctx, &sqlite.Options{Path: path, App: id, Existing: true})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("server: app %s has no store at %s: start the server once, or look at data_dir: %w", id, path, err)
	case errors.Is(err, store.ErrOlder):
		return nil, fmt.Errorf("server: app %s: its store is of an earlier release: start the server of this one once: %w", id, err)
	case err != nil:
		return nil, fmt.Errorf("server: app %s: %w", id, err)
	}
	people, err := newOperators(s, c, rootSecret{func() []byte { return root }}, time.Now)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("server: app %s: %w", id, err), s.Close())
	}
	caller := account.Caller{Kind: account.Operator, App: id, Name: who}
	return &Operators{app: id, origin: c.Console.Origin, store: s, people: people, caller: caller}, nil
}

// consoleOf finds the app with a console that is meant.
func consoleOf(cfg *config.Config, app string) (int, error) {
	var with []string
	for i := range cfg.Apps {
		if cfg.Apps[i].Console != nil {
			with = append(with, cfg.Apps[i].ID)
		}
	}
	switch {
	case len(with) == 0:
		return 0, errors.New("server: no app of this configuration has a console; write [app.console] below an [[app]], as `staunch config print` shows it, and restart the server")
	case app == "" && len(with) > 1:
		return 0, fmt.Errorf("server: several apps have a console: %v; name one", with)
	case app == "":
		app = with[0]
	case !slices.Contains(with, app):
		return 0, fmt.Errorf("server: there is no app %q with a console; these have one: %v", app, with)
	}
	return slices.IndexFunc(cfg.Apps, func(a config.App) bool { return a.ID == app }), nil
}

// App is whose operators they are.
func (o *Operators) App() string { return string(o.app) }

// Invite makes a link for an operator. It works once, for 24 hours.
func (o *Operators) Invite(ctx context.Context, name string) (in *operator.Invited, link string, err error) {
	if in, err = o.people.Invite(ctx, o.caller, name); err != nil {
		return nil, "", err
	}
	return in, o.origin + "/enrol#" + in.Secret.Text(), nil
}

// Remove ends an operator, with his sessions, and looks two seconds later whether he
// is still removed. The error is operator.ErrTampered if he is not, or if it was not
// his row that had the name.
func (o *Operators) Remove(ctx context.Context, name string) (operator.ID, error) {
	id, err := o.people.Remove(ctx, o.caller, name)
	if err != nil {
		return "", err
	}
	return id, o.confirm(ctx, id)
}

// List gives all, by name; those that were removed too.
func (o *Operators) List(ctx context.Context) ([]operator.Operator, error) {
	return o.people.List(ctx, o.caller)
}

// Close closes the store.
func (o *Operators) Close() error { return o.store.Close() }
