// Package spawn runs a set of vaults as processes of the own machine: what
// `staunch serve` does unless its configuration names remote ones.
//
//	set, err := spawn.Open(&spawn.Options{Dir: "data/vaults", Profile: "kr1-2of3", …})
//	go set.Run(ctx)          // children and the fourth witness, until ctx ends
//	err = set.Ready(ctx)     // every vault answers
//	service, err := recovery.NewService(&recovery.Options{Set: set.Signed(), Vaults: set.Vaults(), …})
//
// The folder holds, each file 0600:
//
//	release.key   signs the vault set; phones pin its public half
//	voucher.key   signs vouchers, unless the configuration names another
//	set.cbor      the signed set; all versions of it under sets/
//	v1, v2, v3    the folders of the vaults, see package replica; v1-b and v1-c are
//	              replicas of profile seed
//	w1            that of the witness which runs in this process
//	FIRST         there until every vault has begun for the first time; in the folder
//	              of a vault that replaces another, until that one has
//
// It is made once, when there is neither a folder nor a record in any store: a
// store with records whose vaults are gone is an error, for nothing could open
// them. What a vault was made with, the limit above all, cannot be changed by
// editing the configuration: it is attested, and keys are sealed to it.
//
// One vault whose folder is gone for good is replaced by a new one (Replace), which
// has an id of its own. The lost one stays a witness, for that takes no key.
//
// Level process: ordinary processes, NOT a TEE. One operator runs all of them and
// holds the release key. It says so wherever it shows.
package spawn
