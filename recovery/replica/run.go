package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery/vault"
)

// Run runs a vault until ctx ends. It returns nil then, and an error if it could
// not start or a socket broke.
func Run(ctx context.Context, options *Options) error {
	o, err := options.filled()
	if err != nil {
		return err
	}
	p, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.vaultKeys(ctx); ctx.Err() != nil {
		return nil // it was stopped while it waited for its keys
	} else if err != nil {
		return err
	}
	intro := p.introduction()
	intro.Keys = p.keys
	links, err := intro.Links()
	if err != nil {
		return err
	}
	fresh, err := p.freshness(links)
	if err != nil {
		return err
	}
	v, err := vault.New(&vault.Options{
		Config: p.config, Replica: o.name(), Boot: p.boot, Keys: p.keys, Freshness: fresh,
		Attest: p.attest, KeepKeys: p.keep, Ceremony: p.ceremony,
	})
	if err != nil {
		return err
	}
	if p.witness != nil {
		p.serveWitness(links)
	}
	if err := p.serveKeys(v); err != nil {
		return err
	}
	ln, err := p.listenHost()
	if err != nil {
		return err
	}
	p.serve(func(ctx context.Context) error { return v.Serve(ctx, ln, o.KeysFrom == "") })
	o.Logger.Log(ctx, o.warn(), "vault runs as an ordinary process, NOT a TEE: who runs it can read its keys",
		"vault", o.ID, "replica", o.name(), "epoch", p.keys.Epoch(), "config", v.ConfigHash().String(), "listen", o.Listen)
	o.Ready()
	return p.wait()
}

// RunWitness runs a witness without a vault until ctx ends.
func RunWitness(ctx context.Context, options *Options) error {
	o, err := options.filled()
	if err != nil {
		return err
	}
	p, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer p.close()
	links, err := p.introduction().Links()
	if err != nil {
		return err
	}
	if _, err := p.freshness(links); err != nil {
		return err
	}
	if p.witness == nil {
		return fmt.Errorf("%w: the configuration of %s lists no such witness", ErrFolder, o.ID)
	}
	p.serveWitness(links)
	o.Logger.Log(ctx, o.warn(), "witness runs as an ordinary process, NOT a TEE", "witness", o.ID)
	o.Ready()
	return p.wait()
}

// replica is a process that is starting or runs.
type replica struct {
	*folder
	o        *Options
	boot     *vault.Boot
	attest   func(context.Context, []byte) ([]byte, error)
	ceremony *vault.Ceremony
	handover *vault.Handover
	keys     *vault.MasterKeys // of a vault
	witness  *vault.Witness    // nil: level memory
	others   []vault.Peer      // the witnesses besides it

	ctx    context.Context // of what serves
	cancel context.CancelFunc
	parts  sync.WaitGroup
	mu     sync.Mutex
	err    error // guarded by mu: why it ends
}

func open(ctx context.Context, o *Options) (*replica, error) {
	f, err := openFolder(o.Dir, o.ID)
	if err != nil {
		return nil, err
	}
	p := &replica{folder: f, o: o, boot: vault.NewBoot()}
	p.ctx, p.cancel = context.WithCancel(ctx)
	if p.attest, err = attester(); err == nil {
		p.ceremony, p.handover, err = f.ceremony()
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *replica) close() {
	p.cancel()
	p.parts.Wait()
	if p.witness != nil {
		if err := p.witness.Close(); err != nil {
			p.o.Logger.Error("the journal of the marks was not closed", "error", err)
		}
	}
	p.folder.close()
}

// serve runs a part of the process; when one ends with an error all end.
func (p *replica) serve(part func(context.Context) error) {
	p.parts.Go(func() {
		err := part(p.ctx)
		if err == nil || p.ctx.Err() != nil {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.err = errors.Join(p.err, err)
		p.cancel()
	})
}

func (p *replica) wait() error {
	<-p.ctx.Done()
	p.parts.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// vaultKeys opens the master keys, makes them, or has them handed over.
func (p *replica) vaultKeys(ctx context.Context) error {
	have, err := p.hasKeys()
	if err != nil {
		return err
	}
	if p.o.KeysFrom != "" {
		return p.handedKeys(ctx, have)
	}
	if have || !p.o.Create {
		p.keys, err = p.folder.keys()
	} else {
		p.keys = vault.NewMasterKeys(time.Now())
		err = p.keep(p.keys)
	}
	if err != nil || p.ceremony == nil || p.keys.Held(p.ceremony) {
		return err
	}
	if p.keys, err = p.keys.Hold(p.ceremony, time.Now()); err != nil {
		return err
	}
	p.o.Logger.Warn("recovery.ceremony: a re-base is held", "vault", p.o.ID, "kind", p.ceremony.Kind, "epoch", p.keys.Epoch())
	return p.keep(p.keys)
}

// handedKeys are those of another replica, which has held the ceremony if there
// is one.
func (p *replica) handedKeys(ctx context.Context, have bool) (err error) {
	if have {
		if p.keys, err = p.folder.keys(); err != nil {
			return err
		}
	}
	for p.keys == nil || p.ceremony != nil && !p.keys.Held(p.ceremony) {
		if p.keys, err = p.awaitKeys(ctx); err != nil {
			return err
		}
		if err := p.keep(p.keys); err != nil {
			return err
		}
	}
	return nil
}

func (p *replica) introduction() *vault.Introduction {
	return &vault.Introduction{
		Config: p.config, Replica: p.o.name(), Boot: p.boot, Attest: p.attest, Appraise: p.appraise, Logger: p.o.Logger,
	}
}

// freshness makes the process a witness of the set, and joins it to the others.
func (p *replica) freshness(links *vault.LinkOptions) (vault.Freshness, error) {
	c := &p.config
	switch c.Freshness.Level {
	case vault.LevelMemory:
		return vault.NewMemory(), nil
	case vault.LevelQuorum:
	default:
		return nil, fmt.Errorf("%w: freshness of level %q is not in this program", ErrFolder, c.Freshness.Level)
	}
	if len(c.Witnesses) != int(c.Freshness.W) {
		return nil, fmt.Errorf("%w: %s names %d witnesses and says %d", ErrFolder, ConfigFile, len(c.Witnesses), c.Freshness.W)
	}
	id, err := p.o.witnessID()
	if err != nil {
		return nil, err
	}
	var all []vault.Peer
	if slices.Contains(c.Witnesses, p.o.ID) { // a vault in the place of a lost one is none
		if err := p.remember(id); err != nil {
			return nil, err
		}
		all = append(all, p.witness.Local(id))
	}
	for _, other := range c.Witnesses {
		if other == id {
			continue
		}
		dial, err := p.o.dialer(other)
		if err != nil {
			return nil, err
		}
		l, err := vault.NewLink(other, dial, links)
		if err != nil {
			return nil, err
		}
		p.others = append(p.others, l)
	}
	if p.keys == nil {
		return nil, nil
	}
	return vault.NewQuorum(&vault.QuorumOptions{
		Vault: c.Vault, Key: p.keys.MarkKey(c.Vault), Witnesses: append(all, p.others...), Own: p.witness,
		Q: int(c.Freshness.Q), R: int(c.Freshness.R), F: int(c.Freshness.F), Logger: p.o.Logger,
	})
}

// serveWitness answers the other witnesses, and joins them.
func (p *replica) serveWitness(links *vault.LinkOptions) {
	p.serve(func(ctx context.Context) error {
		ln, err := listen(p.o.Peer)
		if err != nil {
			return err
		}
		return p.witness.Serve(ctx, ln, links)
	})
	p.serve(func(ctx context.Context) error { return p.witness.Run(ctx, p.others) })
}
