package client

import (
	"encoding/json"
	"fmt"
	"strings"
)

// stripped is the answer of an authenticator without secrets: results of prf
// (WebAuthn L3 §10.1.4) and of hmacGetSecret (CTAP 2.1, Section 12.5), at any
// depth, whatever the case of their names. A client wraps its sealing key with
// them, and they are nobody else's. The server refuses an answer that has some.
func stripped(response json.RawMessage) (string, error) {
	var v any
	d := json.NewDecoder(strings.NewReader(string(response)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return "", fmt.Errorf("client: the authenticator's answer is not JSON: %w", err)
	}
	if _, ok := v.(map[string]any); !ok || d.More() {
		return "", fmt.Errorf("client: the authenticator's answer is not one JSON object")
	}
	strip(v, false)
	out, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("client: the authenticator's answer: %w", err)
	}
	return string(out), nil
}

func strip(v any, inPRF bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			strip(e, inPRF)
		}
	case map[string]any:
		for name, e := range v {
			if strings.EqualFold(name, "hmacGetSecret") || inPRF && strings.EqualFold(name, "results") {
				delete(v, name)
				continue
			}
			strip(e, inPRF || strings.EqualFold(name, "prf"))
		}
	}
}
