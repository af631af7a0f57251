package tee_test

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/tee"
)

var (
	now     = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	binding = []byte("the binding")
)

func digest(size int) []byte {
	sum := sha256.Sum256(binding)
	return append(sum[:], make([]byte, size-32)...)
}

// platforms has one good case each: claims, and the policy that affirms them,
// or warns where the platform is allowed only with a warning.
func platforms() map[string]func() (*tee.Claims, *tee.Policy) {
	entry := func(platform string, names ...string) (map[string][]byte, tee.Measurement) {
		values := map[string][]byte{}
		for i, n := range names {
			values[n] = []byte{byte(i + 1)}
		}
		named := map[string][]byte{}
		for n, v := range values {
			named[n] = v
		}
		return values, tee.Measurement{Platform: platform, Values: named, NotBefore: now.Add(-time.Hour)}
	}
	one := func(platform string, level tee.Level, data int, names ...string) func() (*tee.Claims, *tee.Policy) {
		return func() (*tee.Claims, *tee.Policy) {
			values, m := entry(platform, names...)
			c := &tee.Claims{Platform: platform, Level: level, Measurements: values, ReportData: digest(data)}
			switch platform {
			case "nitro":
				c.Signed = now.Add(-time.Minute)
			case "tdx", "sgx":
				c.TCBStatus, c.CollateralAt = "UpToDate", now.Add(-time.Hour)
			case "sev-snp":
				c.CollateralAt = now.Add(-time.Hour)
			}
			return c, &tee.Policy{Measurements: []tee.Measurement{m}}
		}
	}
	return map[string]func() (*tee.Claims, *tee.Policy){
		"nitro":   one("nitro", tee.LevelTEE, 32, "pcr0", "pcr1", "pcr2"),
		"sev-snp": one("sev-snp", tee.LevelTEE, 64, "measurement"),
		"tdx":     one("tdx", tee.LevelTEE, 64, "mrtd", "rtmr0", "rtmr1", "rtmr2"),
		"sgx":     one("sgx", tee.LevelTEE, 64, "mrenclave"),
		"tpm":     one("tpm", tee.LevelTEE, 32, "pcr4", "pcr7", "pcr11", "ak_name"), // endorsed by a confidential VM
		"process": one("process", tee.LevelProcess, 32, "sha256"),
	}
}

func TestPlatforms(t *testing.T) {
	for name, good := range platforms() {
		c, p := good()
		p.AllowProcess = name == "process"
		want := tee.TierAffirming
		if name == "process" {
			want = tee.TierWarning
		}
		v := p.Appraise(c, binding, now)
		if v.Tier != want || v.Entry == nil || !v.Accept() {
			t.Errorf("%s: %v %+v, want %v", name, v.Tier, v.Findings, want)
		}
		if v := new(tee.Policy).Appraise(c, binding, now); v.Accept() || !v.Has(tee.CodeMeasurementUnknown) {
			t.Errorf("%s: the zero policy gives %v %+v", name, v.Tier, v.Findings)
		}
		for value := range p.Measurements[0].Values { // each is mandatory
			c, p := good()
			p.AllowProcess = true
			delete(p.Measurements[0].Values, value)
			if v := p.Appraise(c, binding, now); !slices.Contains(v.Refusals(), tee.CodeMeasurementUnknown) {
				t.Errorf("%s: an entry without %s gives %v %+v", name, value, v.Tier, v.Findings)
			}
		}
	}
	if (tee.Verdict{}).Accept() {
		t.Error("the zero verdict accepts")
	}
}

func TestAppraise(t *testing.T) {
	tests := []struct {
		name, platform string
		change         func(*tee.Claims, *tee.Policy)
		code           string
		allow          func(*tee.Policy) // nil: nothing allows it
	}{
		{"another binding", "nitro", func(c *tee.Claims, _ *tee.Policy) { c.ReportData[0] ^= 1 }, tee.CodeReportData, nil},
		{"report data too short", "tdx", func(c *tee.Claims, _ *tee.Policy) { c.ReportData = c.ReportData[:32] }, tee.CodeReportData, nil},
		{"report data not padded with zeros", "sev-snp", func(c *tee.Claims, _ *tee.Policy) { c.ReportData[63] = 1 }, tee.CodeReportData, nil},
		{"another program", "nitro", func(c *tee.Claims, _ *tee.Policy) { c.Measurements["pcr0"] = []byte{9} }, tee.CodeMeasurementUnknown, nil},
		{"a value that the report lacks", "nitro", func(c *tee.Claims, p *tee.Policy) { p.Measurements[0].Values["pcr8"] = []byte{} }, tee.CodeMeasurementUnknown, nil},
		{"another platform", "nitro", func(c *tee.Claims, p *tee.Policy) {
			c.Measurements["mrenclave"] = []byte{9}
			p.Measurements[0].Platform, p.Measurements[0].Values = "sgx", map[string][]byte{"mrenclave": {9}}
		}, tee.CodeMeasurementUnknown, nil},
		{"a platform that is none", "process", func(c *tee.Claims, p *tee.Policy) {
			c.Platform, c.Level = "enigma", tee.LevelTEE
			p.Measurements[0].Platform = "enigma"
		}, tee.CodeMeasurementUnknown, nil},
		{"entry not valid yet", "nitro", func(_ *tee.Claims, p *tee.Policy) { p.Measurements[0].NotBefore = now.Add(1) }, tee.CodeMeasurementExpired, nil},
		{"entry over", "nitro", func(_ *tee.Claims, p *tee.Policy) { p.Measurements[0].NotAfter = now }, tee.CodeMeasurementExpired, nil},
		{"entry with an index", "nitro", func(_ *tee.Claims, p *tee.Policy) { p.Measurements[0].LogIndex = new(uint64) }, tee.CodeNotLogged, nil},
		{"entry that is not in the log", "nitro", func(_ *tee.Claims, p *tee.Policy) {
			p.Measurements[0].LogIndex, p.Logged = new(uint64), func(tee.Measurement) bool { return false }
		}, tee.CodeNotLogged, nil},
		{"signer without a floor", "sgx", func(c *tee.Claims, p *tee.Policy) {
			c.Measurements = map[string][]byte{"mrsigner": {1}, "isvprodid": {2}}
			p.Measurements[0].Values = c.Measurements
		}, tee.CodeMeasurementUnknown, nil},
		{"signed a day ago", "nitro", func(c *tee.Claims, _ *tee.Policy) { c.Signed = now.Add(-24*time.Hour - 1) }, tee.CodeTooOld, nil},
		{"signed longer ago than the policy says", "nitro", func(c *tee.Claims, p *tee.Policy) { c.Signed, p.MaxAge = now.Add(-2*time.Hour), time.Hour }, tee.CodeTooOld, nil},
		{"MaxAge never longer than a day", "nitro", func(c *tee.Claims, p *tee.Policy) {
			c.Signed, p.MaxAge = now.Add(-25*time.Hour), 48*time.Hour
		}, tee.CodeTooOld, nil},
		{"signed in the future", "nitro", func(c *tee.Claims, _ *tee.Policy) { c.Signed = now.Add(5*time.Minute + 1) }, tee.CodeTooOld, nil},
		{"process", "process", func(*tee.Claims, *tee.Policy) {}, tee.CodeProcess, func(p *tee.Policy) { p.AllowProcess = true }},
		{"no level at all", "process", func(c *tee.Claims, p *tee.Policy) { c.Level, p.AllowProcess = tee.LevelNone, true }, tee.CodeProcess, nil},
		{"vTPM", "tpm", func(c *tee.Claims, _ *tee.Policy) { c.Level = tee.LevelVTPM }, tee.CodeVTPM, func(p *tee.Policy) { p.AllowVTPM = true }},
		{"debug", "nitro", func(c *tee.Claims, _ *tee.Policy) { c.Debug = true }, tee.CodeDebug, func(p *tee.Policy) { p.AllowDebugEnclave = true }},
		{"below the entry's floor", "sev-snp", func(c *tee.Claims, p *tee.Policy) {
			c.TCB, p.Measurements[0].Floor = map[string]uint64{"snp": 7}, map[string]uint64{"snp": 8}
		}, tee.CodeTCBBelowFloor, nil},
		{"below the highest seen", "sev-snp", func(c *tee.Claims, p *tee.Policy) {
			c.TCB, p.Floors = map[string]uint64{"snp": 8}, map[string]uint64{"snp": 9}
			p.Measurements[0].Floor = map[string]uint64{"snp": 8}
		}, tee.CodeTCBBelowFloor, nil},
		{"a floor for what is not there", "sev-snp", func(_ *tee.Claims, p *tee.Policy) { p.Floors = map[string]uint64{"ucode": 0} }, tee.CodeTCBBelowFloor, nil},
		{"no status", "tdx", func(c *tee.Claims, _ *tee.Policy) { c.TCBStatus = "" }, tee.CodeTCBUnknown, nil},
		{"a status", "tdx", func(c *tee.Claims, _ *tee.Policy) { c.TCBStatus = "OutOfDate" }, tee.CodeTCBStatus, nil},
		{"an advisory", "sgx", func(c *tee.Claims, _ *tee.Policy) { c.Advisories = []string{"INTEL-SA-1"} }, tee.CodeTCBStatus, nil},
		{"migratable", "sev-snp", func(c *tee.Claims, _ *tee.Policy) { c.Flags = []string{"smt", "migratable"} }, tee.CodeMigratable, func(p *tee.Policy) { p.AllowMigratable = true }},
		{"vmpl", "sev-snp", func(c *tee.Claims, _ *tee.Policy) { c.Flags = []string{"vmpl=1"} }, tee.CodeVMPL, func(p *tee.Policy) { p.AllowLowerVMPL = true }},
		{"sept-ve", "tdx", func(c *tee.Claims, _ *tee.Policy) { c.Flags = []string{"sept-ve"} }, tee.CodeSEPTVE, func(p *tee.Policy) { p.AllowSEPTVE = true }},
		{"key access", "sgx", func(c *tee.Claims, _ *tee.Policy) { c.Flags = []string{"provision-key"} }, tee.CodeKeyAccess, func(p *tee.Policy) { p.AllowKeyAccess = true }},
		{"no collateral", "sev-snp", func(c *tee.Claims, _ *tee.Policy) { c.CollateralAt = time.Time{} }, tee.CodeCollateral, func(p *tee.Policy) { p.AllowNoCollateral = true }},
		{"old collateral", "sgx", func(c *tee.Claims, _ *tee.Policy) { c.CollateralAt = now.Add(-31 * 24 * time.Hour) }, tee.CodeCollateral, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c, p := platforms()[tc.platform]()
			tc.change(c, p)
			v := p.Appraise(c, binding, now)
			if v.Tier != tee.TierContraindicated || !slices.Equal(v.Refusals(), []string{tc.code}) {
				t.Fatalf("%v %+v, want %s and nothing else", v.Tier, v.Findings, tc.code)
			}
			if tc.allow == nil {
				return
			}
			tc.allow(p)
			if v := p.Appraise(c, binding, now); v.Tier != tee.TierWarning || !v.Has(tc.code) {
				t.Errorf("allowed: %v %+v, want a warning with %s", v.Tier, v.Findings, tc.code)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	tests := []struct {
		name, platform string
		change         func(*tee.Claims, *tee.Policy)
	}{
		{"the status is accepted", "tdx", func(c *tee.Claims, p *tee.Policy) {
			c.TCBStatus, c.Advisories = "SWHardeningNeeded", []string{"INTEL-SA-1"}
			p.AcceptTCB, p.AcceptAdvisories = []string{"SWHardeningNeeded"}, []string{"INTEL-SA-1"}
		}},
		{"the entry is in the log", "nitro", func(_ *tee.Claims, p *tee.Policy) {
			p.Measurements[0].LogIndex, p.Logged = new(uint64), func(tee.Measurement) bool { return true }
		}},
		{"the signer, with a floor", "sgx", func(c *tee.Claims, p *tee.Policy) {
			c.Measurements = map[string][]byte{"mrsigner": {1}, "isvprodid": {2}}
			c.TCB = map[string]uint64{"isvsvn": 3}
			p.Measurements[0].Values, p.Measurements[0].Floor = c.Measurements, map[string]uint64{"isvsvn": 3}
		}},
		{"the second entry fits", "nitro", func(_ *tee.Claims, p *tee.Policy) {
			p.Measurements = append([]tee.Measurement{{Platform: "nitro"}}, p.Measurements...)
		}},
	}
	for _, tc := range tests {
		c, p := platforms()[tc.platform]()
		tc.change(c, p)
		if v := p.Appraise(c, binding, now); v.Tier != tee.TierAffirming {
			t.Errorf("%s: %v %+v", tc.name, v.Tier, v.Findings)
		}
	}
}
