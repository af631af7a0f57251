package account_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"reflect"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
)

// row is what accounts, devices and passkeys have in common.
type row interface {
	Digest() [32]byte
	Seal(key []byte) []byte
}

// changed gives one row for each field of v, nested ones too, in which only
// that field has another value.
func changed(v reflect.Value, path string, fn func(path string)) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[time.Time]() {
			for i := range v.NumField() {
				changed(v.Field(i), path+"."+v.Type().Field(i).Name, fn)
			}
			return
		}
		set(v, reflect.ValueOf(noon.Add(time.Microsecond)), path, fn)
	case reflect.String:
		set(v, reflect.ValueOf("x").Convert(v.Type()), path, fn)
	case reflect.Bool:
		set(v, reflect.ValueOf(true), path, fn)
	case reflect.Uint8, reflect.Uint32, reflect.Int64:
		set(v, reflect.ValueOf(5).Convert(v.Type()), path, fn)
	case reflect.Array:
		set(v.Index(v.Len()-1), reflect.ValueOf(uint8(1)), path, fn)
	case reflect.Slice:
		one := reflect.MakeSlice(v.Type(), 1, 1)
		set(v, one, path, fn)
	default:
		panic("a field of a new kind: " + path)
	}
}

func set(v, to reflect.Value, path string, fn func(string)) {
	was := reflect.ValueOf(v.Interface())
	v.Set(to)
	fn(path)
	v.Set(was)
}

// TestRowsCoverEverything: a change of any field changes digest and MAC, but for
// those that are named here.
func TestRowsCoverEverything(t *testing.T) {
	for _, tt := range []struct {
		name                string
		row                 any // a pointer
		noDigest, noDigestX map[string]bool
	}{
		{"account", &account.Account{State: account.Active}, map[string]bool{".MAC": true, ".Deviceless": true}, map[string]bool{".MAC": true, ".Deviceless": true}},
		{"device", &account.Device{State: account.Active}, map[string]bool{".MAC": true, ".LastSeenAt": true}, map[string]bool{".MAC": true, ".LastSeenAt": true}},
		{"passkey", &account.Credential{},
			map[string]bool{".MAC": true, ".SignCount": true, ".Flags": true, ".LastUsedAt": true, ".Devices": true}, map[string]bool{".MAC": true}},
	} {
		v := reflect.ValueOf(tt.row).Elem()
		key := bytes.Repeat([]byte{7}, 32)
		before := v.Interface().(row)
		digest, mac := before.Digest(), before.Seal(key)
		fields := 0
		changed(v, "", func(path string) {
			fields++
			now := v.Interface().(row)
			if (now.Digest() == digest) != tt.noDigest[path] {
				t.Errorf("%s%s: in the digest %v", tt.name, path, now.Digest() != digest)
			}
			if bytes.Equal(now.Seal(key), mac) != tt.noDigestX[path] {
				t.Errorf("%s%s: in the MAC %v", tt.name, path, !bytes.Equal(now.Seal(key), mac))
			}
		})
		if fields < 12 {
			t.Errorf("%s: only %d fields were tried", tt.name, fields)
		}
	}
}

// spelled is label ‖ 0x00 ‖ L(field) of every field, put together by hand.
func spelled(label string, fields ...string) []byte {
	b := append([]byte(label), 0)
	for _, f := range fields {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(f))), f...)
	}
	return b
}

func u64(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

// TestRowVectors spells the formats of digests and MACs out.
func TestRowVectors(t *testing.T) {
	at := u64(uint64(noon.UnixMicro()))
	a := account.Account{
		ID: mine, Handle: "Ada", UserHandle: [64]byte{9}, State: account.Frozen, Prior: account.Held, NotBefore: noon, FreezeCode: []byte("hash"),
		CreatedAt: noon, Hold: account.Hold{Reason: "recovered", Since: noon, Left: time.Second, By: d1},
	}
	handle := a.UserHandle
	d := account.Device{
		ID: d1, Account: mine, Name: "Pixel", Platform: "android", State: account.Held, KeyID: "k", SealingAlg: "x25519", SealingKey: []byte{1}, Tier: "affirming",
		AttestedAt: noon, AddedBy: d2, AddedAt: noon, LastSeenAt: noon, Hold: account.Hold{Reason: "new", Since: noon, Until: noon},
	}
	c := account.Credential{
		Ref: "c_1", Account: mine, RPID: "example.org", CredentialID: []byte{2}, Record: []byte("{}"), State: account.CredentialActive, Name: "blue",
		SignCount: 7, Flags: 0x1d, AddedAt: noon, LastUsedAt: noon, Devices: []account.DeviceID{d2, d1},
	}
	key := bytes.Repeat([]byte{7}, 32)
	for _, tt := range []struct {
		kind   string
		row    row
		fields []string
		more   []string // of the MAC
	}{
		{"account", a, []string{
			string(mine), "Ada", string(handle[:]), "frozen", "held", at, "hash", at, "recovered", at, "", u64(1e9), string(d1),
		}, nil},
		{"device", d, []string{
			string(d1), string(mine), "Pixel", "android", "held", "", "k", "x25519", "\x01", "affirming", at, string(d2), at, "new", at, at, u64(0), "",
		}, nil},
		{"credential", c, []string{"c_1", string(mine), "example.org", "\x02", "{}", "active", "blue", at},
			[]string{u64(7), u64(0x1d), at, string(d1), string(d2)}},
	} {
		if got, want := tt.row.Digest(), sha256.Sum256(spelled("staunch/"+tt.kind+"/v1", tt.fields...)); got != want {
			t.Errorf("%s: digest %x, want %x", tt.kind, got, want)
		}
		m := hmac.New(sha256.New, key)
		m.Write(spelled("staunch/row-mac/v1", append(append([]string{tt.kind}, tt.fields...), tt.more...)...))
		if got := tt.row.Seal(key); !hmac.Equal(got, m.Sum(nil)) {
			t.Errorf("%s: MAC %s", tt.kind, hex.EncodeToString(got))
		}
	}
}

// TestSound: only the key of the app is good for a row, and only that row.
func TestSound(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	a := account.Account{ID: mine, State: account.Active}
	d := account.Device{ID: d1, Account: mine, State: account.Active}
	c := account.Credential{Ref: "c_1", Account: mine, State: account.CredentialActive, Devices: []account.DeviceID{d1, d2, d1}}
	a.MAC, d.MAC, c.MAC = a.Seal(key), d.Seal(key), c.Seal(key)
	c.Devices = []account.DeviceID{d2, d1} // as a store gives them
	for _, tt := range []struct {
		name string
		key  []byte
		ok   bool
	}{
		{"the key", key, true},
		{"another", bytes.Repeat([]byte{8}, 32), false},
		{"none", nil, false},
	} {
		if a.Sound(tt.key) != tt.ok || d.Sound(tt.key) != tt.ok || c.Sound(tt.key) != tt.ok {
			t.Errorf("%s: account %v, device %v, passkey %v", tt.name, a.Sound(tt.key), d.Sound(tt.key), c.Sound(tt.key))
		}
	}
	a.MAC, d.MAC, c.MAC = a.Seal(key[:16]), d.Seal(nil), nil
	if a.Sound(key[:16]) || d.Sound(nil) || c.Sound(key) {
		t.Error("half a key, no key or no MAC is good")
	}
	moved := d
	moved.MAC, moved.Account = d.Seal(key), "a_x"
	if moved.Sound(key) {
		t.Error("a device was moved to another account")
	}
}
