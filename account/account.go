// Package account holds the nouns that every pillar shares: which app, which
// account, and who is asking.
//
// An app is a tenant with its own store; it is named by an [AppID] from the
// config. An account belongs to one person and is named by an [ID]: a prefix
// and 128 random bits in lower-case base32.
//
//	id := account.NewID()            // a_mzxw6ytboi2dgnrtgezdgnbvgy
//	id, err := account.ParseID(text) // ErrMalformed unless it has this very form
//
// An app's backend may make account IDs itself (a Relying Party that has
// accounts already does), so the form is checked wherever one comes in and
// nothing is read into it: an ID carries no name, number or time.
//
// A [Caller] says who makes a request. It is an argument of every method that
// acts for someone, comes right after the context, and the rule decides with
// it. The zero Caller is nobody and may do nothing; [Anonymous] is somebody who
// has not said who he is, and that is a thing to be.
//
// An [Account] has a [State], [Device]s and [Session]s. What may happen to them
// is a table: [Account.Apply] and [Device.Apply] know every step, and refuse
// what is not in it. Who may do what is another: an [Action] has a
// [Requirement], and [Requirement.Check] compares it with what the server
// itself has seen of the [Caller], his [Proof]s. Nothing of it is stored as a
// right; it is computed anew at each request.
//
// Rows carry a MAC, which Seal makes and Sound checks whenever a row is used,
// and a Digest, which the audit record keeps. [Legal] tells whoever checks that
// record whether a step is one of the tables. Two things people type are read
// here: a handle ([ParseHandle]) and a [FreezeCode].
//
// What it does not do: find out who somebody is, which the edge does, or what
// an operator may do, who is nobody yet. All of it is plain data and pure
// functions: the package reads no clock and keeps nothing.
package account

import "errors"

// ErrMalformed: a text is not an identifier of the kind that is wanted. Send
// the identifier as it was given out, unchanged.
var ErrMalformed = errors.New("account: malformed identifier")
