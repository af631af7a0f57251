package client

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/staunchid/staunch/transfer/sealed"
)

// Source is the history on the current phone. It may grow while it is sent: the
// plan is what Walk has given, and what differs from it is noticed.
type Source interface {
	// Name says which history it is: a move that was begun goes on with one of the same
	// name only.
	Name() string
	// Walk gives all entries in the order in which they are sent: files of records
	// first, then the rest, each in the byte order of a folder walk
	// (sealed.ComparePaths). The error of what cannot be sent is ErrHistory.
	Walk(ctx context.Context, fn func(sealed.Entry) error) error
	// Open opens a file. Its Stat has size and time of change, which are compared
	// with the plan's before it is read and after.
	Open(path string) (fs.File, error)
}

// FolderSourceOptions name folders and files. One of the two.
type FolderSourceOptions struct {
	// Dir is a folder whose content is the history. Without it the history is empty.
	Dir string
	// Items are files and folders, each of which comes under its base name.
	Items []string
}

// recordsSuffix marks files of records: one JSON value a line.
const recordsSuffix = ".jsonl"

// FolderSource is a Source of folders and files. It follows no links.
type FolderSource struct {
	top []topItem // by name
}

// topItem is what lies at the top of the history.
type topItem struct {
	name string // of the history; empty: the folder's content is at the top itself
	dir  string // that is opened
	file string // in dir; empty: dir itself
}

// NewFolderSource looks at what the options name. Two of one base name, a link or
// a special file are ErrHistory.
func NewFolderSource(o *FolderSourceOptions) (*FolderSource, error) {
	s := &FolderSource{}
	if o.Dir != "" {
		info, err := os.Lstat(o.Dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return s, nil
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrHistory, err)
		case !info.IsDir():
			return nil, fmt.Errorf("%w: %s is no folder", ErrHistory, o.Dir)
		}
		abs, err := filepath.Abs(o.Dir)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrHistory, err)
		}
		s.top = []topItem{{dir: abs}}
	}
	for _, item := range o.Items {
		abs, err := filepath.Abs(item)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrHistory, err)
		}
		info, err := os.Lstat(abs)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrHistory, err)
		case info.IsDir():
			s.top = append(s.top, topItem{name: filepath.Base(abs), dir: abs})
		case info.Mode().IsRegular():
			s.top = append(s.top, topItem{name: filepath.Base(abs), dir: filepath.Dir(abs), file: filepath.Base(abs)})
		default:
			return nil, fmt.Errorf("%w: %s is neither a file nor a folder", ErrHistory, item)
		}
	}
	slices.SortFunc(s.top, func(a, b topItem) int { return strings.Compare(a.name, b.name) })
	for i := range s.top[min(1, len(s.top)):] {
		if s.top[i].name == s.top[i+1].name {
			return nil, fmt.Errorf("%w: two of it are called %s", ErrHistory, s.top[i].name)
		}
	}
	return s, nil
}

// Walk walks all of it twice: for the files of records, and for the rest.
func (s *FolderSource) Walk(ctx context.Context, fn func(sealed.Entry) error) error {
	for _, records := range []bool{true, false} {
		for _, t := range s.top {
			if err := s.walk(ctx, t, records, fn); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *FolderSource) walk(ctx context.Context, t topItem, records bool, fn func(sealed.Entry) error) error {
	root, err := os.OpenRoot(t.dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHistory, err)
	}
	defer root.Close()
	start := "."
	if t.file != "" {
		start = t.file
	}
	return fs.WalkDir(root.FS(), start, func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("client: history: %w", err)
		}
		e := sealed.Entry{Path: path.Join(t.name, name)}
		if t.file != "" {
			e.Path = t.name
		}
		switch isRecords := strings.HasSuffix(name, recordsSuffix); {
		case e.Path == ".":
			return nil
		case d.IsDir():
			e.Kind = sealed.Folder
		case !d.Type().IsRegular():
			return fmt.Errorf("%w: %s in %s is a link or a special file", ErrHistory, name, t.dir)
		case isRecords:
			e.Kind = sealed.Records
		default:
			e.Kind = sealed.File
		}
		if records != (e.Kind == sealed.Records) {
			return nil
		}
		if err := sealed.CheckPath(e.Path); err != nil { // spec/transfer.md, "Stream"
			return fmt.Errorf("%w: %w", ErrHistory, err)
		}
		info, err := d.Info()
		if err != nil {
			return fmt.Errorf("client: history: %w", err)
		}
		e.MTime = info.ModTime().UnixMilli()
		if e.Kind != sealed.Folder {
			e.Size = uint64(info.Size()) //nolint:gosec // of a regular file
		}
		return fn(e)
	})
}

// Open opens a file of the history.
func (s *FolderSource) Open(name string) (fs.File, error) {
	for _, t := range s.top {
		below := name
		if t.name != "" {
			rest, ok := strings.CutPrefix(name, t.name)
			if !ok || rest != "" && rest[0] != '/' {
				continue
			}
			below = strings.TrimPrefix(rest, "/")
		}
		if t.file != "" {
			below = t.file
		}
		f, err := os.OpenInRoot(t.dir, filepath.FromSlash(below))
		if err != nil {
			return nil, fmt.Errorf("client: history: %w", err)
		}
		return f, nil
	}
	return nil, fmt.Errorf("client: history: %s: %w", name, fs.ErrNotExist)
}
