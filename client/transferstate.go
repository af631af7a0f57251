package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer/handover"
)

// moveFile is what a phone writes down of a move before it tells anybody, and
// after each step: with it a phone that was killed sends the same bytes again. It
// holds keys.
type moveFile struct {
	Version  int                `json:"v"`
	Transfer account.TransferID `json:"transfer"`
	App      account.AppID      `json:"app,omitempty"`
	URI      string             `json:"uri,omitempty"` // C: until its half is there. N: while it is shown
	Token    []byte             `json:"token"`
	Begun    time.Time          `json:"begun,omitzero"`
	Half     []byte             `json:"half,omitempty"` // of package handover
	Audience string             `json:"audience,omitempty"`

	// N.
	Until     time.Time         `json:"until,omitzero"` // of the code, by N's clock
	Challenge []byte            `json:"challenge,omitempty"`
	Ceremony  string            `json:"ceremony,omitempty"` // of its passkey
	Typed     bool              `json:"typed,omitempty"`    // the number was
	Passkey   []byte            `json:"passkey,omitempty"`  // the answer to that
	Receipt   *handover.Receipt `json:"receipt,omitempty"`  // what has arrived
	Sealing   []byte            `json:"sealing,omitempty"`  // public key that was opened
	Beacon    uint16            `json:"beacon,omitempty"`   // its port
	Account   account.ID        `json:"account,omitempty"`  // that the current phone has named
	RecallBy  time.Time         `json:"recall_by,omitzero"` // by its own clock: a recall that comes later wipes nothing

	// C.
	Source       string           `json:"source,omitempty"`  // which history
	Beacons      []string         `json:"beacons,omitempty"` // of N
	StepUp       *handover.StepUp `json:"step_up,omitempty"` // of Confirm
	Plan         *plan            `json:"plan,omitempty"`
	RecallWindow time.Duration    `json:"recall_window,omitempty"`
	Class        string           `json:"class,omitempty"`
	Root         [32]byte         `json:"root,omitzero"` // that was granted
	Peer         *Peer            `json:"peer,omitempty"`

	// How far it is, beside what Half says. Each is set when it has been done.
	Left     bool      `json:"left,omitempty"`   // C has signed itself out
	Placed   bool      `json:"placed,omitempty"` // N has stored keys and history
	AckedAt  time.Time `json:"acked_at,omitzero"`
	Closed   bool      `json:"closed,omitempty"` // nothing is left to do but for what ends the window
	Wiped    bool      `json:"wiped,omitempty"`  // C after FINAL, N after a recall
	State    string    `json:"state,omitempty"`  // as the server has said last
	Reason   string    `json:"reason,omitempty"`
	Result   *Moved    `json:"result,omitempty"` // what is known of it
	Fraction [2]uint64 `json:"fraction"`         // done and total
}

const (
	moveName    = "move.json"
	moveVersion = 1
	planName    = "plan-" // and the revision
	journalName = "journal"
	markName    = "checkpoint" // of N: after each segment
	goodName    = "checkpoint.durable"
	spoolName   = "spool"
)

// moveDir is the folder of one role.
type moveDir struct {
	dir      string
	receives bool // of the new phone
	beside   bool // another program writes it
}

func (m *Moving) folder(role string) *moveDir {
	name := "send"
	if role == RoleReceiver {
		name = "receive"
	}
	return &moveDir{filepath.Join(m.Dir, name), role == RoleReceiver, m.Beside}
}

func (d *moveDir) path(name string) string { return filepath.Join(d.dir, name) }

// plan is the file of a revision's plan.
func (d *moveDir) plan(revision uint32) string {
	return d.path(planName + strconv.FormatUint(uint64(revision), 10))
}

// load reads the move; without one it gives nil.
func (d *moveDir) load() (*moveFile, error) {
	data, err := loadWhole(d.path(moveName))
	if data == nil || err != nil {
		return nil, err
	}
	f := &moveFile{}
	if err := json.Unmarshal(data, f); err != nil {
		return nil, fmt.Errorf("client: %s: %w", d.path(moveName), err)
	}
	if f.Version != moveVersion {
		return nil, fmt.Errorf("client: %s: a move of version %d; this program reads version %d", d.path(moveName), f.Version, moveVersion)
	}
	if f.Plan != nil {
		f.Plan.path = d.plan(f.Plan.Revision)
	}
	return f, nil
}

// save writes it down: when it returns it is on the disk.
func (d *moveDir) save(f *moveFile) error {
	if d.beside {
		return errors.New("client: another program has this move")
	}
	f.Version = moveVersion
	data, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	return saveWhole(d.path(moveName), data, true)
}

// begin makes the folder, empty.
func (d *moveDir) begin() error {
	if err := os.RemoveAll(d.dir); err != nil {
		return diskError(err)
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return diskError(err)
	}
	return syncFolder(filepath.Dir(d.dir))
}

// clear removes all but the state.
func (d *moveDir) clear() error {
	list, err := os.ReadDir(d.dir)
	if err != nil {
		return diskError(err)
	}
	var names []string
	for _, e := range list {
		if e.Name() != moveName {
			names = append(names, e.Name())
		}
	}
	return removeAll(d.dir, names...)
}

// over reports whether nothing can follow any more, so that another move may take
// its place.
func (f *moveFile) over() bool {
	return f.State == "aborted" || f.State == "recalled" || f.State == "final"
}

// ended is how a move without a result has ended, as an error.
func (f *moveFile) ended() error {
	switch f.State {
	case "aborted", "recalled":
		return &MoveEnded{State: f.State, Reason: f.Reason}
	}
	return nil
}
