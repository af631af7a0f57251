package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tree is a copy of the repository's files that a worker may change.
type tree struct{ dir string }

// snapshot copies the files of a checkout that git would keep, as they are:
// with what was not committed, without what is ignored.
func snapshot(ctx context.Context, root string) (tree, []string, error) {
	list := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	b, err := list.Output()
	if err != nil {
		return tree{}, nil, fmt.Errorf("mutate: list the files with git: %w", err)
	}
	var files []string
	for file := range strings.SplitSeq(strings.TrimRight(string(b), "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(root, file))
		if err == nil && info.Mode().IsRegular() { // a deleted file is still in the index
			files = append(files, file)
		}
	}
	t, err := copyTree(root, files)
	return t, files, err
}

// copyTree copies files below from into a new temporary directory.
func copyTree(from string, files []string) (tree, error) {
	dir, err := os.MkdirTemp("", "staunch-mutate-")
	if err != nil {
		return tree{}, fmt.Errorf("mutate: %w", err)
	}
	t := tree{dir}
	for _, file := range files {
		if err := copyFile(filepath.Join(from, file), filepath.Join(dir, file)); err != nil {
			t.remove()
			return tree{}, fmt.Errorf("mutate: copy the tree: %w", err)
		}
		if err := linkPackages(filepath.Join(from, filepath.Dir(file)), filepath.Join(dir, filepath.Dir(file)), filepath.Base(file)); err != nil {
			t.remove()
			return tree{}, fmt.Errorf("mutate: copy the tree: %w", err)
		}
	}
	return t, nil
}

// linkPackages lends the copy what npm has installed beside a lock file, which git
// does not keep. Nothing there is changed.
func linkPackages(from, to, file string) error {
	if file != "package-lock.json" {
		return nil
	}
	installed, err := filepath.EvalSymlinks(filepath.Join(from, "node_modules")) // of a copy: where the checkout has it
	if errors.Is(err, fs.ErrNotExist) {
		return nil // tests that need it say so
	}
	if err == nil {
		installed, err = filepath.Abs(installed)
	}
	if err != nil {
		return err
	}
	return os.Symlink(installed, filepath.Join(to, "node_modules"))
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	return os.WriteFile(to, b, info.Mode().Perm())
}

func (t tree) remove() { _ = os.RemoveAll(t.dir) } // nothing is lost with a temporary directory

// apply applies a patch and returns what undoes it. A line of context is
// enough, so that patches live through edits nearby.
func (t tree) apply(ctx context.Context, p *patch) (undo func() error, err error) {
	before := map[string][]byte{}
	for _, path := range p.paths {
		if before[path], err = os.ReadFile(filepath.Join(t.dir, path)); err != nil {
			return nil, err
		}
	}
	undo = func() error {
		for path, b := range before {
			if err := os.WriteFile(filepath.Join(t.dir, path), b, fs.FileMode(0o666)); err != nil {
				return fmt.Errorf("mutate: undo %s: %w", p.name, err)
			}
		}
		return nil
	}
	git := exec.CommandContext(ctx, "git", "apply", "--recount", "-C1", p.file)
	git.Dir = t.dir
	git.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(t.dir)) // a plain directory, wherever it lies
	if out, err := git.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return undo, nil
}
