package recovery

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// Payload is what recovery brings back: the app's keys. The client adds what it
// needs itself. It prints as [redacted].
type Payload struct {
	Keys     []wire.SealingKey      // of the app's end-to-end encryption
	App      map[string]wire.Secret // "backup", …; nil: nothing
	Recovery []wire.Key             // Ed25519 seeds of the directory's RECOVERY links, newest first; at most two

	Seq   uint64    // of what was recovered: 1, and one more with each update
	Saved time.Time // of what was recovered
}

func (p *Payload) sealed(manage wire.Key, seq uint64, now time.Time) *wire.Payload {
	return &wire.Payload{
		Keys: p.Keys, ManageSeed: manage, Seq: seq, Saved: uint64(now.Unix()), App: p.App, Recovery: p.Recovery,
	}
}

func opened(p *wire.Payload) Payload {
	return Payload{Keys: p.Keys, App: p.App, Recovery: p.Recovery, Seq: p.Seq, Saved: time.Unix(int64(p.Saved), 0).UTC()}
}

// same compares what the app has put in.
func (p *Payload) same(other *Payload) (bool, error) {
	a, err := wire.Encode(p.sealed(wire.Key{}, 0, time.Unix(0, 0)))
	if err != nil {
		return false, err
	}
	b, err := wire.Encode(other.sealed(wire.Key{}, 0, time.Unix(0, 0)))
	return bytes.Equal(a, b), err
}

func (Payload) String() string { return redacted }

// Format prints no key, whatever the verb.
func (Payload) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// LogValue logs no key.
func (Payload) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps keys out of JSON.
func (Payload) MarshalText() ([]byte, error) { return []byte(redacted), nil }
