package recovery_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
)

// TestSecretsPrintNothing walks what a phone holds: in the middle of registering,
// and after recovering. The journals hold secrets that no text may show.
func TestSecretsPrintNothing(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.vaults.List[2].Stop()
	p.incomplete(p.register("482915", "the sealing key"), 2)
	p.net.Script = func(c recoverytest.Call) recoverytest.Fault { return at(c.Op == wire.OpRelease, recoverytest.Drop) }
	if _, err := p.recover("482915"); !errors.Is(err, recovery.ErrUnavailable) {
		t.Fatal(err)
	}
	attempt, pending := p.tried(), p.journal()
	p.net.Script = nil
	r := p.recovers("482915", "the sealing key")

	secrets := []string{"the sealing key", "head of the sealing key", "482915"}
	for _, journal := range [][]byte{p.backup, p.attempt} {
		for i := 0; i+16 <= len(journal); i += 16 { // whatever is in there, but the name of the registration
			if chunk := string(journal[i : i+16]); !strings.Contains(string(r.Reg[:]), chunk[:6]) {
				secrets = append(secrets, chunk)
			}
		}
	}
	decimal := func(s string) string { // as %v prints bytes
		var out []string
		for _, b := range []byte(s) {
			out = append(out, strconv.Itoa(int(b)))
		}
		return strings.Join(out, " ")
	}
	for _, v := range []any{
		attempt, *attempt, pending, r.Backup, r.Payload, &r.Payload, *r, r,
		recovery.TicketSecret("the sealing key"), recovery.SessionSecret("the sealing key"),
	} {
		text := strings.ToLower(printed(t, v))
		for _, s := range secrets {
			if strings.Contains(text, s) || strings.Contains(text, hex.EncodeToString([]byte(s)[:6])) ||
				strings.Contains(text, decimal(s[:6])) {
				t.Fatalf("%T shows a secret: %s", v, text)
			}
		}
	}
}

// TestJournals: what is written is read as the same, and nothing else is.
func TestJournals(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	var files [][]byte
	p.die = func(int) bool { files = append(files, p.backup, p.attempt); return false }
	p.vaults.List[2].Stop()
	p.incomplete(p.register("482915", "one"), 2)
	p.vaults.List[2].Start()
	p.must(p.register("482915", "one"))
	p.vaults.List[2].Stop()
	p.incomplete(p.client.Update(t.Context(), p.journal(), payloadOf("two")), 2)
	p.wrong("000000", 9)
	for _, f := range append(files, p.backup, p.attempt) {
		if b, err := recovery.ParseBackup(f); err == nil {
			if again, err := b.Encode(); err != nil || !bytes.Equal(again, f) {
				t.Errorf("a backup is written otherwise than it was read: %v", err)
			}
		}
	}
	for name, parse := range map[string]func([]byte) error{
		"backup":  func(b []byte) error { _, err := recovery.ParseBackup(b); return err },
		"attempt": func(b []byte) error { _, err := recovery.ParseAttempt(b); return err },
	} {
		file := map[string][]byte{"backup": p.backup, "attempt": p.attempt}[name]
		if err := parse(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, bad := range [][]byte{nil, file[:len(file)-1], append(bytes.Clone(file), 0), {0xa0}} {
			if err := parse(bad); !errors.Is(err, recovery.ErrMalformed) {
				t.Errorf("%s, %d bytes: error %v, want ErrMalformed", name, len(bad), err)
			}
		}
	}
}

// TestSharesAreWiped: when all vaults have theirs, the phone has none.
func TestSharesAreWiped(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.vaults.List[2].Stop()
	p.incomplete(p.register("482915", "one"), 2)
	p.vaults.List[2].Start()
	longer := len(p.backup)
	p.must(p.register("482915", "one"))
	if len(p.backup) > longer-3*64 {
		t.Errorf("the journal had %d bytes with the shares, and has %d without", longer, len(p.backup))
	}
}

func FuzzParseBackup(f *testing.F) {
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := recovery.ParseBackup(b)
		if err != nil {
			return
		}
		j.Info()
		if again, err := j.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x is written otherwise: %v", b, err)
		}
	})
}
