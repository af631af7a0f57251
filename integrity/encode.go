package integrity

import "encoding/base64"

// encode writes bytes as they go over the wire: base64url without padding.
func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
