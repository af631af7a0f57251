package fetch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/internal/jsonobject"
)

// maxFile bounds the kept file, and is what android.ParseStatusList takes.
const maxFile = 64 << 20

// maxList bounds what is read as a list, so that its snapshot fits into maxFile.
const maxList = maxFile - 1<<10

// snapshot is the form in which android.ParseStatusList reads a list with the
// time at which it was fetched.
func snapshot(list []byte, fetchedAt time.Time) ([]byte, error) {
	at, err := json.Marshal(fetchedAt.UTC())
	if err != nil { // a year beyond 9999: no clock is that wrong
		return nil, err
	}
	return bytes.Join([][]byte{[]byte(`{"fetched_at":`), at, []byte(`,"list":`), list, []byte("}\n")}, nil), nil
}

// load reads the kept list, and the text of the list itself. Both are nil when
// nothing was kept. A file that is there and is not a good list is an error:
// without what it held, a shrunken list would pass.
func load(file string) (*android.StatusList, []byte, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1)) // one byte more is refused below
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	list, text, err := parseSnapshot(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w: restore the file, or delete it to start without a list to compare the next one with", ErrFile, file, err)
	}
	return list, text, nil
}

func parseSnapshot(data []byte) (*android.StatusList, []byte, error) {
	list, err := android.ParseStatusList(data)
	if err != nil {
		return nil, nil, err
	}
	if list.FetchedAt.IsZero() {
		return nil, nil, errors.New("it does not say when it was fetched")
	}
	if list.Len() == 0 {
		return nil, nil, errors.New("the list is empty")
	}
	members, err := jsonobject.Members(data)
	if err != nil {
		return nil, nil, err
	}
	return list, members["list"], nil
}

// save puts data in the place of file, which at every moment is the old one or
// the new one, also after a power cut. One process at a time may use it.
func save(file string, data []byte) error {
	if err := write(file, data); err != nil {
		return fmt.Errorf("%w cannot be written: %w", ErrFile, err)
	}
	return nil
}

func write(file string, data []byte) error {
	temp := file + ".tmp"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // left behind by a crash
	}
	if err := writeDurably(temp, data); err != nil {
		return errors.Join(err, os.RemoveAll(temp))
	}
	if err := os.Rename(temp, file); err != nil {
		return errors.Join(err, os.RemoveAll(temp))
	}
	return syncDirectory(filepath.Dir(file))
}

// writeDurably makes a new file that only its owner may read or change.
func writeDurably(file string, data []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDirectory makes a rename durable. Windows has no such call.
func syncDirectory(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
