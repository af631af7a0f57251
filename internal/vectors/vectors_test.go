package vectors_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/staunchid/staunch/internal/vectors"
)

// ended is a test that notes how it was ended.
type ended struct {
	testing.TB
	how string
}

func (e *ended) Skip(...any)  { e.how = "skipped" }
func (e *ended) Fatal(...any) { e.how = "failed" }

// TestDir: what is there is found, and what is not skips a test, or fails it where
// nothing may be left out.
func TestDir(t *testing.T) {
	all := t.TempDir()
	if err := os.Mkdir(filepath.Join(all, "webauthn"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STAUNCH_VECTORS", all)
	for _, tt := range []struct{ kind, ci, how string }{
		{"webauthn", "", ""}, {"webauthn", "true", ""}, {"attestation", "", "skipped"}, {"attestation", "true", "failed"},
	} {
		t.Setenv("CI", tt.ci)
		e := &ended{TB: t}
		if dir := vectors.Dir(e, tt.kind); e.how != tt.how || dir != filepath.Join(all, tt.kind) {
			t.Errorf("%s, CI %q: %s, %s", tt.kind, tt.ci, dir, e.how)
		}
	}
	t.Setenv("STAUNCH_VECTORS", "")
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	want, err := filepath.Abs(filepath.Join(wd, "..", "..", "..", "shared", "vectors"))
	if err != nil {
		t.Fatal(err)
	}
	if dir, _ := vectors.Find(t, ""); dir != want {
		t.Errorf("beside the repository: %s, want %s", dir, want)
	}
}
