// Package handover is what the two phones of a transfer say to each other: the
// code that the new phone N shows and the current phone C scans, their messages,
// the keys they agree on, and all that each checks of the other before it acts
// (spec/transfer.md). The server that carries the messages is the adversary: it
// can read none of the keys, and can neither put itself in one's place nor make
// one believe what the other has not signed.
//
// Both halves are state machines without network, disk and clock. One method makes
// a message, one takes the other's, in the order of the running transcript:
//
//	N                                      C
//	NewReceiver, Code, Offer          ───▶ ParseCode, NewSender: Peer
//	HandleHello                       ◀─── Hello
//	Answer                            ───▶ HandleAnswer: Number
//	Number, Matched                   ───▶ HandleMatched
//	HandleConfirm: BulkKey            ◀─── Confirm: BulkKey
//	HandleGrant                       ◀─── Grant
//	Receipt                           ───▶ HandleReceipt: C signs itself out
//	Open, Ack                         ───▶ HandleAck
//	HandleRecall                      ◀─── Recall
//	HandleFinal                       ◀──▶ Final, by either
//
// A half is stored with MarshalBinary after each step and before what the step
// made is sent, and goes on with RestoreReceiver or RestoreSender. A method that
// is called again gives the very bytes that it gave before, and a message that
// comes again changes nothing; another message in its place is ErrOrder. A message
// of the handshake that fails a check ends it: the half forgets its keys, and
// there is no second try.
//
// What this package does not do: it does not say who owns the account, nor when a
// hold is over (package transfer); it does not judge passkeys; and it carries no
// history (package sealed), for which BulkKey is the key.
package handover
