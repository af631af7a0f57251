package wire_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// secretByte fills all secrets below; nothing that is printed may have a run of it.
const secretByte = 0xc7

func secretBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = secretByte
	}
	return b
}

// shows reports how text shows a run of secret bytes, if it does.
func shows(text string) string {
	run := secretBytes(6)
	for _, form := range []string{
		string(run), hex.EncodeToString(run), strings.ToUpper(hex.EncodeToString(run)), base64.StdEncoding.EncodeToString(run),
		strings.Trim(fmt.Sprintf("%d", run), "[]"), strings.TrimSuffix(strings.Repeat("0xc7, ", 6), ", "),
		strings.Repeat(`\xc7`, 6), strings.Repeat("0b11000111 ", 3), strings.Repeat("307 ", 3),
	} {
		if strings.Contains(text, form) {
			return form
		}
	}
	return ""
}

// TestSecretsPrintNothing walks what holds secrets, with every verb, in logs and
// in JSON.
func TestSecretsPrintNothing(t *testing.T) {
	k, s := wire.Key(secretBytes(32)), wire.Scalar(secretBytes(32))
	secret := wire.Secret(secretBytes(64))
	slot := wire.Slot{K: s, S: s}
	create := sampleCreate(wire.Suite1)
	create.K, create.S = s, s
	managed, err := wire.SignManaged(nil, create)
	if err != nil {
		t.Fatal(err)
	}
	signing, err := wire.DeriveManageKey(wire.Suite1, k)
	if err != nil {
		t.Fatal(err)
	}
	data := wire.DataKey{Key: k}
	record := wire.RecordKey{Key: k}
	answer := wire.AnswerKey{Key: k}
	payload := wire.Payload{Keys: []wire.SealingKey{{Secret: secret}}, ManageSeed: k, App: map[string]wire.Secret{"x": secret}, Recovery: []wire.Key{k}}
	for _, v := range []any{
		k, &k, s, &s, secret, slot, &slot, *create, create, *managed, managed, signing, *signing, data, &data, record, &record, answer, &answer,
		wire.ShareKey{Key: k}, wire.PRS{Key: k}, wire.MarkKey{Key: k}, wire.Pepper{Key: k}, payload, &payload, newHPKE(t, wire.Suite1),
		wire.Answer{S: &s}, &wire.Answer{S: &s}, wire.SeedRequest{PIN: secret, Data: secret}, wire.SeedRecord{Data: secret}, wire.SeedAnswer{Data: secret},
		[]wire.Key{k}, map[string]wire.Key{"x": k}, struct{ K wire.Key }{k},
	} {
		var text strings.Builder
		slog.New(slog.NewTextHandler(&text, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&text, nil)).Info("x", "v", v)
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%T: %v", v, err)
		}
		text.Write(j)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%b", "%o", "%c", "%U"} {
			fmt.Fprintf(&text, verb, v)
		}
		if form := shows(text.String()); form != "" {
			t.Errorf("%T prints %q", v, form)
		}
	}
	if form := shows(fmt.Sprintf("%x %d", secretBytes(32), secretBytes(32))); form == "" {
		t.Error("this test finds nothing")
	}
}

// TestWipe: what is wiped is gone.
func TestWipe(t *testing.T) {
	k, s, secret := wire.Key(secretBytes(32)), wire.Scalar(secretBytes(32)), wire.Secret(secretBytes(5))
	slot := &wire.Slot{K: s, S: s, PRS: wire.PRS{Key: k}}
	k.Wipe()
	s.Wipe()
	secret.Wipe()
	slot.Wipe()
	(*wire.Slot)(nil).Wipe()
	if k != (wire.Key{}) || s != (wire.Scalar{}) || string(secret) != "\x00\x00\x00\x00\x00" || slot.K != s || slot.S != s || slot.PRS.Key != k {
		t.Error("something is left")
	}
}

// TestEqual: equal are the same bytes, all of them.
func TestEqual(t *testing.T) {
	k, s := key(1), wire.Scalar(count(1, 32))
	k2, s2 := k, s
	k2[31] ^= 1
	s2[31] ^= 1
	if !k.Equal(key(1)) || k.Equal(k2) || !s.Equal(wire.Scalar(count(1, 32))) || s.Equal(s2) {
		t.Error("not compared by the bytes")
	}
	if a, b := wire.NewKey(), wire.NewKey(); a.Equal(b) || a.Equal(wire.Key{}) {
		t.Error("new keys are not random")
	}
}
