package passkeytest

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
)

// Credential is one passkey with its private key.
type Credential struct {
	ID             []byte
	RPID           string
	UserHandle     []byte
	Algorithm      int // of COSE
	SignCount      uint32
	BackupEligible bool
	BackupState    bool

	key crypto.Signer
}

// exported is the form that Export writes.
type exported struct {
	Version        int    `json:"v"`
	ID             []byte `json:"id"`
	RPID           string `json:"rp"`
	UserHandle     []byte `json:"user_handle"`
	Algorithm      int    `json:"alg"`
	SignCount      uint32 `json:"count"`
	BackupEligible bool   `json:"backup_eligible"`
	BackupState    bool   `json:"backup_state"`
	PrivateKey     []byte `json:"private_key"` // PKCS #8 (RFC 5958)
}

// Export returns the passkey as one JSON object, with its private key in PKCS
// #8: keep it like a key. ParseCredential reads it. (MarshalJSON leaves all of
// it out, so that no passkey reaches a log by accident; a file that holds one
// among other things takes Export's answer as a json.RawMessage.)
func (c Credential) Export() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return nil, fmt.Errorf("passkeytest: %w", err)
	}
	return json.Marshal(exported{1, c.ID, c.RPID, c.UserHandle, c.Algorithm, c.SignCount, c.BackupEligible, c.BackupState, der})
}

// ParseCredential reads what Export wrote.
func ParseCredential(data []byte) (Credential, error) {
	var e exported
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return Credential{}, fmt.Errorf("passkeytest: not a passkey as Credential.Export writes it: %w", err)
	}
	if e.Version != 1 {
		return Credential{}, fmt.Errorf("passkeytest: passkey of version %d; this program reads version 1", e.Version)
	}
	key, err := x509.ParsePKCS8PrivateKey(e.PrivateKey)
	if err != nil {
		return Credential{}, fmt.Errorf("passkeytest: private_key is not PKCS #8: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return Credential{}, fmt.Errorf("passkeytest: private_key is %T, which cannot sign", key)
	}
	c := Credential{e.ID, e.RPID, e.UserHandle, e.Algorithm, e.SignCount, e.BackupEligible, e.BackupState, signer}
	return c, c.check()
}

func (c Credential) check() error {
	switch {
	case c.key == nil:
		return fmt.Errorf("passkeytest: a Credential without a key; take one from Authenticator.Credentials or ParseCredential")
	case len(c.ID) == 0 || c.RPID == "":
		return fmt.Errorf("passkeytest: a Credential without an ID or RP ID")
	}
	if !fits(c.key, c.Algorithm) { // shows at once, and not as a bad signature later
		return fmt.Errorf("passkeytest: a %T does not sign with COSE algorithm %d", c.key, c.Algorithm)
	}
	return nil
}

// Sign signs as this passkey does.
func (c Credential) Sign(message []byte) ([]byte, error) { return sign(c.key, c.Algorithm, message) }

// PublicKey returns the public key as a COSE key.
func (c Credential) PublicKey() ([]byte, error) { return coseKey(c.key.Public(), c.Algorithm) }

func (c Credential) clone() Credential {
	c.ID, c.UserHandle = bytes.Clone(c.ID), bytes.Clone(c.UserHandle)
	return c
}

// flags are those of every answer with this passkey: present and verified.
func (c Credential) flags() byte {
	f := UserPresent | UserVerified
	if c.BackupEligible {
		f |= BackupEligible
	}
	if c.BackupState {
		f |= BackupState
	}
	return f
}

const redacted = "[redacted]"

// String, GoString, LogValue and MarshalJSON give "[redacted]".
func (c Credential) String() string               { return redacted }
func (c Credential) GoString() string             { return redacted }
func (c Credential) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (c Credential) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
