package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// report takes one thing that is wrong.
type report func(key, format string, args ...any)

// below is report for the keys of one table.
func (r report) below(table string) report {
	return func(key, format string, args ...any) { r(table+"."+key, format, args...) }
}

// checkApps judges the apps, each alone and all together.
func (c *Config) checkApps(bad report) {
	if len(c.Apps) == 0 {
		bad("app", "at least one app is needed")
	}
	ids, stores, hosts := map[string]bool{}, map[string]string{}, map[string]string{}
	for i := range c.Apps {
		a, bad := &c.Apps[i], bad.below(fmt.Sprintf("app[%d]", i))
		if !validAppID(a.ID) {
			bad("id", `%q is no id; write a small letter, then 1 to 30 small letters, digits and "-"`, a.ID)
		} else if ids[a.ID] {
			bad("id", "the id %q occurs twice", a.ID)
		}
		ids[a.ID] = true
		if a.RootSecretFile == "" {
			bad("root_secret_file", "must not be empty")
		}
		if other, taken := stores[a.StoreFile()]; taken {
			bad("store", "%q is the store of app %s too; every app has its own", a.StoreFile(), other)
		}
		stores[a.StoreFile()] = a.ID
		if a.Session == nil && !a.HasAccounts() {
			continue // attestation alone
		}
		a.checkAccounts(bad)
		for j, host := range a.Hosts {
			if other, taken := hosts[host]; taken {
				bad(fmt.Sprintf("hosts[%d]", j), "%q is a host of app %s already; the host says which app a page is of", host, other)
			}
			hosts[host] = a.ID
		}
	}
	c.checkConsoles(func(app int) report { return bad.below(fmt.Sprintf("app[%d].console", app)) })
}

// checkAccounts judges the keys of an app that has accounts.
func (a *App) checkAccounts(bad report) {
	if n := utf8.RuneCountInString(a.Name); n == 0 || n > 64 || strings.ContainsFunc(a.Name, unicode.IsControl) || !utf8.ValidString(a.Name) {
		bad("name", "%q is no name; write 1 to 64 characters that people can read", a.Name)
	}
	if strings.HasPrefix(a.Store, "postgres:") || strings.HasPrefix(a.Store, "postgresql:") {
		bad("store", `this release stores in SQLite alone; name a file in data_dir, such as "%s.db"`, a.ID)
	} else if a.Store != filepath.Base(a.Store) || !strings.HasSuffix(a.Store, ".db") || len(a.Store) < 4 || strings.ContainsAny(a.Store, `/\:`) {
		bad("store", `%q is no file in data_dir; write a name that ends in ".db", such as "%s.db"`, a.Store, a.ID)
	}
	if a.AuditKeyFile == "" {
		bad("audit_key_file", "must not be empty; `staunch config new-key FILE` makes a key")
	}
	a.checkWeb(bad)
	for i, word := range a.SyncedOK {
		if !regexp.MustCompile(`^[a-z][a-z0-9_.]*$`).MatchString(word) {
			bad(fmt.Sprintf("synced_ok[%d]", i), `%q is no action; write "register", "sign_in", "step_up", names of actions, or "all"`, word)
		}
	}
	if !slices.Contains([]string{"refuse", "approve", "hold"}, a.SyncedNewDevice) {
		bad("synced_new_device", `%q is none of "refuse", "approve" and "hold"`, a.SyncedNewDevice)
	}
	if a.WebhookURL != "" {
		u, err := url.Parse(a.WebhookURL)
		switch {
		case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
			bad("webhook_url", `is no URL such as "https://api.example.org/staunch", without user and password`)
		case u.Scheme != "https" && (u.Scheme != "http" || !Loopback(u.Hostname())):
			bad("webhook_url", "%q: use https; http is for loopback only", a.WebhookURL)
		}
	}
	if a.Colour != "" && !regexp.MustCompile(`^#[0-9a-f]{6}$`).MatchString(a.Colour) {
		bad("colour", `%q is no colour; write "#" and six digits of lower-case hex, such as "#1f5fd0"`, a.Colour)
	}
	a.checkTimes(bad)
	a.checkPasskey(bad)
	if a.Transfer != nil {
		a.Transfer.check(a.DangerousShortWaits, bad.below("transfer"))
	}
}

// checkTimes judges the lengths of sessions, holds and waits.
func (a *App) checkTimes(bad report) {
	if a.Session == nil || a.Hold == nil || a.Wait == nil {
		bad("session", "session, hold and wait are needed; `staunch config print` shows them")
		return
	}
	s, h, w := a.Session, a.Hold, a.Wait
	for _, x := range []struct {
		key   string
		value time.Duration
		short bool // makes sense below an hour
	}{
		{"session.person", s.Person.Duration, false}, {"session.fresh", s.Fresh.Duration, true}, {"session.risky", s.Risky.Duration, true},
		{"session.browser", s.Browser.Duration, false}, {"session.phone", s.Phone.Duration, false}, {"session.guest", s.Guest.Duration, false},
		{"hold.add", h.Add.Duration, false}, {"hold.recovery", h.Recovery.Duration, false},
		{"wait.recovery", w.Recovery.Duration, false}, {"wait.recovery_frozen", w.RecoveryFrozen.Duration, false},
		{"wait.delete", w.Delete.Duration, false}, {"wait.unfreeze", w.Unfreeze.Duration, false},
	} {
		switch {
		case x.value == 0:
			bad(x.key, "must be longer than zero")
		case x.value < time.Hour && !x.short && !a.DangerousShortWaits:
			bad(x.key, "%s is under an hour, which leaves the owner no time to notice; write dangerous_short_waits = true for a demo, or a longer time", x.value)
		}
	}
	if s.Fresh.Duration > s.Person.Duration {
		bad("session.fresh", "is longer than session.person, and Fresh is the stricter of the two")
	}
	if s.Risky.Duration > s.Fresh.Duration {
		bad("session.risky", "is longer than session.fresh, and a risk never makes it longer")
	}
	if s.Browser.Duration > 30*24*time.Hour {
		bad("session.browser", `is longer than "30d", for which a browser keeps the cookie at most`)
	}
	if w.Assisted.Duration != 0 {
		bad("wait.assisted", `must be "0s": this release has no operators who could decide about an assisted recovery`)
	}
}

// checkPasskey judges what becomes of findings, and the models.
func (a *App) checkPasskey(bad report) {
	p := a.Passkey
	if p == nil || a.Limit == nil {
		bad("passkey", "passkey and limit are needed; `staunch config print` shows them")
		return
	}
	for _, x := range []struct{ key, value string }{
		{"counter_regress", p.CounterRegress}, {"counter_regress_synced", p.CounterRegressSynced},
		{"backup_eligible_changed", p.BackupEligibleChanged}, {"backup_state_changed", p.BackupStateChanged}, {"prf_missing", p.PRFMissing},
		{"model_unknown", p.ModelUnknown}, {"model_status", p.ModelStatus}, {"attestation_untrusted", p.AttestationUntrusted},
	} {
		if !slices.Contains([]string{"refuse", "raise", "note"}, x.value) {
			bad("passkey."+x.key, `%q is none of "refuse", "raise" and "note"`, x.value)
		}
	}
	models := len(p.AllowModels) > 0 || len(p.DenyModels) > 0 || p.MetadataFile != ""
	switch {
	case p.Attestation != "none" && p.Attestation != "direct":
		bad("passkey.attestation", `%q is neither "none" nor "direct"`, p.Attestation)
	case p.Attestation == "none" && models:
		bad("passkey.attestation", `is "none", with which no authenticator says its model; write "direct", or take out allow_models, deny_models and metadata_file`)
	case p.Attestation == "direct" && !models:
		bad("passkey.attestation", `is "direct", and nothing is done with the model; write "none", or allow_models, deny_models or metadata_file`)
	}
	for key, list := range map[string][]string{"allow_models": p.AllowModels, "deny_models": p.DenyModels} {
		for i, id := range list {
			at := fmt.Sprintf("passkey.%s[%d]", key, i)
			if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(id) {
				bad(at, `%q is no AAGUID, such as "ee882879-721c-4913-9775-3dfcce97072a"`, id)
			} else if key == "deny_models" && slices.Contains(p.AllowModels, id) {
				bad(at, "%q is in allow_models too", id)
			}
		}
	}
}

// validAppID reports whether id matches ^[a-z][a-z0-9-]{1,30}$, which is also
// safe as the name of a file.
func validAppID(id string) bool {
	if len(id) < 2 || len(id) > 31 || id[0] < 'a' || id[0] > 'z' {
		return false
	}
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return true
}
