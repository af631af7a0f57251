package integrity

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/staunchid/staunch/account"
)

// One approval may be asked for on several devices, and whichever answers first
// has it. So its ceremonies are one for each browser and phone, found by the
// approval and by who is bound to it; a client need not send their ids back.

// approvalCeremony is the id of the ceremony of an approval for who is bound by
// that binding.
//
//	"y_" ‖ the first 26 characters of base32(SHA-256("staunch/approval-ceremony/v1" ‖ 0x00 ‖ approval ID ‖ binding))
func approvalCeremony(id account.ApprovalID, by []byte) account.CeremonyID {
	sum := sha256.Sum256(append([]byte("staunch/approval-ceremony/v1\x00"+string(id)), by...))
	return account.CeremonyID("y_" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:26])
}

// approvalChallenge is what the row of such a ceremony has as its challenge,
// which is unique among ceremonies: the approval's own 32 bytes, and its id.
func approvalChallenge(row ApprovalRow, id account.CeremonyID) []byte {
	return append(bytes.Clone(row.Challenge), id...)
}

// asked is the part of a ceremony row's challenge that is asked for.
func asked(challenge []byte) []byte { return challenge[:min(32, len(challenge))] }
