package server

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/integrity"
)

// TestConsoleReadsAreForOperators: what belongs to no pillar is refused here to
// whoever is no operator of the app, before a store is opened for it.
func TestConsoleReadsAreForOperators(t *testing.T) {
	r := &consoleReader{a: &app{id: "demo"}}
	const id account.ID = "a_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	for _, who := range []account.Caller{
		{}, {Kind: account.Operator, App: "other"}, {Kind: account.Backend, App: "demo"}, {Kind: account.Phone, App: "demo", Account: id}, {Kind: account.Anonymous, App: "demo"},
	} {
		for name, read := range map[string]func() error{
			"holdings": func() error { _, err := r.Holdings(t.Context(), who, id); return err },
			"search":   func() error { _, err := r.SearchAudit(t.Context(), who, &audit.Query{}); return err },
			"standing": func() error { _, err := r.AuditStanding(t.Context(), who); return err },
			"chain":    func() error { _, err := r.CheckChain(t.Context(), who, id); return err },
		} {
			if err := read(); !errors.Is(err, integrity.ErrNotAllowed) {
				t.Errorf("%s for %s of %q: %v", name, who.Kind, who.App, err)
			}
		}
	}
	if _, err := r.Inspect(t.Context(), account.Caller{}, id); !errors.Is(err, integrity.ErrAccountUnknown) || r.Accounts() {
		t.Errorf("an app without accounts: %v", err)
	}
}
