package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"

	"github.com/staunchid/staunch/transfer"
)

// arriving is the folder of what is not whole yet. No key begins with it.
const arriving = ".arriving"

// tries is how often a blob is given its name: a Delete may take the folder away.
const tries = 20

// chunk is how much of a blob is in memory at a time.
const chunk = 64 << 10

// FolderOptions are a Folder's.
type FolderOptions struct {
	// Dir is the folder. One that is not there is made, with mode 0700. Required.
	Dir string
	// ReadOnly makes no folder and changes nothing, for a check beside a server that
	// runs.
	ReadOnly bool
}

// Folder is a transfer.Blobs of files in one folder. It is safe for concurrent use,
// and one process at a time may write to a folder: opening it removes what another
// has not finished. No key leads out of the folder, by links neither.
type Folder struct {
	dir  string
	root *os.Root

	testingOnlyWriter func(io.Writer) io.Writer // what a blob is written through
}

var _ transfer.Blobs = (*Folder)(nil)

// OpenFolder opens a folder of blobs.
func OpenFolder(opts *FolderOptions) (*Folder, error) {
	if opts.Dir == "" {
		return nil, errors.New("blob: options: no Dir")
	}
	f := &Folder{dir: opts.Dir}
	if !opts.ReadOnly {
		if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("blob: %w", err)
		}
	}
	var err error
	if f.root, err = os.OpenRoot(opts.Dir); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	if opts.ReadOnly {
		return f, nil
	}
	err = f.root.RemoveAll(arriving) // of a process that was killed
	if err == nil {
		err = f.root.Mkdir(arriving, 0o700)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("blob: %w", err), f.Close())
	}
	return f, nil
}

// Close frees the folder. What is being read can be read to its end.
func (f *Folder) Close() error { return f.root.Close() }

// Put writes size bytes of r to a file of another name, and gives it its own when
// all are there. That they survive a power cut is Sync's part. Where the disk has no
// room the error is transfer.ErrQuota.
func (f *Folder) Put(ctx context.Context, key string, size int64, r io.Reader) error {
	if err := checkKey(key); err != nil {
		return err
	}
	temp := arriving + "/" + rand.Text()
	err := f.write(ctx, temp, size, r)
	if err == nil {
		err = f.place(temp, key)
	}
	if err == nil {
		return nil
	}
	if gone := f.root.Remove(temp); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	if full(err) {
		return fmt.Errorf("blob: put %s: %w: the disk of %s is full; make room there: %w", key, transfer.ErrQuota, f.dir, err)
	}
	return fmt.Errorf("blob: put %s: %w", key, err)
}

// write writes a file of size bytes. r must have no more and no fewer.
func (f *Folder) write(ctx context.Context, name string, size int64, r io.Reader) (err error) {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := io.Writer(file)
	if f.testingOnlyWriter != nil {
		w = f.testingOnlyWriter(w)
	}
	buf, left := make([]byte, chunk), size
	for left > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(r, buf[:min(left, chunk)])
		if err != nil {
			return fmt.Errorf("%d of %d bytes: %w", size-left+int64(n), size, noEnd(err))
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		left -= int64(n)
	}
	if n, err := io.ReadFull(r, buf[:1]); n > 0 {
		return fmt.Errorf("there are more than %d bytes", size)
	} else if err != io.EOF {
		return err
	}
	return nil
}

// noEnd is an end that came too early.
func noEnd(err error) error {
	if err == io.EOF { //nolint:errorlint // readers give it as it is
		return io.ErrUnexpectedEOF
	}
	return err
}

// place gives a file the name of its key. A Delete may take the folders away
// meanwhile.
func (f *Folder) place(temp, key string) (err error) {
	for range tries {
		if err = f.root.MkdirAll(path.Dir(key), 0o700); err == nil {
			err = f.root.Rename(temp, key)
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) { // the latter: a folder that went after it was found there
			return err
		}
	}
	return err
}

// Get reads a blob. What it gives is the file itself where it ends where the file
// does, so that a server may hand it to the system.
func (f *Folder) Get(_ context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	file, err := f.root.Open(key)
	if err != nil {
		return nil, fmt.Errorf("blob: get %s: %w", key, err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fs.ErrNotExist // a prefix is no key
	case off < 0 || off > info.Size():
		err = fmt.Errorf("from byte %d of %d", off, info.Size())
	default:
		_, err = file.Seek(off, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("blob: get %s: %w", key, err), file.Close())
	}
	if n < 0 || off+n >= info.Size() {
		return file, nil
	}
	return part{io.LimitReader(file, n), file}, nil
}

// part is a piece of a file.
type part struct {
	io.Reader
	io.Closer
}

// Delete removes a blob, or all that is under a prefix, and the folders that are
// empty then.
func (f *Folder) Delete(_ context.Context, prefix string) error {
	name := strings.TrimSuffix(prefix, "/")
	if err := checkKey(name); err != nil {
		return err
	}
	remove := f.root.RemoveAll
	if name == prefix {
		remove = f.root.Remove
	}
	err := remove(name)
	if name != prefix && errors.Is(err, fs.ErrExist) {
		err = nil // what has come meanwhile keeps its folder from being empty
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob: delete %s: %w", prefix, err)
	}
	for p := path.Dir(name); p != "." && f.root.Remove(p) == nil; {
		p = path.Dir(p)
	}
	return nil
}

// Keys gives what is under a prefix, in order. What is deleted meanwhile may be
// among it.
func (f *Folder) Keys(ctx context.Context, prefix string) iter.Seq2[transfer.Blob, error] {
	return func(yield func(transfer.Blob, error) bool) {
		name := strings.TrimSuffix(prefix, "/")
		if err := checkKey(name); err != nil {
			yield(transfer.Blob{}, err)
			return
		}
		err := fs.WalkDir(f.root.FS(), name, func(key string, d fs.DirEntry, err error) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil && d.Type().IsRegular() {
				var info fs.FileInfo
				if info, err = d.Info(); err == nil && !yield(transfer.Blob{Key: key, Size: info.Size(), At: info.ModTime().UTC()}, nil) {
					return fs.SkipAll
				}
			}
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		})
		if err != nil {
			yield(transfer.Blob{}, fmt.Errorf("blob: list %s: %w", prefix, err))
		}
	}
}

// checkKey refuses what is no key: parts of small letters, digits, "_" and "-" with
// "/" between them. So none is a path out of the folder, two that differ are two
// files where case does not count, and none is where blobs arrive.
func checkKey(key string) error {
	if len(key) > 255 {
		return fmt.Errorf("blob: a key of %d bytes", len(key))
	}
	for p := range strings.SplitSeq(key, "/") {
		if p == "" || strings.Trim(p, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return fmt.Errorf("blob: %q is no key; keys are small letters, digits, \"_\" and \"-\" between slashes", key)
		}
	}
	return nil
}
