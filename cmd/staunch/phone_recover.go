package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/client"
	"github.com/staunchid/staunch/recovery"
)

// PhoneRecoverCmd is `staunch phone recover`.
type PhoneRecoverCmd struct {
	recoveryFlags `embed:""`
	pinFlag       `embed:""`
	Account       string `required:"" placeholder:"ID" help:"The account."`
	Server        string `placeholder:"URL" help:"Address of the server, for a phone that is new."`
	Name          string `help:"What its owner calls a new phone; by default its platform."`
	Platform      string `default:"android" enum:"android,ios" help:"What a new phone is: ${enum}."`
	App           string `placeholder:"ID" help:"The app, where the server has several."`
	Origin        string `placeholder:"ORIGIN" help:"Origin that the passkey of a new phone signs for."`
}

// Help is the long text of --help.
func (PhoneRecoverCmd) Help() string {
	return `A new or empty --home becomes a new phone of the account: the wait begins, all devices are told and can cancel it, and the command exits with 3 and TOO_EARLY. The same command after the wait takes the PIN, gets the sealing keys back, and the phone has the account, which cools off.

In a --home whose phone is in the account already it gets that phone's keys back at once.

A command that was cut off goes on where it was when it is run again with the same PIN: that costs one attempt in all.

Exit codes: those of "staunch phone", and 7 wrong PIN, 8 locked.`
}

// Run recovers.
func (c *PhoneRecoverCmd) Run(s *streams) error {
	id := account.ID(c.Account)
	return c.guardedRecovery(s, "recover", func() account.ID { return id }, func() error {
		return c.guardedPlain(func(ctx context.Context) error {
			if err := id.Validate(); err != nil {
				id = ""
				return &phoneUsage{fmt.Errorf("--account: %w", err)}
			}
			h, err := openHome(c.Home)
			if err != nil {
				return err
			}
			if h.file.State.Account != "" && h.file.State.Began == nil {
				return c.onOwnPhone(ctx, s, h, id)
			}
			return c.onNewPhone(ctx, s, id)
		})
	})
}

// onOwnPhone gets the keys of a phone back that is in the account.
func (c *PhoneRecoverCmd) onOwnPhone(ctx context.Context, s *streams, h *home, id account.ID) error {
	if h.file.State.Account != id {
		return fmt.Errorf("%w: it is in account %s", client.ErrEnrolled, h.file.State.Account)
	}
	if err := h.stays(); err != nil {
		return err
	}
	return c.with(ctx, s, h, func(ctx context.Context, r *phoneRun) error {
		q, err := r.recoverer(ctx, c.vaultTrustFlags)
		if err != nil {
			return err
		}
		text, err := c.read(s, false)
		if err != nil {
			return err
		}
		ticket, err := r.phone.OpenRecovery(ctx, r.approving)
		if err != nil {
			return err
		}
		got, err := q.recover(ctx, id, ticket, text)
		if err != nil {
			return err
		}
		return r.print(q.recovered(got, q.refresh(ctx, got), false))
	})
}

// onNewPhone makes the phone in an empty folder, or goes on with one that was made.
func (c *PhoneRecoverCmd) onNewPhone(ctx context.Context, s *streams, id account.ID) (err error) {
	h := &home{dir: c.Home}
	if err := h.hold(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.release()) }()
	n := &newPhoneFlags{Server: c.Server, Name: c.Name, Platform: c.Platform, App: c.App, Origin: c.Origin}
	if n.Server == "" {
		n.Server = h.file.Server
	}
	if n.Server == "" {
		return &phoneUsage{errors.New("--server: a new phone needs the address of the server")}
	}
	if n.Name == "" {
		n.Name = n.Platform
	}
	if err := n.begin(h, client.FlowRecover); err != nil {
		return err
	}
	public, err := sealingPublic(h.file.SealingKey)
	if err != nil {
		return err
	}
	in := &client.Enrolment{Name: n.Name, SealingAlg: h.file.SealingAlg, SealingKey: public}
	return c.with(ctx, s, h, func(ctx context.Context, r *phoneRun) error {
		at, err := r.phone.StartRecovery(ctx, id, in)
		if err != nil {
			return err
		}
		if len(at.Ticket) == 0 {
			return &tooEarly{at.OpensAt}
		}
		q, err := r.recoverer(ctx, c.vaultTrustFlags)
		if err != nil {
			return err
		}
		text, err := c.read(s, false)
		if err != nil {
			return err
		}
		got, err := q.recover(ctx, id, at.Ticket, text)
		if err != nil {
			return err
		}
		e, err := r.phone.FinishRecovery(ctx, in)
		if err != nil {
			return err
		}
		if err := r.finished(e); err != nil {
			return err
		}
		return r.print(q.recovered(got, false, true))
	})
}

// recover takes the PIN to the vaults. What came back is on the disk when it
// returns.
func (q *recoverer) recover(ctx context.Context, id account.ID, ticket recovery.TicketSecret, text string) (*recovery.Recovered, error) {
	pin, err := recovery.TypedPIN(text)
	if err != nil {
		return nil, err
	}
	a, err := q.attempt()
	if err != nil {
		return nil, err
	}
	got, err := q.client.Recover(ctx, id, ticket, pin, a)
	if err != nil {
		return nil, err
	}
	if err := q.restore(got.Payload); err != nil {
		return nil, err
	}
	if q.backup == nil || q.backup.Info().Reg != got.Reg {
		return got, q.saveBackup(got.Backup)
	}
	return got, nil
}

// refresh registers anew under the same PIN, so that who finds the lost phone has
// no keys of it. It is done again by a later command when a vault is away.
func (q *recoverer) refresh(ctx context.Context, got *recovery.Recovered) bool {
	p, err := q.payload()
	if err != nil {
		return false
	}
	b, err := q.client.Renew(ctx, q.backup, got.PIN, p)
	if b != nil {
		q.backup = b
	}
	var away *recovery.UnavailableError
	switch {
	case errors.As(err, &away):
		fmt.Fprintf(q.err, "note: %d of %d vaults answered, and %d are needed to replace the keys behind the PIN\n", away.Answered, away.Vaults, away.Needed)
	case err != nil:
		fmt.Fprintln(q.err, "note: the keys behind the PIN were not replaced:", withoutPackage(err.Error()))
	}
	return err == nil
}

// recoveredReport is what recover prints.
type recoveredReport struct {
	OK               bool       `json:"ok"`
	Op               string     `json:"op"`
	Result           string     `json:"result"`
	Account          account.ID `json:"account"`
	RegID            string     `json:"reg_id"`
	Limit            int        `json:"limit"`
	Remaining        int        `json:"remaining"`
	Vaults           int        `json:"vaults"`
	Threshold        int        `json:"threshold"`
	Answered         int        `json:"answered"`
	Keys             int        `json:"keys"`
	SealingKeySHA256 known      `json:"sealing_key_sha256"`
	PayloadSeq       uint64     `json:"payload_seq"`
	PayloadSaved     moment     `json:"payload_saved"`
	Refreshed        bool       `json:"refreshed"`
	Assurance        string     `json:"assurance"`
	Operators        int        `json:"operators"`

	home  string
	fresh bool // the phone is new in the account
}

func (q *recoverer) recovered(got *recovery.Recovered, refreshed, fresh bool) *recoveredReport {
	r := &recoveredReport{
		fresh: fresh,
		OK:    true, Op: "recover", Result: "recovered", Account: got.Account, RegID: regHex(got.Reg), Limit: got.Limit, Remaining: got.Remaining,
		Vaults: got.Vaults, Threshold: got.Threshold, Answered: got.Answered, Keys: len(got.Payload.Keys), PayloadSeq: got.Payload.Seq,
		PayloadSaved: moment(got.Payload.Saved), Refreshed: refreshed, Assurance: got.Assurance, Operators: got.Operators, home: q.flags.Home,
	}
	if len(got.Payload.Keys) > 0 {
		if public, err := sealingPublic(got.Payload.Keys[0].Secret); err == nil {
			r.SealingKeySHA256 = known(sealingSum(public))
		}
	}
	return r
}

func (r *recoveredReport) words(w io.Writer) error {
	lines := []string{
		"The PIN is right, and the sealing keys are back.", "",
		"  account   " + string(r.Account),
		fmt.Sprintf("  keys      %d, saved at %s", r.Keys, r.PayloadSaved.inWords()),
		fmt.Sprintf("  attempts  %d of %d remain", r.Remaining, r.Limit), "",
	}
	switch {
	case r.Refreshed:
	case !r.fresh:
		lines = append(lines,
			"The keys behind the PIN are not replaced everywhere yet, see above. To finish that,",
			"run `staunch phone backup --home "+quoted(r.home)+"`, with the same PIN.", "")
	default:
		lines = append(lines,
			"The phone is new, and the account cools off: older devices can take it back until",
			"that is over. Then run `staunch phone pin change`: it replaces the keys behind the",
			"PIN, which the lost phone has too. The PIN may stay the same.", "")
	}
	return writeLines(w, append(lines, "Next: staunch phone status --home "+quoted(r.home))...)
}
