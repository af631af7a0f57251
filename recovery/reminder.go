package recovery

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

// ErrOtherPIN is a PIN that is not the one which this phone remembers. Nobody was
// asked, and it has cost no attempt: let the owner try again, or set another PIN while
// he has the phone.
var ErrOtherPIN = errors.New("recovery: this is not the PIN of the backup")

// PINWaitError: too many wrong PINs were typed on this phone, one after the other. None
// is looked at before RetryAt, and the right one neither: whoever has the phone in his
// hands unlocked would try without end.
type PINWaitError struct{ RetryAt time.Time }

func (e *PINWaitError) Error() string {
	return "recovery: too many wrong PINs on this phone: none is looked at before " + e.RetryAt.UTC().Format(time.RFC3339) + "; no attempt was used, and another PIN can be set meanwhile"
}

// Reminder is how well the owner knows his PIN, as far as this phone has seen: a PIN
// that nobody types for two years is a PIN that nobody knows when the phone is gone. The
// zero Reminder is that of a phone which remembers no PIN.
type Reminder struct {
	Set     time.Time // the PIN was set here, or has brought the keys back
	Checked time.Time // it was typed right last, in CheckPIN; zero: never
	Passed  int       // so often in a row
}

// reminderDays are the days until a PIN is asked for again, after it was typed right
// that often in a row.
var reminderDays = [...]int{1, 3, 7, 14, 30}

// Next is when the owner should be asked next. Zero: never.
func (r Reminder) Next() time.Time {
	if r.Set.IsZero() {
		return time.Time{}
	}
	return r.last().AddDate(0, 0, reminderDays[min(max(r.Passed, 0), len(reminderDays)-1)])
}

// Due reports whether the owner should be asked for his PIN now. A time in the future
// comes of a clock that was wrong, and is not waited for.
func (r Reminder) Due(now time.Time) bool {
	return !r.Set.IsZero() && (!now.Before(r.Next()) || now.Before(r.last()))
}

func (r Reminder) last() time.Time {
	if r.Checked.After(r.Set) {
		return r.Checked
	}
	return r.Set
}

// remembered is what a phone keeps of a registration's PIN. The salt is of its own, so
// that the hash is no value of the protocol's, and of the hash one byte is kept: that
// shows 255 of 256 wrong PINs, and leaves who reads the memory of a lost phone with
// thousands of six digits that it may be, for the ten attempts that the vaults give.
// With more of it he would have the PIN, and the next one, which is often the same.
type remembered struct {
	reg          wire.RegID
	argon2       wire.Argon2
	salt         wire.RegID
	check        uint8
	set, checked uint64 // seconds since 1970; checked 0: never
	passed       uint8
	wrong        uint8  // in a row
	tried        uint64 // the last of those, in seconds since 1970; 0: there is none
}

// Wrong PINs in a row that CheckPIN looks at before it makes its caller wait, and for how
// long: twice as long after each one more.
const (
	wrongPINs   = 5
	firstWait   = time.Minute
	longestWait = 24 * time.Hour
)

// waits is until when no PIN is looked at. A last try in the future comes of a clock that
// was wrong: it counts as made now.
func (m *remembered) waits(now time.Time) (until time.Time) {
	if m.wrong < wrongPINs {
		return now
	}
	m.tried = min(m.tried, uint64(max(now.Unix(), 0)))
	return time.Unix(int64(m.tried), 0).Add(min(firstWait<<min(m.wrong-wrongPINs, 11), longestWait))
}

// remember keeps the PIN of a registration, in the place of what was kept for it.
func (c *Client) remember(b *Backup, reg wire.RegID, pin PIN) {
	m := remembered{reg: reg, argon2: wire.DefaultArgon2(), set: uint64(max(c.now().Unix(), 0))}
	rand.Read(m.salt[:]) //nolint:errcheck // crypto/rand: never returns an error
	m.check = m.of(c, pin)
	b.reminders = append(slices.DeleteFunc(b.reminders, func(o remembered) bool { return o.reg == reg }), m)
}

func (m *remembered) of(c *Client, pin PIN) uint8 {
	return wire.Sum(append([]byte("staunch/client/pin-reminder\x00"), c.stretch(pin, m.salt, m.argon2)...))[0]
}

// forget drops what is kept of PINs that bring nothing back any more.
func (b *Backup) forget() {
	b.reminders = slices.DeleteFunc(b.reminders, func(m remembered) bool {
		return (b.current == nil || b.current.reg() != m.reg) && (b.pending == nil || b.pending.reg() != m.reg)
	})
}

// reminder is what is kept of the PIN that Info speaks of; nil: nothing.
func (b *Backup) reminder() *remembered {
	r := b.pending
	if r == nil {
		r = b.current
	}
	for i := range b.reminders {
		if r != nil && b.reminders[i].reg == r.reg() {
			return &b.reminders[i]
		}
	}
	return nil
}

func (m *remembered) info() Reminder {
	if m == nil {
		return Reminder{}
	}
	r := Reminder{Set: time.Unix(int64(m.set), 0).UTC(), Passed: int(m.passed)}
	if m.checked > 0 {
		r.Checked = time.Unix(int64(m.checked), 0).UTC()
	}
	return r
}

// CheckPIN asks this phone whether a PIN is the backup's: no vault and no service hears
// of it, and a wrong one costs no attempt. A right one puts the next Reminder off; after
// ErrOtherPIN they begin anew. One in 256 wrong ones passes for right: the phone keeps too
// little to know better. After five wrong ones in a row there is a *PINWaitError for a
// minute, and for twice as long after each one more. ErrNotFound: there is no backup, or it was made where no
// PIN was remembered; the next registration will be.
func (c *Client) CheckPIN(b *Backup, pin PIN) error {
	var m *remembered
	if b != nil {
		m = b.reminder()
	}
	if m == nil {
		return fmt.Errorf("%w: this phone remembers no PIN; it does once one is set on it", ErrNotFound)
	}
	now := c.now()
	if until := m.waits(now); now.Before(until) {
		if err := c.save(b); err != nil {
			return err
		}
		return &PINWaitError{until}
	}
	right := subtle.ConstantTimeByteEq(m.of(c, pin), m.check) == 1
	if right {
		m.checked, m.passed, m.wrong, m.tried = uint64(max(now.Unix(), 1)), min(m.passed, 254)+1, 0, 0
	} else {
		m.passed, m.wrong, m.tried = 0, min(m.wrong, 254)+1, uint64(max(now.Unix(), 0))
	}
	if err := c.save(b); err != nil || right {
		return err
	}
	return ErrOtherPIN
}

func (m *remembered) code(c *cbor.Coder) {
	c.Array(9)
	c.Fixed(m.reg[:])
	c.Array(3)
	cbor.Uint(c, &m.argon2.M, 65_536, 1_048_576) // as in a header
	cbor.Uint(c, &m.argon2.T, 3, 10)
	cbor.Uint(c, &m.argon2.P, 1, 8)
	c.Fixed(m.salt[:])
	cbor.Uint(c, &m.check, 0, 255)
	cbor.Uint(c, &m.set, 0, 1<<53-1)
	cbor.Uint(c, &m.checked, 0, 1<<53-1)
	cbor.Uint(c, &m.passed, 0, 255)
	cbor.Uint(c, &m.wrong, 0, 255)
	cbor.Uint(c, &m.tried, 0, 1<<53-1)
}
