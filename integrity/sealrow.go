package integrity

import (
	"strconv"
	"time"

	"github.com/staunchid/staunch/account"
)

// Approvals, joins and pending actions have a MAC as accounts do, over
// everything in them: see account.SealRow. Their kinds are "approval", "joining"
// and "pending".

// Seal gives the MAC of the row.
func (a ApprovalRow) Seal(key []byte) []byte {
	return account.SealRow(key, "approval", append([]string{
		string(a.ID), string(a.Account), string(a.Action), string(a.Params), a.Text, string(a.Nonce), string(a.Challenge), a.Need.String(),
		account.MACTime(a.CreatedAt), account.MACTime(a.ExpiresAt), a.State, string(a.Proof), account.MACTime(a.EndedAt),
	}, a.By.fields()...)...)
}

// Sound reports whether the MAC is that of the row, in constant time.
func (a ApprovalRow) Sound(key []byte) bool { return account.SoundRow(key, a.MAC, a.Seal(key)) }

// Seal gives the MAC of the row.
func (j JoinRow) Seal(key []byte) []byte {
	return account.SealRow(key, "joining",
		string(j.ID), j.Kind, string(j.Account), j.Name, j.Platform, string(j.KeysHash), j.KeyID, j.SealingAlg, string(j.SealingKey), j.Number,
		j.Origin, j.Place, j.Network, strconv.Itoa(j.Tries), string(j.By), account.MACTime(j.CreatedAt), account.MACTime(j.ExpiresAt), j.State)
}

// Sound reports whether the MAC is that of the row, in constant time.
func (j JoinRow) Sound(key []byte) bool { return account.SoundRow(key, j.MAC, j.Seal(key)) }

// Seal gives the MAC of the row.
func (p PendingRow) Seal(key []byte) []byte {
	return account.SealRow(key, "pending", append([]string{
		string(p.ID), string(p.Account), string(p.Action), string(p.Params),
		account.MACTime(p.CreatedAt), account.MACTime(p.OpensAt), p.State, account.MACTime(p.EndedAt),
	}, p.By.fields()...)...)
}

// Sound reports whether the MAC is that of the row, in constant time.
func (p PendingRow) Sound(key []byte) bool { return account.SoundRow(key, p.MAC, p.Seal(key)) }

func (c Creator) fields() []string {
	return []string{string(c.Kind), string(c.Device), string(c.Session), strconv.FormatBool(c.WhileHeld)}
}

// ended is the row as EndApproval stores it.
func (a ApprovalRow) ended(state string, at time.Time) ApprovalRow {
	a.State, a.EndedAt = state, at
	return a
}

// ended is the row as EndPending stores it.
func (p PendingRow) ended(state string, at time.Time) PendingRow {
	p.State, p.EndedAt = state, at
	return p
}
