package wire_test

import (
	"fmt"
	"log"

	"github.com/staunchid/staunch/recovery/wire"
)

// A phone asks a vault what it holds, and nobody between them reads along.
func Example() {
	master := wire.NewKey() // the vault's, of epoch 1
	vault, err := wire.DeriveHPKE(wire.Suite1, master, "v1", 1)
	if err != nil {
		log.Fatal(err)
	}
	env := &wire.Envelope{Suite: wire.Suite1, Vault: "v1", Epoch: 1, Op: wire.OpStatus, Acct: wire.Acct{1}}

	// The phone, which knows the public key from the vault's evidence.
	request, err := wire.Encode(&wire.Status{})
	if err != nil {
		log.Fatal(err)
	}
	sealed, key, err := env.SealRequest(vault.Public(), request)
	if err != nil {
		log.Fatal(err)
	}

	// The vault.
	opened, answerKey, err := env.OpenRequest(vault, sealed)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := wire.Decode[wire.Status](opened); err != nil {
		log.Fatal(err)
	}
	answer, err := answerKey.SealAnswer(&wire.Answer{Verdict: wire.VerdictNoBackup, Limit: 10})
	if err != nil {
		log.Fatal(err)
	}

	// The phone again.
	got, err := key.OpenAnswer(answer)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(answer), got.Verdict)
	// Output: 284 no backup
}
