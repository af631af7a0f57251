package attesttest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
)

// Sample is one piece of evidence with everything that is needed to verify it.
type Sample struct {
	Format         attest.Format
	Chain          [][]byte // android-chain
	Object         []byte   // every other format
	Challenge      []byte
	ClientData     []byte
	ClientDataHash []byte
	KeyID          []byte // Apple attestations
	PublicKey      []byte // Apple assertions and receipts: of the registered key
	Counter        uint32 // Apple assertions: the last one that the server has stored
	AppID          string // Apple: what the server expects
	StatusList     []byte // Android: snapshot of the revocation list in JSON; nil: the server has none
	At             time.Time
}

// Evidence returns the sample in the form that an attest.Verifier takes.
func (s Sample) Evidence() (attest.Evidence, attest.Expect, error) {
	want := attest.Expect{
		AppID: s.AppID, Challenge: s.Challenge, ClientData: s.ClientData, ClientDataHash: s.ClientDataHash,
		KeyID: s.KeyID, PublicKey: s.PublicKey, Counter: s.Counter,
	}
	if s.StatusList != nil {
		list, err := android.ParseStatusList(s.StatusList)
		if err != nil {
			return attest.Evidence{}, attest.Expect{}, fmt.Errorf("attesttest: status list: %w", err)
		}
		want.Status = list
	}
	return attest.Evidence{Format: s.Format, Chain: s.Chain, Object: s.Object}, want, nil
}

// MarshalJSON writes the object that `staunch attest verify` reads. The
// revocation list and the time are not part of it: they are the flags
// --status-list and --at.
func (s Sample) MarshalJSON() ([]byte, error) {
	o := struct {
		Format         attest.Format `json:"format"`
		Chain          [][]byte      `json:"chain,omitempty"`
		Attestation    []byte        `json:"attestation,omitempty"`
		Assertion      []byte        `json:"assertion,omitempty"`
		Receipt        []byte        `json:"receipt,omitempty"`
		Challenge      []byte        `json:"challenge,omitempty"`
		ClientData     []byte        `json:"client_data,omitempty"`
		ClientDataHash []byte        `json:"client_data_hash,omitempty"`
		KeyID          []byte        `json:"key_id,omitempty"`
		PublicKey      []byte        `json:"public_key,omitempty"`
		Counter        uint32        `json:"counter,omitempty"`
		AppID          string        `json:"app_id,omitempty"`
	}{
		Format: s.Format, Chain: s.Chain, Challenge: s.Challenge, ClientData: s.ClientData,
		ClientDataHash: s.ClientDataHash, KeyID: s.KeyID, PublicKey: s.PublicKey, Counter: s.Counter, AppID: s.AppID,
	}
	switch s.Format {
	case attest.FormatAndroidChain:
	case attest.FormatAppleAssertion:
		o.Assertion = s.Object
	case attest.FormatAppleReceipt:
		o.Receipt = s.Object
	default:
		o.Attestation = s.Object
	}
	return json.Marshal(o)
}
