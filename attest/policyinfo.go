package attest

import (
	"slices"
	"strconv"
	"time"

	"github.com/staunchid/staunch/attest/android"
)

// AppPolicy is what a service needs to know of one app beyond the verdict.
type AppPolicy struct {
	ID                string
	ChallengeLifetime time.Duration
	MaxKeyAge         time.Duration // an older key is common.key_too_old; 0: never too old

	// RequestAlgorithms are how keys of Android phones may sign requests, by
	// their names in RFC 9421. Empty: they may not. Apple's have one way only.
	RequestAlgorithms []string

	TakesAndroid bool // there is [app.android]; otherwise common.platform_refused
	TakesApple   bool // there is [app.apple]

	AppleAppIDs   []string // "TEAM.bundle"
	CounterWindow int      // Apple's counters; 0: strictly greater, else up to 64
}

// App reports what the policy says of an app; ok is false if it has none of
// that id.
func (p *Policy) App(id string) (app AppPolicy, ok bool) {
	for i := range p.apps {
		a := &p.apps[i]
		if a.id != id {
			continue
		}
		app = AppPolicy{
			ID: id, ChallengeLifetime: a.challengeLifetime, MaxKeyAge: a.maxKeyAge,
			RequestAlgorithms: slices.Clone(p.file.App[i].RequestAlgorithms),
			TakesAndroid:      a.android != nil, TakesApple: a.apple != nil,
		}
		if a.apple != nil {
			app.AppleAppIDs, app.CounterWindow = slices.Clone(a.apple.appIDs), p.file.App[i].Apple.CounterWindow
		}
		return app, true
	}
	return AppPolicy{}, false
}

// AppVersion is the version of the app as the evidence has it: the version code
// of the policy's package on Android, the bundle version from iOS 27 on. Empty:
// it says none, or nobody vouches for it.
func (p *Policy) AppVersion(v Verdict) string {
	switch c := v.Claims; {
	case c == nil:
	case c.Apple != nil && c.Apple.BundleVersion != nil:
		return *c.Apple.BundleVersion
	case c.Android != nil && c.Android.App != nil:
		for i := range p.apps {
			if a := &p.apps[i]; a.id == v.App && a.android != nil {
				return a.android.versionIn(c.Android.App)
			}
		}
	}
	return ""
}

// versionIn is the version code of the first of the app's packages that is there.
func (app *androidApp) versionIn(id *android.ApplicationID) string {
	for i := range app.packages {
		for _, info := range id.PackageInfos {
			if info.PackageName == app.packages[i].name {
				return strconv.FormatUint(info.Version, 10)
			}
		}
	}
	return ""
}

// RequestPolicy is what signed requests are judged by, of all apps. The zero
// RequestPolicy, which has no authority, refuses all of them.
type RequestPolicy struct {
	MaxAge      time.Duration // of created
	FutureSkew  time.Duration // how far created may lie ahead
	Authorities []string      // "@authority" must be one of them: RFC 9421, Section 2.2.3
}

// Request reports what signed requests are judged by.
func (p *Policy) Request() RequestPolicy {
	r := p.request
	r.Authorities = slices.Clone(r.Authorities)
	return r
}

// RevocationAges tells above which age Android's status list warns, and above
// which it rejects. ok is false if no app of the policy takes Android phones,
// so that the list does not matter.
func (p *Policy) RevocationAges() (warn, reject time.Duration, ok bool) {
	for i := range p.apps {
		ok = ok || p.apps[i].android != nil
	}
	return p.revocation.warnAge, p.revocation.maxAge, ok
}
