package server_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
	"github.com/staunchid/staunch/store/sqlite"
)

// TestCheckAppMACs: with the app's root secret the MACs of rows are judged.
func TestCheckAppMACs(t *testing.T) {
	key, err := server.RowKey([]byte(secret), "demo")
	if err != nil {
		t.Fatal(err)
	}
	other, err := server.RowKey([]byte(secret), "other")
	if err != nil || slices.Equal(key, other) {
		t.Fatalf("two apps have one key, %v", err)
	}
	tests := []struct {
		name   string
		key    []byte // of the row
		change func(c *config.Config)
		want   []string
		err    string
	}{
		{"good", key, func(*config.Config) {}, nil, ""},
		{"of another app", other, func(*config.Config) {}, []string{audit.RowMAC}, ""},
		{"of another app, and nobody has the key", other, func(c *config.Config) { c.Apps[0].RootSecretFile = "" }, nil, ""},
		{"the root secret is gone", key, func(c *config.Config) { c.Apps[0].RootSecretFile += "x" }, nil, "root_secret_file"},
		{"another app", key, func(c *config.Config) { c.Apps[0].ID = "chat" }, nil, `no app "demo"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := setup(t).Config
			if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
				t.Fatal(err)
			}
			storeWithAccount(t, filepath.Join(c.DataDir, "demo.db"), tt.key)
			tt.change(c)
			r, err := server.CheckApp(t.Context(), c, "demo")
			if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("%v, want %q", err, tt.err)
			}
			var got []string
			for _, p := range r.Problems {
				got = append(got, p.Kind)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("problems %+v, want %v", r.Problems, tt.want)
			}
		})
	}
}

// storeWithAccount makes a store with an account and its entry.
func storeWithAccount(t *testing.T, path string, key []byte) {
	t.Helper()
	ctx := t.Context()
	s, err := sqlite.Open(ctx, &sqlite.Options{Path: path, App: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := account.Account{ID: account.NewID(), State: account.Active, CreatedAt: time.Now().Truncate(time.Microsecond).UTC()}
	a.MAC = a.Seal(key)
	digest := a.Digest()
	detail, err := json.Marshal(audit.Detail{Steps: []audit.Step{{Of: "account", ID: string(a.ID), Step: string(account.StepEnrol), To: a.State.String()}}})
	if err != nil {
		t.Fatal(err)
	}
	e := audit.Entry{
		Account: a.ID, Time: a.CreatedAt, Actor: audit.Actor{Kind: account.System}, Action: "account.enrol",
		Subject: string(a.ID), Object: digest[:], Detail: detail,
	}
	err = s.Update(ctx, func(tx *sqlite.Tx) error {
		if err := tx.PutAccount(ctx, a, ""); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, e)
	})
	if err != nil {
		t.Fatal(err)
	}
}
