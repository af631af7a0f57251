package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/staunchid/staunch/account"
)

// PhoneState is what a phone keeps between two runs beside its keys. It holds
// the session's token: it prints as [redacted], and Export writes it.
type PhoneState struct {
	App     account.AppID // of the server's; empty: not known yet
	Account account.ID    // empty: no account yet
	Device  account.DeviceID
	Passkey account.CredentialRef
	Session account.SessionID // empty: signed out
	Key     string            // id of the attested key; empty: there is none yet
	// NextKey is the id of the key that a Reattest brings and has not ended with. Until
	// NextUntil the server may still hear of it. Empty: there is none.
	NextKey   string
	NextUntil time.Time
	// Began is a flow that brings a new key and has not ended. Nil: there is none.
	Began *Began

	token Token
}

// Began is an enrolment or a join that has not ended. The keys that it brings
// are kept before the server hears of them, so that a phone that dies in
// between finds out what has become of it.
type Began struct {
	Flow      string         `json:"flow"` // "enrol", "join", "recover" or "move"
	Account   account.ID     `json:"account,omitempty"`
	Join      account.JoinID `json:"join,omitempty"`
	Code      string         `json:"code,omitempty"`
	Number    string         `json:"number,omitempty"`
	ExpiresAt time.Time      `json:"expires_at,omitzero"`
}

// The flows of Began.
const (
	FlowEnrol = "enrol"
	FlowJoin  = "join"
	// FlowRecover is a recovery whose account is not this phone's yet.
	FlowRecover = "recover"
	// FlowMove is a move to this phone that has not been committed.
	FlowMove = "move"
)

// stateJSON is the form that Export writes.
type stateJSON struct {
	Version int                   `json:"v"`
	App     account.AppID         `json:"app,omitempty"`
	Account account.ID            `json:"account,omitempty"`
	Device  account.DeviceID      `json:"device,omitempty"`
	Passkey account.CredentialRef `json:"passkey,omitempty"`
	Session account.SessionID     `json:"session,omitempty"`
	Token   string                `json:"token,omitempty"`
	Key     string                `json:"key,omitempty"`
	Next    string                `json:"next_key,omitempty"`
	Until   time.Time             `json:"next_until,omitzero"`
	Began   *Began                `json:"began,omitempty"`
}

// Export returns the state as one JSON object, with the token: keep it like a
// key.
func (s PhoneState) Export() ([]byte, error) {
	return json.Marshal(stateJSON{1, s.App, s.Account, s.Device, s.Passkey, s.Session, s.token.secret, s.Key, s.NextKey, s.NextUntil, s.Began})
}

// ParsePhoneState reads what Export wrote.
func ParsePhoneState(data []byte) (PhoneState, error) {
	var j stateJSON
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return PhoneState{}, fmt.Errorf("client: not a state as PhoneState.Export writes it: %w", err)
	}
	if j.Version != 1 {
		return PhoneState{}, fmt.Errorf("client: state of version %d; this program reads version 1", j.Version)
	}
	if j.Account != "" {
		if err := j.Account.Validate(); err != nil {
			return PhoneState{}, fmt.Errorf("client: state: %w", err)
		}
	}
	s := PhoneState{App: j.App, Account: j.Account, Device: j.Device, Passkey: j.Passkey, Session: j.Session, Key: j.Key, NextKey: j.Next, NextUntil: j.Until, Began: j.Began}
	if j.Token != "" {
		var err error
		if s.token, err = NewToken(j.Token); err != nil {
			return PhoneState{}, err
		}
	}
	return s, nil
}

// signedOut reports whether there is no session.
func (s PhoneState) signedOut() bool { return s.token == Token{} }

// String, GoString, LogValue and MarshalJSON give "[redacted]".
func (PhoneState) String() string               { return redacted }
func (PhoneState) GoString() string             { return redacted }
func (PhoneState) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (PhoneState) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
