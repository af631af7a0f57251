package client

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Name lists the folders and files.
func (s *FolderSource) Name() string {
	var b strings.Builder
	for _, t := range s.top {
		fmt.Fprintf(&b, "%q=%q/%q\n", t.name, t.dir, t.file)
	}
	return b.String()
}

// ReopenFolderSource gives the FolderSource of a name again: for SendOptions.Resume. That
// a folder or a file is no longer there, or is no longer one, is ErrHistory.
func ReopenFolderSource(name string) (*FolderSource, error) {
	top, err := parseFolderName(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHistory, err)
	}
	for _, t := range top {
		info, err := os.Lstat(t.path())
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrHistory, err)
		case t.file == "" && !info.IsDir():
			return nil, fmt.Errorf("%w: %s is no folder any more", ErrHistory, t.path())
		case t.file != "" && !info.Mode().IsRegular():
			return nil, fmt.Errorf("%w: %s is no file any more", ErrHistory, t.path())
		}
	}
	return &FolderSource{top}, nil
}

// path is what it is on this machine.
func (t topItem) path() string { return filepath.Join(t.dir, t.file) }

// parseFolderName reads what Name writes.
func parseFolderName(name string) (top []topItem, err error) {
	wrong := errors.New("its name is not that of folders and files")
	for line := range strings.Lines(name) {
		var t topItem
		for _, part := range []struct {
			text *string
			end  string
		}{{&t.name, "="}, {&t.dir, "/"}, {&t.file, "\n"}} {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, wrong
			}
			if *part.text, err = strconv.Unquote(quoted); err != nil {
				return nil, wrong
			}
			var ok bool
			if line, ok = strings.CutPrefix(line[len(quoted):], part.end); !ok {
				return nil, wrong
			}
		}
		if line != "" || !filepath.IsAbs(t.dir) {
			return nil, wrong
		}
		top = append(top, t)
	}
	return top, nil
}

// historyText is the name of a history for people: where its folders and files are, if
// it is of such.
func historyText(name string) string {
	top, err := parseFolderName(name)
	switch {
	case name == "":
		return "no history"
	case err != nil:
		return strconv.Quote(name)
	}
	all := make([]string, len(top))
	for i, t := range top {
		all[i] = t.path()
	}
	return strings.Join(all, ", ")
}
