package stream

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery"
)

// full is a record with a value in every field.
func full() recovery.Record {
	return recovery.Record{
		App: "demo", Vault: "v1", Acct: [16]byte{1, 2, 3}, Account: "a_1", Gen: 1 << 31, Ver: 1 << 63, Create: true, Used: 9, State: 2,
		Sealed: bytes.Repeat([]byte{7}, 544), Notes: [][]byte{{1}, {2, 3}}, At: time.UnixMilli(1795000000123).UTC(), MAC: []byte{4},
	}
}

// TestEncode: every field of the contract survives.
func TestEncode(t *testing.T) {
	v := reflect.ValueOf(full())
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("the test gives %s no value", v.Type().Field(i).Name)
		}
	}
	for _, r := range []recovery.Record{full(), {At: time.UnixMilli(0).UTC(), Sealed: []byte{}}} {
		data, err := Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestEncodeBounds(t *testing.T) {
	r := full()
	r.Sealed = make([]byte, MaxEntry)
	if _, err := Encode(r); err == nil {
		t.Error("too large, and taken")
	}
	r = full()
	r.Notes = make([][]byte, maxNotes+1)
	if _, err := Encode(r); err == nil {
		t.Error("too many notes, and taken")
	}
}

func TestDecode(t *testing.T) {
	good, err := Encode(full())
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(*entry)) []byte {
		var e entry
		if err := cbor.Unmarshal(good, &e); err != nil {
			t.Fatal(err)
		}
		f(&e)
		data, err := cbor.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, data := range map[string][]byte{
		"nothing":         {},
		"text":            []byte("hello"),
		"cut":             good[:len(good)-1],
		"more":            append(good[:len(good):len(good)], 0),
		"another version": change(func(e *entry) { e.Version = 2 }),
		"a short account": change(func(e *entry) { e.Acct = e.Acct[:15] }),
		"not shortest":    append([]byte{good[0], 0x18, 0x01}, good[2:]...), // the version in two bytes
	} {
		if _, err := Decode(data); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decode(change(func(*entry) {})); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	good, err := Encode(full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(data)
		if err != nil {
			return
		}
		if again, err := Encode(r); err == nil && !bytes.Equal(again, data) {
			t.Errorf("%x decodes, and encodes to %x", data, again)
		}
	})
}

func TestKey(t *testing.T) {
	k := KeyOf(full())
	if got := k.String(); got != "demo/v1/01020300000000000000000000000000" {
		t.Error(got)
	}
	if got := string(k.Bytes()); got != "v1\x00\x01\x02\x03"+strings.Repeat("\x00", 13) {
		t.Errorf("%q", got)
	}
	other := full()
	seen := map[string]bool{LetterID(other): true}
	for _, change := range []func(*recovery.Record){
		func(r *recovery.Record) { r.App = "other" }, func(r *recovery.Record) { r.Vault = "v2" },
		func(r *recovery.Record) { r.Acct[0]++ }, func(r *recovery.Record) { r.Gen++ }, func(r *recovery.Record) { r.Ver++ },
	} {
		r := full()
		change(&r)
		if id := LetterID(r); seen[id] || !ValidID(id) {
			t.Errorf("ID %s", id)
		}
		seen[LetterID(r)] = true
	}
	for _, id := range []string{"", "0123456789abcde", "0123456789abcdeF", "../../../etc/pas"} {
		if ValidID(id) {
			t.Errorf("%q is valid", id)
		}
	}
}
