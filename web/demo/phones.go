package demo

import (
	"fmt"
	"slices"
	"sync"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/web/site"
)

// kinds are the phones that the page asks for, each a row of the catalogue of
// package attesttest.
func kinds() [][2]string {
	return [][2]string{
		{"genuine", "android-rkp"},
		{"repackaged", "app-repackaged"}, // the app, signed by somebody else
		{"emulator", "software-root-ec"}, // no hardware at all
		{"unlocked", "boot-unlocked"},    // the boot loader is open
		{"forged", "leaf-signature"},     // the certificate is the thief's own
		{"software", "level-software"},   // a key in memory, honestly attested
		{"replayed", "challenge-other"},  // good evidence, made for another challenge
	}
}

// phones attests keys that lie in browsers.
type phones struct {
	mu   sync.Mutex
	rows []attesttest.Deviation // guarded by mu; the catalogue with its CAs
}

// row is the deviation of a kind.
func (p *phones) row(kind string) (attesttest.Deviation, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rows == nil {
		p.rows = attesttest.Deviations()
	}
	for _, k := range kinds() {
		if k[0] != kind {
			continue
		}
		i := slices.IndexFunc(p.rows, func(d attesttest.Deviation) bool { return d.Name == k[1] })
		return p.rows[i], true
	}
	return attesttest.Deviation{}, false
}

// attest is the hardware of a phone on the page.
func (c *call) attest() (any, error) {
	var in struct {
		Platform  string `json:"platform"`
		Kind      string `json:"kind"`
		SPKI      octets `json:"spki"`
		Challenge octets `json:"challenge"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Platform != "android" {
		return nil, fmt.Errorf(`%w: platform: %q; the phones of the demo are "android", for an iPhone signs in another form`, site.ErrRequest, in.Platform)
	}
	if len(in.Challenge) == 0 || len(in.Challenge) > 64 {
		return nil, fmt.Errorf("%w: challenge: 1 to 64 bytes", site.ErrRequest)
	}
	d, ok := c.phones.row(in.Kind)
	if !ok {
		return nil, fmt.Errorf("%w: kind: %q is none that settings name", site.ErrRequest, in.Kind)
	}
	sample, err := d.MakeFor(c.now(), in.SPKI, in.Challenge)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", site.ErrRequest, err)
	}
	return map[string]any{"certificateChain": all(sample.Chain)}, nil
}

// all is many as the page writes them.
func all(list [][]byte) []octets {
	out := make([]octets, len(list))
	for i, b := range list {
		out[i] = b
	}
	return out
}
