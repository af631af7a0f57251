package passkeytest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// publicKey is the one type of credential.
const publicKey = "public-key"

// base64url is how JSON carries bytes in WebAuthn (L3 §3).
type base64url []byte

func (b *base64url) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	*b = raw
	return err
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

type parameter struct {
	Type      string `json:"type"`
	Algorithm int    `json:"alg"`
}

type descriptor struct {
	Type string    `json:"type"`
	ID   base64url `json:"id"`
}

// creationOptions is what counts of PublicKeyCredentialCreationOptionsJSON
// (WebAuthn L3 §5.1.8).
type creationOptions struct {
	RP struct {
		ID string `json:"id"`
	} `json:"rp"`
	User struct {
		ID base64url `json:"id"`
	} `json:"user"`
	Challenge  base64url                  `json:"challenge"`
	Params     []parameter                `json:"pubKeyCredParams"`
	Exclude    []descriptor               `json:"excludeCredentials"`
	Extensions map[string]json.RawMessage `json:"extensions"`
}

// requestOptions is what counts of PublicKeyCredentialRequestOptionsJSON
// (WebAuthn L3 §5.1.9).
type requestOptions struct {
	RPID      string       `json:"rpId"`
	Challenge base64url    `json:"challenge"`
	Allow     []descriptor `json:"allowCredentials"`
}

// parseOptions reads options, with or without the member publicKey around them.
func parseOptions(text []byte, into any) error {
	var outer struct {
		PublicKey json.RawMessage `json:"publicKey"`
	}
	err := json.Unmarshal(text, &outer)
	if err == nil && outer.PublicKey != nil {
		text = outer.PublicKey
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("passkeytest: the options are not those of WebAuthn: %w", err)
	}
	return nil
}
