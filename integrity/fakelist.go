package integrity

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// allowedFor gives the passkeys that may answer for a handle. One that nobody
// has gets a list as well, always the same, in the shape of that of another
// account, so that nobody learns by asking which handles there are. Both ways
// make the same queries and the same computations.
func (s *Service) allowedFor(ctx context.Context, handle string) (allow []passkey.Record, fake bool, err error) {
	if !s.policy.ByHandle {
		return nil, false, fmt.Errorf("%w: this app takes no handles", ErrNotAllowed)
	}
	_, key, err := account.ParseHandle(handle)
	if err != nil {
		return nil, false, err
	}
	err = s.look(ctx, func(tx Tx) error {
		a, found, err := s.accountByHandle(ctx, tx, key)
		if err != nil {
			return err
		}
		near, any, err := tx.AccountNear(ctx, s.point(key))
		if err != nil {
			return err
		}
		if !found {
			a = near
		}
		var all []account.Credential
		if found || any {
			if !a.Sound(s.rowKey) {
				return &tampered{a.ID, string(a.ID)}
			}
			if all, err = s.credentials(ctx, tx, a.ID); err != nil {
				return err
			}
		}
		real, err := records(all)
		if err != nil {
			return err
		}
		allow = s.madeUp(key, real)
		if fake = !found || len(real) == 0; !fake {
			allow = real
		}
		return nil
	})
	return allow, fake, err
}

// point is where a handle falls among the random ids of accounts.
func (s *Service) point(key string) account.ID {
	sum := s.derive("point", key, 0, 16)
	return account.ID("a_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum)))
}

// madeUp gives credentials of the shape of real ones, whose ids follow from the
// handle. Where there are none to take the shape from, it is one passkey of a
// phone.
func (s *Service) madeUp(key string, shape []passkey.Record) []passkey.Record {
	if len(shape) == 0 {
		shape = []passkey.Record{{ID: make([]byte, 16), Transports: []string{"hybrid", "internal"}}}
	}
	list := make([]passkey.Record, len(shape))
	for i, r := range shape {
		list[i] = passkey.Record{ID: s.madeUpID(key, i, len(r.ID)), Transports: r.Transports}
	}
	return list
}

// madeUpID gives a credential id of n bytes, 16 at least, that nobody but the app
// can tell from a real one. The app can, wherever it turns up: else whoever has a
// list would try its ids where no handle is asked for, and learn which are real.
//
//	AES-256(first 6 bytes of derive("group", handle) ‖ 2 bytes of number ‖ 8 bytes 0) ‖ derive("id", handle, number)
func (s *Service) madeUpID(key string, number, n int) []byte {
	id := make([]byte, aes.BlockSize)
	copy(id, s.derive("group", key, 0, 6))
	binary.BigEndian.PutUint16(id[6:], uint16(number)) //nolint:gosec // as many as one account has passkeys
	s.madeUpCipher().Encrypt(id, id)
	return append(id, s.derive("id", key, number, max(0, n-len(id)))...)
}

// nobody gives what stands for the account of a made-up credential id, where
// failures are counted: the same for all ids of a list. It is no account's id.
func (s *Service) nobody(id []byte) (of account.ID, madeUp bool) {
	if len(id) < aes.BlockSize {
		return "", false
	}
	var plain [aes.BlockSize]byte
	s.madeUpCipher().Decrypt(plain[:], id[:aes.BlockSize])
	if binary.BigEndian.Uint64(plain[8:]) != 0 {
		return "", false
	}
	return account.ID("nobody " + encode(plain[:6])), true
}

func (s *Service) madeUpCipher() cipher.Block {
	block, err := aes.NewCipher(s.derive("cipher", "", 0, 32))
	if err != nil {
		panic("integrity: " + err.Error()) // 32 bytes are a key
	}
	return block
}

// derive gives n bytes that only the app can compute, in blocks of
//
//	HMAC-SHA256(fake key, "staunch/fake-list/v1" ‖ 0x00 ‖ L(what) ‖ L(handle) ‖ U64(number) ‖ U64(block))
func (s *Service) derive(what, key string, number, n int) []byte {
	var out []byte
	for block := 0; len(out) < n; block++ {
		m := hmac.New(sha256.New, s.fakeKey)
		m.Write([]byte("staunch/fake-list/v1\x00"))
		for _, text := range []string{what, key} {
			m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text)))) //nolint:gosec // a handle is short
			m.Write([]byte(text))
		}
		m.Write(binary.BigEndian.AppendUint64(nil, uint64(number))) //nolint:gosec // never negative
		m.Write(binary.BigEndian.AppendUint64(nil, uint64(block)))  //nolint:gosec // never negative
		out = m.Sum(out)
	}
	return out[:n]
}

// refuseMadeUp refuses an answer with a credential that was made up, as one with
// a real one and a wrong signature is: it is verified, by a key that nobody has.
func (s *Service) refuseMadeUp(c passkey.Ceremony, id, response []byte, now time.Time) error {
	lost, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	point := lost.PublicKey().Bytes() // 0x04 ‖ x ‖ y
	nobody := passkey.User{Account: account.NewID(), Handle: make([]byte, 64)}
	rand.Read(nobody.Handle) // never returns an error
	r := passkey.Record{RPID: s.rp.RPID(), Account: nobody.Account, ID: id, Algorithm: -7, Key: coseES256(point[1:33], point[33:])}
	if _, err := s.rp.VerifyAssertion(c, nobody, passkey.Stored{Record: r}, response, now); err != nil {
		return err
	}
	return passkey.ErrRefused
}

// coseES256 is the COSE form of a P-256 key (RFC 9053, Section 7.1.1).
func coseES256(x, y []byte) []byte {
	b := []byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20} // kty EC2, alg ES256, crv P-256, x
	b = append(b, x...)
	b = append(b, 0x22, 0x58, 0x20)
	return append(b, y...)
}
