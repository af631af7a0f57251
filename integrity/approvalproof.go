package integrity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// approvalProof is what is kept of an approval that was confirmed: what was
// signed, and by which passkey. With the passkey's record it can be verified by
// anybody, offline: see VerifyProof.
type approvalProof struct {
	V                 int                   `json:"v"`
	Preimage          []byte                `json:"preimage"` // of the challenge
	ClientData        []byte                `json:"client_data"`
	AuthenticatorData []byte                `json:"authenticator_data"`
	Signature         []byte                `json:"signature"`
	Credential        account.CredentialRef `json:"credential"`
	Record            []byte                `json:"record"` // SHA-256 of the passkey's record
	Synced            bool                  `json:"synced"`
	Suspect           bool                  `json:"suspect"`
}

// proofOf makes the proof of an assertion over an approval.
func proofOf(a *passkey.Approval, as *asserted) (json.RawMessage, error) {
	preimage, err := a.Preimage()
	if err != nil {
		return nil, err
	}
	record, err := as.before.Record.Digest()
	if err != nil {
		return nil, err
	}
	return json.Marshal(approvalProof{
		V: 1, Preimage: preimage, ClientData: as.assertion.ClientDataJSON, AuthenticatorData: as.assertion.AuthenticatorData,
		Signature: as.assertion.Signature, Credential: as.credential.Ref, Record: record[:], Synced: as.assertion.BackupEligible,
		Suspect: as.assertion.Suspect,
	})
}

// proved verifies the proof of a confirmed approval anew, and gives what it
// proves.
func (s *Service) proved(ctx context.Context, tx Tx, row ApprovalRow) (account.Proof, error) {
	var p approvalProof
	if err := json.Unmarshal(row.Proof, &p); err != nil {
		return account.Proof{}, &tampered{row.Account, string(row.ID)}
	}
	cred, err := s.credential(ctx, tx, row.Account, p.Credential)
	if err != nil {
		return account.Proof{}, err
	}
	before, err := stored(cred)
	if err != nil {
		return account.Proof{}, &tampered{cred.Account, string(cred.Ref)}
	}
	got, err := VerifyProof(s.rp, before.Record, row.Proof)
	if err != nil || got.Approval != row.ID || got.Account != row.Account || got.Action != row.Action || got.Parameters != sha256.Sum256(row.Params) {
		return account.Proof{}, &tampered{row.Account, string(row.ID)}
	}
	by := &actor{now: row.EndedAt}
	if by.account, err = s.account(ctx, tx, row.Account); err != nil {
		return account.Proof{}, err
	}
	dev, err := s.device(ctx, tx, row.Account, row.By.Device)
	if err != nil {
		return account.Proof{}, err
	}
	by.device = &dev
	return account.Proof{
		Method: account.ByAction, At: row.EndedAt, Credential: cred.Ref, Synced: before.Record.BackupEligible(), Suspect: before.Suspect,
		Young:  s.young(cred, by),
		Action: row.Action, Digest: row.Challenge,
	}, nil
}

// Approved is what a proof says that was approved.
type Approved struct {
	App        account.AppID
	Account    account.ID
	Approval   account.ApprovalID
	Action     account.Action
	Parameters [32]byte // SHA-256 of the bytes that were executed
	Text       string   // what the person read
	Nonce      []byte
	Expires    time.Time
}

// ErrProof: a proof of an approval proves nothing. It was changed, or it is of
// another passkey, account or Relying Party.
var ErrProof = errors.New("integrity: this is no proof of an approval by that passkey")

// VerifyProof verifies the proof of a confirmed approval, as ApprovalRow and the
// backend's calls give it, with nothing but the record of the passkey and the
// Relying Party's RP ID and origins: no store, no clock, no network. It reports
// what was approved. Whether the time was before Expires, only who received the
// confirmation can say.
func VerifyProof(rp *passkey.RelyingParty, record passkey.Record, proof []byte) (*Approved, error) {
	var p approvalProof
	d := json.NewDecoder(bytes.NewReader(proof))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	if p.V != 1 {
		return nil, fmt.Errorf("%w: version %d; this program knows 1", ErrProof, p.V)
	}
	digest, err := record.Digest()
	if err != nil || !bytes.Equal(digest[:], p.Record) {
		return nil, fmt.Errorf("%w: the record is not that of the passkey which signed", ErrProof)
	}
	out, err := parsePreimage(p.Preimage)
	if err != nil {
		return nil, err
	}
	if out.Account != record.Account {
		return nil, fmt.Errorf("%w: the passkey is that of %s, the approval that of %s", ErrProof, record.Account, out.Account)
	}
	response, err := json.Marshal(map[string]any{
		"id": raw(record.ID), "rawId": raw(record.ID), "type": "public-key", "clientExtensionResults": struct{}{},
		"response": map[string]string{
			"clientDataJSON": raw(p.ClientData), "authenticatorData": raw(p.AuthenticatorData), "signature": raw(p.Signature),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	challenge := sha256.Sum256(p.Preimage)
	at := out.Expires.Add(-time.Second)
	c := passkey.Ceremony{
		Purpose: passkey.Approve, RPID: rp.RPID(), Account: out.Account, Challenge: challenge[:], Allow: [][]byte{record.ID},
		CreatedAt: at, ExpiresAt: out.Expires,
	}
	// The user handle is not part of a proof: none is sent, and none is compared.
	u := passkey.User{Account: record.Account, Handle: make([]byte, 64)}
	a, err := rp.VerifyAssertion(c, u, passkey.Stored{Record: record, Flags: record.Flags}, response, at)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	if a.BackupEligibleChanged {
		return nil, fmt.Errorf("%w: the passkey says of its backups what it did not at registration", ErrProof)
	}
	return out, nil
}

// parsePreimage reads what passkey.Approval.Preimage wrote.
func parsePreimage(b []byte) (*Approved, error) {
	rest, ok := bytes.CutPrefix(b, []byte("staunch/approval/v1\x00"))
	var fields [7][]byte
	for i := range fields {
		if ok = ok && len(rest) >= 4; !ok {
			break
		}
		n := uint64(binary.BigEndian.Uint32(rest))
		if ok = n <= uint64(len(rest)-4); !ok {
			break
		}
		fields[i], rest = rest[4:4+n], rest[4+n:]
	}
	if !ok || len(rest) != 8 || len(fields[4]) != sha256.Size {
		return nil, fmt.Errorf("%w: the preimage is broken", ErrProof)
	}
	return &Approved{
		App: account.AppID(fields[0]), Account: account.ID(fields[1]), Approval: account.ApprovalID(fields[2]), Action: account.Action(fields[3]),
		Parameters: [32]byte(fields[4]), Text: string(fields[5]), Nonce: bytes.Clone(fields[6]),
		Expires: time.Unix(int64(binary.BigEndian.Uint64(rest)), 0).UTC(), //nolint:gosec // as it was written
	}, nil
}

func raw(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
