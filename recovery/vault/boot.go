package vault

import (
	"crypto/ed25519"
	"crypto/rand"

	"github.com/staunchid/staunch/recovery/wire"
)

// Boot is one life of a process, from its start to its end: a random name and a
// key that signs its receipts and is its certificate to witnesses. Evidence ties
// both to the program. It never leaves the memory.
type Boot struct {
	ID  wire.ID16
	key ed25519.PrivateKey
}

// NewBoot begins a life.
func NewBoot() *Boot {
	var b Boot
	rand.Read(b.ID[:]) //nolint:errcheck // crypto/rand: never returns an error
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic("vault: " + err.Error()) // crypto/rand: never returns an error
	}
	b.key = key
	return &b
}

// Public is the boot key, as it stands in a binding.
func (b *Boot) Public() wire.EdKey { return wire.EdKey(b.key.Public().(ed25519.PublicKey)) }

// Key is the private key, for the certificate of links to witnesses.
func (b *Boot) Key() ed25519.PrivateKey { return b.key }
