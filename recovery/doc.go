// Package recovery brings a sealing key back with a PIN that nobody can guess:
// not who reads the database, not who replays yesterday's, not who restarts
// machines, not who has the keys of one vault. What a service learns that misleads
// the phone which recovers is in spec/kr1.md, Section 7: of one PIN for each vault
// and attempt. It is both sides of PIN recovery (KR-1) outside the TEE; the side
// within is recovery/vault.
//
// # The phone: Client
//
// Register deals a registration out. Secrets are cut into a share for each vault,
// and the payload is encrypted under a key that needs the PIN and t vaults; what
// the service stores of it is ciphertext. Recover gets it back:
//
//	c, err := recovery.NewClient(&recovery.ClientOptions{
//		Transport:   phone.Recovery(),  // of package client, or another
//		ReleaseKeys: pinned,            // compiled into the app
//		SaveBackup:  …, SaveAttempt: …, // a journal: see below
//	})
//	pin, err := c.NewPIN(ctx, typed)
//	backup, err := c.Register(ctx, nil, pin, payload)
//	…
//	got, err := c.Recover(ctx, account, ticket, pin, new(recovery.Attempt))
//	var wrong *recovery.GuessError
//	if errors.As(err, &wrong) { … wrong.Remaining … }
//
// The client trusts no service. It believes a vault set that k release keys have
// signed and that is no older than one it saw, and vaults whose evidence the
// policy accepts; it compares their evaluations, wants proofs where it cannot,
// and names who lied. The zero policy takes TEEs only, so that vaults which are
// ordinary processes need tee.Policy.AllowProcess.
//
// Two files make it whole. A Backup is the journal of a registration: a phone
// that dies in the middle goes on from it, whatever state the vaults are in, and
// one PIN works at each point. An Attempt is the seed of a try: with it the same
// PIN makes the same request, which costs nothing twice. It also knows what it has
// answered: a vault that wants a second proof in one attempt gets none.
//
// The journal remembers one byte of a hash of the PIN, so that CheckPIN can ask the owner
// now and then whether he still knows it, without a vault and without an attempt.
//
// No vault sees a PIN, so the phone refuses those that many people choose: see
// Client.NewPIN. In profile seed, a baseline to compare with, one enclave sees it.
//
// # Between phone and vaults: Service
//
// The service stores records that vaults have sealed and blobs that phones have
// encrypted, and brings requests to a replica that can serve them. It reads
// neither. What it decides is who may ask, how often, and what the owner is told;
// what it promises is that an answer leaves only when the record it rests on is
// stored, or in the retry stream (Retry), which carries on until it is.
//
// It cannot tell a right PIN from a wrong one, and does not have to be trusted
// with the number of guesses: the vaults count, and witnesses remember.
package recovery
