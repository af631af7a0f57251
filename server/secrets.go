package server

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/rpc"
)

// Bounds of secrets.
const (
	maxSecret     = 4 << 10
	minRootSecret = 32
)

// rootSecret is the secret of an app from which keys are derived. It is behind
// a function, because fmt calls no methods on what is in unexported fields.
type rootSecret struct{ reveal func() []byte }

func (rootSecret) String() string               { return "[redacted]" }
func (rootSecret) GoString() string             { return "[redacted]" }
func (rootSecret) LogValue() slog.Value         { return slog.StringValue("[redacted]") }
func (rootSecret) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// named is a secret and what it is called in messages.
type named struct {
	what   string // "the root secret of app demo"
	secret rootSecret
}

// secrets reads the root secrets and the tokens of all apps. No two of them may
// be equal: a token travels with every call, so who sees it would hold the
// keys of the hashes, and two apps would be one.
func (l *loaded) secrets(cfg *config.Config) error {
	var errs []error
	var seen []named
	differs := func(key string, is named) {
		for _, other := range seen {
			if equal(is.secret, other.secret) {
				errs = append(errs, cfg.Wrong(key, "%s is also %s; every secret is its own: openssl rand -hex 32", is.what, other.what))
			}
		}
		seen = append(seen, is)
	}
	for i, a := range cfg.Apps {
		key := fmt.Sprintf("app[%d].root_secret_file", i)
		root, err := l.readSecret(cfg, key, a.RootSecretFile)
		switch {
		case err != nil:
			errs = append(errs, err)
		case len(root) < minRootSecret:
			errs = append(errs, cfg.Wrong(key, "%s holds %d characters; at least %d are needed: openssl rand -hex 32 > %s",
				a.RootSecretFile, len(root), minRootSecret, a.RootSecretFile))
		default:
			l.roots[a.ID] = rootSecret{func() []byte { return root }}
			differs(key, named{"the root secret of app " + a.ID, l.roots[a.ID]})
		}
		if a.ServiceTokenFile == "" {
			continue
		}
		key = fmt.Sprintf("app[%d].service_token_file", i)
		token, err := l.readSecret(cfg, key, a.ServiceTokenFile)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if l.tokens[a.ID], err = rpc.NewToken(token); err != nil {
			errs = append(errs, cfg.Wrong(key, "%s: %v", a.ServiceTokenFile, err))
			continue
		}
		differs(key, named{"the service token of app " + a.ID, rootSecret{func() []byte { return token }}})
	}
	return errors.Join(errs...)
}

// equal compares in constant time, but for the lengths.
func equal(a, b rootSecret) bool {
	return subtle.ConstantTimeCompare(a.reveal(), b.reveal()) == 1
}

// readSecret reads a short file, and leaves white space around its text out.
func (l *loaded) readSecret(cfg *config.Config, key, file string) ([]byte, error) {
	return l.readFile(cfg, key, file, "bring back the copy, or for a new app: openssl rand -hex 32 > %[1]s")
}

// readFile is readSecret with other advice for a file that is not there.
func (l *loaded) readFile(cfg *config.Config, key, file, advice string) ([]byte, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, cfg.Wrong(key, "%s: no such file; "+advice, file)
	}
	if err != nil {
		return nil, cfg.Wrong(key, "%v", err)
	}
	if info.Size() > maxSecret {
		return nil, cfg.Wrong(key, "%s is larger than %d bytes", file, maxSecret)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, cfg.Wrong(key, "%v", err)
	}
	l.private(cfg, key, file)
	return []byte(strings.TrimSpace(string(data))), nil
}

// private warns of a secret that others on this machine can read. On Windows
// the mode says nothing of that.
func (l *loaded) private(cfg *config.Config, key, file string) {
	info, err := os.Stat(file)
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o044 != 0 {
		l.warn(cfg.Wrong(key, "%s can be read by others than its owner (mode %04o): chmod 600 %[1]s", file, info.Mode().Perm()))
	}
}
