// Package operator knows the people who look after an app at the console: who
// they are, how they get in, and what they have looked at.
//
//	people, err := operator.New(&operator.Options{
//		App: "demo", Passkey: rp, Update: update, View: view, RowKey: key,
//	})
//	link, err := people.Invite(ctx, local, "mika")      // on the server's own machine
//	begun, err := people.BeginEnrol(ctx, link.Secret, browser)
//	signed, err := people.FinishEnrol(ctx, answer)      // mika is in, for 8 hours
//	caller, err := people.Check(ctx, signed.Token)      // at each request
//	err = people.Look(ctx, caller, account)             // before anything of it is shown
//
// # Getting in
//
// An operator is invited on the server's machine, by who can read the app's root
// secret: `staunch operator add` makes a link that works once, for 24 hours, and
// ends when another is made. Whoever follows it makes one passkey, which is the
// operator from then on. A passkey that is lost is no operator any more: remove
// him and invite him again.
//
// Passkeys verify their user, are bound to one device, and to a domain that no
// page of the app's people is under. A sign-in lasts 8 hours, on this browser
// alone, and ends when the operator is removed.
//
// # What is kept
//
// Of links and tokens the SHA-256. Every row has a MAC by a key that is not in
// the store: who can write to the store and no more makes nobody an operator.
// Each step is an entry in the app's audit record, and so is what an operator
// looks at of an account, in that account's own: once an hour.
//
// # Rows that are put back
//
// Who can write to the store can keep a row, with its MAC, and put it back after
// its operator was removed or its session ended. So a row counts only if it is as
// the record tells: a Service reads the app's own chain, every entry with its hash
// and its link to the one before, and remembers what it has read. What has ended
// stays ended, whatever is appended later; and if an entry that was read is gone or
// another one, nobody comes in until the program is started anew.
//
// It remembers in memory. So [Service.Follow] is called every second, and what
// a Service has never read it does not miss: a whole store that was put back to an
// earlier state while no server ran looks like what it was. Who wants to see that
// keeps the number of the last seal in another place; see package audit.
//
// # What it does not do
//
// It gives nobody a right. An operator reads, and what he may do to an account is
// not this package's to say; nor does one operator invite another. It has no API:
// package web/console serves it.
package operator

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/passkey"
)

// The errors on which somebody can act.
var (
	// ErrNotAllowed: the caller may not do this. Invitations and removals are made
	// on the server's machine: `staunch operator add`.
	ErrNotAllowed = errors.New("operator: not allowed")

	// ErrName: a name has 1 to 64 small letters, digits and ". _ @ -", and begins
	// with a letter or digit.
	ErrName = errors.New(`operator: a name has 1 to 64 small letters, digits and ". _ @ -", and begins with a letter or digit`)

	// ErrNameTaken: an operator of this name has a passkey already. Take another
	// name, or remove him first.
	ErrNameTaken = errors.New("operator: there is an operator of this name, with a passkey")

	// ErrUnknown: there is no such operator. List them.
	ErrUnknown = errors.New("operator: no such operator")

	// ErrInvitation: the link is of no invitation, was used, replaced, or ran out.
	// Have a new one made.
	ErrInvitation = errors.New("operator: the invitation is not good any more")

	// ErrCeremony: the ceremony is unknown here, used or over. Begin again.
	ErrCeremony = errors.New("operator: the ceremony is over, or was begun by another browser")

	// ErrRefused: the passkey is that of no operator. Use the one that was made
	// for the console.
	ErrRefused = errors.New("operator: the passkey is that of no operator")

	// ErrSynced: the passkey may be copied to other devices. Make one on a
	// security key, or another that stays on one device.
	ErrSynced = errors.New("operator: the passkey can be synced")

	// ErrSession: nobody is signed in by this token, or no longer. Sign in.
	ErrSession = errors.New("operator: not signed in")

	// ErrTampered: a row or the audit record was changed by somebody past the
	// program: it has a wrong MAC, is not as the record tells, or the record is not as
	// it was. Nothing is done with it; look at the store with `staunch check`, and at
	// who could write to it.
	ErrTampered = errors.New("operator: the store was changed past the program")
)

// How long things last.
const (
	InvitationLife = 24 * time.Hour
	SessionLife    = 8 * time.Hour
	lookEvery      = time.Hour // the same account and operator are recorded once in it
)

// Update and View run fn in a transaction of the store.
type (
	Update func(ctx context.Context, fn func(Tx) error) error
	View   func(ctx context.Context, fn func(Tx) error) error
)

// Tx is what the service needs of a transaction.
type Tx interface {
	audit.Appender
	// AppAuditEntries calls yield for the entries of the app's own chain whose number
	// is from or more, in order.
	AppAuditEntries(ctx context.Context, from uint64, yield func(audit.Entry) error) error

	// Operator finds one, removed ones too.
	Operator(ctx context.Context, id ID) (Operator, bool, error)
	// OperatorNamed finds the one of a name that is not removed.
	OperatorNamed(ctx context.Context, name string) (Operator, bool, error)
	// OperatorInvited finds who is invited by the link with this SHA-256.
	OperatorInvited(ctx context.Context, hash [32]byte) (Operator, bool, error)
	// OperatorByCredential finds whose passkey it is, removed ones too.
	OperatorByCredential(ctx context.Context, credentialID []byte) (Operator, bool, error)
	// Operators gives all, by name, then time; removed ones too.
	Operators(ctx context.Context) ([]Operator, error)
	AddOperator(ctx context.Context, o Operator) error
	PutOperator(ctx context.Context, o Operator) error

	OperatorCeremony(ctx context.Context, id account.CeremonyID) (Ceremony, bool, error)
	AddOperatorCeremony(ctx context.Context, c Ceremony) error
	// UseOperatorCeremony marks one used if it is unused, and reports whether it did.
	UseOperatorCeremony(ctx context.Context, id account.CeremonyID, now time.Time) (bool, error)
	// DeleteOperatorCeremonies deletes up to limit that expired before t.
	DeleteOperatorCeremonies(ctx context.Context, t time.Time, limit int) (int, error)

	// OperatorSession finds one by the SHA-256 of its token, ended ones too.
	OperatorSession(ctx context.Context, tokenHash [32]byte) (Session, bool, error)
	// OperatorSessions gives those of an operator that have not ended.
	OperatorSessions(ctx context.Context, id ID) ([]Session, error)
	AddOperatorSession(ctx context.Context, s Session) error
	// PutOperatorSession stores when one ended, and its MAC.
	PutOperatorSession(ctx context.Context, s Session) error
	// DeleteOperatorSessions deletes up to limit that ran out before t.
	DeleteOperatorSessions(ctx context.Context, t time.Time, limit int) (int, error)

	// AddOperatorLook notes that an operator looks at an account, at the beginning
	// of an hour, and reports whether that was not noted yet.
	AddOperatorLook(ctx context.Context, id ID, of account.ID, hour time.Time) (bool, error)
	// DeleteOperatorLooks deletes up to limit of hours before t.
	DeleteOperatorLooks(ctx context.Context, t time.Time, limit int) (int, error)
}

// Options are what New takes. All but Passkey, Synced and Now are required.
type Options struct {
	App account.AppID
	// Passkey is the console's Relying Party, whose domain is not that of the app's
	// people. nil: nobody enrols or signs in, as for `staunch operator`.
	Passkey *passkey.RelyingParty
	Update  Update
	View    View
	RowKey  []byte           // 32 bytes: makes the MACs of rows
	Now     func() time.Time // nil: time.Now
	// DangerousSynced takes passkeys that may be copied to other devices, too.
	DangerousSynced bool
}

// Service is the operators of one app. It is safe for concurrent use.
type Service struct {
	app    account.AppID
	rp     *passkey.RelyingParty
	store  Update
	look   View
	key    []byte
	now    func() time.Time
	synced bool

	first  sync.Mutex             // held by who reads the record from its beginning
	record atomic.Pointer[record] // of what is committed; nil: not read yet
}

// New checks o and makes its Service.
func New(o *Options) (*Service, error) {
	if err := o.App.Validate(); err != nil {
		return nil, fmt.Errorf("operator: Options.App: %w", err)
	}
	switch {
	case o.Update == nil || o.View == nil:
		return nil, errors.New("operator: Options.Update or View is missing")
	case len(o.RowKey) != sha256.Size:
		return nil, fmt.Errorf("operator: Options.RowKey has %d bytes; want %d", len(o.RowKey), sha256.Size)
	}
	s := &Service{app: o.App, rp: o.Passkey, store: o.Update, look: o.View, key: o.RowKey, now: o.Now, synced: o.DangerousSynced}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// PasskeyPolicy is what becomes of findings about an operator's passkey: what is
// odd refuses. A Relying Party for operators is made with it.
func PasskeyPolicy(synced bool) passkey.Policy {
	p := passkey.Policy{PRFMissing: passkey.Note} // nothing is wrapped
	if synced {
		p.BackupStateChanged = passkey.Note
	}
	return p
}

// Secret is what lets somebody in: the secret of a link, or the token of a
// session. The store has its SHA-256.
type Secret []byte

func (s Secret) hash() [32]byte { return sha256.Sum256(s) }

// String, GoString, LogValue and MarshalText keep secrets out of logs.
func (Secret) String() string { return "[redacted]" }

// GoString redacts.
func (Secret) GoString() string { return "[redacted]" }

// LogValue redacts.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// MarshalText redacts.
func (Secret) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

func checkName(name string) error {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{0,63}$`).MatchString(name) {
		return ErrName
	}
	return nil
}
