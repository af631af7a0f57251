package attest

// Caps gives max_uses_per_day by id, for the exceptions that have one. Who
// counts their uses tells the verifier what is left: Expect.UsesLeft.
func (p *Policy) Caps() map[string]int {
	caps := make(map[string]int)
	for i := range p.exceptions {
		if x := &p.exceptions[i]; x.MaxUsesPerDay > 0 {
			caps[x.ID] = x.MaxUsesPerDay
		}
	}
	return caps
}
