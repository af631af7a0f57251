package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// patch is a file of testdata/mutations.
type patch struct {
	name  string   // NNNN-slug
	file  string   // absolute path
	title string   // what is left out
	code  string   // of attest.Codes, or a name of the rule
	tests []string // package patterns, in the order in which they are tested
	only  []string // each a test, or a test and a subtest, for go test -run; empty: all tests
	paths []string // of the files that it changes, below the root
}

var isName = regexp.MustCompile(`^[0-9]{4}-[a-z0-9-]+$`)

// readPatches reads the patches that are wanted, in the order of their names.
// No two have the same number.
func readPatches(dir string, wanted *regexp.Regexp) ([]patch, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.patch"))
	if err != nil {
		return nil, fmt.Errorf("mutate: %w", err)
	}
	slices.Sort(files)
	var patches []patch
	numbers := map[string]string{}
	for _, file := range files {
		p, err := readPatch(file)
		if err != nil {
			return nil, fmt.Errorf("mutate: %s: %w", filepath.Base(file), err)
		}
		if other, twice := numbers[p.name[:4]]; twice {
			return nil, fmt.Errorf("mutate: %s and %s have the same number", other, p.name)
		}
		numbers[p.name[:4]] = p.name
		if wanted.MatchString(p.name) || wanted.MatchString(p.title) || wanted.MatchString(p.code) {
			patches = append(patches, p)
		}
	}
	return patches, nil
}

func readPatch(file string) (patch, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return patch{}, err
	}
	p, err := parsePatch(string(text))
	if err != nil {
		return patch{}, err
	}
	p.file, p.name = file, strings.TrimSuffix(filepath.Base(file), ".patch")
	if !isName.MatchString(p.name) {
		return patch{}, errors.New("its name is not NNNN-slug.patch")
	}
	return p, nil
}

// parsePatch reads header and paths; the hunks are git's.
func parsePatch(text string) (p patch, err error) {
	header := true
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if header {
			if comment, ok := strings.CutPrefix(line, "# "); ok {
				p.comment(comment)
				continue
			}
			header = false
		}
		for _, side := range []struct{ mark, prefix string }{{"--- ", "a/"}, {"+++ ", "b/"}} {
			path, ok := strings.CutPrefix(line, side.mark)
			if !ok {
				continue
			}
			path, ok = strings.CutPrefix(path, side.prefix)
			if !ok || !filepath.IsLocal(path) {
				return p, fmt.Errorf("%q names no file below the root: a mutation changes files and makes none", line)
			}
			if !slices.Contains(p.paths, path) {
				p.paths = append(p.paths, path)
			}
		}
	}
	switch {
	case p.title == "":
		return p, errors.New(`the first line is not "# Title"`)
	case p.code == "":
		return p, errors.New(`no line "# code: CODE"`)
	case len(p.tests) == 0:
		return p, errors.New(`no line "# test: ./PACKAGE ..."`)
	case len(p.paths) == 0:
		return p, errors.New("no diff")
	}
	return p, nil
}

// comment reads a line of the header.
func (p *patch) comment(line string) {
	key, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch {
	case p.title == "":
		p.title = line
	case key == "code":
		p.code = value
	case key == "test":
		p.tests = append(p.tests, strings.Fields(value)...)
	case key == "run":
		p.only = append(p.only, value)
	}
}

// names reports whether a test is one of those that p runs.
func (p *patch) names(test string) bool {
	return len(p.only) == 0 || slices.ContainsFunc(p.only, func(only string) bool {
		have, want := strings.Split(test, "/"), strings.Split(only, "/")
		if len(have) < len(want) {
			return false
		}
		for i, w := range want {
			if ok, err := regexp.MatchString(w, have[i]); err != nil || !ok {
				return false
			}
		}
		return true
	})
}
