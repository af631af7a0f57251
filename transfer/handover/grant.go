package handover

import (
	"crypto/sha256"
	"fmt"
)

// Granting is what C says yes to when all has been sent.
type Granting struct {
	Revision, Records, Bytes, Objects uint64   // of the plan, the stream, its content
	Root                              [32]byte // of the stream (package sealed)
	SealingKeyHash                    [32]byte // SHA-256 of the sealing public key
	Expires                           uint64   // seconds since 1970, by the server's clock
	Cursor                            []byte   // where N goes on reading; empty: nowhere
	StepUp                            *StepUp  // over Before(StepGrant); nil: there was no hold
	Link                              []byte   // keytrans TRANSFER link; empty: none
	Secrets                           Secrets
}

// Granted is a grant and what the server keeps with it until N has committed.
type Granted struct {
	Envelope    Envelope
	CommitShare Secret // for the server: N gets it in the committing transaction
	Sealed      []byte // the secrets, for who has K0 and the share
}

// maxGrants is how often a grant may be replaced.
const maxGrants = 16

// Grant seals the secrets under a fresh share and signs what N may have. Called with
// the same again it gives the same. With something else it makes a new grant, for
// when the server has said that the stream was not complete: N may still answer an
// older one, which C has signed too.
func (s *Sender) Grant(in *Granting) (*Granted, error) {
	if _, err := s.secret(); err != nil {
		return nil, err
	}
	if s.has(StepReceipt) {
		return nil, fmt.Errorf("%w: N has answered the grant", ErrOrder)
	}
	if old, ok := s.transcript[StepGrant]; ok {
		m, sealed, err := s.seal(in, s.sealed.CommitShare)
		if err != nil {
			return nil, err
		}
		if same(m, old.Message) && same(sealed, s.sealed.Sealed) {
			return s.Granted(), nil
		}
		if len(s.older) == maxGrants {
			return nil, fmt.Errorf("%w: the grant has been replaced %d times: cancel, and begin anew", ErrOrder, maxGrants)
		}
	}
	return s.regrant(in, newSecret())
}

// regrant makes a grant with a share, and keeps the one before it.
func (s *Sender) regrant(in *Granting, share Secret) (*Granted, error) {
	m, sealed, err := s.seal(in, share)
	if err != nil {
		return nil, err
	}
	old := s.transcript[StepGrant]
	e, err := s.make(StepGrant, m)
	if err != nil {
		return nil, err
	}
	if old != nil {
		s.older = append(s.older, old)
	}
	s.sealed = Granted{e, share, sealed}
	return s.Granted(), nil
}

// Granted is the last grant, or nil.
func (s *Sender) Granted() *Granted {
	if !s.has(StepGrant) {
		return nil
	}
	g := s.sealed
	return &g
}

// seal gives the message and the sealed secrets. Both are functions of the share.
func (s *Sender) seal(in *Granting, share Secret) (message, sealed []byte, err error) {
	th4, err := s.Value(StepConfirm)
	if err != nil {
		return nil, nil, err
	}
	plain, err := Encode(&in.Secrets)
	if err != nil {
		return nil, nil, err
	}
	if len(plain) > maxSecrets {
		return nil, nil, fmt.Errorf("%w: secrets of %d bytes, more than %d", ErrMalformed, len(plain), maxSecrets)
	}
	box, err := secretsBox(s.k0, th4, share)
	if err != nil {
		return nil, nil, err
	}
	sealed = box.Seal(nil, make([]byte, box.NonceSize()), plain, in.Root[:])
	clear(plain)
	message, err = Encode(&Grant{
		Revision: in.Revision, Records: in.Records, Bytes: in.Bytes, Objects: in.Objects, Root: in.Root,
		SecretsHash: sha256.Sum256(sealed), CommitShareHash: sha256.Sum256(share[:]), SealingKeyHash: in.SealingKeyHash,
		Expires: in.Expires, Cursor: in.Cursor, StepUp: in.StepUp, Link: in.Link,
	})
	return message, sealed, err
}

// HandleGrant takes C's grant. The receipt must be over the same stream.
func (r *Receiver) HandleGrant(e Envelope) (*Grant, error) {
	m, err := taken[Grant](&r.half, StepGrant, e, nil)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// Receipt says that all of the stream is here: verified, imported, on disk. What is
// not what was granted is ErrStream.
func (r *Receiver) Receipt(in Receipt) (Envelope, error) {
	g, err := stored[Grant](&r.half, StepGrant)
	if err != nil {
		return Envelope{}, err
	}
	if err := in.answers(&g); err != nil {
		return Envelope{}, err
	}
	return remade(&r.half, StepReceipt, StepReceipt, &in)
}

// answers compares a receipt with a grant.
func (m *Receipt) answers(g *Grant) error {
	if m.Root != g.Root || m.Bytes != g.Bytes || m.Objects != g.Objects {
		return fmt.Errorf("%w: %d bytes in %d objects of root %x, and %d in %d of %x were granted",
			ErrStream, m.Bytes, m.Objects, m.Root[:4], g.Bytes, g.Objects, g.Root[:4])
	}
	return nil
}

// HandleReceipt is what C signs itself out for, and for nothing less: N's signed word
// that it has all that C has granted. The server's word alone is none.
func (s *Sender) HandleReceipt(e Envelope) (*Receipt, error) {
	if !s.has(StepGrant) {
		return nil, fmt.Errorf("%w: no grant yet", ErrOrder)
	}
	last := s.transcript[StepGrant]
	m, err := s.receipt(e)
	for i := len(s.older) - 1; err != nil && i >= 0 && !s.has(StepReceipt); i-- { // to a grant that C has replaced
		var again error
		s.transcript[StepGrant] = s.older[i]
		if m, again = s.receipt(e); again == nil {
			err = nil
		}
	}
	if err != nil {
		s.transcript[StepGrant] = last
		return nil, err
	}
	return m, nil
}

func (s *Sender) receipt(e Envelope) (*Receipt, error) {
	m, err := taken(&s.half, StepReceipt, e, func(m *Receipt) error {
		g, err := stored[Grant](&s.half, StepGrant)
		if err != nil {
			return err
		}
		return m.answers(&g)
	})
	return &m, err
}
