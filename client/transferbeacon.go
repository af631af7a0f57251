package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

// beaconSize is what a beacon says, on every carrier (spec/transfer.md,
// "Proximity").
const beaconSize = 20

const (
	beaconAddresses = 4               // at most so many are offered and tried
	beaconTime      = 2 * time.Second // for each
	lowestPort      = 1024
)

// beacon is the new phone's in the local network: who connects is told 20 bytes,
// of which only a phone that has scanned the code can make anything.
type beacon struct {
	listener net.Listener
	addrs    []string // "ip:port": at most 4
}

// listenBeacon listens at a port, or at any free one for 0. Without a network
// there is no beacon: proximity is never the only way.
func listenBeacon(port uint16, loopback bool) (*beacon, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{Port: int(port)})
	if err != nil {
		return nil, fmt.Errorf("client: beacon: %w", err)
	}
	b := &beacon{listener: l}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		b.close()
		return nil, fmt.Errorf("client: beacon: %w", err)
	}
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || len(b.addrs) == beaconAddresses {
			continue
		}
		ip, _ := netip.AddrFromSlice(n.IP)
		if at := netip.AddrPortFrom(ip.Unmap(), l.Addr().(*net.TCPAddr).AddrPort().Port()); beaconAllowed(at, loopback) {
			b.addrs = append(b.addrs, at.String())
		}
	}
	return b, nil
}

// serve tells what the beacon says to who connects, until close.
func (b *beacon) serve(says [beaconSize]byte) {
	for {
		c, err := b.listener.Accept()
		if err != nil {
			return
		}
		// Who does not read what fits into any buffer is not waited for. What goes wrong
		// here is heard by nobody, and then the class is "none".
		_ = c.SetDeadline(time.Now().Add(beaconTime))
		_, _ = c.Write(says[:])
		_ = c.Close()
	}
}

func (b *beacon) close() {
	if b != nil {
		_ = b.listener.Close()
	}
}

// beaconAllowed reports whether an address may be one of a phone beside this one:
// private or link-local, and no port of a system's service, so that no code makes
// a phone call who knows whom (spec/transfer.md, "Proximity").
func beaconAllowed(at netip.AddrPort, loopback bool) bool {
	ip := at.Addr()
	if at.Port() < lowestPort || ip.Zone() != "" {
		return false
	}
	return ip.IsPrivate() || ip.IsLinkLocalUnicast() || loopback && ip.IsLoopback()
}

// hearBeacon asks each address that an offer names, and gives the first answer
// that read takes.
func hearBeacon(ctx context.Context, addrs []string, loopback bool, read func([beaconSize]byte) bool) bool {
	if len(addrs) > beaconAddresses {
		addrs = addrs[:beaconAddresses]
	}
	for _, a := range addrs {
		at, err := netip.ParseAddrPort(a)
		if err != nil || !beaconAllowed(at, loopback) {
			continue
		}
		if says, ok := askBeacon(ctx, at); ok && read(says) {
			return true
		}
	}
	return false
}

func askBeacon(ctx context.Context, at netip.AddrPort) (says [beaconSize]byte, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, beaconTime)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", at.String())
	if err != nil {
		return says, false
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(beaconTime))
	_, err = io.ReadFull(c, says[:])
	return says, err == nil
}
