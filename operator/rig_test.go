package operator_test

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
	"github.com/staunchid/staunch/store/sqlite"
)

const (
	origin = "https://console.example.org"
	alice  = account.ID("a_aaaaaaaaaaaaaaaaaaaaaaaaaa")
	bob    = account.ID("a_bbbbbbbbbbbbbbbbbbbbbbbbbb")
)

var (
	rowKey = bytes.Repeat([]byte{7}, 32)
	local  = account.Caller{Kind: account.Operator, App: "demo", Name: "local:root"}
)

// rig is the operators of one app over a real store.
type rig struct {
	*operator.Service
	t       testing.TB
	store   *sqlite.Store
	path    string
	now     time.Time
	browser operator.Browser
	key     *passkeytest.Authenticator
}

func newRig(t testing.TB, with ...func(*operator.Options)) *rig {
	t.Helper()
	r := &rig{
		t: t, path: filepath.Join(t.TempDir(), "demo.db"), now: time.Date(2026, 11, 22, 12, 30, 0, 123456789, time.UTC),
		browser: operator.Browser{Origin: origin, Cookie: bytes.Repeat([]byte{1}, 32), Label: "Chromium on Linux"},
	}
	var err error
	if r.store, err = sqlite.Open(t.Context(), &sqlite.Options{Path: r.path, App: "demo", DangerousNoSync: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.store.Close() })
	r.key = authenticator(t, &passkeytest.Options{Count: true})
	r.Service = r.serve(with...)
	return r
}

// serve makes the service anew, with other options.
func (r *rig) serve(with ...func(*operator.Options)) *operator.Service {
	r.t.Helper()
	o := &operator.Options{
		App: "demo", RowKey: rowKey, Now: func() time.Time { return r.now },
		Update: func(ctx context.Context, fn func(operator.Tx) error) error {
			return r.store.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		View: func(ctx context.Context, fn func(operator.Tx) error) error {
			return r.store.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	}
	for _, change := range with {
		change(o)
	}
	var err error
	o.Passkey, err = passkey.New(&passkey.Options{
		App: "demo", RPID: "console.example.org", Name: "Demo console", Origins: []string{origin, "https://other.example.org"},
		Policy: operator.PasskeyPolicy(o.DangerousSynced),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := operator.New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func synced(o *operator.Options) { o.DangerousSynced = true }

func authenticator(t testing.TB, o *passkeytest.Options) *passkeytest.Authenticator {
	t.Helper()
	a, err := passkeytest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (r *rig) invite(name string) *operator.Invited {
	r.t.Helper()
	in, err := r.Invite(r.t.Context(), local, name)
	if err != nil {
		r.t.Fatal(err)
	}
	return in
}

// enrolment begins one, and answers it.
func (r *rig) enrolment(link operator.Secret, changes ...passkeytest.Change) *operator.Answer {
	r.t.Helper()
	b, err := r.BeginEnrol(r.t.Context(), link, r.browser)
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := r.key.Create(b.Options, origin, changes...)
	if err != nil {
		r.t.Fatal(err)
	}
	return &operator.Answer{Ceremony: b.Ceremony, Response: response, Browser: r.browser}
}

func (r *rig) enrol(name string) *operator.Signed {
	r.t.Helper()
	s, err := r.FinishEnrol(r.t.Context(), r.enrolment(r.invite(name).Secret))
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// answer begins a sign-in, and answers it.
func (r *rig) answer(changes ...passkeytest.Change) *operator.Answer {
	r.t.Helper()
	b, err := r.BeginSignIn(r.t.Context(), r.browser)
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := r.key.Get(b.Options, origin, changes...)
	if err != nil {
		r.t.Fatal(err)
	}
	return &operator.Answer{Ceremony: b.Ceremony, Response: response, Browser: r.browser}
}

// entries are the audit record, all chains.
func (r *rig) entries() (all []audit.Entry) {
	r.t.Helper()
	err := r.store.View(r.t.Context(), func(tx *sqlite.Tx) error {
		return tx.AuditEntries(r.t.Context(), func(e audit.Entry) error { all = append(all, e); return nil })
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// actions are those of the audit record, with reasons.
func (r *rig) actions() (all []string) {
	r.t.Helper()
	for _, e := range r.entries() {
		text := e.Action
		if e.Reason != "" {
			text += " " + e.Reason
		}
		all = append(all, text)
	}
	return all
}

// check fails the test unless the store is as its record tells, with good MACs.
func (r *rig) check() {
	r.t.Helper()
	report, err := r.store.CheckBy(r.t.Context(), func(tx *sqlite.Tx) (audit.Report, error) {
		return audit.Check(r.t.Context(), tx.Keyed(rowKey), &audit.CheckOptions{Now: r.now})
	})
	if err != nil || !report.OK() {
		r.t.Errorf("check: %+v, %v", report.Problems, err)
	}
}

// behind changes the store as somebody does who can write to its file.
func (r *rig) behind(query string) {
	r.t.Helper()
	db, err := sql.Open("sqlite", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		r.t.Fatal(err)
	}
}
