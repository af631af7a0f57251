package config

import (
	"errors"
	"fmt"
)

// ErrInvalid is what every error about the content of a file wraps. Whoever
// wrote the file must change it; nothing is wrong with the server.
var ErrInvalid = errors.New("config: invalid file")

// Error is one thing that is wrong in a file.
type Error struct {
	File   string // as it was given; empty if unknown
	Line   int    // 0 if unknown
	Key    string // dotted, such as "app[0].id"; empty for a syntax error
	Reason string
}

// Error names file, line and key as far as they are known, and the reason.
func (e *Error) Error() string {
	at := "config: "
	if e.File != "" {
		at += e.File + ": "
	}
	if e.Line > 0 {
		at += fmt.Sprintf("line %d: ", e.Line)
	}
	if e.Key != "" {
		at += e.Key + ": "
	}
	return at + e.Reason
}

// Unwrap makes every Error an ErrInvalid.
func (e *Error) Unwrap() error { return ErrInvalid }

// Wrong is an error about a key of c that a later check raises: what the key
// names is not there, say. It names file and line if Load has read c.
func (c *Config) Wrong(key, format string, args ...any) error {
	return &Error{File: c.file, Line: Line(c.text, key), Key: key, Reason: fmt.Sprintf(format, args...)}
}

// InFile returns err with its Errors naming file. Other errors are left alone.
func InFile(file string, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, InFile(file, e))
		}
		return errors.Join(all...)
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // one that is wrapped keeps what is around it
		c := *e
		c.File = file
		return &c
	}
	return err
}
