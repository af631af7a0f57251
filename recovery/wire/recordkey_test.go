package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/recovery/wire"
)

// TestRecordKey: a record opens for its account, vault and epoch, and no other.
func TestRecordKey(t *testing.T) {
	k := wire.DeriveRecordKey(key(1), "v1", 7, acct)
	other := acct
	other[0]++
	in := sampleRecord(wire.Suite1)
	sealed, err := k.Seal(in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.Open(sealed)
	if d := cmp.Diff(in, got); err != nil || d != "" {
		t.Fatalf("%v\n%s", err, d)
	}
	relabelled := bytes.Clone(sealed)
	binary.BigEndian.PutUint32(relabelled, 8)
	seed, err := k.SealSeed(&wire.SeedRecord{Suite: 1, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		key    wire.RecordKey
		sealed []byte
	}{
		{"another master key", wire.DeriveRecordKey(key(2), "v1", 7, acct), sealed},
		{"another vault", wire.DeriveRecordKey(key(1), "v2", 7, acct), sealed},
		{"another epoch", wire.DeriveRecordKey(key(1), "v1", 8, acct), sealed},
		{"another epoch, relabelled", wire.DeriveRecordKey(key(1), "v1", 8, acct), relabelled},
		{"another account", wire.DeriveRecordKey(key(1), "v1", 7, other), sealed},
		{"relabelled", k, relabelled},
		{"changed", k, flipped(sealed, 100)},
		{"short", k, sealed[:wire.RecordSize-1]},
		{"long", k, append(bytes.Clone(sealed), 0)},
		{"nothing", k, nil},
		{"of the seed profile", k, seed},
	} {
		if r, err := c.key.Open(c.sealed); !errors.Is(err, wire.ErrUnreadable) {
			t.Errorf("%s: %v, %v", c.name, r, err)
		}
	}
	if r, err := k.OpenSeed(sealed); !errors.Is(err, wire.ErrUnreadable) {
		t.Errorf("read as one of the seed profile: %v, %v", r, err)
	}
	if e, err := wire.RecordEpoch(sealed); e != 7 || err != nil {
		t.Errorf("epoch %d, %v", e, err)
	}
}

// TestBlob: it opens with the data key, and only with the header it was sealed
// with.
func TestBlob(t *testing.T) {
	k := wire.DataKey{Key: key(1)}
	header, payload := sampleHeader(wire.Suite1), samplePayload()
	blob, err := k.SealBlob(header, payload)
	if err != nil {
		t.Fatal(err)
	}
	h, p, err := k.OpenBlob(blob)
	if d := cmp.Diff(header, h) + cmp.Diff(payload, p); err != nil || d != "" {
		t.Fatalf("%v\n%s", err, d)
	}
	parts, err := wire.Decode[wire.Blob](blob)
	if err != nil {
		t.Fatal(err)
	}
	weaker := encoded(t, changed(header, func(h *wire.Header) { h.T = 1 }))
	for _, c := range []struct {
		name string
		key  wire.DataKey
		blob []byte
		want error
	}{
		{"another key", wire.DataKey{Key: key(2)}, blob, wire.ErrUnreadable},
		{"another header", k, encoded(t, &wire.Blob{Header: weaker, Box: parts.Box}), wire.ErrUnreadable},
		{"the box changed", k, encoded(t, &wire.Blob{Header: parts.Header, Box: flipped(parts.Box, 50)}), wire.ErrUnreadable},
		{"cut short", k, blob[:len(blob)-1], wire.ErrMalformed},
		{"nothing", k, nil, wire.ErrMalformed},
	} {
		if h, p, err := c.key.OpenBlob(c.blob); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v, %v", c.name, h, p, err)
		}
	}
}
