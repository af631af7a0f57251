package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// selectCredentials gives what readCredential takes. It leaves the evidence.
const selectCredentials = `SELECT ref, rp_id, credential_id, account, record, state, name, sign_count, flags, added_at, last_used_at, mac,
	(SELECT group_concat(device, ' ') FROM credential_device WHERE ref = credential.ref) FROM credential`

func (tx *Tx) readCredential(s scan) (account.Credential, error) {
	var c account.Credential
	var devices sql.NullString
	var added, used sql.NullInt64
	err := s(&c.Ref, &c.RPID, &c.CredentialID, &c.Account, &c.Record, &c.State, &c.Name, &c.SignCount, &c.Flags, &added, &used, &c.MAC, &devices)
	if err != nil {
		return c, err
	}
	c.AddedAt, c.LastUsedAt = fromMicros(added), fromMicros(used)
	c.Devices = splitDevices(devices.String)
	if tx.devices == nil {
		tx.devices = map[account.CredentialRef][]account.DeviceID{}
	}
	tx.devices[c.Ref] = slices.Clone(c.Devices)
	return c, nil
}

// splitDevices reads device ids with spaces between them, and sorts them. No id
// has a space.
func splitDevices(text string) (all []account.DeviceID) {
	for id := range strings.FieldsSeq(text) {
		all = append(all, account.DeviceID(id))
	}
	slices.Sort(all)
	return all
}

// CredentialByID finds a passkey by RP ID and credential ID, removed ones too.
func (tx *Tx) CredentialByID(ctx context.Context, rpID string, credentialID []byte) (c account.Credential, found bool, err error) {
	return one(ctx, tx, "passkey", tx.readCredential, selectCredentials+` WHERE rp_id = ? AND credential_id = ?`, rpID, credentialID)
}

// Credential gives a passkey by its reference, removed ones too.
func (tx *Tx) Credential(ctx context.Context, ref account.CredentialRef) (c account.Credential, found bool, err error) {
	return one(ctx, tx, "passkey", tx.readCredential, selectCredentials+` WHERE ref = ?`, string(ref))
}

// Credentials gives the account's passkeys by time added, removed ones too.
func (tx *Tx) Credentials(ctx context.Context, id account.ID) ([]account.Credential, error) {
	return some(ctx, tx, "passkey", tx.readCredential, selectCredentials+` WHERE account = ? ORDER BY added_at, ref`, string(id))
}

// AddCredential stores a new passkey with the evidence of its registration. One
// with the same RP ID and credential ID is integrity.ErrPasskeyKnown.
func (tx *Tx) AddCredential(ctx context.Context, c account.Credential, evidence []byte) error {
	err := tx.execUnique(ctx, "passkey", "credential.credential_id", integrity.ErrPasskeyKnown, `INSERT INTO credential
		(ref, rp_id, credential_id, account, record, state, name, sign_count, flags, added_at, last_used_at, mac, evidence)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(c.Ref), c.RPID, c.CredentialID, string(c.Account), c.Record, string(c.State), c.Name, int64(c.SignCount), int64(c.Flags),
		micros(c.AddedAt), micros(c.LastUsedAt), blob(c.MAC), blob(evidence))
	if err != nil || len(c.Devices) == 0 {
		return err
	}
	return tx.putCredentialDevices(ctx, c)
}

// PutCredential stores what may change of a passkey: state, name, counter,
// flags, last use, MAC, and the devices that used it.
func (tx *Tx) PutCredential(ctx context.Context, c account.Credential) error {
	err := tx.change(ctx, "passkey", string(c.Ref), `UPDATE credential SET state = ?, name = ?, sign_count = ?, flags = ?, last_used_at = ?, mac = ? WHERE ref = ?`,
		string(c.State), c.Name, int64(c.SignCount), int64(c.Flags), micros(c.LastUsedAt), blob(c.MAC), string(c.Ref))
	if err != nil {
		return err
	}
	// Whoever changes a passkey has read it before, and nearly always it is the
	// same devices: then there is nothing to do for them.
	if had, read := tx.devices[c.Ref]; read && slices.Equal(had, slices.Sorted(slices.Values(c.Devices))) {
		return nil
	}
	return tx.putCredentialDevices(ctx, c)
}

// putCredentialDevices stores which devices used a passkey in place of those
// that were known to.
func (tx *Tx) putCredentialDevices(ctx context.Context, c account.Credential) error {
	delete(tx.devices, c.Ref)
	if _, err := tx.exec(ctx, "passkey", `DELETE FROM credential_device WHERE ref = ?`, string(c.Ref)); err != nil || len(c.Devices) == 0 {
		return err
	}
	devices, err := json.Marshal(c.Devices)
	if err != nil {
		return tx.fail("passkey", err)
	}
	_, err = tx.exec(ctx, "passkey", `INSERT INTO credential_device (ref, device) SELECT ?, value FROM json_each(?)`, string(c.Ref), string(devices))
	return err
}
