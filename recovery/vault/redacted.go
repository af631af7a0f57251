package vault

import (
	"fmt"
	"io"
	"log/slog"
)

// What has keys in it prints as [redacted], with every verb of fmt, in logs and
// in JSON. Each type says so itself: fmt asks no method of an unexported field.

const redacted = "[redacted]"

// Format prints no key.
func (MasterKeys) Format(f fmt.State, _ rune) { redact(f) }

// LogValue logs no key.
func (MasterKeys) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps keys out of JSON.
func (MasterKeys) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Format prints no key, but the name of the boot, which receipts tell as well.
func (b Boot) Format(f fmt.State, _ rune) { io.WriteString(f, b.ID.String()) } //nolint:errcheck // as fmt does

// LogValue logs the name.
func (b Boot) LogValue() slog.Value { return slog.StringValue(b.ID.String()) }

// MarshalText keeps the key out of JSON.
func (b Boot) MarshalText() ([]byte, error) { return []byte(b.ID.String()), nil }

// Format prints no key.
func (*Vault) Format(f fmt.State, _ rune) { redact(f) }

// LogValue logs no key.
func (*Vault) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps keys out of JSON.
func (*Vault) MarshalText() ([]byte, error) { return []byte(redacted), nil }

func (masterKey) Format(f fmt.State, _ rune) { redact(f) }
func (ring) Format(f fmt.State, _ rune)      { redact(f) }
func (epochKeys) Format(f fmt.State, _ rune) { redact(f) }
func (demand) Format(f fmt.State, _ rune)    { redact(f) }

func (masterKey) LogValue() slog.Value { return slog.StringValue(redacted) }
func (ring) LogValue() slog.Value      { return slog.StringValue(redacted) }
func (epochKeys) LogValue() slog.Value { return slog.StringValue(redacted) }
func (demand) LogValue() slog.Value    { return slog.StringValue(redacted) }

func redact(f fmt.State) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does
