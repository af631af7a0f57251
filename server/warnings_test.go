package server_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/server"
)

const listed = `{"entries": {"deadbeef": {"status": "REVOKED"}}}`

// real writes a policy with the vendors' roots only and nothing that warns.
func real(t testing.TB, o *server.Options, more string) {
	t.Helper()
	var kept []string
	skip := false
	for line := range strings.Lines(attesttest.DemoPolicy()) {
		if strings.Contains(line, "dangerous_extra_roots = [") {
			skip = true
		}
		if !skip && !strings.HasPrefix(line, "route = ") {
			kept = append(kept, line)
		}
		if strings.HasPrefix(line, "]") {
			skip = false
		}
	}
	write(t, o.Config.Attest.PolicyFile, strings.Join(kept, "")+more)
}

func TestCheckWarns(t *testing.T) {
	now := time.Now()
	aged := func(age time.Duration) func(*testing.T, *server.Options) {
		return func(t *testing.T, o *server.Options) {
			file := write(t, o.Config.Attest.StatusListFile, listed)
			if err := os.Chtimes(file, now.Add(-age), now.Add(-age)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name   string
		change func(*testing.T, *server.Options)
		want   string // empty: no warning
	}{
		{"good", aged(12 * time.Hour), ""},
		{"no list", func(_ *testing.T, o *server.Options) { o.Config.Attest.StatusListFile = "" },
			"config: attest.status_list_file: no revocation list: every Android phone is refused"},
		{"no list, and no Android", func(t *testing.T, o *server.Options) {
			o.Config.Attest.StatusListFile = ""
			text, err := os.ReadFile(o.Config.Attest.PolicyFile)
			if err != nil {
				t.Fatal(err)
			}
			begin, end := strings.Index(string(text), "[app.android]"), strings.Index(string(text), "[app.apple]")
			write(t, o.Config.Attest.PolicyFile, string(text[:begin])+string(text[end:]))
		}, ""},
		{"ageing list", aged(12*time.Hour + time.Second), "1 entries, 12h0m1s old, above warn_age of the policy, 12h0m0s: every Android phone gets a warning"},
		{"list from the future", aged(-73 * time.Hour), "above max_age of the policy, 72h0m0s: every Android phone is refused"},
		{"stale list", aged(73 * time.Hour), "1 entries, 73h0m0s old, above max_age of the policy, 72h0m0s: every Android phone is refused"},
		{"part of the policy that does not act", func(t *testing.T, o *server.Options) {
			real(t, o, "[[route]]\npath = \"/a\"\n[[route]]\npath = \"/a\"\n")
		},
			"policy.toml: line "},
	}
	if runtime.GOOS != "windows" {
		mode := func(file func(*server.Options) string) func(*testing.T, *server.Options) {
			return func(t *testing.T, o *server.Options) {
				if err := os.Chmod(file(o), 0o640); err != nil {
					t.Fatal(err)
				}
			}
		}
		tests = append(tests, []struct {
			name   string
			change func(*testing.T, *server.Options)
			want   string
		}{
			{"open token", mode(func(o *server.Options) string { return o.Config.Apps[0].ServiceTokenFile }), "app[0].service_token_file: "},
			{"open root secret", mode(func(o *server.Options) string { return o.Config.Apps[0].RootSecretFile }), "app[0].root_secret_file: "},
			{"open key", func(t *testing.T, o *server.Options) {
				dir := filepath.Dir(o.Config.DataDir)
				o.Config.TLSCertFile, o.Config.TLSKeyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
				certificate(t, 1, o.Config.TLSCertFile, o.Config.TLSKeyFile)
				mode(func(o *server.Options) string { return o.Config.TLSKeyFile })(t, o)
			}, "tls_key_file: "},
		}...)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := setup(t)
			real(t, opts, "")
			tt.change(t, opts)
			got, err := server.Check(opts.Config, now)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) > 1 || (len(got) == 1) != (tt.want != "") || len(got) == 1 && !strings.Contains(got[0].Error(), tt.want) {
				t.Errorf("%v, want %q", got, tt.want)
			}
			if strings.Contains(tt.name, "open") && !strings.Contains(got[0].Error(), "mode 0640): chmod 600 ") {
				t.Error(got[0])
			}
		})
	}
}

// TestLogsWarnings: what config check warns of, a server logs when it starts
// and when it reloads.
func TestLogsWarnings(t *testing.T) {
	opts := setup(t)
	real(t, opts, "")
	var log strings.Builder
	opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	write(t, opts.Config.Attest.StatusListFile, listed)
	opts.Now = func() time.Time { return time.Now().Add(80 * time.Hour) }
	s, err := server.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const stale = `level=WARN msg=configuration file="" line=0 key=attest.status_list_file warning="`
	if !strings.Contains(log.String(), stale) || !strings.Contains(log.String(), `level=INFO msg="revocation list" entries=1 age=80h0m`) {
		t.Errorf("at start: %s", log.String())
	}
	log.Reset()
	if err := s.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), stale) || !strings.Contains(log.String(), "entries=1 age=80h0m") {
		t.Errorf("at reload: %s", log.String())
	}
}

func TestStatusListMetrics(t *testing.T) {
	opts := setup(t)
	write(t, opts.Config.Attest.StatusListFile, listed)
	at := time.Now().Add(-time.Hour)
	if err := os.Chtimes(opts.Config.Attest.StatusListFile, at, at); err != nil {
		t.Fatal(err)
	}
	opts.Now = func() time.Time { return at.Add(90 * time.Minute) }
	_, body := get(t, start(t, opts).URL()+"/metrics")
	if !strings.Contains(body, "staunch_attest_status_list_entries 1\n") || !strings.Contains(body, "staunch_attest_status_list_age_seconds 5400") {
		t.Error(body)
	}
	opts = setup(t)
	opts.Config.Attest.StatusListFile = ""
	_, body = get(t, start(t, opts).URL()+"/metrics")
	if !strings.Contains(body, "staunch_attest_status_list_entries 0\n") || !strings.Contains(body, "staunch_attest_status_list_age_seconds +Inf\n") {
		t.Error(body)
	}
}
