package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// ErrSealingKey: the account does not have the sealing key that this phone's app has, so
// the server would refuse the grant, after all else was done. Nothing was asked and
// nothing sent. The text says what to do first.
var ErrSealingKey = errors.New("client: the account cannot move with another sealing key than it has for this phone")

// sameSealingKey refuses to begin a move whose grant the server must refuse: it names the
// sealing key that goes along, and that must be the one of this phone's device
// (spec/transfer.md, "States", row 7). A phone without one moves without one.
func (p *Phone) sameSealingKey(ctx context.Context, home MoveHome) error {
	own, err := home.SealingPublic(ctx)
	if err != nil {
		return fmt.Errorf("client: the keys of this phone: %w", err)
	}
	all, err := p.Devices(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		switch known := d.GetSealingKey(); {
		case !d.GetThis() || bytes.Equal(known, own):
		case len(known) == 0:
			return fmt.Errorf("%w: it has none, since the phone was enrolled without; approve sealing.rotate with the app's public key, then begin again", ErrSealingKey)
		case len(own) == 0:
			return fmt.Errorf("%w: the app has none any more; recover it with the PIN, or make one and approve sealing.rotate with its public key, then begin again", ErrSealingKey)
		default:
			return fmt.Errorf("%w: the app has another one; approve sealing.rotate with its public key, then begin again", ErrSealingKey)
		}
	}
	return nil
}
