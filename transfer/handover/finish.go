package handover

import (
	"crypto/sha256"
	"fmt"
)

// Open opens the secrets, once the server has committed and gives the commit share.
// It opens nothing before the receipt: until then C is in charge. Store the secrets
// before you acknowledge. If it fails, keep all, and recall on the old phone.
func (r *Receiver) Open(commit Secret, sealed []byte) (Secrets, error) {
	k0, err := r.secret()
	if err != nil {
		return nil, err
	}
	if !r.has(StepReceipt) {
		return nil, fmt.Errorf("%w: no receipt yet", ErrOrder)
	}
	g, err := stored[Grant](&r.half, StepGrant)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(commit[:]); !same(sum[:], g.CommitShareHash[:]) {
		return nil, fmt.Errorf("%w: the commit share", ErrCommitment)
	}
	if sum := sha256.Sum256(sealed); !same(sum[:], g.SecretsHash[:]) {
		return nil, fmt.Errorf("%w: the sealed secrets", ErrCommitment)
	}
	box, err := secretsBox(k0, r.transcript[StepConfirm].value, commit)
	if err != nil {
		return nil, err
	}
	plain, err := box.Open(nil, make([]byte, box.NonceSize()), sealed, g.Root[:])
	if err != nil {
		return nil, fmt.Errorf("%w: the sealed secrets do not open: %w", ErrCommitment, err)
	}
	defer clear(plain)
	secrets, err := Decode[Secrets](plain)
	if err != nil {
		return nil, err
	}
	r.opened = true
	return secrets, nil
}

// Ack says that N has the keys: with the sealing public key that belongs to the
// private one it has opened and stored. Another one than C has granted is ErrKey.
func (r *Receiver) Ack(sealingPublic []byte) (Envelope, error) {
	if !r.opened {
		return Envelope{}, fmt.Errorf("%w: the secrets have not been opened", ErrOrder)
	}
	g, err := stored[Grant](&r.half, StepGrant)
	if err != nil {
		return Envelope{}, err
	}
	sum := sha256.Sum256(sealingPublic)
	if !same(sum[:], g.SealingKeyHash[:]) {
		return Envelope{}, ErrKey
	}
	return remade(&r.half, StepAck, StepAck, &Ack{SealingKeyHash: sum})
}

// HandleAck takes N's word that it has opened the keys that C has granted. From then
// on the window to recall runs, by C's own clock.
func (s *Sender) HandleAck(e Envelope) (*Ack, error) {
	m, err := taken(&s.half, StepAck, e, func(m *Ack) error {
		g, err := stored[Grant](&s.half, StepGrant)
		if err == nil && !same(m.SealingKeyHash[:], g.SealingKeyHash[:]) {
			err = ErrKey
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// Recall takes the account back, with a step-up over Before(StepRecall). If the
// server refuses the step-up it may be called again with another one.
func (s *Sender) Recall(reason string, up StepUp) (Envelope, error) {
	if s.has(StepFinal) {
		return Envelope{}, fmt.Errorf("%w: the move is final", ErrOrder)
	}
	return remade(&s.half, StepRecall, "", &Recall{Reason: reason, StepUp: up})
}

// HandleRecall takes C's signed word that it has taken the account back: N wipes. The
// server's word alone is none.
func (r *Receiver) HandleRecall(e Envelope) (*Recall, error) {
	m, err := taken[Recall](&r.half, StepRecall, e, nil)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// Final ends the window early, with a step-up over Before(StepFinal).
func (s *Sender) Final(up StepUp) (Envelope, error) { return s.final(up) }

// Final ends the window early, with a step-up over Before(StepFinal): on N only if
// the phones were near, for who has lured C from afar would do it at once.
func (r *Receiver) Final(up StepUp) (Envelope, error) {
	if near, err := r.near(); err != nil {
		return Envelope{}, err
	} else if !near {
		return Envelope{}, fmt.Errorf("%w: the phones were not near each other: finish on the old one", ErrOrder)
	}
	return r.final(up)
}

func (h *half) final(up StepUp) (Envelope, error) {
	if h.has(StepRecall) {
		return Envelope{}, fmt.Errorf("%w: the account was recalled", ErrOrder)
	}
	return remade(h, StepFinal, "", &Final{StepUp: up})
}

// near reports whether C has heard N's beacon from beside it.
func (h *half) near() (bool, error) {
	m, err := stored[Hello](h, StepHello)
	return m.Class == ClassNear, err
}

// HandleFinal takes the signed word of either phone that the window is over: C wipes.
// N's counts only if the phones were near.
func (s *Sender) HandleFinal(e Envelope) error { return s.handleFinal(e, s.own, s.peer) }

// HandleFinal takes the signed word of either phone that the window is over.
func (r *Receiver) HandleFinal(e Envelope) error { return r.handleFinal(e, r.peer, r.own) }

// handleFinal verifies each time anew: nothing follows it, and both may have made one.
func (h *half) handleFinal(e Envelope, c, n []byte) error {
	if _, err := Decode[Final](e.Message); err != nil {
		return err
	}
	near, err := h.near()
	if err != nil {
		return err
	}
	keys := [][]byte{c}
	if near {
		keys = append(keys, n)
	}
	value, err := h.check(StepFinal, e, keys...)
	if err != nil {
		return err
	}
	h.transcript[StepFinal] = &turn{e, value}
	return nil
}
