package main

import (
	"context"
	"io"
	"time"

	"github.com/staunchid/staunch/account"
)

// PhoneReattestCmd is `staunch phone reattest`.
type PhoneReattestCmd struct {
	phoneFlags `embed:""`
}

// Help is the long text of --help.
func (PhoneReattestCmd) Help() string {
	return `A device whose evidence has grown old gets a new key; the old one says that it may. A device whose key was revoked is locked: its owner approves the new key with the passkey, and the device cools off like a new one.

Both keys stay in --home until the server has answered. A command that was cut off (exit 5) is run again.`
}

// Run attests the phone anew.
func (c *PhoneReattestCmd) Run(s *streams) error {
	return c.run(s, func(ctx context.Context, r *phoneRun) error {
		if err := r.phone.Reattest(ctx, r.approving); err != nil {
			return err
		}
		st, err := r.phone.Status(ctx)
		if err != nil {
			return err
		}
		state := r.phone.State()
		return r.print(&reattestedReport{
			OK: true, Account: state.Account, Device: state.Device, Key: state.Key, DeviceState: low(st.GetDeviceState(), "STATE_"), HoldUntil: when(st.GetHold().GetUntil()),
		})
	})
}

// reattestedReport is what reattest prints.
type reattestedReport struct {
	OK          bool             `json:"ok"`
	Account     account.ID       `json:"account"`
	Device      account.DeviceID `json:"device"`
	Key         string           `json:"key"`
	DeviceState string           `json:"device_state"`
	HoldUntil   moment           `json:"hold_until"`
}

func (r *reattestedReport) words(w io.Writer) error {
	lines := []string{"This phone has a new key, " + r.Key + "."}
	if until := time.Time(r.HoldUntil); !until.IsZero() {
		lines = append(lines, "It was locked, and cools off like a new one until "+inWordsAt(until)+".")
	}
	return writeLines(w, lines...)
}
