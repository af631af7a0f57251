package attest

import (
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/internal/der"
)

// maxPatchLead is how far ahead of now a patch level may lie.
const maxPatchLead = 31 * 24 * time.Hour

// android verifies a bare chain or an android-key object and appraises it.
func (a *appraisal) android(cache *android.Cache) error {
	opts := &android.Options{
		Roots: a.p.androidRoots, Status: a.want.Status, Cache: cache,
		DangerousNoStatus: a.want.Status == nil, // android.status_unavailable says so
	}
	var result *android.Attestation
	var err error
	var notChecked bool
	if a.ev.Format == FormatAndroidChain {
		opts.Challenge = a.want.Challenge
		opts.DangerousAnyChallenge = a.want.Challenge == nil // common.challenge_not_checked says so
		notChecked = opts.DangerousAnyChallenge
		result, err = android.Verify(a.ev.Chain, opts, a.now)
	} else {
		hash := a.want.clientDataHash(false)
		opts.DangerousAnyChallenge = hash == nil
		notChecked = hash == nil
		result, err = android.VerifyObject(a.ev.Object, hash, opts, a.now)
	}
	var failure *android.Failure
	if errors.As(err, &failure) {
		result = failure.Unverified
	} else if err != nil {
		return notReadable(err)
	}
	a.verdict.Provisioning = string(result.Provisioning)
	a.verdict.Chain, a.verdict.Extended = androidChain(result), result.Extended() > 0
	claims := androidClaims(result)
	if err := a.chooseApp(func(app *appPolicy) bool { return app.android.names(result) }); err != nil {
		return err
	}
	if failure == nil && !a.want.boundToChallenge() {
		failure = &android.Failure{Code: android.CodeChallengeMismatch, Position: -1, Detail: "the client data's challenge is another one"}
	}
	if failure != nil {
		a.hard(failure.Position, androidCode(failure.Code), failure.Detail, claims)
	} else {
		a.appraiseAndroid(result, notChecked)
		a.conclude(claims)
	}
	return nil
}

// androidCode is the code of the table for a Failure's.
func androidCode(code string) string {
	if code == android.CodeChallengeMismatch {
		return "common." + code
	}
	return "android." + code
}

// names reports whether one of the app's packages is in the evidence.
func (app *androidApp) names(a *android.Attestation) bool {
	if app == nil || a.Description == nil || a.Description.SoftwareEnforced.AttestationApplicationID == nil {
		return false
	}
	for _, info := range a.Description.SoftwareEnforced.AttestationApplicationID.PackageInfos {
		for _, p := range app.packages {
			if p.name == info.PackageName {
				return true
			}
		}
	}
	return false
}

// appraiseAndroid holds verified facts against the policy, in order.
func (a *appraisal) appraiseAndroid(r *android.Attestation, challengeNotChecked bool) {
	app := a.app.android
	if app == nil {
		a.find("common.platform_refused", Reject, "app %q has no [app.android]", a.app.id)
		return
	}
	for _, d := range r.Deviations {
		a.appraiseDeviation(r, d)
	}
	a.appraiseStatus(r)
	if challengeNotChecked {
		a.find("common.challenge_not_checked", Note, "no challenge was given")
	}
	a.appraiseDescription(r)
	a.appraiseLevel(r)
	a.appraiseKey(r)
	a.appraiseBoot(r)
	if a.p.genuine != nil {
		a.find("common.app_not_checked", Note, "no policy names the app that may have made the key")
	}
	a.appraisePackages(r)
	a.appraiseVersions(r)
	if len(app.rpIDHashes) > 0 && r.RPIDHash != nil && !app.rpIDHashes[[32]byte(r.RPIDHash)] {
		a.find("android.rp_id", Reject, "rpIdHash %x is that of no rp_ids", r.RPIDHash)
	}
	if r.Provisioning == android.Unprovisioned {
		a.findAt(r.Root-1, "android.provisioning_unknown", Warn, "the certificate under the root names no way of provisioning")
	}
	if r.InfoUnreadable {
		a.findAt(1, "android.rkp_info_unreadable", Note, "provisioning info of the batch certificate")
	}
	a.holdAndroid(r)
	a.appraiseRisk()
}

// appraiseStatus judges the revocation list itself, and what it says beside
// REVOKED, which verification has dealt with.
func (a *appraisal) appraiseStatus(r *android.Attestation) {
	list, rule := a.want.Status, a.p.revocation
	if list == nil {
		effect := Reject
		if a.p.genuine != nil {
			effect = Note
		}
		a.find("android.status_unavailable", effect, "no revocation list was given")
		return
	}
	// A list from the future has no age that anybody knows: one of the clocks is
	// wrong by as much as that. As an age it would never end.
	if age := list.Age(a.now); a.p.genuine == nil && age.Abs() > rule.warnAge {
		effect := Warn
		if age.Abs() > rule.maxAge {
			effect = Reject
		}
		text := "the revocation list is %s old"
		if age < 0 {
			text = "the revocation list was fetched %s from now: a clock is wrong"
		}
		a.find("android.status_stale", effect, text, age.Abs().Round(time.Minute))
	}
	for _, l := range r.Listed {
		if l.Status == android.StatusSuspended {
			a.findAt(l.Position, "android.suspended", rule.suspended, "serial %s is SUSPENDED", r.Chain[l.Position].Serial())
		} else {
			a.findAt(l.Position, "android.status_value", Warn, "serial %s is %q", r.Chain[l.Position].Serial(), l.Status)
		}
	}
}

// appraiseDeviation: the profile says which deviations reject, and an exception
// may say otherwise for a known class of phones.
func (a *appraisal) appraiseDeviation(r *android.Attestation, d android.Deviation) {
	code := "android." + string(d.Check)
	if !a.app.android.rejects(d.Check) {
		a.findAt(d.Position, code, Note, "%s", d.Detail)
		return
	}
	var used *exception
	for i := range a.p.exceptions {
		x := &a.p.exceptions[i]
		why := x.misfit(a.app.id, d, r)
		if why != "" {
			a.trace(i, d, why)
			continue
		}
		if why = x.inactive(a.now, a.want.UsesLeft); why != "" {
			a.trace(i, d, why)
			a.findAt(d.Position, "common.exception_inactive", Note, "%s: %s", x.ID, why)
			continue
		}
		a.trace(i, d, "")
		used = x
		break
	}
	if used == nil {
		a.findAt(d.Position, code, Reject, "%s", d.Detail)
		return
	}
	a.findAt(d.Position, code, Note, "%s", d.Detail)
	a.findAt(d.Position, "common.exception_used", Note, "%s (%s, %s)", used.ID, used.Owner, used.Ticket)
	a.verdict.Exceptions = append(a.verdict.Exceptions, used.ID)
}

// rejects reports whether the profile rejects a deviation that no exception
// relaxes.
func (app *androidApp) rejects(check android.Check) bool {
	return app.profile != ProfileGoogle || check == android.CheckIssuerName || check == android.CheckRootMissing
}

// appraiseDescription notes what of the description could not be read as the
// schema has it.
func (a *appraisal) appraiseDescription(r *android.Attestation) {
	d := r.Description
	if len(d.Encodings) > 0 {
		a.findAt(0, "android.kd_encoding", Note, "%s", strings.Join(d.Encodings, ", "))
	}
	var unusable, unknown []string
	for _, l := range []*android.AuthorizationList{&d.SoftwareEnforced, &d.HardwareEnforced} {
		for _, u := range l.Unknown {
			if u.Name != "" {
				unusable = append(unusable, u.Name)
			} else {
				unknown = append(unknown, tagText(u.Tag))
			}
		}
	}
	if len(unusable) > 0 {
		a.findAt(0, "android.kd_field_unusable", Note, "%s", abridged(unusable))
	}
	if len(unknown) > 0 {
		a.findAt(0, "android.kd_unknown_tag", Note, "%s", abridged(unknown))
	}
	if !d.KnownVersion() {
		a.findAt(0, "android.kd_version_unknown", Note, "attestation version %d", d.AttestationVersion)
	}
}

// appraiseLevel: both levels equal and in hardware, proven by the chain where
// it states one, and high enough.
func (a *appraisal) appraiseLevel(r *android.Attestation) {
	d := r.Description
	level := d.Level()
	if level == android.Software {
		a.find("android.level_software", Reject, "attestation %s, key %s", d.AttestationSecurityLevel, d.KeyMintSecurityLevel)
	}
	if d.AttestationSecurityLevel != d.KeyMintSecurityLevel {
		a.find("android.level_mismatch", Reject, "attestation %s, key %s", d.AttestationSecurityLevel, d.KeyMintSecurityLevel)
	}
	chain, stated := r.ChainLevel()
	if level == android.StrongBox && (!stated || chain != android.StrongBox) || level == android.TrustedEnvironment && stated && chain != android.TrustedEnvironment {
		of := "no level"
		if stated {
			of = chain.String()
		}
		a.findAt(1, "android.level_unproven", Reject, "the key claims %s, its chain is for %s", level, of)
	}
	if level < a.app.android.minLevel {
		a.find("android.level_too_low", Reject, "%s, below %s", level, a.app.android.minLevel)
	}
}

// appraiseKey: made here, to sign and not to attest, for one app.
func (a *appraisal) appraiseKey(r *android.Attestation) {
	hw, sw := &r.Description.HardwareEnforced, &r.Description.SoftwareEnforced
	if hw.Origin == nil {
		a.find("android.origin", Reject, "the hardware states no origin")
	} else if origin := android.Origin(*hw.Origin); origin != android.Generated {
		a.find("android.origin", Reject, "origin %s", origin)
	}
	sign, attestKey := false, false
	for _, purpose := range hw.Purpose {
		sign = sign || purpose == android.PurposeSign
		attestKey = attestKey || purpose == android.PurposeAttestKey
	}
	if !sign || attestKey {
		a.find("android.purpose", a.judged(), "purposes %v", hw.Purpose)
	}
	if hw.AllApplications || sw.AllApplications {
		a.find("android.all_applications", a.judged(), "tag 600 is present")
	}
}

// appraiseBoot judges the root of trust, from the hardware list only.
func (a *appraisal) appraiseBoot(r *android.Attestation) {
	root := r.Description.HardwareEnforced.RootOfTrust
	if root == nil {
		a.find("android.boot_missing", a.judged(), "no rootOfTrust in hardwareEnforced")
		return
	}
	app := a.app.android
	effect := a.judged()
	if app.boot == "dangerous_any" {
		effect = Warn
	}
	if !root.DeviceLocked {
		a.find("android.boot_unlocked", effect, "deviceLocked is false")
	}
	zero := subtle.ConstantTimeCompare(root.VerifiedBootKey, make([]byte, len(root.VerifiedBootKey))) == 1
	key := hex.EncodeToString(root.VerifiedBootKey)
	switch {
	case root.VerifiedBootState == android.Verified:
		if zero {
			a.find("android.boot_key_zero", Warn, "verifiedBootKey is %d zero bytes", len(root.VerifiedBootKey))
		}
	case app.boot == "listed" && root.VerifiedBootState == android.SelfSigned &&
		root.DeviceLocked && len(root.VerifiedBootKey) == 32 && !zero && app.bootKeys[key]:
	default:
		a.find("android.boot_state", effect, "%s, boot key %s", root.VerifiedBootState, key)
	}
}

// androidChain describes the certificates as they were sent.
func androidChain(a *android.Attestation) []Certificate {
	chain := make([]Certificate, 0, len(a.Chain))
	for _, c := range a.Chain {
		spki := c.SPKISHA256()
		chain = append(chain, Certificate{
			der.FormatName(c.Subject), c.Serial(), timeOrNil(c.NotBefore), timeOrNil(c.NotAfter), hex.EncodeToString(spki[:]),
		})
	}
	return chain
}
