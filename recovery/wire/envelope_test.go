package wire_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/recovery/wire"
)

// TestEnvelope: a request opens at the envelope it was made for and at no other,
// and so does its answer.
func TestEnvelope(t *testing.T) {
	for _, suite := range []wire.Suite{wire.Suite1, wire.Suite2} {
		made := newEnvelope(suite, wire.OpEvaluate)
		vault := newHPKE(t, suite)
		other, err := wire.DeriveHPKE(suite, key(1), "v2", 7)
		if err != nil {
			t.Fatal(err)
		}
		request := encoded(t, &wire.Status{})
		sealed, client, err := made.SealRequest(vault.Public(), request)
		if err != nil {
			t.Fatal(err)
		}
		answer := &wire.Answer{Verdict: wire.VerdictWrongPIN, Used: 1, Limit: 10}
		for _, c := range []struct {
			name   string
			env    wire.Envelope
			key    *wire.HPKEKey
			sealed []byte
			opens  bool
		}{
			{"good", *made, vault, sealed, true},
			{"another vault's name", envelope(made, func(e *wire.Envelope) { e.Vault = "v2" }), vault, sealed, false},
			{"another epoch", envelope(made, func(e *wire.Envelope) { e.Epoch++ }), vault, sealed, false},
			{"another configuration", envelope(made, func(e *wire.Envelope) { e.Config[0]++ }), vault, sealed, false},
			{"another operation", envelope(made, func(e *wire.Envelope) { e.Op = wire.OpRelease }), vault, sealed, false},
			{"an operation of the other profile", envelope(made, func(e *wire.Envelope) { e.Op = wire.OpSeedRestore }), vault, sealed, false},
			{"another account", envelope(made, func(e *wire.Envelope) { e.Acct[0]++ }), vault, sealed, false},
			{"another suite", envelope(made, func(e *wire.Envelope) { e.Suite = 3 - e.Suite }), vault, sealed, false},
			{"no suite", envelope(made, func(e *wire.Envelope) { e.Suite = 0 }), vault, sealed, false},
			{"another key", *made, other, sealed, false},
			{"a bit changed", *made, vault, flipped(sealed, len(sealed)-20), false},
			{"the encapsulation changed", *made, vault, flipped(sealed, 40), false},
			{"cut short", *made, vault, sealed[:len(sealed)-1], false},
			{"the encapsulation alone", *made, vault, sealed[:suite.EncapsulationSize()], false},
			{"nothing", *made, vault, nil, false},
			{"too long", *made, vault, append(bytes.Clone(sealed), make([]byte, wire.MaxRequest)...), false},
		} {
			got, k, err := c.env.OpenRequest(c.key, c.sealed)
			if !c.opens {
				if !errors.Is(err, wire.ErrUnreadable) {
					t.Errorf("suite %d, %s: %x, %v", suite, c.name, got, err)
				}
				continue
			}
			if err != nil || !bytes.Equal(got, request) {
				t.Fatalf("suite %d, %s: %x, %v", suite, c.name, got, err)
			}
			testAnswer(t, k, client, answer)
		}
		if _, _, err := made.SealRequest(vault.Public()[1:], request); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("suite %d: sealed to a key that is none: %v", suite, err)
		}
	}
}

// testAnswer lets the vault answer twice: the same request, sent again.
func testAnswer(t *testing.T, vault, client *wire.AnswerKey, a *wire.Answer) {
	t.Helper()
	first, err := vault.SealAnswer(a)
	if err != nil {
		t.Fatal(err)
	}
	second, err := vault.SealAnswer(a)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first[:12], second[:12]) { // one key, so never one nonce
		t.Error("two answers have one nonce")
	}
	for _, sealed := range [][]byte{first, second} {
		got, err := client.OpenAnswer(sealed)
		if d := cmp.Diff(a, got); err != nil || d != "" {
			t.Errorf("%v\n%s", err, d)
		}
	}
	for name, sealed := range map[string][]byte{"changed": flipped(first, 30), "short": first[1:], "none": nil} {
		if got, err := client.OpenAnswer(sealed); !errors.Is(err, wire.ErrUnreadable) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func envelope(e *wire.Envelope, change func(*wire.Envelope)) wire.Envelope {
	return *changed(e, change)
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// TestAnswerOfAnother: an answer to another request of the same account does not
// open, nor one of another account sealed by the same vault.
func TestAnswerOfAnother(t *testing.T) {
	k := newHPKE(t, wire.Suite1)
	open := func(env *wire.Envelope) (client, vault *wire.AnswerKey) {
		sealed, client, err := env.SealRequest(k.Public(), fill(3))
		if err != nil {
			t.Fatal(err)
		}
		_, vault, err = env.OpenRequest(k, sealed)
		if err != nil {
			t.Fatal(err)
		}
		return client, vault
	}
	client, _ := open(newEnvelope(wire.Suite1, wire.OpStatus))
	_, vault := open(newEnvelope(wire.Suite1, wire.OpStatus))
	sealed, err := vault.SealAnswer(&wire.Answer{})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := client.OpenAnswer(sealed); !errors.Is(err, wire.ErrUnreadable) {
		t.Errorf("%v, %v", a, err)
	}
}

// TestSeedEnvelope: PIN and data to the enclave and back.
func TestSeedEnvelope(t *testing.T) {
	k, env := newHPKE(t, wire.Suite1), newEnvelope(wire.Suite1, wire.OpSeedBackup)
	in := &wire.SeedRequest{PIN: wire.Secret("123456"), Data: wire.Secret("data")}
	plain, err := wire.EncodeSeedRequest(in)
	if err != nil {
		t.Fatal(err)
	}
	sealed, client, err := env.SealRequest(k.Public(), plain)
	if err != nil {
		t.Fatal(err)
	}
	opened, vault, err := env.OpenRequest(k, sealed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.DecodeSeedRequest(opened)
	if d := cmp.Diff(in, got); err != nil || d != "" {
		t.Fatalf("%v\n%s", err, d)
	}
	want := &wire.SeedAnswer{Version: 3, Limit: 10, Data: in.Data}
	answer, err := vault.SealSeedAnswer(want)
	if err != nil {
		t.Fatal(err)
	}
	a, err := client.OpenSeedAnswer(answer)
	if d := cmp.Diff(want, a); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	if a, err := client.OpenAnswer(answer); !errors.Is(err, wire.ErrUnreadable) {
		t.Errorf("read as an answer of KR-1: %v, %v", a, err)
	}
	for name, b := range map[string][]byte{"not padded": plain[:20], "something behind": flipped(plain, 4_607), "empty": nil} {
		if r, err := wire.DecodeSeedRequest(b); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}
