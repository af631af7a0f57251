package handover

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// What a code's first bytes say (spec/transfer.md, "The code").
const (
	codeVersion = 1
	codeSuite   = 1 // HPKE base mode, MLKEM768-X25519, HKDF-SHA256, AES-256-GCM
	codeSize    = 83
	scheme      = "STAUNCH:/"
)

// The beacons that a code can offer.
const (
	BeaconBLE byte = 1 << iota
	BeaconNFC
	BeaconLAN

	allBeacons = BeaconBLE | BeaconNFC | BeaconLAN
)

// Code is what the QR code on the new phone says. Its secret goes by light alone:
// the server never has it. A Code prints as [redacted].
type Code struct {
	Beacons byte     // which the new phone offers: BeaconBLE and so on
	ID      [16]byte // of the transfer, random
	KeyHash [32]byte // SHA-256 of the new phone's KEM key
	Secret  Secret
}

// ParseCode reads the text of a code. Its errors are ErrMalformed and ErrVersion.
func ParseCode(uri string) (c Code, err error) {
	if len(uri) < len(scheme) || !strings.EqualFold(uri[:len(scheme)], scheme) {
		return Code{}, fmt.Errorf("%w: code: it does not begin with %s", ErrMalformed, scheme)
	}
	b, err := readDigits(uri[len(scheme):])
	if len(b) > 0 && b[0] != codeVersion { // whatever follows: a later version may be longer
		return Code{}, fmt.Errorf("%w: version %d", ErrVersion, b[0])
	}
	if err != nil {
		return Code{}, fmt.Errorf("%w: code: %w", ErrMalformed, err)
	}
	if c, err = parsePublic([PublicSize]byte(b)); err != nil {
		return Code{}, err
	}
	copy(c.Secret[:], b[PublicSize:])
	clear(b)
	return c, nil
}

// parsePublic reads a code without its secret. Its errors are ErrMalformed and
// ErrVersion.
func parsePublic(p [PublicSize]byte) (c Code, err error) {
	switch {
	case p[0] != codeVersion:
		return Code{}, fmt.Errorf("%w: version %d", ErrVersion, p[0])
	case p[1]&^allBeacons != 0:
		return Code{}, fmt.Errorf("%w: code: beacons %#x are not known", ErrMalformed, p[1])
	case p[2] != codeSuite:
		return Code{}, fmt.Errorf("%w: code: suite %d is not known", ErrMalformed, p[2])
	}
	c.Beacons = p[1]
	copy(c.ID[:], p[3:])
	copy(c.KeyHash[:], p[19:])
	return c, nil
}

// TransferID is the name of the transfer whose code the offer belongs to. It checks
// the code's public half, and that the offer's key is the one in it (spec/transfer.md,
// "Checks": S, offer). Its errors are ErrMalformed, ErrVersion and ErrCommitment.
func (o *Offer) TransferID() (string, error) {
	c, err := parsePublic(o.Public)
	if err != nil {
		return "", err
	}
	if sha256.Sum256(o.Key) != c.KeyHash {
		return "", fmt.Errorf("%w: the key of the offer is not the one in its code", ErrCommitment)
	}
	return c.TransferID(), nil
}

// URI is the text that the QR code shows: upper case and digits, 211 characters.
// Who reads it can pose as the phone that scanned it: show it on the screen, and
// nowhere else.
func (c Code) URI() string {
	public := c.Public()
	b := append(public[:], c.Secret[:]...)
	return scheme + digits(b)
}

// Public is what the server sees of the code too: all but the secret.
func (c Code) Public() (p [PublicSize]byte) {
	p[0], p[1], p[2] = codeVersion, c.Beacons, codeSuite
	copy(p[3:], c.ID[:])
	copy(p[19:], c.KeyHash[:])
	return p
}

// TransferID is the transfer's name: "t_" and 26 characters.
func (c Code) TransferID() string {
	return "t_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(c.ID[:]))
}

func (Code) String() string { return redacted }

// Format prints no secret, whatever the verb.
func (Code) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// LogValue logs no secret.
func (Code) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the secret out of JSON.
func (Code) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// width is how many digits n bytes have: 17 for 7 of them, 15 for the last 6.
func width(n int) int {
	if n == 7 {
		return 17
	}
	return 15
}

// digits writes each 7 bytes as a little-endian number in 17 digits, and the 6 that
// are left over in 15 (the widths of FIDO CTAP 2.2, Section 11.5.1).
func digits(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		n := min(7, len(b))
		var le [8]byte
		copy(le[:], b[:n])
		fmt.Fprintf(&out, "%0*d", width(n), binary.LittleEndian.Uint64(le[:]))
		b = b[n:]
	}
	return out.String()
}

// readDigits is the way back. With an error it gives the bytes before it.
func readDigits(text string) ([]byte, error) {
	b := make([]byte, 0, codeSize)
	for len(b) < codeSize {
		n := min(7, codeSize-len(b))
		if len(text) < width(n) {
			return b, fmt.Errorf("it is cut short, after %d bytes", len(b))
		}
		var v uint64
		for _, d := range []byte(text[:width(n)]) {
			if d < '0' || d > '9' {
				return b, fmt.Errorf("something that is no digit, after %d bytes", len(b))
			}
			v = v*10 + uint64(d-'0')
		}
		if v>>(8*n) != 0 { // two texts for one code otherwise
			return b, fmt.Errorf("a number too large for its bytes, after %d bytes", len(b))
		}
		b = append(b, binary.LittleEndian.AppendUint64(nil, v)[:n]...)
		text = text[width(n):]
	}
	if text != "" {
		return b, fmt.Errorf("%d characters too many", len(text))
	}
	return b, nil
}
