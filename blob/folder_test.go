package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/staunchid/staunch/transfer"
)

func openTest(t *testing.T, dir string) *Folder {
	t.Helper()
	f, err := OpenFolder(&FolderOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func put(t *testing.T, f *Folder, key, body string) {
	t.Helper()
	if err := f.Put(t.Context(), key, int64(len(body)), strings.NewReader(body)); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, f *Folder, key string, off, n int64) (string, error) {
	t.Helper()
	r, err := f.Get(t.Context(), key, off, n)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

// files are all files of a folder, also those that are no blobs.
func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(dir, path)
			all = append(all, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPutAndGet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	f := openTest(t, dir)
	large := strings.Repeat("0123456789", 20_000) // more than one chunk
	put(t, f, "demo/transfer/t_1/1/0", large)
	put(t, f, "demo/transfer/t_1/1/64", "")
	put(t, f, "demo/x-1_y", "old")
	put(t, f, "demo/x-1_y", "new")
	for _, tt := range []struct {
		key    string
		off, n int64
		want   string
	}{
		{"demo/transfer/t_1/1/0", 0, -1, large},
		{"demo/transfer/t_1/1/0", 0, 3, "012"},
		{"demo/transfer/t_1/1/0", 199_998, -1, "89"},
		{"demo/transfer/t_1/1/0", 5, 199_995, large[5:]},
		{"demo/transfer/t_1/1/0", 199_999, 100, "9"},
		{"demo/transfer/t_1/1/0", 200_000, -1, ""},
		{"demo/transfer/t_1/1/64", 0, -1, ""},
		{"demo/x-1_y", 0, -1, "new"},
	} {
		if got, err := get(t, f, tt.key, tt.off, tt.n); got != tt.want || err != nil {
			t.Errorf("%s from %d, %d: %d bytes, %v", tt.key, tt.off, tt.n, len(got), err)
		}
	}
	for _, key := range []string{"demo/none", "demo/transfer", "demo/transfer/t_1/1/0/1"} {
		if _, err := get(t, f, key, 0, -1); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("%s: %v", key, err)
		}
	}
	for _, off := range []int64{-1, 4} {
		if _, err := get(t, f, "demo/x-1_y", off, -1); err == nil {
			t.Errorf("read from byte %d of 3", off)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "demo", "x-1_y"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestNoKeys: what is no key names nothing, in the folder or outside.
func TestNoKeys(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	if err := os.WriteFile(outside, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := openTest(t, filepath.Join(dir, "blobs"))
	put(t, f, "demo/a", "a")
	for _, key := range []string{
		"", "/", ".", "..", "../outside", "demo/../../outside", "/etc/passwd", "demo//a", "demo/./a", "demo/", "Demo/a", "demo/a b", "demo\\a",
		"demo/a\x00", "demo/ä", ".arriving", ".arriving/x", "demo/.a", "c:/a", strings.Repeat("a", 256),
	} {
		if err := f.Put(t.Context(), key, 1, strings.NewReader("x")); err == nil {
			t.Errorf("put %q", key)
		}
		if _, err := f.Get(t.Context(), key, 0, -1); err == nil {
			t.Errorf("got %q", key)
		}
		if err := f.Sync(t.Context(), slices.Values([]string{key})); err == nil {
			t.Errorf("synced %q", key)
		}
		if key == "demo/" { // is a prefix
			continue
		}
		if err := f.Delete(t.Context(), key); err == nil {
			t.Errorf("deleted %q", key)
		}
		for _, err := range f.Keys(t.Context(), key) {
			if err == nil {
				t.Errorf("listed %q", key)
			}
		}
	}
	if err := os.Symlink("../../outside", filepath.Join(dir, "blobs", "demo", "link")); err != nil {
		t.Fatal(err)
	}
	if body, err := get(t, f, "demo/link", 0, -1); err == nil {
		t.Errorf("a link leads out of the folder: %q", body)
	}
	if err := f.Delete(t.Context(), "demo/"); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(outside); string(b) != "mine" || err != nil {
		t.Errorf("outside: %q, %v", b, err)
	}
}

// failing fails with an error once it has had n bytes.
type failing struct {
	w   io.Writer
	n   int
	err error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, &fs.PathError{Op: "write", Path: "x", Err: f.err}
	}
	return f.w.Write(p)
}

// TestWholeOrNot: a Put that fails leaves nothing, and what was there stays.
func TestWholeOrNot(t *testing.T) {
	dir := t.TempDir()
	f := openTest(t, dir)
	put(t, f, "demo/a", "old")
	cut := errors.New("cut off")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	body := bytes.Repeat([]byte{7}, 3*chunk)
	for _, tt := range []struct {
		name string
		ctx  context.Context
		size int64
		r    io.Reader
		disk error
		want error
	}{
		{"too short", t.Context(), 3*chunk + 1, bytes.NewReader(body), nil, io.ErrUnexpectedEOF},
		{"nothing at all", t.Context(), 1, bytes.NewReader(nil), nil, io.ErrUnexpectedEOF},
		{"cut off", t.Context(), 4 * chunk, io.MultiReader(bytes.NewReader(body), errReader{cut}), nil, cut},
		{"cut off at the end", t.Context(), 3 * chunk, io.MultiReader(bytes.NewReader(body), errReader{cut}), nil, cut},
		{"cancelled", gone, 3 * chunk, bytes.NewReader(body), nil, context.Canceled},
		{"disk full", t.Context(), 3 * chunk, bytes.NewReader(body), syscall.ENOSPC, transfer.ErrQuota},
		{"quota of the disk", t.Context(), 3 * chunk, bytes.NewReader(body), syscall.EDQUOT, transfer.ErrQuota},
		{"disk fails", t.Context(), 3 * chunk, bytes.NewReader(body), syscall.EIO, syscall.EIO},
	} {
		f.testingOnlyWriter = nil
		if tt.disk != nil {
			f.testingOnlyWriter = func(w io.Writer) io.Writer { return &failing{w, 2 * chunk, tt.disk} }
		}
		for _, key := range []string{"demo/a", "demo/b/c"} {
			if _, err := tt.r.(io.Seeker); err {
				tt.r.(io.Seeker).Seek(0, io.SeekStart)
			}
			err := f.Put(tt.ctx, key, tt.size, tt.r)
			if err == nil || key == "demo/a" && !errors.Is(err, tt.want) {
				t.Errorf("%s: %v", tt.name, err)
			}
			if errors.Is(err, transfer.ErrQuota) != (tt.want == transfer.ErrQuota) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
	f.testingOnlyWriter = nil
	if err := f.Put(t.Context(), "demo/b/c", 3*chunk-1, bytes.NewReader(body)); err == nil {
		t.Error("more bytes than there should be")
	}
	if got := files(t, dir); !slices.Equal(got, []string{"demo/a"}) {
		t.Errorf("there are %q", got)
	}
	if got, err := get(t, f, "demo/a", 0, -1); got != "old" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// TestKilled: what a process that was killed has not finished is gone, and no blob.
// Who only reads removes nothing.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	f := openTest(t, dir)
	put(t, f, "demo/a", "a")
	half := filepath.Join(dir, arriving, "HALF")
	if err := os.WriteFile(half, []byte("hal"), 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := OpenFolder(&FolderOptions{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := os.Stat(half); err != nil {
		t.Errorf("who only reads removed it: %v", err)
	}
	if got, err := get(t, reader, "demo/a", 0, -1); got != "a" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	f = openTest(t, dir)
	if got := files(t, dir); !slices.Equal(got, []string{"demo/a"}) {
		t.Errorf("there are %q", got)
	}
	put(t, f, "demo/b", "b")
	if _, err := OpenFolder(&FolderOptions{Dir: filepath.Join(dir, "none"), ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := OpenFolder(&FolderOptions{}); err == nil {
		t.Error("no folder")
	}
}

func TestDeleteAndKeys(t *testing.T) {
	f := openTest(t, t.TempDir())
	all := []string{"demo/transfer/t_1/1/0", "demo/transfer/t_1/1/64", "demo/transfer/t_1/2/0", "demo/transfer/t_11/1/0", "other/transfer/t_1/1/0"}
	for _, key := range all {
		put(t, f, key, key)
	}
	keys := func(prefix string) (got []string) {
		t.Helper()
		for b, err := range f.Keys(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			if b.Size != int64(len(b.Key)) || time.Since(b.At) > time.Hour || b.At.Location() != time.UTC {
				t.Errorf("%+v", b)
			}
			got = append(got, b.Key)
		}
		return got
	}
	for _, tt := range []struct {
		remove string
		prefix string
		want   []string
	}{
		{"", "demo/", all[:4]},
		{"", "demo/transfer/t_1/", all[:3]},
		{"", "demo/transfer/t_1/1/64", all[1:2]},
		{"", "none/", nil},
		{"demo/none", "demo/", all[:4]},
		{"none/", "demo/", all[:4]},
		{"demo/transfer/t_1/1/64", "demo/", []string{all[0], all[2], all[3]}},
		{"demo/transfer/t_1/", "demo/", all[3:4]},
		{"demo/transfer/t_1/", "other/", all[4:]},
	} {
		if tt.remove != "" {
			if err := f.Delete(t.Context(), tt.remove); err != nil {
				t.Errorf("delete %s: %v", tt.remove, err)
			}
		}
		if got := keys(tt.prefix); !slices.Equal(got, tt.want) {
			t.Errorf("after %q, under %s: %q, want %q", tt.remove, tt.prefix, got, tt.want)
		}
	}
	if err := f.Delete(t.Context(), "demo/transfer"); err == nil {
		t.Error("deleted a whole prefix by the name of a key")
	}
	put(t, f, all[0], all[0]) // a folder that was deleted is made again
	if err := f.Delete(t.Context(), all[0]); err != nil {
		t.Error(err)
	}
	if folders, err := fs.ReadDir(f.root.FS(), "demo/transfer"); err != nil || len(folders) != 1 || folders[0].Name() != "t_11" {
		t.Errorf("empty folders are left: %v, %v", folders, err)
	}
	for range f.Keys(t.Context(), "demo/") {
		break
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range f.Keys(gone, "demo/") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

func TestSync(t *testing.T) {
	f := openTest(t, t.TempDir())
	put(t, f, "demo/transfer/t_1/1/0", "a")
	put(t, f, "demo/transfer/t_1/1/1", "b")
	if err := f.Sync(t.Context(), slices.Values([]string{"demo/transfer/t_1/1/0", "demo/transfer/t_1/1/1"})); err != nil {
		t.Error(err)
	}
	if err := f.Sync(t.Context(), slices.Values([]string{"demo/transfer/t_1/1/0", "demo/transfer/t_1/1/2"})); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a blob that is not there: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Sync(gone, slices.Values([]string{"demo/transfer/t_1/1/0"})); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestPutBesideDelete: folders that are deleted while something arrives are made
// again; each Put succeeds, and its blob is there or was deleted.
func TestPutBesideDelete(t *testing.T) {
	f := openTest(t, t.TempDir())
	done := make(chan error, 1)
	go func() {
		var err error
		for range 200 {
			err = errors.Join(err, f.Delete(context.Background(), "demo/transfer/t_1/"))
		}
		done <- err
	}()
	for ended := false; !ended; {
		select {
		case err := <-done:
			if ended = true; err != nil {
				t.Error(err)
			}
		default:
		}
		put(t, f, "demo/transfer/t_1/1/0", "a")
	}
	if got, err := get(t, f, "demo/transfer/t_1/1/0", 0, -1); got != "a" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
