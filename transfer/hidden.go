package transfer

import (
	"fmt"
	"io"
	"log/slog"
)

// Rows and views hold shares and sealed secrets. They print as what they are of, and
// nothing of what is in them, whatever the verb, in logs and in JSON too.

func (t Transfer) String() string { return fmt.Sprintf("%s v%d %s", t.ID, t.Version, t.State) }

// Format prints no share, whatever the verb.
func (t Transfer) Format(f fmt.State, _ rune) { io.WriteString(f, t.String()) } //nolint:errcheck // as fmt does

// LogValue logs no share.
func (t Transfer) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText keeps shares out of JSON.
func (t Transfer) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

func (v View) String() string { return fmt.Sprintf("%s v%d %s", v.ID, v.Version, v.State) }

// Format prints no share, whatever the verb.
func (v View) Format(f fmt.State, _ rune) { io.WriteString(f, v.String()) } //nolint:errcheck // as fmt does

// LogValue logs no share.
func (v View) LogValue() slog.Value { return slog.StringValue(v.String()) }

// MarshalText keeps shares out of JSON.
func (v View) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

func (s Sealing) String() string { return "[redacted]" }

// Format prints neither share nor secrets, whatever the verb.
func (s Sealing) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) } //nolint:errcheck // as fmt does

// LogValue logs neither share nor secrets.
func (s Sealing) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps share and secrets out of JSON.
func (s Sealing) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
