package server_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/audit"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
	"github.com/staunchid/staunch/server"
)

// TestLifeOfAnAccount: over HTTP, with everything in its place: a phone enrols,
// signs in, freezes and unfreezes; the record is sealed when the server stops, and
// whoever changes one byte of it, or of what it tells of, is found.
func TestLifeOfAnAccount(t *testing.T) {
	opts := setupAccounts(t, "demo", "chat")
	s := start(t, opts)
	ctx := t.Context()
	p := newPhone(t, "demo", originOf("demo", s.Addr()), at(t, s.URL()))
	for _, step := range []struct {
		name string
		do   func() error
		want accountv1.State
	}{
		{"enrol", func() error { return p.enrol(ctx) }, accountv1.State_STATE_ACTIVE},
		{"sign in", func() error { return p.signIn(ctx) }, accountv1.State_STATE_ACTIVE},
		{"freeze", func() error { return p.freeze(ctx) }, accountv1.State_STATE_FROZEN},
		{"freeze again", func() error { return p.freeze(ctx) }, accountv1.State_STATE_FROZEN},
		{"unfreeze", func() error { return p.unfreeze(ctx) }, accountv1.State_STATE_ACTIVE},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got, err := p.state(ctx); err != nil || got != step.want {
			t.Fatalf("after %s the account is %s, %v", step.name, got, err)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	r, err := server.CheckApp(ctx, opts.Config, "demo")
	if err != nil || len(r.Problems) != 0 || r.Accounts != 1 || r.Seals == 0 || r.Unsealed != 0 || r.Entries < 5 {
		t.Fatalf("%+v, %v", r, err)
	}
	if r, err := server.CheckApp(ctx, opts.Config, "chat"); err != nil || len(r.Problems) != 0 || r.Accounts != 0 {
		t.Errorf("the other app: %+v, %v", r, err)
	}
	whole, err := os.ReadFile(filepath.Join(opts.Config.DataDir, "demo.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		change, kind string
		subject      string // the query that gives it
	}{
		{"UPDATE device SET name = 'Pixem'", audit.RowDigest, "SELECT id FROM device"},
		{"UPDATE device SET mac = zeroblob(32)", audit.RowMAC, "SELECT id FROM device"},
		{"UPDATE account SET state = 'held'", audit.RowDigest, "SELECT id FROM account"},
		{"UPDATE credential SET sign_count = sign_count + 1", audit.RowMAC, "SELECT ref FROM credential"},
		{"DELETE FROM device", audit.EntryWithoutRow, "SELECT id FROM device"},
		{"UPDATE audit_entry SET reason = 'x' WHERE n = 2 AND account <> ''", audit.ChainBreak, ""},
		{"DELETE FROM audit_entry WHERE account <> '' AND n = (SELECT max(n) FROM audit_entry WHERE account <> '')", audit.SealBreak, ""},
		{"UPDATE audit_seal SET signature = zeroblob(64)", audit.SealSignature, ""},
	} {
		t.Run(tt.change, func(t *testing.T) {
			c := *opts.Config
			c.DataDir = t.TempDir()
			file := write(t, filepath.Join(c.DataDir, "demo.db"), string(whole))
			db, err := sql.Open("sqlite", file)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			var subject string
			if tt.subject != "" {
				if err := db.QueryRow(tt.subject).Scan(&subject); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := db.Exec(tt.change); err != nil {
				t.Fatal(err)
			}
			db.Close()
			r, err := server.CheckApp(ctx, &c, "demo")
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range r.Problems {
				if p.Kind == tt.kind && (subject == "" || p.Subject == subject) {
					return
				}
			}
			t.Errorf("want %s of %q, have %+v", tt.kind, subject, r.Problems)
		})
	}
}

// TestAppsApart: what one app has given out is worth nothing in the other, at the
// same address of the same server.
func TestAppsApart(t *testing.T) {
	opts := setupAccounts(t, "demo", "chat")
	s := start(t, opts)
	ctx, to := t.Context(), at(t, s.URL())
	p := newPhone(t, "demo", originOf("demo", s.Addr()), to)
	if err := p.enrol(ctx); err != nil {
		t.Fatal(err)
	}
	begun, err := p.passkeys.BeginSignIn(ctx, connect.NewRequest(&passkeyv1.BeginSignInRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	other := newPhone(t, "chat", originOf("chat", s.Addr()), to)
	if err := other.enrol(ctx); err != nil {
		t.Fatal(err)
	}
	if other.account == p.account {
		t.Fatal("one account in two apps")
	}
	status := func(p *phone) string {
		_, err := p.state(ctx)
		return reason(err)
	}
	// Its key at the other app, signed for the other's host, and for its own.
	for _, origin := range []string{originOf("chat", s.Addr()), originOf("demo", s.Addr())} {
		stray := newPhone(t, "chat", origin, to)
		stray.key, stray.passkey, stray.account = p.key, p.passkey, p.account
		if got := status(stray); got != "PROOF_INVALID" {
			t.Errorf("the phone of demo at chat by %s: %q", origin, got)
		}
	}
	// The other's own host does not help: the app is named, and its hosts count.
	crossed := newPhone(t, "chat", originOf("demo", s.Addr()), to)
	crossed.key, crossed.account = other.key, other.account
	if got := status(crossed); got != "PROOF_INVALID" {
		t.Errorf("a call of chat that is signed for demo's host: %q", got)
	}
	own := other.token
	other.token = p.token
	if got := status(other); got != "SESSION_ENDED" {
		t.Errorf("the token of demo at chat: %q", got)
	}
	other.token = own
	response, err := other.passkey.Get([]byte(strings.ReplaceAll(begun.Msg.GetOptions(), "demo.localhost", "chat.localhost")), other.origin)
	if err != nil {
		t.Fatal(err)
	}
	finish := func(ceremony string) string {
		_, err := other.passkeys.FinishSignIn(ctx, connect.NewRequest(&passkeyv1.FinishSignInRequest{Ceremony: ceremony, Response: string(response)}))
		return reason(err)
	}
	if got, want := finish(begun.Msg.GetCeremony()), finish("y_"+strings.Repeat("a", 26)); got != want || got == "" {
		t.Errorf("the ceremony of demo at chat: %q, and a random one: %q", got, want)
	}
	if status(p) != "" || status(other) != "" {
		t.Error("the phones do not work in their own apps")
	}
	// Nothing of one is in the other's store.
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for app, stranger := range map[string]*phone{"demo": other, "chat": p} {
		text, err := os.ReadFile(filepath.Join(opts.Config.DataDir, app+".db"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{stranger.account, stranger.key.ID()} {
			if strings.Contains(string(text), name) {
				t.Errorf("%s is in the store of %s", name, app)
			}
		}
	}
}
