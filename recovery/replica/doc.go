// Package replica is the process around a vault or a witness: its folder, its
// sockets, and how long it runs. `staunch vault run` and cmd/staunch-vault are
// Run and a command line; `staunch serve` starts them as its children, and has
// the witness w1 inside itself by RunWitness.
//
// A folder holds, each file 0600:
//
//	config.cbor   the wire.Config of this vault or witness; its hash is attested
//	set.cbor      the signed vault set, by which peers are judged; read anew for each
//	keys.sealed   the master keys, sealed to the platform for this configuration
//	process.key   what seals them at level process, where nothing better is there
//	marks/        the journal of the witness, if on_total_amnesia is checkpoint
//	marks.name    the folder of that after an amnesia ceremony
//	ceremony.cbor a signed re-base, if one was held, or a hand-over: see vault.Ceremony
//	              and vault.Handover
//	previous.cbor the set before, for TakeOver: it lists who has the keys
//	host.pub      the public link key of a host on another machine, in PEM
//	vault.sock    where the host calls; peer.sock: where witnesses do
//	pid, LOCK     of the process that runs
//
// Whoever starts a vault for the first time writes config.cbor and set.cbor, and
// says Create. Master keys are made then and never again: a folder that has lost
// them is an error, since the records of its accounts are lost with them.
//
// To another configuration the keys go by a hand-over: the vault serves them, at
// keys.sock if nothing else is said, and TakeOver puts them into another folder.
// Then the one is stopped, and the other started; its marks it has from the others.
//
// Level process is the only one so far: an ordinary process, NOT a TEE. Whoever
// runs it can read its keys. The log says so at every start.
package replica
