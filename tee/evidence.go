package tee

import (
	"fmt"

	"github.com/staunchid/staunch/internal/cbor"
)

// MaxEvidence is the most that evidence may measure, in bytes.
const MaxEvidence = 196_608

// Evidence is what a vault sends: a report of its platform, what is needed to
// verify it, and the binding that the report signs. Nothing of it is believed.
type Evidence struct {
	Platform    string
	Report      []byte
	Binding     []byte
	Certs       [][]byte // DER, leaf first
	EventLog    []byte
	PCRs        []PCR             // tpm only, as the four below
	AK          []byte            // public area
	Signature   []byte            // of the quote
	Endorsement []byte            // evidence for the AK
	Collateral  map[string][]byte // "tcb-info", "root-crl", …: signed and dated by the vendor, so anybody may relay it
}

// PCR is the value of one register of a TPM.
type PCR struct {
	Index uint8
	Value []byte
}

func (e *Evidence) walk(c *cbor.Coder) {
	optional := func(f *cbor.Fields, key uint64, v *[]byte) {
		if f.Optional(key, len(*v) > 0) {
			cbor.Octets(c, v, 1, MaxEvidence)
		}
	}
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		cbor.String(c, &e.Platform, 1, 16)
		f.Key(2)
		cbor.Octets(c, &e.Report, 1, MaxEvidence)
		f.Key(3)
		cbor.Octets(c, &e.Binding, 1, 4096)
		if f.Optional(4, len(e.Certs) > 0) {
			cbor.Slice(c, &e.Certs, 1, 16, func(v *[]byte) { cbor.Octets(c, v, 1, 16_384) })
		}
		optional(f, 5, &e.EventLog)
		if f.Optional(6, len(e.PCRs) > 0) {
			cbor.Slice(c, &e.PCRs, 1, 24, func(p *PCR) {
				c.Array(2)
				cbor.Uint(c, &p.Index, 0, 23)
				cbor.Octets(c, &p.Value, 32, 32)
			})
		}
		optional(f, 7, &e.AK)
		optional(f, 8, &e.Signature)
		optional(f, 9, &e.Endorsement)
		if f.Optional(10, len(e.Collateral) > 0) {
			cbor.TextKeys(c, &e.Collateral, 32, 1, 16, func(v *[]byte) { cbor.Octets(c, v, 0, MaxEvidence) })
		}
	})
	if e.Platform != PlatformTPM && len(e.PCRs)+len(e.AK)+len(e.Signature)+len(e.Endorsement) > 0 {
		c.Failf("evidence of platform %q with parts of a TPM's", e.Platform)
	}
}

// ParseEvidence reads evidence of any platform, those too that Verify refuses.
func ParseEvidence(b []byte) (*Evidence, error) {
	if len(b) > MaxEvidence {
		return nil, fmt.Errorf("%w: %d bytes, and %d are the most", ErrMalformed, len(b), MaxEvidence)
	}
	e := new(Evidence)
	if err := cbor.Decode(b, e.walk); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return e, nil
}

// Encode gives the bytes that ParseEvidence reads.
func (e *Evidence) Encode() ([]byte, error) {
	b, err := cbor.Encode(e.walk)
	if err != nil {
		return nil, fmt.Errorf("tee: encode evidence: %w", err)
	}
	if len(b) > MaxEvidence {
		return nil, fmt.Errorf("tee: encode evidence: %d bytes, and %d are the most", len(b), MaxEvidence)
	}
	return b, nil
}
