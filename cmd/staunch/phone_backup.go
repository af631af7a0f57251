package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
)

// PhoneBackupCmd is `staunch phone backup`, by itself and with what follows.
type PhoneBackupCmd struct {
	Make   PhoneBackupMakeCmd   `cmd:"" default:"withargs" help:"Set a PIN that brings the sealing key back, or bring what it brings back up to date. Without \"make\" the same."`
	Status PhoneBackupStatusCmd `cmd:"" help:"Say what the vaults hold, and how many attempts remain."`
	Delete PhoneBackupDeleteCmd `cmd:"" help:"Remove the PIN: nothing brings the key back then."`
}

// Help is the long text of --help.
func (PhoneBackupCmd) Help() string {
	return `By itself, with the flags of "make", it sets a PIN.

Example: staunch phone backup --home ~/phone`
}

// recoveryFlags are those of every command of recovery.
type recoveryFlags struct {
	phoneFlags      `embed:""`
	vaultTrustFlags `embed:""`
}

// runRecovery does fn with the phone in --home and its half of recovery.
func (f recoveryFlags) runRecovery(s *streams, op string, fn func(ctx context.Context, q *recoverer) error) error {
	var id account.ID
	return f.guardedRecovery(s, op, func() account.ID { return id }, func() error {
		return f.guardedPlain(func(ctx context.Context) error {
			h, err := openHome(f.Home)
			if err != nil {
				return err
			}
			if h.file.State.Account == "" || h.file.State.Began != nil {
				return h.notEnrolled()
			}
			id = h.file.State.Account
			if err := h.stays(); err != nil && op != "backup_status" {
				return err
			}
			return f.with(ctx, s, h, func(ctx context.Context, r *phoneRun) error {
				q, err := r.recoverer(ctx, f.vaultTrustFlags)
				if err != nil {
					return err
				}
				return fn(ctx, q)
			})
		})
	})
}

// PhoneBackupMakeCmd is `staunch phone backup`.
type PhoneBackupMakeCmd struct {
	recoveryFlags `embed:""`
	pinFlag       `embed:""`
}

// Help is the long text of --help.
func (PhoneBackupMakeCmd) Help() string {
	return `The first time it wants a PIN. Later it brings the keys that the PIN brings back up to date, and needs none, nor to go on with that. Other work that a vault's absence has left undone (exit 5, or a recovery that could not replace the keys behind the PIN) is finished by the same command, with the same PIN; another one is set in its place.

Exit codes: those of "staunch phone", and 3 with "PIN refused" for one that is too easy.`
}

// Run registers, or updates.
func (c *PhoneBackupMakeCmd) Run(s *streams) error {
	return c.runRecovery(s, "backup", func(ctx context.Context, q *recoverer) error {
		p, err := q.payload()
		if err != nil {
			return err
		}
		if info := q.backup.Info(); info.Found && (info.Complete || info.Updating) && info.Profile != recovery.ProfileSeed {
			if err := q.client.Update(ctx, q.backup, p); err != nil {
				return err
			}
			return q.print(q.stored("backup", "updated"))
		}
		pin, err := c.read(s, true) // it may become the PIN, and nobody sees what is typed
		if err != nil {
			return err
		}
		result := "stored"
		if info := q.backup.Info(); info.Found && info.Complete {
			result = "updated"
		}
		return q.register(ctx, "backup", result, pin, p)
	})
}

// register makes a PIN the one that brings p back.
func (q *recoverer) register(ctx context.Context, op, result, text string, p recovery.Payload) error {
	pin, err := q.client.NewPIN(ctx, text)
	if err != nil {
		return err
	}
	b, err := q.client.Register(ctx, q.backup, pin, p)
	if b != nil {
		q.backup = b
	}
	if err != nil {
		return err
	}
	return q.print(q.stored(op, result))
}

// storedReport is what backup and pin change print.
type storedReport struct {
	OK           bool       `json:"ok"`
	Op           string     `json:"op"`
	Result       string     `json:"result"`
	Account      account.ID `json:"account"`
	RegID        string     `json:"reg_id"`
	Profile      string     `json:"profile"`
	Limit        int        `json:"limit"`
	Remaining    int        `json:"remaining"`
	Vaults       int        `json:"vaults"`
	Threshold    int        `json:"threshold"`
	Acknowledged int        `json:"acknowledged"`
	Assurance    string     `json:"assurance"`
	Operators    int        `json:"operators"`
	Gone         []string   `json:"gone"` // vaults that were lost for good

	home string
}

func (q *recoverer) stored(op, result string) *storedReport {
	i := q.backup.Info()
	return &storedReport{
		OK: true, Op: op, Result: result, Account: i.Account, RegID: regHex(i.Reg), Profile: i.Profile, Limit: i.Limit, Remaining: i.Remaining,
		Vaults: i.Vaults, Threshold: i.Threshold, Acknowledged: i.Acknowledged, Gone: append([]string{}, i.Gone...), Assurance: i.Assurance, Operators: i.Operators, home: q.flags.Home,
	}
}

func (r *storedReport) words(w io.Writer) error {
	what := map[string]string{
		"stored":  "The PIN is set: with it a new phone gets the sealing key back.",
		"updated": "What the PIN brings back is up to date. The PIN is the one that was set before; `staunch phone pin change` sets another.",
		"changed": "The PIN is changed. The one before does not work any more.",
	}[r.Result]
	if len(r.Gone) > 0 {
		what += "\nVault " + strings.Join(r.Gone, ", ") + " is lost for good, with what it had of the PIN: set the PIN anew with `staunch phone pin change`."
	}
	return writeLines(w, what, "",
		"  account   "+string(r.Account),
		fmt.Sprintf("  vaults    %d of %d have it, %d are needed", r.Acknowledged, r.Vaults, r.Threshold),
		fmt.Sprintf("  attempts  %d of %d remain", r.Remaining, r.Limit),
		"", "On a new phone: staunch phone recover --server URL --home NEW --account "+string(r.Account))
}

// PhoneBackupStatusCmd is `staunch phone backup status`.
type PhoneBackupStatusCmd struct {
	recoveryFlags `embed:""`
}

// Run asks the vaults.
func (c *PhoneBackupStatusCmd) Run(s *streams) error {
	return c.runRecovery(s, "backup_status", func(ctx context.Context, q *recoverer) error {
		st, err := q.client.Status(ctx, q.backup)
		if err != nil && !errors.Is(err, recovery.ErrNotFound) {
			return err
		}
		if st == nil {
			st = &recovery.Status{Account: q.phone.State().Account, State: "none"}
		}
		return q.print(vaultsReport(st, q.backup.Info().Reminder))
	})
}

// backupStatusReport is what backup status prints.
type backupStatusReport struct {
	OK        bool                `json:"ok"`
	Op        string              `json:"op"`
	Result    string              `json:"result"`
	Account   account.ID          `json:"account"`
	State     string              `json:"state"`
	RegID     known               `json:"reg_id"`
	Profile   known               `json:"profile"`
	Limit     *int                `json:"limit"`
	Remaining *int                `json:"remaining"`
	Assurance known               `json:"assurance"`
	Operators int                 `json:"operators"`
	Vaults    []vaultStatusReport `json:"vaults"`
	RemindAt  moment              `json:"remind_at"` // when to ask for the PIN again; null: this phone remembers none

	due bool
}

type vaultStatusReport struct {
	ID        string `json:"id"`
	Operator  string `json:"operator"`
	Platform  string `json:"platform"`
	Reachable bool   `json:"reachable"`
	State     known  `json:"state"`
	Used      *int   `json:"used"`
}

func vaultsReport(st *recovery.Status, remind recovery.Reminder) *backupStatusReport {
	r := &backupStatusReport{
		OK: true, Op: "backup_status", Result: "status", Account: st.Account, State: st.State, RegID: known(regHex(st.Reg)), Profile: known(st.Profile),
		Assurance: known(st.Assurance), Operators: st.Operators, Vaults: []vaultStatusReport{}, RemindAt: moment(remind.Next()), due: remind.Due(time.Now()),
	}
	if st.Limit > 0 {
		r.Limit = &st.Limit
	}
	if st.State != "none" && st.Remaining >= 0 {
		r.Remaining = &st.Remaining
	}
	for _, v := range st.Vaults {
		one := vaultStatusReport{ID: v.ID, Operator: v.Operator, Platform: v.Platform, Reachable: v.Reachable, State: known(v.State)}
		if v.Reachable {
			one.Used = &v.Used
		}
		r.Vaults = append(r.Vaults, one)
	}
	return r
}

func (r *backupStatusReport) words(w io.Writer) error {
	lines := []string{map[string]string{
		"none":     "No PIN is set: if this phone is lost, nothing brings the sealing key back. Set one with `staunch phone backup`.",
		"active":   "A PIN is set.",
		"pending":  "A PIN is being set, and not all vaults have it yet: run `staunch phone backup` again.",
		"degraded": "A PIN is set, and a vault has lost it: set one anew with `staunch phone pin change`.",
		"locked":   "The PIN is locked for ever: set a new one with `staunch phone pin change`.",
		"deleted":  "The PIN was removed.",
	}[r.State]}
	if r.Remaining != nil && r.Limit != nil {
		lines = append(lines, fmt.Sprintf("Attempts: %d of %d remain.", *r.Remaining, *r.Limit))
	}
	if r.due {
		lines = append(lines, "Does its owner still know it? `staunch phone pin check` asks, and costs no attempt.")
	}
	if err := writeLines(w, append(lines, "")...); err != nil {
		return err
	}
	var rows [][]string
	for _, v := range r.Vaults {
		state := string(v.State)
		if !v.Reachable {
			state = "does not answer"
		}
		rows = append(rows, []string{printable(v.ID), printable(v.Operator), printable(v.Platform), printable(state)})
	}
	var b strings.Builder
	writeTable(&b, false, []column{{"VAULT", false}, {"OPERATOR", false}, {"PLATFORM", false}, {"STATE", false}}, rows, func(_, _ int, text string) string { return text })
	_, err := io.WriteString(w, b.String())
	return err
}

// PhoneBackupDeleteCmd is `staunch phone backup delete`.
type PhoneBackupDeleteCmd struct {
	recoveryFlags `embed:""`
}

// Run deletes.
func (c *PhoneBackupDeleteCmd) Run(s *streams) error {
	return c.runRecovery(s, "backup_delete", func(ctx context.Context, q *recoverer) error {
		had := q.backup.Info()
		b, err := q.client.Delete(ctx, q.backup)
		if err != nil {
			return err
		}
		i := b.Info()
		r := &deletedReport{OK: true, Op: "backup_delete", Result: "deleted", Account: q.phone.State().Account, Vaults: max(had.Vaults, i.Vaults), Acknowledged: max(had.Vaults, i.Vaults)}
		return q.print(r)
	})
}

// deletedReport is what backup delete prints.
type deletedReport struct {
	OK           bool       `json:"ok"`
	Op           string     `json:"op"`
	Result       string     `json:"result"`
	Account      account.ID `json:"account"`
	Vaults       int        `json:"vaults"`
	Acknowledged int        `json:"acknowledged"`
}

func (r *deletedReport) words(w io.Writer) error {
	return writeLines(w, "The PIN is removed, at every vault. If this phone is lost, nothing brings the sealing key back.")
}
