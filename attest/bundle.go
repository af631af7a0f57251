package attest

// Bundle is everything that a verdict is a function of, so that it can be
// computed again: evidence, expectations, canonical policy, revocation list,
// rules version and time, with the verdict that came out.
type Bundle struct{}

// NewBundle packs a verdict with its inputs.
func NewBundle(ev Evidence, want Expect, p *Policy, verdict Verdict) (*Bundle, error) { panic("todo") }

// MarshalJSON and UnmarshalJSON: the file form that `staunch attest replay` reads.
func (b *Bundle) MarshalJSON() ([]byte, error) { panic("todo") }
