package server_test

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/server"
	"github.com/staunchid/staunch/store/sqlite"
)

// TestCheckStoreByRules: seals are checked by the keys that are given, and steps
// by the rules of package account.
func TestCheckStoreByRules(t *testing.T) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	key := private.Public().(ed25519.PublicKey)
	enrol := audit.Step{Of: "account", ID: "x", Step: string(account.StepEnrol), To: account.Active.String()}
	wrong := enrol
	wrong.To = account.Locked.String()
	tests := []struct {
		name string
		step audit.Step
		keys []ed25519.PublicKey
		want []string
	}{
		{"good", enrol, []ed25519.PublicKey{key}, nil},
		{"no such step", wrong, []ed25519.PublicKey{key}, []string{audit.IllegalStep}},
		{"no key", enrol, nil, []string{audit.SealSignature}},
		{"another key", enrol, []ed25519.PublicKey{make([]byte, ed25519.PublicKeySize)}, []string{audit.SealSignature}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			sealedStore(t, filepath.Join(dir, "demo.db"), tt.step, keyFile(t, private))
			r, err := server.CheckStore(t.Context(), dir, "demo", tt.keys...)
			if err != nil || r.Seals != 1 || r.Entries != 2 || r.Unsealed != 0 {
				t.Errorf("%+v, %v", r, err)
			}
			var got []string
			for _, p := range r.Problems {
				got = append(got, p.Kind)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("problems %v, want %v", got, tt.want)
			}
		})
	}
}

// sealedStore makes a store whose record tells of a step of something that is
// gone since, under a seal by the key in file.
func sealedStore(t *testing.T, path string, step audit.Step, file string) {
	t.Helper()
	ctx := t.Context()
	s, err := sqlite.Open(ctx, &sqlite.Options{Path: path, App: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	details := []audit.Detail{{Steps: []audit.Step{step}, Rows: map[string]audit.Digest{step.ID: {}}}, {Gone: audit.Names{step.ID}}}
	for _, d := range details {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		e := audit.Entry{Account: "a_aaaaaaaaaaaaaaaaaaaaaaaaaa", Time: time.Now(), Actor: audit.Actor{Kind: account.System}, Action: "test", Detail: text}
		if err := s.Update(ctx, func(tx *sqlite.Tx) error { return tx.AppendAudit(ctx, e) }); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	key, err := audit.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := audit.NewSealer(&audit.SealerOptions{Key: key, Update: func(ctx context.Context, fn func(audit.SealTx) error) error {
		return s.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
	}})
	if err != nil {
		t.Fatal(err)
	}
	if sealed, err := sealer.Seal(ctx); err != nil || !sealed {
		t.Fatalf("Seal: %v, %v", sealed, err)
	}
}

// keyFile writes a private audit key.
func keyFile(t testing.TB, private ed25519.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "PRIVATE KEY", der)
}

func writePEM(t testing.TB, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestReadAuditKey: either half of a key will do, and nothing else.
func TestReadAuditKey(t *testing.T) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"private": keyFile(t, private), "public": writePEM(t, "PUBLIC KEY", der)} {
		if key, err := server.ReadAuditKey(file); err != nil || !key.Equal(private.Public()) {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
	file := writePEM(t, "CERTIFICATE", der)
	if _, err := server.ReadAuditKey(file); !errors.Is(err, audit.ErrKey) || !strings.Contains(err.Error(), file) {
		t.Errorf("neither: %v", err)
	}
	if _, err := server.ReadAuditKey(file + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
