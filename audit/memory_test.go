package audit_test

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// memory is a store in memory: what Check reads, and what a Sealer writes.
type memory struct {
	seals   []audit.Seal
	entries []audit.Entry // by account, then number
	objects []audit.Object
	err     error // of AuditEntries
}

func (m *memory) clone() *memory {
	return &memory{slices.Clone(m.seals), slices.Clone(m.entries), slices.Clone(m.objects), m.err}
}

// update is a transaction.
func (m *memory) update(_ context.Context, fn func(audit.SealTx) error) error {
	tx := m.clone()
	if err := fn(tx); err != nil {
		return err
	}
	*m = *tx
	return nil
}

func (m *memory) AuditApp() account.AppID { return "demo" }

func (m *memory) AuditSeals(_ context.Context, yield func(audit.Seal) error) error {
	return each(m.seals, yield)
}

func (m *memory) AuditEntries(_ context.Context, yield func(audit.Entry) error) error {
	return errors.Join(each(m.entries, yield), m.err)
}

func (m *memory) AuditObjects(_ context.Context, yield func(audit.Object) error) error {
	return each(m.objects, yield)
}

func each[T any](all []T, yield func(T) error) error {
	for _, x := range all {
		if err := yield(x); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) AppendAudit(_ context.Context, e audit.Entry) error {
	if err := e.Validate(); err != nil {
		return err
	}
	at := 0
	var head audit.Head
	for i, x := range m.entries {
		if x.Account <= e.Account {
			at = i + 1
		}
		if x.Account == e.Account {
			head = audit.Head{N: x.N, Hash: x.Hash}
		}
	}
	m.entries = slices.Insert(m.entries, at, e.Next("demo", head))
	return nil
}

func (m *memory) LastAuditSeal(context.Context) (audit.Seal, error) {
	if len(m.seals) == 0 {
		return audit.Seal{}, nil
	}
	return m.seals[len(m.seals)-1], nil
}

func (m *memory) UnsealedAuditEntries(_ context.Context, limit int, yield func([32]byte) error) error {
	for _, e := range m.entries {
		if e.Seal != 0 {
			continue
		}
		if limit--; limit < 0 {
			break
		}
		if err := yield(e.Hash); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) SealAuditEntries(_ context.Context, number uint64, limit int) (n int, err error) {
	for i := range m.entries {
		if m.entries[i].Seal == 0 && n < limit {
			m.entries[i].Seal = number
			n++
		}
	}
	return n, nil
}

func (m *memory) AppendAuditSeal(_ context.Context, s audit.Seal) error {
	if slices.ContainsFunc(m.seals, func(x audit.Seal) bool { return x.Number == s.Number }) {
		return errors.New("memory: a second seal with this number")
	}
	m.seals = append(m.seals, s)
	slices.SortFunc(m.seals, func(a, b audit.Seal) int { return cmp.Compare(a.Number, b.Number) })
	return nil
}

// newKey is an audit key; two seeds give two.
func newKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(slices.Repeat([]byte{seed}, ed25519.SeedSize))
}

func public(private ed25519.PrivateKey) ed25519.PublicKey {
	return private.Public().(ed25519.PublicKey)
}

// signer signs with one key, and says that it is another one if told so.
type signer struct {
	private ed25519.PrivateKey
	says    ed25519.PublicKey
	err     error
}

func (s signer) Public() ed25519.PublicKey {
	if s.says != nil {
		return s.says
	}
	return public(s.private)
}

func (s signer) Sign(_ context.Context, message []byte) ([]byte, error) {
	return ed25519.Sign(s.private, message), s.err
}

// mustSeal seals everything, at most max entries a seal.
func mustSeal(t *testing.T, m *memory, private ed25519.PrivateKey, max int) {
	t.Helper()
	s, err := audit.NewSealerOf(&audit.SealerOptions{Key: signer{private: private}, Update: m.update}, max)
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		sealed, err := s.Seal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !sealed {
			return
		}
	}
	t.Fatal("sealing does not end")
}

// legal is a rule of three steps.
func legal(of, step, from, to string) bool {
	switch [2]string{step, from + ">" + to} {
	case [2]string{"enrol", ">active"}, [2]string{"freeze", "active>frozen"}, [2]string{"unfreeze", "frozen>active"}:
		return of == "device"
	}
	return false
}

func check(t *testing.T, m *memory, keys ...ed25519.PublicKey) audit.Report {
	t.Helper()
	report, err := audit.Check(t.Context(), m, &audit.CheckOptions{Keys: keys, Legal: legal, Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	return report
}
