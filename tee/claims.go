package tee

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/staunchid/staunch/tee/process"
)

// Claims is what verified evidence says, in words that all platforms share. It
// judges nothing: that is the policy's part.
type Claims struct {
	Platform     string
	Level        Level
	Measurements map[string][]byte // "sha256"; "pcr0"; "mrtd"; …
	ReportData   []byte            // the raw field, 32 or 64 bytes; Appraise compares it
	Debug        bool
	Flags        []string          // "migratable", "smt", "vmpl=1", "sept-ve", "provision-key", …
	TCB          map[string]uint64 // "snp", "ucode", "tcb-eval", "isvsvn", …
	TCBStatus    string            // Intel: UpToDate, SWHardeningNeeded, …; empty where the vendor has none
	Advisories   []string          // Intel's, that the status rests on
	Signed       time.Time         // where the platform signs a time; else zero
	CollateralAt time.Time         // of the oldest collateral that was used; zero: there was none
}

// Trust holds the roots of the hardware platforms. nil stands for the vendors'.
// Level process has none, so it has no fields before the first platform has.
type Trust struct{}

// Verify checks the report of e with what came along, and says in common words
// what it says. It compares neither binding nor measurement.
func Verify(e *Evidence, _ *Trust, _ time.Time) (*Claims, error) {
	switch e.Platform {
	case PlatformProcess:
		return processClaims(e)
	case PlatformNitro, PlatformSEVSNP, PlatformTDX, PlatformSGX, PlatformTPM:
		return nil, fmt.Errorf("%w: %s", ErrUnsupported, e.Platform)
	}
	return nil, fmt.Errorf("%w: %q is none of the known platforms", ErrUnsupported, e.Platform)
}

func processClaims(e *Evidence) (*Claims, error) {
	if len(e.Certs)+len(e.EventLog)+len(e.Collateral) > 0 {
		return nil, fmt.Errorf("%w: evidence of a process with parts of another platform's", ErrMalformed)
	}
	r, err := process.Parse(e.Report)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return &Claims{
		Platform:     PlatformProcess,
		Level:        LevelProcess,
		Measurements: map[string][]byte{"sha256": r.Executable[:]},
		ReportData:   r.ReportData[:],
	}, nil
}

// ProcessEvidence makes evidence of level process for a binding: self is what
// process.Self has returned at the start. It proves nothing.
func ProcessEvidence(self *process.Report, binding []byte) ([]byte, error) {
	r := *self
	r.ReportData = sha256.Sum256(binding)
	report, err := r.Encode()
	if err != nil {
		return nil, err
	}
	return (&Evidence{Platform: PlatformProcess, Report: report, Binding: binding}).Encode()
}
