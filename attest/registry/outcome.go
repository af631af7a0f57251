package registry

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
)

// outcome is one verdict as the statistics see it. Where a text comes from the
// phone it is bounded when it is counted, and not before.
type outcome struct {
	at         time.Time
	operation  string // attest.OperationRegister or attest.OperationRequest
	platform   string // "android", "apple", or empty
	model      string
	source     string // of the model: fromAttested ...; empty: there is none
	maker      string // the manufacturer that an attested model begins with
	os         string
	appVersion string
	country    string // as the backend gave it
	stage      attest.Staged
	findings   []attest.Finding
	exceptions []string // ids of those that were used
	accepted   bool     // the verdict accepts
	allowed    bool     // the decision is Allow
	account    account.ID
	unsigned   bool   // of a request: nobody has signed it, so it is anybody's doing
	unrecorded bool   // it is not in the audit record, though it is refused
	batch      string // hex; the factory batch key of a chain that verified
}

// Where a model comes from.
const (
	fromAttested = "attested" // the key store says so
	fromClaimed  = "claimed"  // the phone says so, and nobody vouches for it
)

// The verdicts as statistics have them.
const (
	verdictAccept    = "accept"
	verdictReject    = "reject"     // and denied
	verdictWouldDeny = "would_deny" // the verdict rejects; the rollout only observes, and let it pass
)

// verdict is the outcome's in one word. What is true counts, not what was done
// about it, except that a rejection that let somebody in says so.
func (o *outcome) verdict() string {
	switch {
	case o.accepted:
		return verdictAccept
	case o.allowed:
		return verdictWouldDeny
	}
	return verdictReject
}

// judged fills in what a verdict says: findings, exceptions, whether it
// accepts, and what the evidence attests of the phone. Claims that nobody
// vouches for count as claimed, and those of a request not at all: its key says
// more, and whoever knows a key's id can send any assertion.
func (o *outcome) judged(v attest.Verdict) {
	o.findings, o.exceptions, o.accepted = v.Findings, v.Exceptions, v.Accept()
	c, source := v.Claims, fromAttested
	if c == nil && o.operation != attest.OperationRequest {
		c, source = v.UnverifiedClaims, fromClaimed
	}
	if c == nil {
		if v.Tier == attest.TierNone { // signed by nobody knows whom: the key is a claim
			if o.batch = ""; o.source != "" {
				o.source = fromClaimed
			}
		}
		return
	}
	o.platform = c.Platform
	switch {
	case c.Android != nil:
		if o.model = model(c.Android.Device); o.model != "" {
			o.source = source
			if m := c.Android.Device.Manufacturer; m != nil {
				o.maker = *m
			}
		}
		o.os = c.Android.OSVersion
		if !v.Has("android.app_package") && !v.Has("android.app_signer") { // else it is another app's
			o.appVersion = versionCode(c.Android.App)
		}
		if v.Claims != nil && v.Provisioning == "factory" && len(v.Chain) > 1 {
			o.batch = v.Chain[1].SPKISHA256 // a batch of remote provisioning is one phone
		}
	case c.Apple != nil:
		if c.Apple.OSVersion != "" { // an assertion says nothing of it
			o.os = c.Apple.OSVersion
		}
		if b := c.Apple.BundleVersion; b != nil {
			o.appVersion = *b
		}
	}
	if v.Claims == nil && o.os+o.appVersion != "" {
		o.source = fromClaimed
	}
}

// claims fills in what the phone says of itself and the evidence does not. Of a
// phone whose model is attested nothing is taken from claims.
func (o *outcome) claims(model, os, appVersion string) {
	if o.source == fromAttested {
		return
	}
	for _, x := range []struct {
		to   *string
		from string
	}{{&o.model, model}, {&o.os, os}, {&o.appVersion, appVersion}} {
		if *x.to == "" && x.from != "" {
			*x.to, o.source = x.from, fromClaimed
		}
	}
}

// signed fills in what is known of the key of a request.
func (o *outcome) signed(k Key) {
	o.platform, o.os, o.account = k.Platform, k.OS, k.Account
	if o.model = k.Model; k.Model != "" {
		o.source = fromAttested
	} else if k.Provisioning == "factory" {
		o.batch = hex.EncodeToString(k.Batch)
	}
}

// versionCode is the attested version code of the app; empty: not attested.
func versionCode(a *android.ApplicationID) string {
	if a == nil || len(a.PackageInfos) == 0 {
		return ""
	}
	return strconv.FormatUint(a.PackageInfos[0].Version, 10)
}
