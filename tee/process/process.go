// Package process is the evidence of a vault that is an ordinary process, NOT a
// TEE. It says which executable runs, and whoever runs it can make it say
// anything: it proves nothing. It exists so that a laptop and a test walk every
// path that an enclave walks, and so that appraisal has something to refuse.
//
// A report is {1: "staunch/process", 2: report data, 3: SHA-256 of the
// executable, 4: user ID} in deterministic CBOR (RFC 8949, Section 4.2).
package process

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/staunchid/staunch/internal/cbor"
)

// Platform names this kind of evidence.
const Platform = "process"

// ErrMalformed is a report that cannot be read.
var ErrMalformed = errors.New("process: malformed report")

// Report is what a process says of itself.
type Report struct {
	ReportData [sha256.Size]byte // SHA-256 of the binding
	Executable [sha256.Size]byte // SHA-256 of the file that runs
	UID        uint32
}

func (r *Report) walk(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Label("staunch/process")
		f.Key(2)
		c.Fixed(r.ReportData[:])
		f.Key(3)
		c.Fixed(r.Executable[:])
		f.Key(4)
		cbor.Uint(c, &r.UID, 0, 1<<32-1)
	})
}

// Parse reads a report. It verifies nothing, for there is nothing to verify.
func Parse(b []byte) (*Report, error) {
	r := new(Report)
	if err := cbor.Decode(b, r.walk); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return r, nil
}

// Encode gives the bytes that Parse reads.
func (r *Report) Encode() ([]byte, error) {
	b, err := cbor.Encode(r.walk)
	if err != nil {
		return nil, fmt.Errorf("process: encode a report: %w", err)
	}
	return b, nil
}

// Self describes the running process, without report data. It reads the whole
// executable, so call it once, at the start: later the file may be another.
func Self() (*Report, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("process: find the executable: %w", err)
	}
	sum, err := hashFile(path)
	if err != nil {
		return nil, fmt.Errorf("process: hash the executable: %w", err)
	}
	return &Report{Executable: sum, UID: uint32(max(os.Getuid(), 0))}, nil // -1 where there are no user IDs
}

func hashFile(path string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close() // read only: nothing can be lost
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}
