package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/staunchid/staunch/client"
)

const phoneName = "phone.json"

// homeFile is what a phone keeps.
type homeFile struct {
	Server     string
	Origin     string // that passkeys sign for; empty: of the RP ID
	Name       string
	Platform   string
	EnrolledAt time.Time
	Device     json.RawMessage   // the attested key, as package attesttest writes it
	NextDevice json.RawMessage   // the same, of the key that State.NextKey names
	Passkeys   []json.RawMessage // as package passkeytest writes them
	SealingAlg string
	SealingKey []byte // PKCS #8
	// OldSealingKeys came back with a recovery, newest first.
	OldSealingKeys [][]byte
	// ReleaseKeys sign vault sets, and so many of them must.
	ReleaseK    uint8
	ReleaseKeys [][]byte
	// Left is set once the account has moved to another phone.
	Left  *homeLeft
	State client.PhoneState
}

// homeJSON is the form of phone.json.
type homeJSON struct {
	Version    int               `json:"v"`
	Server     string            `json:"server"`
	Origin     string            `json:"origin,omitempty"`
	Name       string            `json:"name"`
	Platform   string            `json:"platform"`
	EnrolledAt time.Time         `json:"enrolled_at,omitzero"`
	Device     json.RawMessage   `json:"device_key,omitempty"`
	NextDevice json.RawMessage   `json:"next_device_key,omitempty"`
	Passkeys   []json.RawMessage `json:"passkeys,omitempty"`
	SealingAlg string            `json:"sealing_alg,omitempty"`
	SealingKey []byte            `json:"sealing_key,omitempty"`
	OldKeys    [][]byte          `json:"old_sealing_keys,omitempty"`
	ReleaseK   uint8             `json:"release_k,omitempty"`
	Release    [][]byte          `json:"release_keys,omitempty"`
	Left       *homeLeft         `json:"left,omitempty"`
	State      json.RawMessage   `json:"state"`
}

// home is the folder of a phone. Its file is written as a whole or not at all,
// and only by one program at a time.
type home struct {
	dir    string
	file   homeFile // as it was read or written last
	locked *os.File // for the whole run; nil: for each write
}

// openHome reads the phone in dir. Where there is none, the file is empty.
func openHome(dir string) (*home, error) {
	h := &home{dir: dir}
	var err error
	h.file, err = h.read()
	return h, err
}

// notEnrolled is the error of what needs a phone that has an account.
func (h *home) notEnrolled() error {
	switch b := h.file.State.Began; {
	case b != nil && b.Flow == client.FlowRecover:
		return &recovering{h.dir, b.Account}
	case b != nil && b.Flow == client.FlowMove:
		return &receiving{h.dir}
	case h.file.Left != nil:
		return fmt.Errorf("%w: %w", client.ErrNotEnrolled, h.stays())
	}
	return client.ErrNotEnrolled
}

func (h *home) path() string { return filepath.Join(h.dir, phoneName) }

func (h *home) read() (homeFile, error) {
	data, err := os.ReadFile(h.path())
	if errors.Is(err, fs.ErrNotExist) {
		return homeFile{}, nil
	}
	if err != nil {
		return homeFile{}, &phoneUsage{fmt.Errorf("--home: %w", err)}
	}
	f, err := parseHome(data)
	if err != nil {
		return homeFile{}, fmt.Errorf("%s: %w", h.path(), err)
	}
	return f, nil
}

func parseHome(data []byte) (homeFile, error) {
	var j homeJSON
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return homeFile{}, fmt.Errorf("this is no phone of `staunch phone`: %w", err)
	}
	if j.Version != 1 {
		return homeFile{}, fmt.Errorf("a phone of version %d; this program reads version 1", j.Version)
	}
	state, err := client.ParsePhoneState(j.State)
	return homeFile{
		j.Server, j.Origin, j.Name, j.Platform, j.EnrolledAt, j.Device, j.NextDevice, j.Passkeys, j.SealingAlg, j.SealingKey, j.OldKeys, j.ReleaseK, j.Release, j.Left, state,
	}, err
}

// hold takes the folder for the whole run, making it if need be, so that no two
// programs make a phone in it.
func (h *home) hold() error {
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return &phoneUsage{fmt.Errorf("--home: %w", err)}
	}
	if err := os.Chmod(h.dir, 0o700); err != nil {
		return &phoneUsage{fmt.Errorf("--home: %w", err)}
	}
	f, err := lockHome(h.dir, false)
	if err != nil {
		return err
	}
	h.locked = f
	if h.file, err = h.read(); err != nil {
		return errors.Join(err, h.release())
	}
	return nil
}

// release gives the folder back.
func (h *home) release() error {
	if h.locked == nil {
		return nil
	}
	err := h.locked.Close()
	h.locked = nil
	return err
}

// update reads the file, has fn change it, and writes it. When update returns it
// is on the disk.
func (h *home) update(fn func(*homeFile) error) (err error) {
	if h.locked == nil {
		lock, err := lockHome(h.dir, true)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, lock.Close()) }()
	}
	f, err := h.read()
	if err != nil {
		return err
	}
	if err := fn(&f); err != nil {
		return err
	}
	data, err := f.encode()
	if err != nil {
		return err
	}
	if err := writeWhole(h.path(), data); err != nil {
		return err
	}
	h.file = f
	return nil
}

func (f *homeFile) encode() ([]byte, error) {
	state, err := f.State.Export()
	if err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(homeJSON{
		1, f.Server, f.Origin, f.Name, f.Platform, f.EnrolledAt, f.Device, f.NextDevice, f.Passkeys, f.SealingAlg, f.SealingKey, f.OldSealingKeys, f.ReleaseK, f.ReleaseKeys, f.Left, state,
	}, "", "  ")
	return append(data, '\n'), err
}

// writeWhole replaces a file, so that after a crash it is the old one or the new
// one: file and folder are flushed.
func writeWhole(path string, data []byte) error {
	part, err := os.CreateTemp(filepath.Dir(path), ".phone-")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = part.Write(data) // CreateTemp gives mode 0600
	err = errors.Join(err, part.Sync(), part.Close())
	if err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(part.Name())))
	}
	return syncDir(filepath.Dir(path))
}
