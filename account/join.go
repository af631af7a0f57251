package account

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
)

// joinPrefix marks the text of a join's QR code.
const joinPrefix = "staunch-join:"

// joinHash is how many bytes of the hash a code holds.
const joinHash = 16

// JoinKeysHash stands for the keys of a phone that joins. The phone computes it
// of its own keys, and the device that lets it in compares it with the server's:
//
//	SHA-256("staunch/join/v1" ‖ 0x00 ‖ L(id of the attested key) ‖ L(sealing algorithm) ‖ L(sealing key))
func JoinKeysHash(keyID, sealingAlg string, sealingKey []byte) [32]byte {
	b := append([]byte("staunch/join/v1"), 0)
	for _, field := range []string{keyID, sealingAlg, string(sealingKey)} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
		b = append(b, field...)
	}
	return sha256.Sum256(b)
}

// JoinCode is the text of the QR code that a new device shows: the join, and the
// first 16 bytes of the hash of its keys.
func JoinCode(id JoinID, hash []byte) string {
	return joinPrefix + string(id) + "." + base64.RawURLEncoding.EncodeToString(hash[:min(joinHash, len(hash))])
}

// ParseJoinCode reads what JoinCode gives, or reports ErrMalformed. Nobody has
// compared the hash yet: it is of 16 bytes.
func ParseJoinCode(code string) (id JoinID, unverifiedHash []byte, err error) {
	text, ok := strings.CutPrefix(code, joinPrefix)
	join, hash, split := strings.Cut(text, ".")
	if !ok || !split {
		return "", nil, fmt.Errorf("%w: a join's code is %sJOIN.HASH", ErrMalformed, joinPrefix)
	}
	id = JoinID(join)
	if err := id.Validate(); err != nil {
		return "", nil, err
	}
	unverifiedHash, err = base64.RawURLEncoding.Strict().DecodeString(hash)
	if err != nil || len(unverifiedHash) != joinHash {
		return "", nil, fmt.Errorf("%w: a join's code ends in a hash of %d bytes", ErrMalformed, joinHash)
	}
	return id, unverifiedHash, nil
}
