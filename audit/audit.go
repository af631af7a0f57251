// Package audit is the append-only record of who did what to an account.
//
// Every entry names its actor, what he did, to what, and why, and carries the
// hash of the entry before it. Each account has a chain of its own, so that
// accounts do not queue behind one row; entries without an account form the
// app's chain. Whoever changes, removes, swaps or inserts an entry breaks a
// hash, and [Check] says where.
//
//	err := tx.AppendAudit(ctx, audit.Entry{
//		Account: id, Time: now, Actor: audit.ActorOf(caller),
//		Action: "attest.register", Subject: keyID, Object: key.Digest(),
//	})
//
// No entry, no action: a service appends in the transaction of the change, and
// a refusal that is worth keeping is appended too. An entry never holds a
// secret or an identifier of a device.
//
// The hash of entry n of an account is
//
//	SHA-256("staunch/audit/v1" ‖ 0x00 ‖ L(app) ‖ L(account) ‖ U64(n) ‖ U64(time) ‖ L(actor) ‖ L(action) ‖
//	        L(subject) ‖ L(object) ‖ L(reason) ‖ L(detail) ‖ prev)
//
// where L(x) is a 4-byte big-endian length and x, U64 is 8 bytes big-endian,
// time is in microseconds since 1970 UTC, actor is L(kind) ‖ L(id) ‖ L(session)
// ‖ L(class), object is empty or the SHA-256 of the changed thing as it is
// afterwards, and prev is the hash of entry n-1. Entries count from 1; the
// first prev is SHA-256("staunch/audit/v1/genesis" ‖ 0x00 ‖ L(app) ‖ L(account)).
//
// # Things and their states
//
// The Object of an entry is the digest of its Subject after the change. What an
// entry tells beside that stands in its Detail, in the members of [Detail]: the
// digests of further things, the steps that states took, what is gone, and what
// is kept for a time only. Everything else in it is the pillar's own.
//
// # Seals
//
// Chains alone show what was changed and not what was cut off, and whoever can
// write to the store can compute a chain anew. So a [Sealer] signs, once a
// minute, the hashes of all entries that no seal covers yet, with a key that is
// not in the store:
//
//	Ed25519("staunch/audit-seal/v1" ‖ 0x00 ‖ L(app) ‖ U64(number) ‖ U64(count) ‖ U64(time) ‖ digest ‖ prev)
//
// digest is the SHA-256 over the hashes of the count covered entries by account,
// then number; prev is the SHA-256 of the message of the seal before, and of
// "staunch/audit-seal/v1/genesis" ‖ 0x00 ‖ L(app) for the first. Seals count
// from 1. A key that was replaced stays good for the seals it made: Check takes
// all public keys that were ever in use.
//
// # What is not seen
//
// Entries after the last seal have only their chain: within that minute a tail
// can be cut off, or written anew. And a store that was brought back as a whole
// to how it was at an earlier seal is consistent, whether by a copy of the file
// or by taking out the last seals, what they cover and what it tells of. Who
// wants to see that keeps the number of the last seal in another place, and
// compares; a Sealer does so for as long as it runs, and refuses with
// [ErrRewound].
package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
)

// ErrInvalid: an entry is not one that may be recorded. It is a fault of the
// program; the transaction is undone, for without its entry there is no action.
var ErrInvalid = errors.New("audit: invalid entry")

// Actor is who acted.
type Actor struct {
	Kind    account.Kind
	ID      string // which one: a key id, an operator's name; may be empty
	Session string // empty: without one
	Class   string // of assurance; empty: none was asked for
}

// ActorOf returns c as an actor.
func ActorOf(c account.Caller) Actor { return Actor{Kind: c.Kind, ID: c.Name} }

// Entry is one line of the record. A caller leaves N, Prev, Hash and
// Seal empty: the store fills in the first three with Next.
type Entry struct {
	Account account.ID // empty: the app's own chain
	N       uint64     // from 1
	Time    time.Time  // kept in microseconds
	Actor   Actor
	Action  string          // "PILLAR.WHAT"
	Subject string          // what it was done to
	Object  []byte          // SHA-256 of the subject as it is now, or empty when it has not changed
	Reason  string          // why: codes, or an operator's words
	Detail  json.RawMessage // one JSON object, or empty
	Prev    [32]byte
	Hash    [32]byte
	Seal    uint64 // number of the seal that covers it, no part of Hash; 0: none yet
}

// Appender is in the transaction of every pillar. It puts e at the end of its
// account's chain.
type Appender interface {
	AppendAudit(ctx context.Context, e Entry) error
}

// Validate reports ErrInvalid unless e may be recorded.
func (e Entry) Validate() error {
	switch {
	case e.Actor.Kind == "":
		return fmt.Errorf("%w: %s by nobody", ErrInvalid, e.Action)
	case e.Action == "":
		return fmt.Errorf("%w: no action", ErrInvalid)
	case e.Time.IsZero():
		return fmt.Errorf("%w: %s without a time", ErrInvalid, e.Action)
	case len(e.Object) != 0 && len(e.Object) != 32:
		return fmt.Errorf("%w: object digest of %s has %d bytes", ErrInvalid, e.Action, len(e.Object))
	case len(e.Detail) != 0 && (e.Detail[0] != '{' || !json.Valid(e.Detail)):
		return fmt.Errorf("%w: detail of %s is no JSON object", ErrInvalid, e.Action)
	}
	if _, err := e.inDetail(); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalid, e.Action, err)
	}
	if e.Account != "" {
		if err := e.Account.Validate(); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	return nil
}
