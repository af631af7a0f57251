// Package release is the desk of those who hold release keys. What they sign
// decides which vaults phones trust, and when a vault may take for true what it
// would refuse:
//
//   - a vault set lists vaults and witnesses, who runs them, with which
//     configuration and which program: [Plan];
//   - a re-base ceremony lets vaults go on that have lost their marks, or whose
//     store went back: [Rebase].
//
// Both are documents that k of m keys sign, one after the other, each on a machine
// of its own: [Sign] adds one signature. [Words] says what a document says, so
// that nobody signs what he has not read.
//
//	set, configs, err := plan.Make()
//	doc, err := release.Document(&set, key)        // the first signature
//	doc, err = release.Sign(doc, another)          // the second one, elsewhere
//
// The package knows no vault and no network. Vaults judge by the keys in their own
// configuration (recovery/vault), phones by those that the app pins.
package release
