// Package jsonobject reads JSON objects from strangers by the exact names of
// their members. encoding/json takes names in any case, and of a member that
// stands there twice the last one: two readers of one text then see two
// objects.
package jsonobject

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Members splits a JSON object into its members. A name that occurs twice is
// an error, and so is anything behind the object.
func Members(text []byte) (map[string]json.RawMessage, error) {
	members := make(map[string]json.RawMessage)
	err := Walk(text, func(name string, value json.RawMessage) error {
		if _, twice := members[name]; twice {
			return fmt.Errorf("member %q twice", name)
		}
		members[name] = value
		return nil
	})
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil, errors.New("nothing is there")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("the object ends in the middle: %w", err)
	case err != nil:
		return nil, err
	}
	return members, nil
}

// Walk calls f for each member in the order of the text; an error of f ends it.
func Walk(text []byte, f func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil {
		return err
	} else if open != json.Delim('{') {
		return errors.New("not an object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string) // a key is a string, or d.Token fails
		begin := d.InputOffset()
		if err := d.Decode(&skipped{}); err != nil {
			return err
		}
		if err := f(name, bytes.Trim(text[begin:d.InputOffset()], " \t\r\n:")); err != nil { // a view, and no copy
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the object")
	}
	return nil
}

// skipped is a JSON value that is checked and read over.
type skipped struct{}

func (*skipped) UnmarshalJSON([]byte) error { return nil }
