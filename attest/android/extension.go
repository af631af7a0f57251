package android

import (
	"fmt"
	"math/bits"

	"github.com/staunchid/staunch/internal/der"
)

// The extensions that are judged, as contents octets of their OBJECT IDENTIFIER.
const (
	oidKeyDescription   = "\x2b\x06\x01\x04\x01\xd6\x79\x02\x01\x11" // 1.3.6.1.4.1.11129.2.1.17
	oidProvisioningInfo = "\x2b\x06\x01\x04\x01\xd6\x79\x02\x01\x1e" // 1.3.6.1.4.1.11129.2.1.30
	oidKeyUsage         = "\x55\x1d\x0f"                             // 2.5.29.15
	oidBasicConstraints = "\x55\x1d\x13"                             // 2.5.29.19
)

// readExtensions reads the four extensions that attestation judges. One of
// them twice is an error: which would count?
func (c *Certificate) readExtensions(explicit der.Element) error {
	list, err := explicit.Only()
	if err != nil {
		return err
	}
	if !list.Is(der.Sequence) {
		return fmt.Errorf("%w: not a SEQUENCE", der.ErrSyntax)
	}
	r, err := list.Open()
	if err != nil {
		return err
	}
	var seen [4]bool
	for !r.Empty() {
		e, err := r.Expect(der.Sequence)
		if err != nil {
			return err
		}
		oid, critical, value, err := c.readExtension(e)
		if err != nil {
			return err
		}
		var which int
		read := func([]byte) error { return nil }
		switch string(oid.Body) {
		case oidBasicConstraints:
			which, read = 0, c.readBasicConstraints
		case oidKeyUsage:
			which, read = 1, c.readKeyUsage
		case oidKeyDescription:
			which, c.keyDescription = 2, value
		case oidProvisioningInfo:
			which, c.provisioningInfo = 3, value
		default:
			if critical && c.unknownCritical == "" {
				if c.unknownCritical, err = oid.OID(); err != nil {
					return err
				}
			}
			continue
		}
		if seen[which] {
			return fmt.Errorf("%w: extension %x twice", der.ErrSyntax, oid.Body)
		}
		seen[which] = true
		if err := read(value); err != nil {
			return err
		}
	}
	return nil
}

// readExtension reads one Extension, RFC 5280, Section 4.2.
func (c *Certificate) readExtension(e der.Element) (oid der.Element, critical bool, value []byte, err error) {
	r, err := e.Open()
	if err != nil {
		return
	}
	if oid, err = r.Expect(der.ObjectID); err != nil {
		return
	}
	flag, written, err := r.Optional(der.Boolean)
	if err != nil {
		return
	}
	if written {
		var exact bool
		if critical, exact, err = flag.Bool(); err != nil {
			return
		}
		c.tolerateBool(critical, exact)
	}
	octets, err := r.Expect(der.OctetString)
	if err != nil {
		return
	}
	return oid, critical, octets.Body, r.Done()
}

// tolerateBool notes a BOOLEAN DEFAULT FALSE that DER would write otherwise.
func (c *Certificate) tolerateBool(value, exact bool) {
	switch {
	case !exact:
		c.tolerate("BOOLEAN other than 00 and FF")
	case !value:
		c.tolerate("DEFAULT FALSE written out")
	}
}

// readBasicConstraints, RFC 5280, Section 4.2.1.9.
func (c *Certificate) readBasicConstraints(value []byte) error {
	r, err := der.Open(value, der.Sequence)
	if err != nil {
		return err
	}
	c.hasBasicConstraints = true
	flag, written, err := r.Optional(der.Boolean)
	if err != nil {
		return err
	}
	if written {
		var exact bool
		if c.isCA, exact, err = flag.Bool(); err != nil {
			return err
		}
		c.tolerateBool(c.isCA, exact)
	}
	if e, ok, err := r.Optional(der.Integer); err != nil {
		return err
	} else if ok {
		n, err := e.Uint64()
		if err != nil {
			return err
		}
		c.pathLen = int(min(n, 1<<16))
	}
	return r.Done()
}

const oddKeyUsage = "KeyUsage with odd unused bits or length"

// readKeyUsage, RFC 5280, Section 4.2.1.3: a named bit list, of which only
// keyCertSign (bit 5) matters. Its padding is read as it comes.
func (c *Certificate) readKeyUsage(value []byte) error {
	r := der.NewReader(value)
	e, err := r.Expect(der.BitString)
	if err != nil {
		return err
	}
	if err := r.Done(); err != nil {
		return err
	}
	c.hasKeyUsage = true
	if len(e.Body) == 0 { // not even a number of unused bits
		c.tolerate(oddKeyUsage)
		return nil
	}
	unused, usage := e.Body[0], e.Body[1:]
	c.keyCertSign = len(usage) > 0 && usage[0]&0x04 != 0
	if !minimalBits(unused, usage) {
		c.tolerate(oddKeyUsage)
	}
	return nil
}

// minimalBits reports whether a named bit list ends in its last one bit,
// X.690 §11.2.2.
func minimalBits(unused byte, b []byte) bool {
	if len(b) == 0 {
		return unused == 0
	}
	last := b[len(b)-1]
	return len(b) <= 2 && last != 0 && int(unused) == bits.TrailingZeros8(last)
}
