package wire

import (
	"crypto/hpke"
	"fmt"
)

const (
	// AnswerSize is the length of every sealed answer of KR-1.
	AnswerSize  = nonceSize + answerPlain + tagSize // 284
	answerPlain = 256

	labelEnvelope  = "staunch/kr1/hpke"
	labelAnswerKey = "staunch/kr1/answer"
)

// Envelope is what both ends of a request know of it, and what it is bound to:
// a request that was made for another vault, epoch, configuration, operation or
// account does not open.
type Envelope struct {
	Suite  Suite
	Vault  string
	Epoch  uint32
	Config Hash // of the vault's configuration
	Op     Op
	Acct   Acct
}

func (e *Envelope) info() []byte {
	return list(e.label(labelEnvelope, labelSeedHPKE), uint32(e.Suite), e.Vault, e.Epoch, e.Config[:])
}

func (e *Envelope) aad() []byte { return list(uint32(e.Op), e.Acct[:]) }

func (e *Envelope) label(kr1, seed string) string {
	if e.Op.Seed() {
		return seed
	}
	return kr1
}

// answerKey opens the answer to a request, at both ends. The context is a
// sender's or a recipient's.
func (e *Envelope) answerKey(context interface {
	Export(exporterContext string, length int) ([]byte, error)
}) (*AnswerKey, error) {
	k, err := context.Export(e.label(labelAnswerKey, labelSeedAnswer), 32)
	if err != nil {
		return nil, fmt.Errorf("wire: exporting the key of the answer: %w", err)
	}
	return &AnswerKey{Key(k), e.aad()}, nil
}

// SealRequest seals a request to a vault's public key and returns what is sent,
// and the key of the answer. The same bytes may be sent again.
func (e *Envelope) SealRequest(public, request []byte) (sealed []byte, answer *AnswerKey, err error) {
	kem, err := e.Suite.kem()
	if err != nil {
		return nil, nil, err
	}
	key, err := kem.NewPublicKey(public)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: the vault's HPKE key: %w", ErrMalformed, err)
	}
	enc, sender, err := hpke.NewSender(key, hpke.HKDFSHA256(), hpke.AES256GCM(), e.info())
	if err != nil {
		return nil, nil, fmt.Errorf("wire: sealing a request: %w", err)
	}
	box, err := sender.Seal(e.aad(), request)
	if err != nil {
		return nil, nil, fmt.Errorf("wire: sealing a request: %w", err)
	}
	if answer, err = e.answerKey(sender); err != nil {
		return nil, nil, err
	}
	return append(enc, box...), answer, nil
}

// OpenRequest opens a request at the vault. ErrUnreadable: it was not made for
// this envelope, or was changed.
func (e *Envelope) OpenRequest(key *HPKEKey, sealed []byte) (request []byte, answer *AnswerKey, err error) {
	size := e.Suite.EncapsulationSize()
	if size == 0 || len(sealed) < size+tagSize || len(sealed) > MaxRequest {
		return nil, nil, fmt.Errorf("%w: a request of %d bytes", ErrUnreadable, len(sealed))
	}
	recipient, err := hpke.NewRecipient(sealed[:size], key.private, hpke.HKDFSHA256(), hpke.AES256GCM(), e.info())
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if request, err = recipient.Open(e.aad(), sealed[size:]); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if answer, err = e.answerKey(recipient); err != nil {
		return nil, nil, err
	}
	return request, answer, nil
}

// AnswerKey seals and opens answers to one request. A request may be repeated
// byte for byte, so it can serve more than once: each answer has a random nonce.
type AnswerKey struct {
	Key
	aad []byte
}

// SealAnswer seals an answer: always 284 bytes.
func (k *AnswerKey) SealAnswer(a *Answer) ([]byte, error) { return k.seal(a, answerPlain) }

// OpenAnswer opens an answer. ErrUnreadable: it answers another request, or was
// changed.
func (k *AnswerKey) OpenAnswer(sealed []byte) (*Answer, error) {
	var a Answer
	if err := k.open(sealed, AnswerSize, &a); err != nil {
		return nil, err
	}
	return &a, nil
}

// SealSeedAnswer seals an answer of the seed profile: always 4,636 bytes.
func (k *AnswerKey) SealSeedAnswer(a *SeedAnswer) ([]byte, error) { return k.seal(a, seedPlain) }

// OpenSeedAnswer is OpenAnswer for the seed profile.
func (k *AnswerKey) OpenSeedAnswer(sealed []byte) (*SeedAnswer, error) {
	var a SeedAnswer
	if err := k.open(sealed, SeedAnswerSize, &a); err != nil {
		return nil, err
	}
	return &a, nil
}

func (k *AnswerKey) seal(a Coded, size int) ([]byte, error) {
	return sealPadded(nil, k.Key, a, size, k.aad)
}

func (k *AnswerKey) open(sealed []byte, size int, a Coded) error {
	if len(sealed) != size {
		return fmt.Errorf("%w: %w", ErrUnreadable, errSize(len(sealed), size))
	}
	plain, err := open(k.Key, sealed, k.aad)
	if err != nil {
		return err
	}
	defer clear(plain)
	return decodePadded(plain, a)
}

func errSize(n, want int) error { return fmt.Errorf("%d bytes, not %d", n, want) }
