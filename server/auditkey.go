package server

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/config"
)

// newKeyHint is what to do about a key that is not there.
const newKeyHint = "bring back the copy, or for a new app: staunch config new-key %[1]s"

// loadAuditKeys reads the keys that seal, each the key of one app, and tries those
// that were replaced.
func (l *loaded) loadAuditKeys(cfg *config.Config) error {
	var errs []error
	of := map[string]string{} // public key → app
	for i := range cfg.Apps {
		a, at := &cfg.Apps[i], fmt.Sprintf("app[%d].", i)
		key, found, err := l.auditKey(cfg, at, a)
		if err == nil {
			_, err = l.auditPublicKeys(cfg, at, &config.App{AuditPublicKeyFiles: a.AuditPublicKeyFiles})
		}
		switch {
		case err != nil:
			errs = append(errs, err)
			continue
		case !found:
			continue
		}
		if other, taken := of[string(key.Public())]; taken {
			errs = append(errs, cfg.Wrong(at+"audit_key_file", "%s is the key of app %s too; every app has its own: staunch config new-key FILE", a.AuditKeyFile, other))
		}
		of[string(key.Public())] = a.ID
		l.auditKeys[a.ID] = key
	}
	return errors.Join(errs...)
}

// auditKey reads the key that seals the record of an app; found is false if the
// configuration names none.
func (l *loaded) auditKey(cfg *config.Config, at string, a *config.App) (key audit.Key, found bool, err error) {
	file := a.AuditKeyFile
	if file == "" {
		return audit.Key{}, false, nil
	}
	text, err := l.readFile(cfg, at+"audit_key_file", file, newKeyHint)
	if err != nil {
		return audit.Key{}, false, err
	}
	if key, err = audit.ParseKey(text); err != nil {
		return audit.Key{}, false, cfg.Wrong(at+"audit_key_file", "%s: %v; `staunch config new-key FILE` makes one", file, err)
	}
	return key, true, nil
}

// auditPublicKeys are the keys whose seals count: the one in use, and those that
// were replaced.
func (l *loaded) auditPublicKeys(cfg *config.Config, at string, a *config.App) (keys []ed25519.PublicKey, err error) {
	key, found, err := l.auditKey(cfg, at, a)
	if err != nil {
		return nil, err
	}
	if found {
		keys = append(keys, key.Public())
	}
	for i, file := range a.AuditPublicKeyFiles {
		key, err := ReadAuditKey(file)
		if err != nil {
			return nil, cfg.Wrong(fmt.Sprintf("%saudit_public_key_files[%d]", at, i), "%v", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// ReadAuditKey reads the public half of an audit key from a file that has
// either half of it.
func ReadAuditKey(file string) (ed25519.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("server: audit key: %w", err)
	}
	if key, err := audit.ParseKey(text); err == nil {
		return key.Public(), nil
	}
	key, err := audit.ParsePublicKey(text)
	if err != nil {
		return nil, fmt.Errorf("server: audit key %s: %w", file, err)
	}
	return key, nil
}
