package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/staunchid/staunch/transfer/sealed"
)

// journalFile is a file that is only added to. What a crash has left behind the
// checkpoint is cut off when it is opened.
type journalFile struct {
	file *os.File
	buf  *bufio.Writer
	size int64
}

func openJournalFile(name string, size int64) (*journalFile, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, diskError(err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() < size {
		err = fmt.Errorf("%s has %d bytes, and had %d", name, info.Size(), size)
	}
	if err == nil {
		err = f.Truncate(size)
	}
	if err == nil {
		_, err = f.Seek(size, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(diskError(err), f.Close())
	}
	return &journalFile{f, bufio.NewWriterSize(f, 16<<10), size}, nil
}

func (j *journalFile) write(b []byte) error {
	j.size += int64(len(b))
	_, err := j.buf.Write(b)
	return diskError(err)
}

func (j *journalFile) flush(durable bool) error {
	err := j.buf.Flush()
	if err == nil && durable {
		err = j.file.Sync()
	}
	return diskError(err)
}

func (f *FolderImporter) close() error {
	var err error
	if f.file != nil {
		err = f.file.Close()
	}
	for _, j := range []*journalFile{f.names, f.bad} {
		if j != nil {
			err = errors.Join(err, j.file.Close())
		}
	}
	if f.root != nil {
		err = errors.Join(err, f.root.Close())
	}
	f.file, f.lines, f.names, f.bad, f.root = nil, nil, nil, nil, nil
	return diskError(err)
}

// takeBack removes the files that came after the checkpoint: those that are not
// in the list of names. It remembers 8 bytes of each name.
func (f *FolderImporter) takeBack(ctx context.Context) error {
	seed := maphash.MakeSeed()
	var known []uint64
	if err := f.eachName(func(name []byte) { known = append(known, maphash.Bytes(seed, name)) }); err != nil {
		return err
	}
	slices.Sort(known)
	err := fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || d.IsDir() || name == stagedNames || name == stagedBad {
			return err
		}
		if _, ok := slices.BinarySearch(known, maphash.String(seed, name)); ok {
			return nil
		}
		return f.root.Remove(name)
	})
	return diskError(err)
}

// eachName reads the list of names.
func (f *FolderImporter) eachName(fn func(name []byte)) error {
	r := bufio.NewReader(io.NewSectionReader(f.names.file, 0, f.state.Names))
	for {
		name, err := r.ReadSlice(0)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return diskError(err)
		}
		fn(bytes.TrimSuffix(name, []byte{0}))
	}
}

// reopen cuts the file that was being written back to the checkpoint, and looks
// at its last line again.
func (f *FolderImporter) reopen() error {
	s := &f.state
	if s.Open == "" {
		return nil
	}
	file, err := f.root.OpenFile(s.Open, os.O_RDWR, 0)
	if err != nil {
		return diskError(err)
	}
	f.file, f.entry = file, *s.Entry
	if err := file.Truncate(s.Offset); err != nil {
		return diskError(err)
	}
	if f.entry.Kind == sealed.Records && path.Dir(s.Open) != stagedKept {
		f.lines = &lineCheck{Line: s.Line, Start: s.LineStart, at: s.LineStart, bad: f.badLine}
		r := io.NewSectionReader(file, int64(s.LineStart), s.Offset-int64(s.LineStart)) //nolint:gosec // an offset of the file
		if _, err := io.Copy(lineWriter{f.lines}, r); err != nil {
			return diskError(err)
		}
	}
	_, err = file.Seek(s.Offset, io.SeekStart)
	return diskError(err)
}

// lineWriter shows a lineCheck what it has seen before.
type lineWriter struct{ *lineCheck }

func (w lineWriter) Write(p []byte) (int, error) { return len(p), w.write(p) }

// Checkpoint says what Resume needs.
func (f *FolderImporter) Checkpoint(durable bool) ([]byte, error) {
	if err := errors.Join(f.names.flush(durable), f.bad.flush(durable)); err != nil {
		return nil, err
	}
	s := &f.state
	s.Names, s.Bad, s.Entry, s.Line, s.LineStart = f.names.size, f.bad.size, nil, 0, 0
	if f.file != nil {
		s.Entry = &f.entry
		if f.lines != nil {
			s.Line, s.LineStart = f.lines.Line, f.lines.Start
		}
	}
	if durable {
		if err := f.save(); err != nil {
			return nil, err
		}
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("client: import: %w", err)
	}
	return b, nil
}

// fewFiles are synced one by one; of more, the whole file system is.
const fewFiles = 16

// save makes all files since the last time survive a power cut.
func (f *FolderImporter) save() error {
	if f.file != nil && len(f.unsaved) == 0 { // one long file
		return diskError(f.file.Sync())
	}
	if len(f.unsaved) > fewFiles {
		done, err := syncFileSystem(f.staging)
		if err != nil {
			return diskError(err)
		}
		if done {
			f.unsaved = f.unsaved[:0]
			if f.state.Open != "" {
				f.unsaved = append(f.unsaved, f.state.Open)
			}
			return nil
		}
	}
	folders := map[string]bool{}
	for _, name := range f.unsaved {
		if err := syncFile(filepath.Join(f.staging, filepath.FromSlash(name))); err != nil {
			return err
		}
		for dir := path.Dir(name); !folders[dir]; dir = path.Dir(dir) {
			folders[dir] = true
			if err := syncFolder(filepath.Join(f.staging, filepath.FromSlash(dir))); err != nil {
				return err
			}
		}
	}
	f.unsaved = f.unsaved[:0]
	if f.state.Open != "" {
		f.unsaved = append(f.unsaved, f.state.Open)
	}
	return nil
}

// Place makes the history visible, by one rename.
func (f *FolderImporter) Place(ctx context.Context) error {
	if f.names != nil {
		if err := errors.Join(f.names.flush(true), f.bad.flush(true)); err != nil {
			return err
		}
	}
	if err := f.close(); err != nil {
		return err
	}
	if _, err := os.Stat(f.staging); errors.Is(err, fs.ErrNotExist) {
		return nil // it was done
	}
	// What is in quarantine goes first: staging is there as long as something is to do.
	bad := f.target + ".quarantine"
	if info, err := os.Stat(filepath.Join(f.staging, stagedBad)); err == nil && info.Size() > 0 {
		if err := os.MkdirAll(bad, 0o700); err != nil {
			return diskError(err)
		}
		for _, name := range []string{stagedKept, stagedBad} {
			if err := os.Rename(filepath.Join(f.staging, name), filepath.Join(bad, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return diskError(err)
			}
		}
		if err := syncFolder(bad); err != nil {
			return err
		}
	}
	files := filepath.Join(f.staging, stagedFiles)
	if list, err := os.ReadDir(files); err == nil && len(list) > 0 {
		if err := os.Rename(files, f.target); err != nil {
			return diskError(err)
		}
		if err := syncFolder(filepath.Dir(f.target)); err != nil {
			return err
		}
	}
	return f.Clear(ctx)
}

// Clear removes staging.
func (f *FolderImporter) Clear(context.Context) error {
	if err := f.close(); err != nil {
		return err
	}
	return diskError(os.RemoveAll(f.staging))
}
