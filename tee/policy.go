package tee

import "time"

// maxAge is the most that Policy.MaxAge can be.
const maxAge = 24 * time.Hour

// Policy is what a caller accepts. The zero Policy accepts nothing: it lists no
// measurement, and process evidence needs AllowProcess besides.
//
// What a field allows stays in the verdict as a finding, and makes it a warning.
type Policy struct {
	Measurements []Measurement
	MaxAge       time.Duration // of evidence whose platform signs a time; 0, or more than 24 h, is 24 h
	// Floors are the least values of the TCB, by name, besides those of the entry
	// that matches: the higher of both counts. Keep here the highest ever seen.
	Floors map[string]uint64
	// Logged tells whether an entry with a log index was proved to be in the log.
	// nil: none was.
	Logged func(Measurement) bool

	AllowDebugEnclave bool // anybody can read the memory of a debug enclave
	AllowProcess      bool // an ordinary process, NOT a TEE
	AllowVTPM         bool // whoever runs the hypervisor runs the TPM

	AcceptTCB        []string // Intel's words besides UpToDate
	AcceptAdvisories []string // Intel's numbers

	AllowMigratable bool // SNP: a migration agent can take the memory
	AllowLowerVMPL  bool // SNP: not the most privileged level
	AllowSEPTVE     bool // TDX: the host can inject faults
	AllowKeyAccess  bool // SGX: provisioning or launch keys

	CollateralMaxAge  time.Duration // 0 is 30 days
	AllowNoCollateral bool          // nobody knows of revocations, then
}

// Measurement is one program that is accepted: an entry of a vault set.
type Measurement struct {
	Platform  string
	Values    map[string][]byte // every value named must be equal; the mandatory ones must be named
	NotBefore time.Time
	NotAfter  time.Time // zero: no end
	Floor     map[string]uint64
	LogIndex  *uint64 // nil: not logged, the release keys alone vouch for it
}

// mandatory lists what an entry must name, by platform: less would accept
// programs that nobody has meant.
func (m *Measurement) mandatory() bool {
	names := map[string][]string{
		PlatformNitro:   {"pcr0", "pcr1", "pcr2"},
		PlatformSEVSNP:  {"measurement"},
		PlatformTDX:     {"mrtd", "rtmr0", "rtmr1", "rtmr2"},
		PlatformSGX:     {"mrenclave"},
		PlatformTPM:     {"pcr4", "pcr7", "pcr11", "ak_name"},
		PlatformProcess: {"sha256"},
	}[m.Platform]
	if m.Platform == PlatformSGX && len(m.Values["mrenclave"]) == 0 {
		if _, floor := m.Floor["isvsvn"]; !floor {
			return false
		}
		names = []string{"mrsigner", "isvprodid"}
	}
	for _, name := range names {
		if len(m.Values[name]) == 0 {
			return false
		}
	}
	return len(names) > 0
}
