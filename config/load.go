package config

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Load reads and checks the configuration in file. Paths in the result start
// at the folder of file. The error joins everything that is wrong.
func Load(file string) (*Config, error) {
	data, err := ReadFile(file)
	if err != nil {
		return nil, err
	}
	c, err := Parse(data)
	if err != nil {
		return nil, InFile(file, err)
	}
	c.file, c.text = file, data
	dir := filepath.Dir(file)
	for _, p := range c.paths() {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	return c, nil
}

// ReadFile reads a file of at most MaxFile bytes. A larger one is not read, so
// that nothing is known of what it holds.
func ReadFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if len(data) > MaxFile {
		return nil, fmt.Errorf("config: %s: larger than 1 MiB", file)
	}
	return data, nil
}

// Parse reads and checks a configuration, and leaves its paths as they are.
func Parse(data []byte) (*Config, error) {
	c := Defaults()
	if err := Decode(data, &c); err != nil {
		return nil, err
	}
	if _, written := keyLines(data)["attest.status_list_url"]; c.Attest.StatusListFile == "" && !written {
		c.Attest.StatusListURL = googleStatusURL // a file takes its place, and so does ""
	}
	return &c, c.check(func(key, reason string) error {
		return &Error{Line: Line(data, key), Key: key, Reason: reason}
	})
}

// paths are the fields that name files and folders.
func (c *Config) paths() []*string {
	all := []*string{&c.DataDir, &c.TLSCertFile, &c.TLSKeyFile, &c.Attest.PolicyFile, &c.Attest.StatusListFile,
		&c.Vault.SetFile, &c.Vault.VoucherKeyFile,
		&c.Recovery.Retry.TLSCertFile, &c.Recovery.Retry.TLSKeyFile, &c.Recovery.Retry.SASLPasswordFile}
	if c.Recovery.Retry.TLSCAFile != SystemRoots {
		all = append(all, &c.Recovery.Retry.TLSCAFile)
	}
	for i := range c.Attest.AppleKeys {
		all = append(all, &c.Attest.AppleKeys[i].KeyFile)
	}
	for i := range c.Apps {
		a := &c.Apps[i]
		all = append(all, &a.ServiceTokenFile, &a.RootSecretFile, &a.AuditKeyFile, &a.BackendPublicKeyFile, &a.LogoFile)
		for j := range a.AuditPublicKeyFiles {
			all = append(all, &a.AuditPublicKeyFiles[j])
		}
		if a.Passkey != nil {
			all = append(all, &a.Passkey.MetadataFile)
		}
	}
	return all
}

// check judges what the types alone cannot say.
func (c *Config) check(fail func(key, reason string) error) error {
	var errs []error
	var bad report = func(key, format string, args ...any) {
		errs = append(errs, fail(key, fmt.Sprintf(format, args...)))
	}
	host, _, err := net.SplitHostPort(c.Listen)
	switch {
	case err != nil:
		bad("listen", `%q is no address; write HOST:PORT, such as "127.0.0.1:8080"`, c.Listen)
	case c.TLSCertFile == "" && c.TLSKeyFile == "" && !Loopback(host):
		bad("listen", "%q is not a loopback address, and plain HTTP is spoken on loopback only; give tls_cert_file and tls_key_file", host)
	}
	if c.TLSCertFile != "" && c.TLSKeyFile == "" {
		bad("tls_cert_file", "tls_key_file is missing; give both or none")
	}
	if c.TLSKeyFile != "" && c.TLSCertFile == "" {
		bad("tls_key_file", "tls_cert_file is missing; give both or none")
	}
	for i, text := range c.TrustedProxies {
		if !address(text) {
			bad(fmt.Sprintf("trusted_proxies[%d]", i), `%q is no address; write "127.0.0.1", or "10.0.0.0/8" for all that begin so`, text)
		}
	}
	switch h := c.CountryHeader; {
	case h != "" && !headerName(h):
		bad("country_header", `%q is no name of a header; write one such as "CF-IPCountry"`, h)
	case h != "" && len(c.TrustedProxies) == 0:
		bad("country_header", "it is believed from trusted_proxies alone, and there are none; name your proxies there")
	}
	if c.DataDir == "" {
		bad("data_dir", "must not be empty")
	}
	if c.ShutdownGrace.Duration == 0 {
		bad("shutdown_grace", "must be longer than zero")
	}
	switch c.Log.Level {
	case "debug", "info", "warn", "error":
	default:
		bad("log.level", `%q is no level; write "debug", "info", "warn" or "error"`, c.Log.Level)
	}
	switch c.Log.Format {
	case "text", "json":
	default:
		bad("log.format", `%q is no format; write "text" or "json"`, c.Log.Format)
	}
	if c.Attest.PolicyFile == "" {
		bad("attest.policy_file", "must not be empty")
	}
	c.checkFeed(bad)
	c.checkApps(bad)
	c.checkRecovery(bad)
	return errors.Join(errs...)
}

// address reports whether text is an IP address, or a prefix of such.
func address(text string) bool {
	_, errAddr := netip.ParseAddr(text)
	p, errPrefix := netip.ParsePrefix(text)
	return errAddr == nil || errPrefix == nil && p == p.Masked() && p.Bits() > 0
}

// headerName reports whether text is the name of a header as edges write them: letters,
// digits, - and _, of what RFC 9110, Section 5.1 allows.
func headerName(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// checkFeed judges what is downloaded, and with which keys.
func (c *Config) checkFeed(bad report) {
	const key = "attest.status_list_url"
	if text := c.Attest.StatusListURL; text != "" {
		u, err := url.Parse(text)
		switch {
		case c.Attest.StatusListFile != "":
			bad(key, "status_list_file is given too, and the list comes from one place: take this line out and nothing is downloaded, or take out status_list_file")
		case err != nil || u.Host == "" || u.User != nil:
			bad(key, "is no URL such as %q, without user and password", googleStatusURL)
		case u.Scheme != "https" && (u.Scheme != "http" || !Loopback(u.Hostname())):
			bad(key, "%q: use https; http is for loopback only", text)
		}
	}
	seen := map[string]bool{}
	for i, k := range c.Attest.AppleKeys {
		at := fmt.Sprintf("attest.apple_key[%d].", i)
		for _, x := range []struct{ name, value string }{{"team_id", k.TeamID}, {"key_id", k.KeyID}} {
			if !validAppleID(x.value) {
				bad(at+x.name, "%q is no id; write the letters and digits that App Store Connect shows", x.value)
			}
		}
		if seen[k.TeamID] {
			bad(at+"team_id", "the team %q occurs twice; give the key that is in use", k.TeamID)
		}
		seen[k.TeamID] = true
		if k.KeyFile == "" {
			bad(at+"key_file", "must not be empty")
		}
	}
}

// validAppleID reports whether id has letters and digits only.
func validAppleID(id string) bool {
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return false
		}
	}
	return id != "" && len(id) <= 64
}

// Loopback reports whether host can only be reached from this machine. An
// empty host means all addresses and is not.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
