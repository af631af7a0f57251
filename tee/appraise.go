package tee

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ahead is how far a signed time may be ahead of ours.
const ahead = 5 * time.Minute

// Appraise compares claims with the policy and the exact bytes of the binding,
// and lists everything that it finds.
func (p *Policy) Appraise(c *Claims, binding []byte, now time.Time) Verdict {
	var v Verdict
	if !reportsData(c, binding) {
		v.find(CodeReportData, false, "the report was made for another binding")
	}
	p.measure(&v, c, now)
	if p.tooOld(c.Signed, now) {
		v.find(CodeTooOld, false, "signed at "+c.Signed.UTC().Format(time.RFC3339))
	}
	switch {
	case c.Level < LevelVTPM:
		v.find(CodeProcess, p.AllowProcess && c.Level == LevelProcess, "an ordinary process, NOT a TEE")
	case c.Level == LevelVTPM:
		v.find(CodeVTPM, p.AllowVTPM, "measured boot: whoever runs the machine runs the TPM")
	}
	if c.Debug {
		v.find(CodeDebug, p.AllowDebugEnclave, "a debug enclave: its memory can be read")
	}
	p.floors(&v, c)
	p.vendor(&v, c, now)
	p.flags(&v, c)
	v.settle()
	return v
}

// reportsData compares all of the field: SHA-256 of the binding, then zeros
// where the platform's field has 64 bytes.
func reportsData(c *Claims, binding []byte) bool {
	sum := sha256.Sum256(binding)
	want := sum[:]
	if slices.Contains([]string{PlatformSEVSNP, PlatformTDX, PlatformSGX}, c.Platform) {
		want = append(want, make([]byte, 32)...)
	}
	return subtle.ConstantTimeCompare(c.ReportData, want) == 1
}

// measure finds the entry for the program: in its time, and proved to be in the
// log if it says that it is there.
func (p *Policy) measure(v *Verdict, c *Claims, now time.Time) {
	expired, unlogged := false, false
	for i := range p.Measurements {
		m := &p.Measurements[i]
		switch {
		case !m.matches(c):
		case now.Before(m.NotBefore) || !m.NotAfter.IsZero() && !now.Before(m.NotAfter):
			expired = true
		case m.LogIndex != nil && (p.Logged == nil || !p.Logged(*m)):
			unlogged = true
		default:
			v.Entry = m
			return
		}
	}
	switch {
	case unlogged:
		v.find(CodeNotLogged, false, "the entry names a log index, and no proof that it is there has come")
	case expired:
		v.find(CodeMeasurementExpired, false, "the program is listed for another time")
	default:
		v.find(CodeMeasurementUnknown, false, "no entry of the vault set names this program")
	}
}

func (m *Measurement) matches(c *Claims) bool {
	if m.Platform != c.Platform || !m.mandatory() {
		return false
	}
	for name, want := range m.Values {
		if got, ok := c.Measurements[name]; !ok || !bytes.Equal(got, want) {
			return false
		}
	}
	return true
}

func (p *Policy) tooOld(signed, now time.Time) bool {
	if signed.IsZero() {
		return false
	}
	limit := maxAge
	if p.MaxAge > 0 {
		limit = min(p.MaxAge, maxAge)
	}
	return now.Sub(signed) > limit || signed.Sub(now) > ahead
}

// floors wants each named part of the TCB to be at least as new as the higher
// of both floors. A part that the claims do not have is below any floor.
func (p *Policy) floors(v *Verdict, c *Claims) {
	floors := map[string]uint64{}
	raise := func(more map[string]uint64) {
		for name, n := range more {
			floors[name] = max(floors[name], n)
		}
	}
	raise(p.Floors)
	if v.Entry != nil {
		raise(v.Entry.Floor)
	}
	var below []string
	for name, floor := range floors {
		if got, ok := c.TCB[name]; !ok || got < floor {
			below = append(below, fmt.Sprintf("%s is %d, the least is %d", name, got, floor))
		}
	}
	if len(below) > 0 {
		slices.Sort(below)
		v.find(CodeTCBBelowFloor, false, strings.Join(below, "; "))
	}
}

// vendor judges what the vendors say of the machine: Intel a status, and all
// but AWS a list of what is revoked.
func (p *Policy) vendor(v *Verdict, c *Claims, now time.Time) {
	if c.Platform == PlatformTDX || c.Platform == PlatformSGX {
		switch {
		case c.TCBStatus == "":
			v.find(CodeTCBUnknown, false, "no collateral tells the status of this machine")
		case c.TCBStatus != "UpToDate" && !slices.Contains(p.AcceptTCB, c.TCBStatus):
			v.find(CodeTCBStatus, false, c.TCBStatus)
		case slices.ContainsFunc(c.Advisories, func(a string) bool { return !slices.Contains(p.AcceptAdvisories, a) }):
			v.find(CodeTCBStatus, false, c.TCBStatus+" with "+strings.Join(c.Advisories, ", "))
		}
	}
	if !slices.Contains([]string{PlatformSEVSNP, PlatformTDX, PlatformSGX}, c.Platform) {
		return
	}
	limit := p.CollateralMaxAge
	if limit <= 0 {
		limit = 30 * 24 * time.Hour
	}
	switch {
	case c.CollateralAt.IsZero():
		v.find(CodeCollateral, p.AllowNoCollateral, "no collateral came along: nobody knows what is revoked")
	case now.Sub(c.CollateralAt) > limit:
		v.find(CodeCollateral, false, "the collateral is of "+c.CollateralAt.UTC().Format(time.DateOnly))
	}
}

func (p *Policy) flags(v *Verdict, c *Claims) {
	for _, flag := range c.Flags {
		switch {
		case flag == "migratable":
			v.find(CodeMigratable, p.AllowMigratable, "a migration agent can take the memory")
		case strings.HasPrefix(flag, "vmpl=") && flag != "vmpl=0":
			v.find(CodeVMPL, p.AllowLowerVMPL, flag)
		case flag == "sept-ve":
			v.find(CodeSEPTVE, p.AllowSEPTVE, "the host can inject faults")
		case flag == "provision-key" || flag == "launch-key":
			v.find(CodeKeyAccess, p.AllowKeyAccess, flag)
		}
	}
}
