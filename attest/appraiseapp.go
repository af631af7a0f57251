package attest

import (
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"github.com/staunchid/staunch/attest/android"
)

// appraisePackages: one of our packages made the key, signed by our signers
// only, and nobody else shares its user ID.
func (a *appraisal) appraisePackages(r *android.Attestation) {
	id := r.Description.SoftwareEnforced.AttestationApplicationID
	if id == nil {
		a.find("android.app_missing", a.judged(), "no attestationApplicationId")
		return
	}
	if id.Placeholder() {
		a.find("android.app_missing", a.judged(), "the key store could not ask the system for the app")
		return
	}
	if a.p.genuine != nil {
		return
	}
	for _, f := range a.app.android.judgePackages(id) {
		a.find(f.code, Reject, "%s", f.why)
	}
}

// misfit is one thing that an entry of packages does not allow.
type misfit struct{ code, why string }

// judgePackages returns what is wrong with the app, by the entry that fits it
// best; nothing if one fits.
func (app *androidApp) judgePackages(id *android.ApplicationID) (best []misfit) {
	versions := make(map[string]uint64, len(id.PackageInfos))
	for _, info := range id.PackageInfos {
		versions[info.PackageName] = info.Version
	}
	best = []misfit{{"android.app_package", "made by " + packageNames(id)}}
	named := false
	for i := range app.packages {
		p := &app.packages[i]
		version, ok := versions[p.name]
		if !ok {
			continue
		}
		var wrong []misfit
		if foreign := p.foreignSigner(id); foreign != "" {
			wrong = append(wrong, misfit{"android.app_signer", p.name + " is signed by " + foreign})
		}
		if other := app.foreignPackage(p, id); other != "" {
			wrong = append(wrong, misfit{"android.app_package", other + " shares the user ID of " + p.name})
		}
		if version < p.minVersionCode {
			wrong = append(wrong, misfit{"android.app_version", fmt.Sprintf("%s has version code %d, below %d", p.name, version, p.minVersionCode)})
		}
		if !named || len(wrong) < len(best) {
			best, named = wrong, true
		}
	}
	return best
}

// foreignSigner returns a signer that is not the package's, or "none" if there
// is no signer at all.
func (p *packagePolicy) foreignSigner(id *android.ApplicationID) string {
	if len(id.SignatureDigests) == 0 {
		return "none"
	}
	for _, digest := range id.SignatureDigests {
		if text := hex.EncodeToString(digest); !p.signers[text] {
			return text
		}
	}
	return ""
}

// foreignPackage returns a package beside p that is not one of ours under the
// same signers.
func (app *androidApp) foreignPackage(p *packagePolicy, id *android.ApplicationID) string {
	if p.sharedUID {
		return ""
	}
next:
	for _, info := range id.PackageInfos {
		for i := range app.packages {
			if q := &app.packages[i]; q.name == info.PackageName && maps.Equal(q.signers, p.signers) {
				continue next
			}
		}
		return info.PackageName
	}
	return ""
}

func packageNames(id *android.ApplicationID) string {
	var names []string
	for _, info := range id.PackageInfos {
		names = append(names, info.PackageName)
	}
	return abridged(names)
}

// appraiseVersions judges system version and patch levels.
func (a *appraisal) appraiseVersions(r *android.Attestation) {
	hw, app := &r.Description.HardwareEnforced, a.app.android
	if app.minOSVersion > 0 {
		if hw.OSVersion == nil {
			a.find("android.os_version", Reject, "the hardware states no version")
		} else if *hw.OSVersion < app.minOSVersion {
			a.find("android.os_version", Reject, "version %d is below %d", *hw.OSVersion, app.minOSVersion)
		}
	}
	for i, l := range [...]struct {
		name  string
		value *uint64
	}{{"os", hw.OSPatchLevel}, {"vendor", hw.VendorPatchLevel}, {"boot", hw.BootPatchLevel}} {
		a.appraisePatch(l.name, l.value, app.floors[i], i == 0)
	}
}

func (a *appraisal) appraisePatch(name string, value *uint64, floor *android.PatchLevel, aged bool) {
	maxAge := a.app.android.patchMaxAge
	var level android.PatchLevel
	ok := false
	if value != nil {
		level, ok = android.ParsePatchLevel(*value)
	}
	if !ok {
		if floor != nil || aged && maxAge > 0 {
			a.find("android.patch_missing", Reject, "no usable %s patch level", name)
		}
		return
	}
	switch {
	case floor != nil && level.Before(*floor):
		a.find("android.patch_old", Reject, "%s patch level %s is below %s", name, level, floor)
	case aged && maxAge > 0 && a.now.Sub(level.Time()) > maxAge:
		a.find("android.patch_old", Reject, "%s patch level %s is older than %s", name, level, maxAge)
	}
	if level.Time().Sub(a.now) > maxPatchLead {
		a.find("android.patch_future", Warn, "%s patch level %s", name, level)
	}
}

func tagText(number uint32) string { return fmt.Sprintf("tag %d", number) }

// abridged joins names for a detail, the first ten of them.
func abridged(names []string) string {
	if len(names) > 10 {
		names = append(names[:10:10], fmt.Sprintf("and %d more", len(names)-10))
	}
	return strings.Join(names, ", ")
}
