package attest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/android"
)

// relaxable says at which positions an exception may relax a check, and
// whether only for factory chains. What is not in it can never be relaxed.
func relaxable(check android.Check) (positions []int, factoryOnly bool) {
	switch check {
	case android.CheckLeafValidity, android.CheckIssuerName:
		return []int{0}, false
	case android.CheckCertExpired:
		return []int{1, 2}, true
	case android.CheckCABit, android.CheckKeyCertSign:
		return []int{1}, true
	case android.CheckPathLength:
		return []int{2}, true
	case android.CheckCriticalExtension, android.CheckCertEncoding:
		return []int{0, 1, 2, 3}, false // any below the root
	case android.CheckRootMissing:
		return []int{3, 4}, false // the root's
	}
	return nil, false
}

// Relaxable reports whether a policy can have an exception for a finding of this
// code at this position of the chain, and whether for factory chains only.
func Relaxable(code string, position int) (ok, factoryOnly bool) {
	check, isAndroid := strings.CutPrefix(code, "android.")
	if !isAndroid {
		return false, false
	}
	positions, factoryOnly := relaxable(android.Check(check))
	return slices.Contains(positions, position), factoryOnly
}

// exception is Exception, parsed.
type exception struct {
	*Exception
	batchSPKI, bootKeys map[string]bool // hex
}

func (c *policyChecker) exception(f *PolicyFile, e *Exception, key string) exception {
	x := exception{Exception: e}
	for name, value := range map[string]string{"id": e.ID, "owner": e.Owner, "ticket": e.Ticket, "reason": e.Reason} {
		if strings.TrimSpace(value) == "" {
			c.fail(key+"."+name, "empty; somebody must answer for an exception")
		}
	}
	if !isExceptionID.MatchString(e.ID) {
		c.fail(key+".id", "%q is no id: 1 to 64 letters, digits, . _ and -", e.ID)
	}
	if countID(f, e.ID) > 1 {
		c.fail(key+".id", "%q occurs twice", e.ID)
	}
	c.some(key+".apps", len(e.Apps))
	for _, id := range e.Apps {
		if !slices.ContainsFunc(f.App, func(a AppFile) bool { return a.ID == id }) {
			c.fail(key+".apps", "there is no [[app]] with id %q", id)
		}
	}
	positions, _ := relaxable(android.Check(e.Check))
	if positions == nil {
		c.fail(key+".check", "%q is no check that an exception can relax", e.Check)
	} else if !slices.Contains(positions, e.Position) {
		c.fail(key+".position", "%d; %s can be relaxed at %s", e.Position, e.Check, strings.Trim(fmt.Sprint(positions), "[]"))
	}
	switch {
	case !e.Expires.After(e.NotBefore):
		c.fail(key+".expires", "not after not_before")
	case e.Expires.Sub(e.NotBefore) > maxExceptionLife:
		c.fail(key+".expires", "more than 400 days after not_before")
	}
	if e.MaxUsesPerDay < 0 {
		c.fail(key+".max_uses_per_day", "negative")
	}
	c.match(&x, key+".match")
	return x
}

// isExceptionID is the form of an exception's id, which findings, counters and
// reports quote.
var isExceptionID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func countID(f *PolicyFile, id string) (n int) {
	for _, e := range f.Exception {
		if e.ID == id {
			n++
		}
	}
	return n
}

func (c *policyChecker) match(x *exception, key string) {
	m := x.Match
	if m == nil || len(m.Models)+len(m.BatchSPKI)+len(m.BootKeys) == 0 {
		c.fail(key, "names no device class: at least one of models, batch_spki and boot_keys is required")
		return
	}
	for i, model := range m.Models {
		if model.Manufacturer == "" || model.Model == "" {
			c.fail(fmt.Sprintf("%s.models[%d]", key, i), "manufacturer and model must not be empty")
		}
	}
	x.batchSPKI = c.hexSet(key+".batch_spki", m.BatchSPKI, sha256.Size)
	x.bootKeys = c.hexSet(key+".boot_keys", m.BootKeys, 0)
}

// misfit says why the exception is not for this deviation of this phone, or "":
// by attested facts only, whatever the phone says of itself elsewhere.
func (x *exception) misfit(app string, d android.Deviation, a *android.Attestation) string {
	if x.Check != string(d.Check) {
		return "is for another check, " + x.Check
	}
	if x.Position != d.Position {
		return "is for another position"
	}
	if !slices.Contains(x.Apps, app) {
		return "is for other apps"
	}
	if _, factoryOnly := relaxable(d.Check); factoryOnly && a.Provisioning != android.Factory {
		return "can relax this check in factory chains only"
	}
	hw := &a.Description.HardwareEnforced
	m := x.Match
	if len(m.Models) > 0 && !slices.ContainsFunc(m.Models, func(model ModelFile) bool {
		return text(hw.AttestationIDManufacturer) == model.Manufacturer && text(hw.AttestationIDModel) == model.Model
	}) {
		if hw.AttestationIDModel == nil {
			return "is for models, and the hardware attests none; what the phone says elsewhere does not count"
		}
		return "is for other models than the attested one"
	}
	batch := a.Batch().SPKISHA256()
	if len(m.BatchSPKI) > 0 && !x.batchSPKI[hex.EncodeToString(batch[:])] {
		return "is for other batch keys"
	}
	if len(m.BootKeys) > 0 && (hw.RootOfTrust == nil || !x.bootKeys[hex.EncodeToString(hw.RootOfTrust.VerifiedBootKey)]) {
		return "is for other boot keys"
	}
	if len(m.AttestationVersions) > 0 && !slices.Contains(m.AttestationVersions, a.Description.AttestationVersion) {
		return "is for other attestation versions"
	}
	return ""
}

// inactive says why an exception does nothing now, or "".
func (x *exception) inactive(now time.Time, usesLeft func(string) int) string {
	switch {
	case now.Before(x.NotBefore):
		return "begins on " + x.NotBefore.UTC().Format(time.RFC3339)
	case !now.Before(x.Expires):
		return "expired on " + x.Expires.UTC().Format(time.RFC3339)
	case x.MaxUsesPerDay > 0 && usesLeft != nil && usesLeft(x.ID) <= 0:
		return fmt.Sprintf("its %d uses of today are spent", x.MaxUsesPerDay)
	}
	return ""
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
