package replica

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/staunchid/staunch/recovery/hostlink"
	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/wire"
)

// HostKeyFile has the public link key of the host, if that is on another machine.
const HostKeyFile = "host.pub"

// listenHost listens where the host calls. A host on another machine proves that
// it has the link key; without one nobody from another machine is let in.
func (p *replica) listenHost() (net.Listener, error) {
	key, err := p.hostKey()
	if err != nil {
		return nil, err
	}
	network, where, err := split(p.o.Listen)
	if err != nil {
		return nil, err
	}
	open := network == "tcp" && key == wire.EdKey{}
	if open && !loopback(where) {
		return nil, fmt.Errorf("%w: %s lets in whoever reaches it: give the server's link key with --host-key, or as %s", ErrFolder, p.o.Listen, filepath.Join(p.dir, HostKeyFile))
	}
	ln, err := listen(p.o.Listen)
	if err != nil || network != "tcp" || open {
		return ln, err
	}
	link, err := hostlink.Listen(ln, p.boot.Key(), key, p.o.Logger)
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return link, nil
}

// hostKey is that of the options, or of the folder; zero: there is none.
func (p *replica) hostKey() (wire.EdKey, error) {
	if p.o.HostKey != (wire.EdKey{}) {
		return p.o.HostKey, nil
	}
	path := filepath.Join(p.dir, HostKeyFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return wire.EdKey{}, nil
	}
	key, err := release.ReadPublicKey(path)
	if err != nil {
		return key, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	return key, nil
}

// loopback reports whether an address is of this machine alone.
func loopback(where string) bool {
	host, _, err := net.SplitHostPort(where)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}
