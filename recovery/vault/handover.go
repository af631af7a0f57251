package vault

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

// handedKeys is the only message of a hand-over: encoded master keys.
type handedKeys []byte

// Code walks the bytes.
func (k *handedKeys) Code(c *cbor.Coder) { cbor.Octets(c, k, 1, 64*1024) }

// ServeKeys hands the master keys to replicas of this vault on ln until ctx ends:
// to a peer whose evidence is appraised, and which proves to be a replica of the
// same vault with the same configuration, or that of a hand-over; h nil: there is
// none. The connection is TLS 1.3 between the boot keys that the evidence of both
// names, so nobody in between has the keys.
func (v *Vault) ServeKeys(ctx context.Context, ln net.Listener, o *LinkOptions, h *Handover) error {
	o = sameVault(o, v.config.Vault, func(config wire.Hash) error { return v.mayHave(ctx, h, config) })
	if err := o.check(); err != nil {
		return err
	}
	config, err := o.tlsConfig()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	places := make(chan struct{}, maxGreeting)
	for {
		places <- struct{}{}
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("vault: %s no longer hands over keys: %w", v.replica, err)
		}
		conns.Go(func() {
			defer func() { <-places }()
			defer conn.Close()
			if err := v.handOver(ctx, tls.Server(conn, config), o); err != nil {
				o.logger().Warn("the master keys were not handed over", "vault", v.config.Vault, "error", err)
			}
		})
	}
}

func (v *Vault) handOver(ctx context.Context, conn *tls.Conn, o *LinkOptions) error {
	l, err := o.greet(ctx, conn)
	if err != nil {
		return err
	}
	keys, err := v.ring.Load().keys.encode()
	if err != nil {
		return err
	}
	defer clear(keys)
	if err := conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return err
	}
	o.logger().Info("the master keys go to another replica", "vault", v.config.Vault, "boot", l.peer.boot)
	return wire.WriteFrame(l.conn, (*handedKeys)(&keys))
}

// FetchKeys takes the master keys of the vault with this configuration from the
// replica at the other end of conn, which it closes. Appraise of o must judge a
// replica by the set that lists it.
func FetchKeys(ctx context.Context, conn net.Conn, c *wire.Config, o *LinkOptions) (*MasterKeys, error) {
	hash, err := c.Hash()
	if err != nil {
		conn.Close()
		return nil, err
	}
	return TakeOver(ctx, conn, c.Vault, hash, o)
}

// TakeOver is FetchKeys from a replica of the vault with the configuration that from
// is the hash of, which is that before a hand-over.
func TakeOver(ctx context.Context, conn net.Conn, vault string, from wire.Hash, o *LinkOptions) (*MasterKeys, error) {
	defer conn.Close()
	o = sameVault(o, vault, func(config wire.Hash) error {
		if config != from {
			return errOtherVault
		}
		return nil
	})
	if err := o.check(); err != nil {
		return nil, err
	}
	config, err := o.tlsConfig()
	if err != nil {
		return nil, err
	}
	l, err := o.greet(ctx, tls.Client(conn, config))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	if err := l.conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	b, err := wire.ReadFrame[handedKeys](l.in)
	if err != nil {
		return nil, fmt.Errorf("%w: the replica handed over nothing: %w", ErrKeys, err)
	}
	defer clear(b)
	return decodeMasterKeys(b)
}

// errOtherVault: master keys stay with one vault and one configuration.
var errOtherVault = errors.New("it is no replica of this vault with this configuration")

// sameVault is o, and refuses besides whoever is no replica of the vault, or has a
// configuration that may does not let pass.
func sameVault(o *LinkOptions, vault string, may func(config wire.Hash) error) *LinkOptions {
	same := *o
	if o.Appraise == nil {
		return &same
	}
	same.Appraise = func(binding, evidence []byte) error {
		if err := o.Appraise(binding, evidence); err != nil {
			return err
		}
		b, err := wire.Decode[wire.Binding](binding)
		if err != nil {
			return err
		}
		if b.Vault != vault {
			return errOtherVault
		}
		return may(b.ConfigHash)
	}
	return &same
}
