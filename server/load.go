package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/fetch"
	"github.com/staunchid/staunch/rpc"
)

// maxStatusList bounds what is read as a revocation list.
const maxStatusList = 64 << 20

// loaded is what the files hold that a configuration names.
type loaded struct {
	policy    *attest.Policy
	status    *android.StatusList // nil: none is configured
	appleKeys []*fetch.AppleKey
	cert      *tls.Certificate // nil: no TLS
	tokens    map[string]rpc.Token
	roots     map[string]rootSecret
	auditKeys map[string]audit.Key       // of the apps that have one
	accounts  map[string]*loadedAccounts // of the apps that have accounts
	warnings  []*config.Error

	inPolicy func(key, reason string) error // an error about a key of the policy file
}

// load reads and checks all files.
func load(cfg *config.Config, testRoots bool, now time.Time) (*loaded, error) {
	l := &loaded{tokens: map[string]rpc.Token{}, roots: map[string]rootSecret{}, auditKeys: map[string]audit.Key{}, accounts: map[string]*loadedAccounts{}}
	return l, errors.Join(l.reloadable(cfg, testRoots, now), l.secrets(cfg), l.loadAuditKeys(cfg), l.loadAccounts(cfg, testRoots, now))
}

// reloadable reads what can be loaded anew while the server runs.
func (l *loaded) reloadable(cfg *config.Config, testRoots bool, now time.Time) error {
	var errs []error
	if err := l.loadPolicy(cfg, testRoots); err != nil {
		errs = append(errs, err)
	}
	if file := cfg.Attest.StatusListFile; file != "" {
		var err error
		if l.status, err = loadStatusList(file); err != nil {
			errs = append(errs, cfg.Wrong("attest.status_list_file", "%s: %v", file, err))
		}
	}
	if cfg.Attest.StatusListURL != "" {
		errs = append(errs, l.loadKeptList(cfg))
	}
	errs = append(errs, l.loadAppleKeys(cfg))
	if cfg.TLSCertFile != "" {
		cert, err := tls.LoadX509KeyPair(cfg.TLSCertFile, cfg.TLSKeyFile)
		if err != nil {
			errs = append(errs, cfg.Wrong("tls_cert_file", "this and tls_key_file, %s: %v", cfg.TLSKeyFile, err))
		}
		l.private(cfg, "tls_key_file", cfg.TLSKeyFile)
		l.cert = &cert
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	l.warnPolicy(now)
	l.warnStatus(cfg, now)
	return nil
}

// loadPolicy reads the policy, and checks that it covers the apps.
func (l *loaded) loadPolicy(cfg *config.Config, testRoots bool) error {
	file := cfg.Attest.PolicyFile
	data, err := config.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return cfg.Wrong("attest.policy_file", "%s: no such file; `staunch attest policy print > %[1]s` writes a first policy to fill in", file)
	}
	if err != nil {
		return cfg.Wrong("attest.policy_file", "%s", strings.TrimPrefix(err.Error(), "config: "))
	}
	fail := func(key, reason string) error {
		return &config.Error{File: file, Line: config.Line(data, key), Key: key, Reason: reason}
	}
	l.inPolicy = fail
	var pf attest.PolicyFile
	if err := config.Decode(data, &pf); err != nil {
		return config.InFile(file, err)
	}
	p, err := attest.NewPolicy(&pf)
	var pe *attest.PolicyError
	switch {
	case errors.As(err, &pe):
		return fail(pe.Key, pe.Reason)
	case err != nil:
		return cfg.Wrong("attest.policy_file", "%s: %v", file, err)
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
		return errors.Join(errs...)
	}
	if p.TrustsExtraRoots() && !testRoots { // whatever the loop above has overlooked
		return fail("", "this policy trusts roots besides the vendors'")
	}
	for i, a := range cfg.Apps {
		if err := account.AppID(a.ID).Validate(); err != nil {
			return cfg.Wrong(fmt.Sprintf("app[%d].id", i), "%v", err)
		}
		if _, ok := p.App(a.ID); !ok {
			return fail("app", fmt.Sprintf("no [[app]] has the id %q, which the configuration serves; add one", a.ID))
		}
	}
	l.policy = p
	return nil
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
