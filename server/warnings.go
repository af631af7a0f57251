package server

import (
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/config"
)

// Check reports what is wrong with the files that cfg names, without opening a
// store or listening; the error joins all of it. The warnings are about what
// is in order and may surprise at now: a server starts with it, and logs them.
func Check(cfg *config.Config, now time.Time) (warnings []*config.Error, err error) {
	l, err := load(cfg, false, now)
	return l.warnings, err
}

func (l *loaded) warn(err error) {
	var e *config.Error
	if errors.As(err, &e) {
		l.warnings = append(l.warnings, e)
	}
}

// warnPolicy collects what the policy holds and does not do.
func (l *loaded) warnPolicy(now time.Time) {
	for _, w := range l.policy.Warnings(now) {
		l.warn(l.inPolicy(w.Key, w.Reason))
	}
}

// warnStatus tells when the revocation list, or that there is none, makes the
// verdict of every Android phone.
func (l *loaded) warnStatus(cfg *config.Config, now time.Time) {
	warnAge, maxAge, matters := l.policy.RevocationAges()
	if !matters {
		return
	}
	key, file := "attest.status_list_file", cfg.Attest.StatusListFile
	if cfg.Attest.StatusListURL != "" {
		key, file = "attest.status_list_url", keptList(cfg.DataDir)
	}
	switch {
	case l.status != nil:
	case cfg.Attest.StatusListURL != "":
		l.warn(cfg.Wrong(key, "no revocation list has been downloaded yet: every Android phone is refused until the server has"))
		return
	default:
		l.warn(cfg.Wrong(key, "no revocation list: every Android phone is refused"))
		return
	}
	age := l.status.Age(now).Abs() // from the future: as attest judges it
	about := fmt.Sprintf("%s: %d entries, %s old", file, l.status.Len(), age.Round(time.Second))
	switch {
	case age > maxAge:
		l.warn(cfg.Wrong(key, "%s, above max_age of the policy, %s: every Android phone is refused", about, maxAge))
	case age > warnAge:
		l.warn(cfg.Wrong(key, "%s, above warn_age of the policy, %s: every Android phone gets a warning", about, warnAge))
	}
}

// logLoaded tells the operator what has just been loaded.
func (s *Server) logLoaded(l *loaded) {
	for _, w := range l.warnings {
		s.log.Warn("configuration", "file", w.File, "line", w.Line, "key", w.Key, "warning", w.Reason)
	}
	if l.status != nil {
		s.log.Info("revocation list", "entries", l.status.Len(), "age", l.status.Age(s.now()).Round(time.Second))
	}
}
