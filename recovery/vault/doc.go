// Package vault is the half of PIN recovery (KR-1) that runs inside the TEE. A
// vault keeps one share of every registration and counts the attempts at its
// PIN. It never learns the PIN: it multiplies a blinded point by its share, and
// lets its second share go only against a proof that nobody can make without the
// right PIN, and that tells nothing else (recovery/cpace).
//
//	keys, err := vault.NewMasterKeys(now)
//	v, err := vault.New(&vault.Options{
//		Config:    config,    // wire.Config: its hash is attested
//		Replica:   "v1/a",
//		Boot:      vault.NewBoot(),
//		Keys:      keys,
//		Freshness: quorum,    // who remembers the counts: see NewQuorum
//		Attest:    attest,    // makes evidence of the platform
//	})
//	err = v.Serve(ctx, listener) // or, in the same process: v.Handle(ctx, call)
//
// # What it is given, and what it believes
//
// A call brings the sealed request of a phone and the sealed record of the
// account, which our database keeps. Both open only with keys of this vault, but
// whoever runs the database can bring an older record, or none, or the same
// request a thousand times. So a record never says how often was guessed: its
// mark does, which witnesses hold in their memories and which only grows. Every
// call advances the mark before anything leaves the vault, and what a phone gets
// is computed after that. Handle is the whole of it, in seven steps.
//
// # What it does not do
//
// It has no storage and no clock, and reads no file: keys and sealed state are
// handed in, and the time is the median of the witnesses' clocks. It judges no
// evidence of a platform: Attest and AppraisePeer are functions. It does not know
// who a user is, whether his waiting time is over, or how often he may call.
// Nobody but the phone can read its verdicts: to the service a right PIN, a wrong
// one and a locked account look the same but for the receipt, which tells the
// number used.
//
// # Replicas
//
// Processes with the same master keys are replicas of one vault. They share
// nothing else: two that work on one account at once are kept apart by the
// witnesses, and one of them begins again.
//
// The seed profile (operations 16 and 17) is in seed.go. It is a baseline to
// compare with: one enclave, which does see the PIN.
package vault
