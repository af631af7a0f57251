package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/staunchid/staunch/transfer/sealed"
)

// FolderImporter is an Importer that keeps the history in a folder, byte for byte.
// It looks at each line of a file of records, and lists those that are not JSON. A
// file that cannot have its name here, since another has it already on a file system
// that does not tell them apart, lies in quarantine.
//
// Files are created, never opened where something is, and in an os.Root: none gets
// out of the folder, and none is written over.
type FolderImporter struct {
	staging, target string
	tell            func(Quarantined)

	root  *os.Root // staging/files
	names *journalFile
	bad   *journalFile
	state importState

	file    *os.File
	entry   sealed.Entry
	lines   *lineCheck
	parent  string   // of the last file: it exists
	unsaved []string // files since the last durable checkpoint, as they lie in staging
}

// importState is a checkpoint.
type importState struct {
	Names     int64         `json:"names"` // bytes of the list of names
	Bad       int64         `json:"bad"`   // of the list of what is in quarantine
	Count     uint64        `json:"count"` // of that
	Objects   uint64        `json:"objects"`
	Open      string        `json:"open,omitempty"` // the file that is being written, in staging
	Offset    int64         `json:"offset,omitempty"`
	Line      uint64        `json:"line,omitempty"`
	LineStart uint64        `json:"line_start,omitempty"`
	Entry     *sealed.Entry `json:"entry,omitempty"` // of Open
}

// What lies in staging.
const (
	stagedFiles = "files"
	stagedNames = "names" // of all files, with a zero byte behind each
	stagedBad   = "quarantine.jsonl"
	stagedKept  = "quarantine"
)

// NewFolderImporter imports into the folder staging, which it makes and, when all is
// done, removes. target appears when all has come: a name on the same file system,
// of which nothing may be there yet, or an empty folder. What is in quarantine is
// kept beside it, in a folder with ".quarantine" behind its name.
func NewFolderImporter(staging, target string) *FolderImporter {
	return &FolderImporter{staging: staging, target: target, tell: func(Quarantined) {}}
}

// Tell says who is told.
func (f *FolderImporter) Tell(fn func(Quarantined)) { f.tell = fn }

// Quarantined says how many there are.
func (f *FolderImporter) Quarantined() uint64 { return f.state.Count }

// Resume goes on from a checkpoint.
func (f *FolderImporter) Resume(ctx context.Context, checkpoint []byte) error {
	if err := f.close(); err != nil {
		return err
	}
	f.state = importState{}
	if checkpoint == nil {
		if err := f.Clear(ctx); err != nil {
			return err
		}
	} else if err := json.Unmarshal(checkpoint, &f.state); err != nil {
		return fmt.Errorf("client: import: not a checkpoint of this importer: %w", err)
	}
	err := os.MkdirAll(filepath.Join(f.staging, stagedFiles), 0o700)
	if err == nil {
		err = os.MkdirAll(filepath.Join(f.staging, stagedKept), 0o700)
	}
	if err == nil {
		f.root, err = os.OpenRoot(f.staging)
	}
	if err == nil {
		f.names, err = openJournalFile(filepath.Join(f.staging, stagedNames), f.state.Names)
	}
	if err == nil {
		f.bad, err = openJournalFile(filepath.Join(f.staging, stagedBad), f.state.Bad)
	}
	if err != nil {
		return diskError(err)
	}
	f.parent, f.unsaved = "", nil
	if checkpoint == nil {
		return nil
	}
	if err := f.takeBack(ctx); err != nil {
		return err
	}
	return f.reopen()
}

// Start begins.
func (f *FolderImporter) Start(sealed.Totals) error { return nil }

// Entry begins a file or folder.
func (f *FolderImporter) Entry(e sealed.Entry) error {
	name := path.Join(stagedFiles, e.Path)
	f.entry, f.lines = e, nil
	f.state.Objects++
	err := f.create(name, e)
	if err != nil && !unnameable(err) {
		return diskError(err)
	}
	if err != nil {
		kept := path.Join(stagedKept, strconv.FormatUint(f.state.Count+1, 10))
		if e.Kind == sealed.Folder {
			return f.quarantine(Quarantined{Path: e.Path, Reason: reasonOfName(err)})
		}
		file, again := f.root.OpenFile(kept, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if again != nil {
			return diskError(again)
		}
		f.file = file
		if err := f.quarantine(Quarantined{Path: e.Path, Reason: reasonOfName(err), Kept: path.Base(kept)}); err != nil {
			return err
		}
		name, e.Kind = kept, sealed.File
	}
	if e.Kind == sealed.Folder {
		return nil
	}
	f.state.Open, f.state.Offset = name, 0
	if e.Kind == sealed.Records {
		f.lines = &lineCheck{bad: f.badLine}
	}
	f.unsaved = append(f.unsaved, name)
	return f.names.write(append([]byte(name), 0))
}

// create makes a file, or a folder, which may be there already: as the parent of a
// file of records, which came before.
func (f *FolderImporter) create(name string, e sealed.Entry) (err error) {
	if dir := path.Dir(name); dir != f.parent {
		if err := f.root.MkdirAll(dir, 0o700); err != nil {
			return err //nolint:wrapcheck // by the caller
		}
		f.parent = dir
	}
	if e.Kind == sealed.Folder {
		return f.root.MkdirAll(name, 0o700) //nolint:wrapcheck // by the caller
	}
	f.file, err = f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return err //nolint:wrapcheck // by the caller
}

// unnameable reports whether a file cannot be created because of its name alone.
func unnameable(err error) bool {
	for _, e := range []error{fs.ErrExist, fs.ErrInvalid, syscall.ENAMETOOLONG, syscall.ENOTDIR, syscall.EISDIR, syscall.EILSEQ, syscall.ELOOP} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func reasonOfName(err error) string {
	if errors.Is(err, fs.ErrExist) {
		return "something of this name is here already"
	}
	return "its name cannot be created here"
}

// Content writes the next bytes of a file.
func (f *FolderImporter) Content(p []byte) error {
	if _, err := f.file.Write(p); err != nil {
		return diskError(err)
	}
	f.state.Offset += int64(len(p))
	if f.lines != nil {
		return f.lines.write(p)
	}
	return nil
}

// Finish ends an entry.
func (f *FolderImporter) Finish() error {
	if f.file == nil {
		return nil
	}
	if f.lines != nil {
		if err := f.lines.end(); err != nil {
			return err
		}
	}
	at := time.UnixMilli(f.entry.MTime)
	err := f.file.Close()
	if err == nil {
		err = f.root.Chtimes(f.state.Open, at, at)
	}
	f.file, f.lines = nil, nil
	f.state.Open, f.state.Offset = "", 0
	return diskError(err)
}

// badLine lists a line of a file of records.
func (f *FolderImporter) badLine(line uint64, reason string) error {
	return f.quarantine(Quarantined{Path: f.entry.Path, Line: line, Reason: reason})
}

func (f *FolderImporter) quarantine(q Quarantined) error {
	b, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("client: import: %w", err)
	}
	if err := f.bad.write(append(b, '\n')); err != nil {
		return err
	}
	f.state.Count++
	f.tell(q)
	return nil
}
