// Package integrity is what the product does with accounts: it enrols, signs
// in, adds devices and passkeys, approves, freezes and revokes. It is the one
// place where the pillars meet: the attest registry says whether a device is
// genuine, package passkey whether it is this person, package account who may
// do what, and a flow here joins their answers in one transaction.
//
// A [Service] runs the flows of one app, over that app's own store:
//
//	s, err := integrity.New(&integrity.Options{App: "demo", Passkey: rp, Attest: registry, ...})
//
//	caller, err := s.Prove(ctx, message, token, false) // who has signed this call
//	begun, err := s.BeginSignIn(ctx, caller, &integrity.SignInStart{})
//	result, err := s.FinishSignIn(ctx, caller, &integrity.SignInAnswer{Ceremony: begun.Ceremony, Response: response})
//
// There is one method for each call of the API. Each takes the caller right
// after the context, and decides with it; a caller is made by [Service.Prove],
// [Service.BrowserCaller] or [Service.ProveBackend], and by nothing else.
//
// # How a flow runs
//
// It takes from its bucket, reads the clock once, verifies what needs no
// transaction, and then acts in one: what the answer was verified against is
// read again, the ceremony is taken by compare and swap, the rule decides, and
// rows, audit entry, event and alert are stored together. The answer is given
// after the commit. So there are three places where it may be cut off: before
// the commit nothing has happened, and the ceremony may be answered again;
// after the commit and before the answer it has, a repetition is
// [ErrCeremonyUsed], and the client signs in; what is told outside comes from
// the outbox, until it is acknowledged.
//
// # What it relies on
//
//   - Every row of accounts, devices and passkeys has a MAC, which is checked at
//     every use. A wrong one locks the account: [ErrIntegrity].
//   - Every request reads its session. Nothing is cached as valid.
//   - A failure takes from a bucket and locks nobody out. Wrong account, wrong
//     passkey and wrong signature are one reason.
//   - One function, revoke, ends sessions, ceremonies, approvals and joins.
//
// # What it does not do
//
// It makes no session of anything but a passkey, or of an approval given with
// one. It sends no code, knows no password, and has no place for a telephone
// number. Nobody can unlock a locked account until there are operators.
package integrity
