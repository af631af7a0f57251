package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// maxLogo and maxMetadata bound what is read as such.
const (
	maxLogo     = 256 << 10
	maxMetadata = 64 << 20
)

// loadedAccounts is what an app with accounts has been configured to.
type loadedAccounts struct {
	rp      *passkey.RelyingParty
	policy  integrity.Policy
	backend *registry.BackendKey // nil: the backend makes no calls about accounts
	logo    []byte               // nil: none
}

// loadAccounts reads the files of the apps that have accounts, and makes their
// policies.
func (l *loaded) loadAccounts(cfg *config.Config, loopbackToo bool, now time.Time) error {
	var errs []error
	for i := range cfg.Apps {
		a, at := &cfg.Apps[i], fmt.Sprintf("app[%d].", i)
		if !a.HasAccounts() {
			continue
		}
		la, err := l.loadOne(cfg, at, a, loopbackToo, now)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		l.accounts[a.ID] = la
	}
	return errors.Join(errs...)
}

func (l *loaded) loadOne(cfg *config.Config, at string, a *config.App, loopbackToo bool, now time.Time) (*loadedAccounts, error) {
	var errs []error
	fail := func(key, format string, args ...any) {
		errs = append(errs, cfg.Wrong(at+key, format, args...))
	}
	if a.AuditKeyFile == "" { // config.Parse has looked, and a program may have made its own
		fail("audit_key_file", "missing; `staunch config new-key FILE` makes a key")
	}
	if a.Session == nil || a.Hold == nil || a.Wait == nil || a.Passkey == nil || a.Limit == nil {
		return nil, cfg.Wrong(at+"rp_id", "session, hold, wait, passkey and limit are needed; `staunch config print` shows them")
	}
	for i, word := range a.SyncedOK {
		if !knownAction(word) {
			fail(fmt.Sprintf("synced_ok[%d]", i), `there is no action %q; write "register", "sign_in", "step_up", an action of docs/accounts.md, or "all"`, word)
		}
	}
	la := &loadedAccounts{policy: accountPolicy(a, loopbackToo)}
	la.policy.CountriesUntold = cfg.CountryHeader == ""
	if err := la.policy.Validate(); err != nil {
		fail("rp_id", "%s", strings.TrimPrefix(err.Error(), "integrity: "))
	}
	if file := a.BackendPublicKeyFile; file != "" {
		text, err := readBounded(file, maxSecret)
		key, parseErr := registry.ParseBackendKey(text)
		switch {
		case err != nil:
			fail("backend_public_key_file", "%v", err)
		case parseErr != nil:
			fail("backend_public_key_file", "%s: %s", file, strings.TrimPrefix(parseErr.Error(), "registry: backend key: "))
		default:
			la.backend = &key
		}
	}
	if file := a.LogoFile; file != "" {
		var err error
		if la.logo, err = readBounded(file, maxLogo); err != nil {
			fail("logo_file", "%v", err)
		}
	}
	models, err := l.models(cfg, at, a.Passkey, now)
	if err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	findings, err := passkeyPolicy(a.Passkey)
	if err == nil {
		la.rp, err = passkey.New(&passkey.Options{
			App: account.AppID(a.ID), RPID: a.RPID, Name: a.Name, Origins: a.Origins, AppOrigins: a.AndroidOrigins, Policy: findings, Models: models,
		})
	}
	if err != nil { // what config.Parse has let pass
		return nil, cfg.Wrong(at+"rp_id", "this app cannot be a Relying Party: %s", strings.TrimPrefix(err.Error(), "passkey: "))
	}
	return la, nil
}

// knownAction reports whether a word of synced_ok can mean anything. One that is
// misspelt would refuse in silence what the operator means to allow.
func knownAction(word string) bool {
	if slices.Contains([]string{"register", "sign_in", "step_up", "all"}, word) || strings.HasPrefix(word, "app.") {
		return true
	}
	return account.Required(account.Action(word)).Action != ""
}

// models reads which models of authenticator may be registered; nil: any.
func (l *loaded) models(cfg *config.Config, at string, p *config.Passkey, now time.Time) (*passkey.Models, error) {
	if p.Attestation != "direct" {
		return nil, nil
	}
	var out passkey.Models
	for _, x := range []struct {
		key  string
		from []string
		to   *[]passkey.AAGUID
	}{{"allow_models", p.AllowModels, &out.Allow}, {"deny_models", p.DenyModels, &out.Deny}} {
		for i, text := range x.from {
			id, err := passkey.ParseAAGUID(text)
			if err != nil {
				return nil, cfg.Wrong(fmt.Sprintf("%spasskey.%s[%d]", at, x.key, i), "%v", err)
			}
			*x.to = append(*x.to, id)
		}
	}
	file, key := p.MetadataFile, at+"passkey.metadata_file"
	if file == "" {
		return &out, nil
	}
	blob, err := readBounded(file, maxMetadata)
	if err != nil {
		return nil, cfg.Wrong(key, "%v", err)
	}
	root, err := passkey.MetadataRoot()
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	if out.Metadata, err = passkey.ParseMetadata(blob, root, now); err != nil {
		return nil, cfg.Wrong(key, "%s: %v; download it anew from https://mds3.fidoalliance.org/", file, err)
	}
	if due := out.Metadata.NextUpdate; now.After(due) {
		l.warn(cfg.Wrong(key, "%s: a newer one is due since %s: what has become known of models since does not count", file, due.Format(time.DateOnly)))
	}
	return &out, nil
}

// passkeyPolicy says what becomes of findings.
func passkeyPolicy(p *config.Passkey) (out passkey.Policy, err error) {
	for _, x := range []struct {
		text string
		to   *passkey.Effect
	}{
		{p.CounterRegress, &out.CounterRegress}, {p.CounterRegressSynced, &out.CounterRegressSynced},
		{p.BackupEligibleChanged, &out.BackupEligibleChanged}, {p.BackupStateChanged, &out.BackupStateChanged},
		{p.PRFMissing, &out.PRFMissing}, {p.ModelUnknown, &out.ModelUnknown}, {p.ModelStatus, &out.ModelStatus},
		{p.AttestationUntrusted, &out.AttestationUntrusted},
	} {
		if *x.to, err = passkey.ParseEffect(x.text); err != nil {
			return passkey.Policy{}, err
		}
	}
	return out, nil
}
