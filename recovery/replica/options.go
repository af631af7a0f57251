package replica

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"

	"github.com/staunchid/staunch/recovery/vault"
	"github.com/staunchid/staunch/recovery/wire"
)

// ErrFolder: the folder is not that of a vault, or not of this one. The message
// names the file and says what to do.
var ErrFolder = errors.New("replica: the folder is not usable")

// Options say which process this is. ID and Dir are required.
type Options struct {
	ID      string // of the vault, "v1", or of the witness
	Replica string // "a", "b", …; empty: a
	Dir     string

	Listen   string            // where the host calls; empty: unix:DIR/vault.sock. With a host key it speaks TLS, and without one only this machine is let in
	Peer     string            // where witnesses call; empty: unix:DIR/peer.sock
	Peers    map[string]string // addresses of the other witnesses; one that is left out: unix:DIR/../ID/peer.sock
	HostKey  wire.EdKey        // public link key of the one host that may call; zero: that of DIR/host.pub, if it is there
	KeysOn   string            // where other replicas get the master keys; empty: nowhere
	KeysFrom string            // of the replica that has them; empty: this one makes them

	// Create: the first start of all vaults and witnesses of the set. There is no
	// record in any store, so there are keys to be made and no marks to be missed.
	Create bool

	// Hosted: a server has started the process, and has said itself that it is no TEE.
	Hosted bool

	Ready  func()       // called when the process serves; nil: nobody waits
	Logger *slog.Logger // nil: discards
}

// filled are the options with their defaults.
func (o *Options) filled() (*Options, error) {
	f := *o
	if !wire.ValidVaultID(f.ID) || f.Dir == "" {
		return nil, fmt.Errorf("%w: %q is no id (1 to 32 of a-z, 0-9 and -), or no folder is given", ErrFolder, f.ID)
	}
	if f.Replica == "" {
		f.Replica = "a"
	}
	if f.Listen == "" {
		f.Listen = "unix:" + filepath.Join(f.Dir, "vault.sock")
	}
	if f.Peer == "" {
		f.Peer = "unix:" + filepath.Join(f.Dir, "peer.sock")
	}
	if f.Ready == nil {
		f.Ready = func() {}
	}
	if f.Logger == nil {
		f.Logger = slog.New(slog.DiscardHandler)
	}
	return &f, nil
}

// name is the replica as bindings and receipts have it.
func (o *Options) name() string { return o.ID + "/" + o.Replica }

// dialer connects to a peer's address, which may be a folder beside this one.
func (o *Options) dialer(witness string) (func(context.Context) (net.Conn, error), error) {
	address, ok := o.Peers[witness]
	if !ok {
		address = "unix:" + filepath.Join(filepath.Dir(filepath.Clean(o.Dir)), witness, "peer.sock")
	}
	return dialer(address)
}

func dialer(address string) (func(context.Context) (net.Conn, error), error) {
	network, where, err := split(address)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, where)
	}, nil
}

// split reads "unix:PATH" and "tcp:HOST:PORT".
func split(address string) (network, where string, err error) {
	network, where, ok := strings.Cut(address, ":")
	if !ok || where == "" || network != "unix" && network != "tcp" {
		return "", "", fmt.Errorf("replica: %q is no address: unix:PATH or tcp:HOST:PORT", address)
	}
	return network, where, nil
}

// witnessID is what the process is called as a witness.
func (o *Options) witnessID() (string, error) { return vault.WitnessID(o.ID, o.name()) }

// warn is the level at which a process says that it is no TEE.
func (o *Options) warn() slog.Level {
	if o.Hosted {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}
