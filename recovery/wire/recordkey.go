package wire

import (
	"encoding/binary"
	"fmt"
)

// The sizes of records.
const (
	RecordSize     = 4 + nonceSize + recordPlain + tagSize // 544
	recordPlain    = 512
	labelRecordAAD = "staunch/kr1/record"
)

// RecordKey seals the records of one account at one vault in one epoch.
type RecordKey struct {
	Key
	vault string
	epoch uint32
	acct  Acct
}

// DeriveRecordKey derives the key from the vault's master key of the epoch.
func DeriveRecordKey(master Key, vault string, epoch uint32, acct Acct) RecordKey {
	return RecordKey{expandKey(master[:], list(labelRecord, vault, epoch, acct[:])), vault, epoch, acct}
}

func (k RecordKey) aad(label string) []byte { return list(label, k.vault, k.epoch, k.acct[:]) }

// Seal returns the record as the service keeps it: always 544 bytes, and never
// the same twice.
func (k RecordKey) Seal(r *Record) ([]byte, error) {
	return k.seal(r, recordPlain, labelRecordAAD)
}

// Open returns the record in what the service kept. ErrUnreadable: it is of
// another account, vault or epoch, or was changed.
func (k RecordKey) Open(sealed []byte) (*Record, error) {
	var r Record
	if err := k.open(sealed, RecordSize, labelRecordAAD, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// SealSeed is Seal for the seed profile: always 4,640 bytes.
func (k RecordKey) SealSeed(r *SeedRecord) ([]byte, error) {
	return k.seal(r, seedPlain, labelSeedRecord)
}

// OpenSeed is Open for the seed profile.
func (k RecordKey) OpenSeed(sealed []byte) (*SeedRecord, error) {
	var r SeedRecord
	if err := k.open(sealed, SeedRecordSize, labelSeedRecord, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

func (k RecordKey) seal(r Coded, size int, label string) ([]byte, error) {
	head := binary.BigEndian.AppendUint32(nil, k.epoch)
	return sealPadded(head, k.Key, r, size, k.aad(label))
}

func (k RecordKey) open(sealed []byte, size int, label string, r Coded) error {
	if epoch, err := RecordEpoch(sealed); err != nil || epoch != k.epoch || len(sealed) != size {
		return fmt.Errorf("%w: a record of %d bytes, not %d of epoch %d", ErrUnreadable, len(sealed), size, k.epoch)
	}
	plain, err := open(k.Key, sealed[4:], k.aad(label))
	if err != nil {
		return err
	}
	defer clear(plain)
	return decodePadded(plain, r)
}

// RecordEpoch is the epoch under whose key a record says it was sealed. Only
// opening it shows whether that is so.
func RecordEpoch(sealed []byte) (uint32, error) {
	if len(sealed) < 4 {
		return 0, fmt.Errorf("%w: a record of %d bytes", ErrUnreadable, len(sealed))
	}
	return binary.BigEndian.Uint32(sealed), nil
}
