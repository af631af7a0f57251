// Package transfer decides which of two phones an account belongs to while it
// moves from one to the other, and keeps the ciphertext that goes between them.
//
// The current phone C and the new phone N speak with each other end to end
// (packages handover and sealed); the server sees envelopes, each with its
// sender's device proof over one running transcript, and segments of ciphertext.
// It keeps one row a transfer, moves it from state to state by the rules in this
// package, and hands the account over in one transaction, when N has proved that
// it has all of the stream that C has granted (spec/transfer.md).
//
//	offered ─▶ claimed ─▶ held ─▶ streaming ─▶ sealed ─▶ committed ─▶ acked ─▶ final
//	   └──────────┴─────────┴─────────┴───────────┘          └──────────┴────▶ recalled
//	                        └▶ aborted
//
// Up to sealed the account is C's, and anybody who may can end the transfer; from
// committed on it is N's, and C may take it back until it is final. There is no state
// in between.
//
// The rules are methods of Transfer: plain functions of the row, the message and
// the time. Service loads a row, lets its clock run (settle), applies a rule, and
// saves it with an audit entry and an event. What needs accounts, passkeys or
// devices as well is a flow of package integrity. For each message it asks what
// must be true, verifies that outside of any transaction, and takes the message in
// one transaction together with what follows from it:
//
//	want, err := moves.Expect(ctx, tx, turn, now) // in a View: who must have signed what
//	…                                             // verify want.Proof over want.Value by want.KeyID, and the step-up
//	turn.Value = want.Value
//	view, err := moves.CommitTx(ctx, tx, turn, device, now) // in an Update: asks the same again
//	moves.Wake(view.ID)                                     // after its commit
//
// A message that is there already, to the byte, is answered again and changes
// nothing (Wanted.Repeat); other bytes in its place are ErrConflict.
//
// PutSegment, GetSegment, ListSegments and Received carry the ciphertext, in constant
// memory and without locks; each has transactions of its own. Sweep is called every
// minute, Recheck at the start after an unclean stop, Check by staunch check.
//
// What it does not do: it verifies no proof, no evidence and no passkey, knows no
// account and no device but by name, opens nothing, alerts nobody and limits no
// rates.
package transfer
