package handover

import "crypto/hpke"

// K0 is the root of all keys.
func (s *Sender) K0() Secret { return s.k0 }

// Lie says hello with a class and a proximity that the phone did not hear, as an
// altered app could.
func (s *Sender) Lie(class Class, p Proximity) (Envelope, error) {
	o, err := stored[Offer](&s.half, StepOffer)
	if err != nil {
		return Envelope{}, err
	}
	public, err := kem().NewPublicKey(o.Key)
	if err != nil {
		return Envelope{}, err
	}
	enc, ctx, err := hpke.NewSender(public, kdf(), aead(), hpkeInfo(s.transcript[StepOffer].value))
	if err != nil {
		return Envelope{}, err
	}
	return s.hello(class, p, enc, ctx)
}
