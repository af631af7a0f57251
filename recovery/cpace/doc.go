// Package cpace is how a phone shows one vault of KR-1 that it was given the right
// PIN: CPace (draft-irtf-cfrg-cpace-21), a balanced password-authenticated key
// exchange, of which nothing is used but that both sides come to the same key.
//
// Vault and phone have a string in common, prs_i, which the phone makes of the PIN
// and the evaluations of t vaults. They hash it, with the attempt and whom it is
// between, to a generator of the group. The vault's half, Y_a, goes out with its
// evaluation; the phone answers with its own, Y_b, and a tag over all that the
// release says. The tag is right when both had the same generator:
//
//	vault, at evaluate:  v, err := session.Verifier(seed); answer.Ya = v.Share()
//	phone:               err := session.Prove(release, answer.Ya)
//	vault, at release:   err := v.Verify(release)
//
// A signature would do as well for an honest vault. But it can be verified by
// whoever guesses the key, as often as he likes: a vault's operator could show the
// phone a registration of his own making, and try all PINs against what it signs.
// Here a vault that does not know the string learns of one guess, the one that it
// made its half with, whether it was right, and nothing else.
//
// The package keeps no state and judges nothing: whether a charge still has a try,
// and what a wrong tag costs, is recovery/vault's; that a phone answers one half of
// a vault only in one attempt is recovery's. The halves tell nothing of the string,
// to nobody, whatever he computes.
//
// What differs from the draft is in docs/divergences/recovery.md; the bytes are in
// spec/kr1.md, 3.
package cpace
