package recovery_test

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
)

// TestUnjudgedPIN: no PIN is set that the rules of the app have not seen, however it
// was made; nobody has to be asked for that.
func TestUnjudgedPIN(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	asked := 0
	p.net.Script = func(recoverytest.Call) recoverytest.Fault {
		asked++
		return recoverytest.Pass
	}
	short, err := recovery.NewPIN("4829", recovery.PINRules{MinLength: 4}) // as a service may have asked for
	p.must(err)
	for name, pin := range map[string]recovery.PIN{"none": {}, "typed": typedOf(t, "482915"), "by rules of its own": short} {
		if _, err := p.client.Register(t.Context(), p.journal(), pin, payloadOf("one")); !errors.Is(err, recovery.ErrPIN) || asked > 0 {
			t.Errorf("%s: %v, after %d calls", name, err, asked)
		}
		if _, err := p.client.Renew(t.Context(), p.journal(), pin, payloadOf("one")); !errors.Is(err, recovery.ErrPIN) || asked > 0 {
			t.Errorf("%s, to renew: %v, after %d calls", name, err, asked)
		}
	}
	pin, err := p.client.NewPIN(t.Context(), "482915")
	p.must(err)
	_, err = p.client.Register(t.Context(), p.journal(), pin, payloadOf("one"))
	p.must(err)
	p.recovers("482915", "one")
}

// TestRenewSamePIN: what was recovered is renewed with the PIN that has brought it back,
// though no rule would let it be set; not with one that was only typed, whatever it is.
func TestRenewSamePIN(t *testing.T) {
	for _, profile := range []string{"", recovery.ProfileSeed} {
		p := newPhone(t, recoverytest.Options{Profile: profile})
		p.must(p.register("1111", "one"))
		r, err := p.client.Recover(t.Context(), owner, recovery.TicketSecret("ticket"), typedOf(t, "1111"), p.tried())
		p.must(err)
		for _, typed := range []string{"1111", "2222"} {
			b, err := p.client.Renew(t.Context(), r.Backup, typedOf(t, typed), r.Payload)
			if !errors.Is(err, recovery.ErrPIN) || b.Info().Reg != r.Reg || !b.Info().Complete {
				t.Errorf("%s: %s, only typed: %v, %+v", profile, typed, err, b.Info())
			}
		}
		b, err := p.client.Renew(t.Context(), r.Backup, r.PIN, r.Payload)
		p.must(err)
		if in := b.Info(); !in.Complete || in.Reg == r.Reg {
			t.Errorf("%s: renewed: %+v", profile, in)
		}
		p.recovers("1111", "one")
	}
}
