package vault

import (
	"context"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// Load is message 1.
func (l *Link) Load(ctx context.Context, vault string, acct [16]byte) (h Held, err error) {
	_, err = l.ask(ctx, &request{kind: askLoad, vault: vault, acct: acct}, nil, &h)
	return h, err
}

// Write is message 2.
func (l *Link) Write(ctx context.Context, vault string, t wire.Tagged, v wire.View) (a Ack, err error) {
	a.View, err = l.ask(ctx, &request{kind: askWrite, vault: vault, mark: t, view: v}, nil, &a.Head)
	return a, err
}

// Join is message 3.
func (l *Link) Join(ctx context.Context, inc wire.Incarnation, take func([]VaultMark) error) (m Memories, err error) {
	known, err := l.ask(ctx, &request{kind: askJoin, inc: inc}, func(b []byte) error {
		p, err := wire.Decode[page](b)
		if err != nil {
			return err
		}
		return take(p)
	}, &m)
	if err != nil {
		return Memories{View: known}, err
	}
	return m, nil
}

// Clock is message 4.
func (l *Link) Clock(ctx context.Context) (time.Time, error) {
	var now millis
	_, err := l.ask(ctx, &request{kind: askClock}, nil, &now)
	return time.UnixMilli(int64(now)).UTC(), err
}

// HeadAt is message 5.
func (l *Link) HeadAt(ctx context.Context, n uint64) (h HeadAnswer, err error) {
	_, err = l.ask(ctx, &request{kind: askHead, n: n}, nil, &h)
	return h, err
}
