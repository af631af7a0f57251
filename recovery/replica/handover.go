package replica

import (
	"context"
	"path/filepath"
	"time"

	"github.com/staunchid/staunch/recovery/vault"
)

// How often a replica asks for newer keys, and waits when there is nobody.
const (
	askKeys   = time.Minute
	awaitPart = 200 * time.Millisecond
)

// serveKeys hands the master keys to other replicas, or asks for newer ones.
func (p *replica) serveKeys(v *vault.Vault) error {
	on := p.o.KeysOn
	if p.handover != nil && on == "" {
		on = "unix:" + filepath.Join(p.dir, "keys.sock")
	}
	if on != "" {
		intro := p.introduction()
		intro.Appraise = p.appraiseTaker
		links, err := intro.Links()
		if err != nil {
			return err
		}
		ln, err := listen(on)
		if err != nil {
			return err
		}
		if p.handover != nil {
			p.o.Logger.Warn("recovery.ceremony: the master keys may be taken over", "vault", p.o.ID, "at", on)
		}
		p.serve(func(ctx context.Context) error { return v.ServeKeys(ctx, ln, links, p.handover) })
	}
	if p.o.KeysFrom != "" {
		p.serve(func(ctx context.Context) error { return p.follow(ctx, v) })
	}
	return nil
}

// follow adopts new epochs of the replica that makes them.
func (p *replica) follow(ctx context.Context, v *vault.Vault) error {
	tick := time.NewTicker(askKeys)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		keys, err := p.fetchKeys(ctx)
		if err == nil {
			err = v.Adopt(keys)
		}
		if err != nil {
			p.o.Logger.Warn("no newer keys", "from", p.o.KeysFrom, "error", err)
		}
	}
}

// awaitKeys fetches the keys, as long as it takes.
func (p *replica) awaitKeys(ctx context.Context) (*vault.MasterKeys, error) {
	for said := false; ; said = true {
		keys, err := p.fetchKeys(ctx)
		if err == nil {
			return keys, nil
		}
		if !said {
			p.o.Logger.Info("waiting for the master keys", "from", p.o.KeysFrom, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(awaitPart):
		}
	}
}

func (p *replica) fetchKeys(ctx context.Context) (*vault.MasterKeys, error) {
	dial, err := dialer(p.o.KeysFrom)
	if err != nil {
		return nil, err
	}
	links, err := p.introduction().Links()
	if err != nil {
		return nil, err
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	return vault.FetchKeys(ctx, conn, &p.config, links)
}
