package vault

import (
	"context"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// local is a Peer in the same process. from is the witness-id of the caller.
type local struct {
	*Witness
	from string
}

func (l local) Load(ctx context.Context, vault string, acct [16]byte) (Held, error) {
	if err := ctx.Err(); err != nil {
		return Held{}, err
	}
	return l.load(account{vault, acct})
}

func (l local) Write(ctx context.Context, vault string, t wire.Tagged, view wire.View) (Ack, error) {
	if err := ctx.Err(); err != nil {
		return Ack{}, err
	}
	wait, known, err := l.write(vault, t, view)
	if err != nil {
		return Ack{View: known}, err
	}
	head, err := wait()
	return Ack{Head: head}, err
}

func (l local) Join(ctx context.Context, inc wire.Incarnation, page func([]VaultMark) error) (Memories, error) {
	return l.join(ctx, l.from, inc, page)
}

func (l local) HeadAt(ctx context.Context, n uint64) (HeadAnswer, error) {
	return l.headAt(n), ctx.Err()
}

func (l local) Clock(ctx context.Context) (time.Time, error) { return l.clock(), ctx.Err() }
