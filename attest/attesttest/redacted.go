package attesttest

import "log/slog"

// Software phones hold private keys. Those of a test are worth nothing, but
// code that logs a phone today logs a real key tomorrow: what holds a key
// prints as this.
const redacted = "[redacted]"

// String, GoString, LogValue and MarshalJSON give "[redacted]".
func (k *AndroidKey) String() string               { return redacted }
func (k *AndroidKey) GoString() string             { return redacted }
func (k *AndroidKey) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (k *AndroidKey) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// String, GoString, LogValue and MarshalJSON give "[redacted]".
func (k *AppleKey) String() string               { return redacted }
func (k *AppleKey) GoString() string             { return redacted }
func (k *AppleKey) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (k *AppleKey) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// String, GoString, LogValue and MarshalJSON give "[redacted]".
func (c *Certificate) String() string               { return redacted }
func (c *Certificate) GoString() string             { return redacted }
func (c *Certificate) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (c *Certificate) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
