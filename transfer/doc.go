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
// The rules are methods of Transfer: plain functions of the row, the message and
// the time. Service loads a row, lets its clock run (settle), applies a rule, and
// saves it with an audit entry and an event. What needs accounts, passkeys or
// devices as well is a flow of package integrity, which calls the Service's
// methods that end in Tx within its own transaction.
package transfer
