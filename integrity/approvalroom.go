package integrity

import (
	"context"

	"github.com/staunchid/staunch/account"
)

// proposalsMost is how many approvals that one device, or one browser, has
// proposed are open at once.
const proposalsMost = 8

// makeRoom ends the oldest approvals of a proposer who has many open, and those
// that owners have let pass, so that a list of open ones is short, and so is a
// freeze, which ends them all. Nobody crowds out what another has proposed.
func makeRoom(ctx context.Context, tx Tx, a *actor) error {
	open, err := tx.Approvals(ctx, a.Account)
	if err != nil {
		return err
	}
	own := 0
	for i := len(open) - 1; i >= 0; i-- { // the newest first
		by := open[i].By
		mine := by.Kind == a.Kind && by.Device == a.Device && (a.Device != "" || by.Session == a.Session)
		if mine {
			own++
		}
		over := by.Kind != account.Backend && !a.now.Before(open[i].ExpiresAt)
		if !over && (!mine || own < proposalsMost) {
			continue
		}
		if _, err := tx.EndApproval(ctx, open[i].ended(StateCancelled, a.now)); err != nil {
			return err
		}
	}
	return nil
}
