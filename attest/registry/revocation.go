package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// Bounds of one step of Reevaluate: others wait for a transaction that writes.
const (
	revokeLimit = 1000 // keys a transaction
	serialLimit = 1000 // serials a look
)

// revocationJob names the job of Reevaluate; its target is the digest of a list.
const revocationJob = "revocation"

// progressEvery is how often Reevaluate says how far it has come.
const progressEvery = 10 * time.Second

// Reevaluation tells how far the list in force has been applied to the keys.
type Reevaluation struct {
	List     string    // digest; empty: none has been in force since the start
	Revoked  int       // keys that it has revoked so far, also before a restart
	Began    time.Time // zero: not yet
	Finished time.Time // zero: it goes on, or could not go on
}

// reevaluation is the state of Reevaluate in this process.
type reevaluation struct {
	limit int        // keys a transaction
	turn  sync.Mutex // held by who runs it
	last  atomic.Pointer[Reevaluation]
}

// Reevaluation tells how far Reevaluate has come.
func (s *Service) Reevaluation() Reevaluation {
	if r := s.reevaluating.last.Load(); r != nil {
		return *r
	}
	return Reevaluation{}
}

// Reevaluate applies the revocation list in force to the registered keys: every
// key with a REVOKED serial in its chain becomes StateRevoked, with an audit
// entry in its account's chain and the event attest.key_revoked. A serial that
// is SUSPENDED revokes nothing, and a serial that has left the list frees
// nobody: the phone registers a new key.
//
// It takes transactions of at most 1000 keys, and each stores how far it has
// come. Call it at the start, after each new list, and again after an error: it
// goes on where it was, also in another process, and does nothing when the list
// has been applied. A list that comes into force meanwhile is applied instead.
//
// A registration cannot slip past it: Register looks at the list in force once
// more in its last transaction, and the first transaction of Reevaluate comes
// after all of those that have still seen the list before.
func (s *Service) Reevaluate(ctx context.Context) (Reevaluation, error) {
	s.reevaluating.turn.Lock()
	defer s.reevaluating.turn.Unlock()
	for {
		list := s.listInForce()
		if list == nil {
			return Reevaluation{}, nil
		}
		r := &listRun{s: s, list: list, told: time.Now()}
		overtaken, err := r.run(ctx)
		if err != nil {
			return s.Reevaluation(), fmt.Errorf("registry: apply revocation list %s: %w", list.Digest, err)
		}
		if !overtaken {
			return s.Reevaluation(), nil
		}
	}
}

// listInForce is the revocation list in force, or nil.
func (s *Service) listInForce() *android.StatusList {
	if s.status == nil {
		return nil
	}
	return s.status()
}

// listRun applies one list.
type listRun struct {
	s    *Service
	list *android.StatusList
	job  Job
	told time.Time // when progress was logged last
}

// run applies the list, and reports whether another list is in force now, so
// that this one has not been applied to its end.
func (r *listRun) run(ctx context.Context) (overtaken bool, err error) {
	err = r.s.view(ctx, func(tx Tx) (err error) {
		r.job, _, err = tx.Job(ctx, revocationJob)
		return err
	})
	if err != nil {
		return false, err
	}
	if r.job.Target == r.list.Digest && !r.job.Finished.IsZero() {
		r.publish()
		return false, nil
	}
	if err := r.begin(ctx); err != nil {
		return false, err
	}
	after := parseCursor(r.job.Cursor)
	serials := r.list.Serials(android.StatusRevoked)
	for len(serials) > 0 {
		if now := r.s.listInForce(); now != nil && now.Digest != r.list.Digest {
			return true, nil
		}
		part := serials[:min(serialLimit, len(serials))]
		var found []SerialKey
		err := r.s.view(ctx, func(tx Tx) (err error) {
			found, err = tx.KeysUnder(ctx, part, after, r.s.reevaluating.limit)
			return err
		})
		if err != nil {
			return false, err
		}
		if len(found) > 0 {
			if err := r.revoke(ctx, found); err != nil {
				return false, err
			}
			after = found[len(found)-1]
		}
		if len(found) < r.s.reevaluating.limit { // nothing is left under these
			serials = serials[len(part):]
		}
		r.tell(len(serials))
	}
	return false, r.end(ctx)
}

// begin makes the job this list's. It writes even if the job goes on: whoever
// registers a key after this transaction has seen the list in force.
func (r *listRun) begin(ctx context.Context) error {
	now := r.s.now()
	err := r.s.update(ctx, func(tx Tx) (err error) {
		if r.job, _, err = tx.Job(ctx, revocationJob); err != nil {
			return err
		}
		if r.job.Target != r.list.Digest {
			r.job = Job{Name: revocationJob, Target: r.list.Digest, Began: now}
		}
		return tx.PutJob(ctx, r.job)
	})
	if err == nil {
		r.publish()
	}
	return err
}

// end marks the job finished.
func (r *listRun) end(ctx context.Context) error {
	done := r.job
	done.Finished = r.s.now()
	if err := r.s.update(ctx, func(tx Tx) error { return tx.PutJob(ctx, done) }); err != nil {
		return err
	}
	r.job = done
	r.publish()
	if done.Changed > 0 {
		r.s.log.Warn("registry: keys revoked by the revocation list", "app", r.s.id, "list", done.Target,
			"keys", done.Changed, "took", done.Finished.Sub(done.Began))
	}
	return nil
}

// revoke revokes the keys that are found, and moves the cursor behind them.
func (r *listRun) revoke(ctx context.Context, found []SerialKey) error {
	now := r.s.now()
	serial := make(map[string]string, len(found)) // by key: the first that names it
	var ids []string
	for _, f := range found {
		if _, twice := serial[f.Key]; !twice {
			serial[f.Key] = f.Serial
			ids = append(ids, f.Key)
		}
	}
	var next Job
	err := r.s.update(ctx, func(tx Tx) error {
		next = r.job
		next.Cursor = cursor(found[len(found)-1])
		keys, err := tx.AttestedKeysByID(ctx, ids)
		if err != nil {
			return err
		}
		var entries []audit.Entry
		var events []event.Event
		var revoked []string
		for _, k := range keys {
			if k.State == StateRevoked { // since it was found
				continue
			}
			e, ev, err := r.record(k, serial[k.ID], now)
			if err != nil {
				return err
			}
			entries, events, revoked = append(entries, e), append(events, ev), append(revoked, k.ID)
		}
		if _, err := tx.RevokeAttestedKeys(ctx, revoked); err != nil {
			return err
		}
		if err := tx.AppendAudits(ctx, entries); err != nil {
			return err
		}
		if err := tx.AppendEvents(ctx, events); err != nil {
			return err
		}
		next.Changed += len(revoked)
		return tx.PutJob(ctx, next)
	})
	if err != nil {
		return err
	}
	r.job = next
	r.publish()
	return nil
}

// record is what is told of a key that the list revokes.
func (r *listRun) record(k Key, serial string, now time.Time) (audit.Entry, event.Event, error) {
	body, err := json.Marshal(struct {
		Key      string `json:"key"`
		Platform string `json:"platform"`
		Was      State  `json:"was"`
		Serial   string `json:"serial"`
		List     string `json:"list"`
	}{k.ID, k.Platform, k.State, serial, r.list.Digest})
	if err != nil {
		return audit.Entry{}, event.Event{}, fmt.Errorf("registry: encode detail: %w", err)
	}
	k.State = StateRevoked
	digest := k.Digest()
	return audit.Entry{
			Account: k.Account, Time: now, Actor: audit.Actor{Kind: account.System, ID: "revocation list"},
			Action: "attest.revoke", Subject: k.ID, Object: digest[:], Reason: "android.revoked", Detail: body,
		},
		event.Event{Type: "attest.key_revoked", Account: k.Account, Body: body, At: now}, nil
}

// publish lets others see how far it has come.
func (r *listRun) publish() {
	r.s.reevaluating.last.Store(&Reevaluation{List: r.list.Digest, Revoked: r.job.Changed, Began: r.job.Began, Finished: r.job.Finished})
}

// tell logs progress now and then.
func (r *listRun) tell(left int) {
	if time.Since(r.told) < progressEvery {
		return
	}
	r.told = time.Now()
	r.s.log.Info("registry: revocation list is being applied", "app", r.s.id, "list", r.list.Digest, "keys", r.job.Changed, "serials_left", left)
}

// A cursor is a serial and a key id, neither of which has a space.
func cursor(k SerialKey) string { return k.Serial + " " + k.Key }

func parseCursor(text string) (k SerialKey) {
	k.Serial, k.Key, _ = strings.Cut(text, " ")
	return k
}
