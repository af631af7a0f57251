package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/rpc"
)

// Bounds of what is read.
const (
	maxSecret     = 4 << 10
	maxStatusList = 64 << 20
	minRootSecret = 32
)

// loaded is what the files hold that a configuration names.
type loaded struct {
	policy *attest.Policy
	status *android.StatusList // nil: none is configured
	cert   *tls.Certificate    // nil: no TLS
	tokens map[string]rpc.Token
	roots  map[string]rootSecret
}

// rootSecret is the secret of an app from which keys are derived. It is behind
// a function, because fmt calls no methods on what is in unexported fields.
type rootSecret struct{ reveal func() []byte }

func (rootSecret) String() string               { return "[redacted]" }
func (rootSecret) GoString() string             { return "[redacted]" }
func (rootSecret) LogValue() slog.Value         { return slog.StringValue("[redacted]") }
func (rootSecret) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// Check reports what is wrong with the files that cfg names, without opening a
// store or listening. The error joins all that is wrong.
func Check(cfg *config.Config) error {
	_, err := load(cfg, false)
	return err
}

// load reads and checks all files.
func load(cfg *config.Config, testRoots bool) (*loaded, error) {
	l := &loaded{tokens: map[string]rpc.Token{}, roots: map[string]rootSecret{}}
	errs := []error{l.reloadable(cfg, testRoots)}
	files := map[string]string{}
	for i, a := range cfg.Apps {
		key := func(name string) string { return fmt.Sprintf("app[%d].%s", i, name) }
		root, err := readSecret(a.RootSecretFile)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("server: %s: %w", key("root_secret_file"), err))
		case len(root) < minRootSecret:
			errs = append(errs, fmt.Errorf("server: %s: %s holds %d characters; at least %d are needed: openssl rand -hex 32 > %s",
				key("root_secret_file"), a.RootSecretFile, len(root), minRootSecret, a.RootSecretFile))
		case files[string(root)] != "":
			errs = append(errs, fmt.Errorf("server: %s: the secret is that of app %s; every app has its own", key("root_secret_file"), files[string(root)]))
		}
		l.roots[a.ID], files[string(root)] = rootSecret{func() []byte { return root }}, a.ID
		if a.ServiceTokenFile == "" {
			continue
		}
		secret, err := readSecret(a.ServiceTokenFile)
		if err != nil {
			errs = append(errs, fmt.Errorf("server: %s: %w", key("service_token_file"), err))
			continue
		}
		if l.tokens[a.ID], err = rpc.NewToken(secret); err != nil {
			errs = append(errs, fmt.Errorf("server: %s: %s: %w", key("service_token_file"), a.ServiceTokenFile, err))
		}
	}
	return l, errors.Join(errs...)
}

// reloadable reads what can be loaded anew while the server runs.
func (l *loaded) reloadable(cfg *config.Config, testRoots bool) error {
	var perr, serr, cerr error
	l.policy, perr = loadPolicy(cfg, testRoots)
	if cfg.Attest.StatusListFile != "" {
		if l.status, serr = loadStatusList(cfg.Attest.StatusListFile); serr != nil {
			serr = fmt.Errorf("server: attest.status_list_file: %s: %w", cfg.Attest.StatusListFile, serr)
		}
	}
	if cfg.TLSCertFile != "" {
		cert, err := tls.LoadX509KeyPair(cfg.TLSCertFile, cfg.TLSKeyFile)
		if err != nil {
			cerr = fmt.Errorf("server: tls_cert_file, tls_key_file: %w", err)
		}
		l.cert = &cert
	}
	return errors.Join(perr, serr, cerr)
}

// loadPolicy reads the policy, and checks that it covers the apps.
func loadPolicy(cfg *config.Config, testRoots bool) (*attest.Policy, error) {
	file := cfg.Attest.PolicyFile
	data, err := config.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("server: attest.policy_file: %w", err)
	}
	fail := func(key, reason string) error {
		return &config.Error{File: file, Line: config.Line(data, key), Key: key, Reason: reason}
	}
	var pf attest.PolicyFile
	if err := config.Decode(data, &pf); err != nil {
		return nil, config.InFile(file, err)
	}
	p, err := attest.NewPolicy(&pf)
	var pe *attest.PolicyError
	switch {
	case errors.As(err, &pe):
		return nil, fail(pe.Key, pe.Reason)
	case err != nil:
		return nil, fmt.Errorf("server: attest.policy_file: %s: %w", file, err)
	}
	var errs []error
	for _, x := range []struct {
		key   string
		roots []string
	}{
		{"android.dangerous_extra_roots", pf.Android.DangerousExtraRoots}, {"apple.dangerous_extra_roots", pf.Apple.DangerousExtraRoots},
	} {
		if len(x.roots) > 0 && !testRoots {
			errs = append(errs, fail(x.key, "this policy trusts roots besides the vendors', so phones made in software pass; only `staunch dev` runs with it: remove the key"))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if p.TrustsExtraRoots() && !testRoots { // whatever the loop above has overlooked
		return nil, fail("", "this policy trusts roots besides the vendors'")
	}
	for i, a := range cfg.Apps {
		if err := account.AppID(a.ID).Validate(); err != nil {
			return nil, fmt.Errorf("server: app[%d].id: %w", i, err)
		}
		if _, ok := p.App(a.ID); !ok {
			return nil, fail("app", fmt.Sprintf("no [[app]] has the id %q, which the configuration serves; add one", a.ID))
		}
	}
	return p, nil
}

// loadStatusList reads a revocation list. One that does not say when it was
// fetched is as old as its file.
func loadStatusList(file string) (*android.StatusList, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxStatusList {
		return nil, fmt.Errorf("larger than %d MiB", maxStatusList>>20)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	list, err := android.ParseStatusList(data)
	if err != nil {
		return nil, err
	}
	if list.FetchedAt.IsZero() {
		list.FetchedAt = info.ModTime().UTC()
	}
	return list, nil
}

// readSecret reads a short file, and leaves white space around its text out.
func readSecret(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSecret {
		return nil, fmt.Errorf("%s is larger than %d bytes", file, maxSecret)
	}
	data, err := os.ReadFile(file)
	return []byte(strings.TrimSpace(string(data))), err
}
