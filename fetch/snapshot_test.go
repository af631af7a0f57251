package fetch_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/fetch"
)

func TestKept(t *testing.T) {
	f := newFixture(t, nil)
	f.vendor.SetStatusList("\n" + listOf("REVOKED", "a1", "b2") + "\n")
	f.fetch(t, true, nil)
	if left := must(filepath.Glob(filepath.Join(filepath.Dir(f.opts.File), "*"))); !slices.Equal(left, []string{f.opts.File}) {
		t.Errorf("the folder holds %v", left)
	}
	if info := must(os.Stat(f.opts.File)); runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	list := must(android.ParseStatusList(must(os.ReadFile(f.opts.File)))) // as `status_list_file` would
	if list.Digest != f.List().Digest || !list.FetchedAt.Equal(f.List().FetchedAt) || list.Len() != 2 {
		t.Errorf("kept %+v", list)
	}

	f.start(t)
	if l := f.List(); l == nil || l.Digest != list.Digest || !l.FetchedAt.Equal(list.FetchedAt) || l.Lookup("b2") != android.StatusRevoked {
		t.Errorf("after a restart %+v", l)
	}
	f.fetch(t, false, nil) // the same list
	if n := len(f.news); n != 1 {
		t.Errorf("told %d times", n)
	}
	renewed := must(android.ParseStatusList(must(os.ReadFile(f.opts.File))))
	if !renewed.FetchedAt.After(list.FetchedAt) {
		t.Error("the file does not have the new age")
	}
	f.fetch(t, false, nil) // 304
	if confirmed := must(android.ParseStatusList(must(os.ReadFile(f.opts.File)))); !confirmed.FetchedAt.After(renewed.FetchedAt) || confirmed.Digest != list.Digest {
		t.Error("the file does not have the age of the 304")
	}
}

// TestKeptUnusable: what is there and is not a good list stops the start, or a
// shrunken list would pass.
func TestKeptUnusable(t *testing.T) {
	for name, content := range map[string]string{
		"nothing":           "",
		"cut short":         `{"fetched_at":"2026-11-01T00:00:00Z","list":{"entries":`,
		"without a time":    listOf("REVOKED", "a1"),
		"an empty list":     `{"fetched_at":"2026-11-01T00:00:00Z","list":{"entries":{}}}`,
		"a key not hex":     `{"fetched_at":"2026-11-01T00:00:00Z","list":` + listOf("REVOKED", "xyz") + `}`,
		"larger than 64 MB": `{"fetched_at":"2026-11-01T00:00:00Z","list":` + listOf("REVOKED", "a1") + `}` + strings.Repeat(" ", 64<<20),
	} {
		file := filepath.Join(t.TempDir(), "list.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := fetch.NewStatus(&fetch.StatusOptions{Client: fetch.NewClient(), File: file})
		if s != nil || !errors.Is(err, fetch.ErrFile) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "delete it") {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := filepath.Join(t.TempDir(), "list.json")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := fetch.NewStatus(&fetch.StatusOptions{Client: fetch.NewClient(), File: dir}); !errors.Is(err, fetch.ErrFile) {
		t.Errorf("a folder: %v", err)
	}
}

// TestNotKept: a list that cannot be saved is in use, and the error says that
// it is not kept.
func TestNotKept(t *testing.T) {
	f := newFixture(t, nil)
	f.vendor.SetStatusList(listOf("REVOKED", "a1"))
	blocked := filepath.Join(f.opts.File+".tmp", "x") // a folder where the new file is written
	if err := os.MkdirAll(blocked, 0o700); err != nil {
		t.Fatal(err)
	}
	f.fetch(t, true, fetch.ErrFile)
	if f.List().Lookup("a1") != android.StatusRevoked || len(f.news) != 1 {
		t.Error("the list is not in use")
	}
	if !strings.Contains(f.log.String(), "level=ERROR") {
		t.Errorf("logged %q", f.log.String())
	}
	if err := os.RemoveAll(f.opts.File + ".tmp"); err != nil {
		t.Fatal(err)
	}
	f.fetch(t, false, nil) // 304, and now it is kept
	f.start(t)
	if f.List().Lookup("a1") != android.StatusRevoked {
		t.Error("not kept")
	}
}

// TestLeftBehind: what a crash has left does not stop the next list, and what
// was whole is read.
func TestLeftBehind(t *testing.T) {
	f := newFixture(t, nil)
	f.vendor.SetStatusList(listOf("REVOKED", "a1"))
	f.fetch(t, true, nil)
	if err := os.WriteFile(f.opts.File+".tmp", []byte(`{"fetched_at`), 0o644); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	if f.List().Lookup("a1") != android.StatusRevoked {
		t.Error("the whole file was not read")
	}
	f.vendor.SetStatusList(listOf("REVOKED", "a1", "b2"))
	f.fetch(t, true, nil)
	if info := must(os.Stat(f.opts.File)); runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}
