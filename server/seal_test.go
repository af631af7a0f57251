package server_test

import (
	"bytes"
	"crypto/ed25519"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

// seed makes the key of a test.
func seed(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

// TestSealed: a server seals what it has recorded, at the latest when it stops,
// and the check finds the key in the configuration.
func TestSealed(t *testing.T) {
	opts := setup(t)
	app := &opts.Config.Apps[0]
	first, second := keyFile(t, seed(1)), keyFile(t, seed(2))
	app.AuditKeyFile = first
	if err := start(t, opts).stop(); err != nil { // the policy that came into force is on the record
		t.Fatal(err)
	}
	check := func(want ...string) audit.Report {
		t.Helper()
		r, err := server.CheckApp(t.Context(), opts.Config, "demo")
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, p := range r.Problems {
			kinds = append(kinds, p.Kind)
		}
		if strings.Join(kinds, " ") != strings.Join(want, " ") {
			t.Errorf("problems %+v, want %v", r.Problems, want)
		}
		return r
	}
	if r := check(); r.Seals != 1 || r.Unsealed != 0 || r.Entries == 0 {
		t.Errorf("after a server has run: %+v", r)
	}
	app.AuditKeyFile = second
	check(audit.SealSignature)
	app.AuditPublicKeyFiles = []string{first}
	check()
	app.AuditKeyFile = ""
	check()
	app.AuditPublicKeyFiles[0] += "x"
	if _, err := server.CheckApp(t.Context(), opts.Config, "demo"); err == nil || !strings.Contains(err.Error(), "audit_public_key_files[0]") {
		t.Errorf("a key that is not there: %v", err)
	}
}

// TestAuditKeyRefused: a server starts with its audit keys or not at all.
func TestAuditKeyRefused(t *testing.T) {
	good := keyFile(t, seed(1))
	for name, tt := range map[string]struct {
		change func(*config.Config)
		want   string
	}{
		"not there":     {func(c *config.Config) { c.Apps[0].AuditKeyFile = good + "x" }, "app[0].audit_key_file: " + good + "x: no such file; bring back the copy, or for a new app: staunch config new-key " + good + "x"},
		"no key":        {func(c *config.Config) { c.Apps[0].AuditKeyFile = c.Apps[0].RootSecretFile }, "app[0].audit_key_file: "},
		"no public key": {func(c *config.Config) { c.Apps[0].AuditPublicKeyFiles = []string{c.Apps[0].RootSecretFile} }, "app[0].audit_public_key_files[0]: "},
		"of two apps": {func(c *config.Config) {
			other := write(t, filepath.Join(t.TempDir(), "root"), strings.Repeat("x", 32))
			c.Apps[0].AuditKeyFile = good
			c.Apps = append(c.Apps, config.App{ID: "chat", RootSecretFile: other, AuditKeyFile: good})
		}, "app[1].audit_key_file: " + good + " is the key of app demo too"},
	} {
		t.Run(name, func(t *testing.T) {
			opts := setup(t)
			tt.change(opts.Config)
			s, err := server.New(opts)
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestRewoundIsTold: seals that are taken out of the store under a running server
// are an error in its log.
func TestRewoundIsTold(t *testing.T) {
	opts := setup(t)
	opts.Config.Apps[0].AuditKeyFile = keyFile(t, seed(1))
	opts.TestingOnlySealing(10 * time.Millisecond)
	var log guarded
	opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	start(t, opts)
	db, err := sql.Open("sqlite", filepath.Join(opts.Config.DataDir, "demo.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	within := func(what string, ok func() bool) {
		t.Helper()
		for range 500 {
			if ok() {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("%s: not within 5 s\n%s", what, log.String())
	}
	within("sealed", func() bool {
		var n int
		return db.QueryRow("SELECT count(*) FROM audit_seal").Scan(&n) == nil && n > 0
	})
	within("taken out", func() bool {
		_, err := db.Exec("DELETE FROM audit_seal")
		return err == nil
	})
	within("told", func() bool {
		return strings.Contains(log.String(), "level=ERROR") && strings.Contains(log.String(), "put back to an earlier state")
	})
}

// guarded is a buffer for the log of a server that runs.
type guarded struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.buf.Write(p)
}

func (g *guarded) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.buf.String()
}
