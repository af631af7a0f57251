package client_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/client"
	"github.com/staunchid/staunch/transfer/sealed"
)

// write makes files of a folder; a name that ends in "/" is a folder, and "->" in a
// content makes a link.
func write(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		switch {
		case strings.HasSuffix(name, "/"):
			err = errors.Join(err, os.MkdirAll(path, 0o700))
		case strings.HasPrefix(content, "->"):
			err = errors.Join(err, os.Symlink(content[2:], path))
		default:
			err = errors.Join(err, os.WriteFile(path, []byte(content), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tree reads a folder; folders have no content and end in "/".
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if d.IsDir() {
			all[filepath.ToSlash(name)+"/"] = ""
			return err
		}
		data, bad := os.ReadFile(path)
		all[filepath.ToSlash(name)] = string(data)
		return errors.Join(err, bad)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestFolderSource: records first, then the rest, each in the order of a folder walk,
// below the base names; the content of one folder without.
func TestFolderSource(t *testing.T) {
	dir := write(t, t.TempDir(), map[string]string{
		"a/b/z.jsonl": "{}\n", "a/b.txt": "1", "a-b/y": "", "a/empty/": "", "m.jsonl": "[]", "one.txt": "22",
	})
	list := func(o *client.FolderSourceOptions) string {
		t.Helper()
		s, err := client.NewFolderSource(o)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		err = s.Walk(t.Context(), func(e sealed.Entry) error {
			if e.Kind != sealed.Folder {
				f, err := s.Open(e.Path)
				if err != nil {
					return err
				}
				defer f.Close()
				if b, err := io.ReadAll(f); err != nil || uint64(len(b)) != e.Size {
					return fmt.Errorf("%s: %d bytes, %w", e.Path, len(b), err)
				}
			}
			out = append(out, fmt.Sprintf("%d:%s", e.Kind, e.Path))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(out, " ")
	}
	if got, want := list(&client.FolderSourceOptions{Dir: dir}), "3:a/b/z.jsonl 3:m.jsonl 2:a 2:a/b 1:a/b.txt 2:a/empty 2:a-b 1:a-b/y 1:one.txt"; got != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
	items := &client.FolderSourceOptions{Items: []string{filepath.Join(dir, "one.txt"), filepath.Join(dir, "a") + "/", filepath.Join(dir, "m.jsonl")}}
	if got, want := list(items), "3:a/b/z.jsonl 3:m.jsonl 2:a 2:a/b 1:a/b.txt 2:a/empty 1:one.txt"; got != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
	if got := list(&client.FolderSourceOptions{Dir: filepath.Join(dir, "not there")}); got != "" {
		t.Error(got)
	}
}

// TestFolderSourceRefuses: nothing is sent of what no other phone could have, or
// what would not be the same there.
func TestFolderSourceRefuses(t *testing.T) {
	dir := write(t, t.TempDir(), map[string]string{
		"x/same": "", "y/same": "", "link/l": "->/etc/passwd", "dirlink": "->x", "names/a\\b": "", "utf/\xff": "",
	})
	for name, items := range map[string][]string{
		"two of one base name": {"x/same", "y/same"}, "a link within": {"link"}, "a link": {"dirlink"}, "a backslash": {"names"}, "no UTF-8": {"utf"}, "not there": {"nothing"},
	} {
		for i := range items {
			items[i] = filepath.Join(dir, items[i])
		}
		s, err := client.NewFolderSource(&client.FolderSourceOptions{Items: items})
		if err == nil {
			err = s.Walk(t.Context(), func(sealed.Entry) error { return nil })
		}
		if !errors.Is(err, client.ErrHistory) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// entries gives an importer entries with content, in pieces of n bytes.
func entries(t *testing.T, f client.Importer, n int, list ...sealed.Entry) func(contents ...string) {
	t.Helper()
	return func(contents ...string) {
		t.Helper()
		for i, e := range list {
			e.Size = uint64(len(contents[i]))
			err := f.Entry(e)
			for p := range slices.Chunk([]byte(contents[i]), n) {
				err = errors.Join(err, f.Content(p))
			}
			if err = errors.Join(err, f.Finish()); err != nil {
				t.Fatalf("%s: %v", e.Path, err)
			}
		}
	}
}

// importer is a FolderImporter with what it tells.
func importer(t *testing.T) (f *client.FolderImporter, target string, bad *[]client.Quarantined) {
	t.Helper()
	dir := t.TempDir()
	target, bad = filepath.Join(dir, "history"), new([]client.Quarantined)
	f = client.NewFolderImporter(filepath.Join(dir, "staging"), target)
	f.Tell(func(q client.Quarantined) { *bad = append(*bad, q) })
	if err := f.Resume(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return f, target, bad
}

func place(t *testing.T, f client.Importer) {
	t.Helper()
	for range 2 { // again it does nothing
		if err := f.Place(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOneBadRecord: the others are imported, byte for byte, and the bad ones are
// listed with their lines; also those that a checkpoint cuts in two.
func TestOneBadRecord(t *testing.T) {
	text := "{\"a\":1}\n\n{\"b\":\n[1,2]\r\n" + `"` + strings.Repeat("x", 1<<20) + "\"\ntrue\nnull}"
	for _, n := range []int{1 << 21, 1000, 7} {
		f, target, bad := importer(t)
		entries(t, f, n, sealed.Entry{Kind: sealed.Records, Path: "c/m.jsonl"}, sealed.Entry{Kind: sealed.File, Path: "n.json"})(text, "{")
		if _, err := f.Checkpoint(true); err != nil {
			t.Fatal(err)
		}
		place(t, f)
		var got []string
		for _, q := range *bad {
			got = append(got, fmt.Sprint(q.Path, ":", q.Line, " ", q.Reason))
		}
		if want := "c/m.jsonl:2 not JSON, c/m.jsonl:3 not JSON, c/m.jsonl:5 longer than 1 MiB: not looked at, c/m.jsonl:7 not JSON"; strings.Join(got, ", ") != want {
			t.Errorf("%d: %s", n, strings.Join(got, ", "))
		}
		if f.Quarantined() != 4 {
			t.Error(f.Quarantined())
		}
		if got := tree(t, target); got["c/m.jsonl"] != text || got["n.json"] != "{" {
			t.Errorf("%d: %v", n, slices.Collect(maps.Keys(got)))
		}
		list, err := os.ReadFile(filepath.Join(target+".quarantine", "quarantine.jsonl"))
		if err != nil || bytes.Count(list, []byte("\n")) != 4 {
			t.Errorf("%s, %v", list, err)
		}
	}
}

// TestImportResumes: what came after a checkpoint is taken back, whatever it was, and
// comes once more; the result is as if nothing had happened.
func TestImportResumes(t *testing.T) {
	f, target, bad := importer(t)
	big := sealed.Entry{Kind: sealed.Records, Path: "r.jsonl", Size: 20}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	entries(t, f, 9, sealed.Entry{Kind: sealed.Records, Path: "a.jsonl"})("no\n")
	do(f.Entry(big))
	do(f.Content([]byte("1\n\"on")))
	mark, err := f.Checkpoint(false)
	do(err)
	do(f.Content([]byte("e\n{bad\n[]\n"))) // lost
	do(f.Content([]byte("true\n")))
	do(f.Finish())
	entries(t, f, 9, sealed.Entry{Kind: sealed.Folder, Path: "d"}, sealed.Entry{Kind: sealed.File, Path: "d/later"})("", "x")

	for range 3 { // and once more after each crash
		f = client.NewFolderImporter(filepath.Join(filepath.Dir(target), "staging"), target)
		*bad = nil
		f.Tell(func(q client.Quarantined) { *bad = append(*bad, q) })
		do(f.Resume(t.Context(), mark))
		do(f.Content([]byte("e\"\n{bad\n[]")))
	}
	do(f.Content([]byte("]\n")))
	do(f.Finish())
	entries(t, f, 9, sealed.Entry{Kind: sealed.File, Path: "later"})("y")
	place(t, f)
	if got := tree(t, target); !maps.Equal(got, map[string]string{"a.jsonl": "no\n", "r.jsonl": "1\n\"one\"\n{bad\n[]]\n", "later": "y", "d/": ""}) {
		t.Errorf("%q", got)
	}
	if len(*bad) != 2 || (*bad)[0].Line != 3 || (*bad)[1].Line != 4 || f.Quarantined() != 3 {
		t.Errorf("%+v, %d", *bad, f.Quarantined())
	}
}

// TestPathEscape: no name leads out of staging, not even over a link that somebody
// has put there.
func TestPathEscape(t *testing.T) {
	f, target, _ := importer(t)
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(filepath.Dir(target), "staging", "files", "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link/x", "../x", "../../x", "/x", "a/../../../x"} {
		err := f.Entry(sealed.Entry{Kind: sealed.File, Path: name, Size: 1})
		if err == nil {
			_ = f.Content([]byte("x"))
			_ = f.Finish()
		}
	}
	if left := tree(t, outside); len(left) != 0 {
		t.Errorf("outside: %v", left)
	}
	if err := os.Remove(filepath.Join(filepath.Dir(target), "staging", "files", "link")); err != nil {
		t.Fatal(err)
	}
	place(t, f)
	for name := range tree(t, filepath.Dir(target)) {
		if strings.HasPrefix(name, "history") || strings.HasPrefix(name, "staging") {
			continue
		}
		t.Errorf("beside staging: %s", name)
	}
}

// TestCaseCollision: where a name is taken, as that of another file is on a file
// system that ignores case, nothing is written over. The file lies in quarantine.
func TestCaseCollision(t *testing.T) {
	f, target, bad := importer(t)
	entries(t, f, 9, sealed.Entry{Kind: sealed.Records, Path: "A"}, sealed.Entry{Kind: sealed.File, Path: "A"}, sealed.Entry{Kind: sealed.File, Path: "B"})("1\n", "second", "3")
	place(t, f)
	if got := tree(t, target); !maps.Equal(got, map[string]string{"A": "1\n", "B": "3"}) {
		t.Errorf("%q", got)
	}
	if len(*bad) != 1 || (*bad)[0].Path != "A" || (*bad)[0].Kept != "1" {
		t.Fatalf("%+v", *bad)
	}
	if kept, err := os.ReadFile(filepath.Join(target+".quarantine", "quarantine", "1")); string(kept) != "second" {
		t.Errorf("%q, %v", kept, err)
	}
}
