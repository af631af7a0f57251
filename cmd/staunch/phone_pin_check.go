package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
)

// PhonePINCheckCmd is `staunch phone pin check`.
type PhonePINCheckCmd struct {
	recoveryFlags `embed:""`
	pinFlag       `embed:""`
}

// Help is the long text of --help.
func (PhonePINCheckCmd) Help() string {
	return `The phone compares the PIN with what it remembers of it: no vault and no server hears of it, and a wrong one costs no attempt. "staunch phone backup status" says when it is time: a day after the PIN was set, then after 3, 7, 14 and 30 days, for as long as it is typed right. One in 256 wrong ones passes for right: the phone keeps too little to know better, so that a thief learns little from it. After five wrong ones in a row none is looked at for a minute, and twice as long after each one more.

Exit codes: those of "staunch phone", 6 wait, and 7 wrong PIN.`
}

// Run compares.
func (c *PhonePINCheckCmd) Run(s *streams) error {
	return c.runRecovery(s, "pin_check", func(_ context.Context, q *recoverer) error {
		text, err := c.read(s, false)
		if err != nil {
			return err
		}
		pin, err := recovery.TypedPIN(text)
		if err != nil {
			return err
		}
		err = q.client.CheckPIN(q.backup, pin)
		if errors.Is(err, recovery.ErrOtherPIN) {
			return &otherPIN{q.backup.Info(), err}
		}
		if err != nil {
			return err
		}
		i := q.backup.Info()
		return q.print(&checkedReport{
			OK: true, Op: "pin_check", Result: "checked", Account: i.Account, RegID: regHex(i.Reg), Passed: i.Reminder.Passed, RemindAt: moment(i.Reminder.Next()),
		})
	})
}

// otherPIN is a PIN that is not the backup's, by the phone's own memory.
type otherPIN struct {
	info recovery.BackupInfo
	err  error
}

func (e *otherPIN) Error() string { return e.err.Error() }
func (e *otherPIN) Unwrap() error { return e.err }

// checkedReport is what pin check prints.
type checkedReport struct {
	OK       bool       `json:"ok"`
	Op       string     `json:"op"`
	Result   string     `json:"result"`
	Account  account.ID `json:"account"`
	RegID    string     `json:"reg_id"`
	Passed   int        `json:"passed"`
	RemindAt moment     `json:"remind_at"`
}

func (r *checkedReport) words(w io.Writer) error {
	return writeLines(w, fmt.Sprintf("The PIN is right. Ask again from %s on.", inWordsAt(time.Time(r.RemindAt))))
}
