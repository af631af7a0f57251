package client

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
)

// journal is what the current phone has sealed: a line for each segment, written
// and synced before the segment is sent. A segment at the server that is not in it
// is not this phone's. It is 46 bytes for each 4 MiB.
type journal struct {
	path string

	mu   sync.Mutex
	file *os.File
	read int64     // bytes of the file that are in known
	all  []sealing // by revision and first record, those of one place as they came
}

// sealing is one line: a range of records, and the leaf of the tree.
type sealing struct {
	revision uint32
	first    uint64
	records  uint16
	leaf     [32]byte
}

const sealingSize = 4 + 8 + 2 + 32

func openJournal(path string) (*journal, error) {
	// One write of less than a page at the end of the file is whole or not there, also
	// when two programs send at once.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, diskError(err)
	}
	j := &journal{path: path, file: f}
	info, err := f.Stat()
	if err == nil && info.Size()%sealingSize != 0 { // a power cut has torn the last one, which was not sent yet
		err = f.Truncate(info.Size() - info.Size()%sealingSize)
	}
	if err == nil {
		err = j.load()
	}
	if err != nil {
		return nil, errors.Join(diskError(err), f.Close())
	}
	return j, nil
}

func (j *journal) close() error { return diskError(j.file.Close()) }

// load reads what was added to the file since, by this program or another.
func (j *journal) load() error {
	info, err := j.file.Stat()
	if err != nil {
		return diskError(err)
	}
	n := (info.Size() - j.read) / sealingSize * sealingSize
	if n <= 0 {
		return nil
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(j.file, j.read, n), data); err != nil {
		return diskError(err)
	}
	j.read += n
	for b := range slices.Chunk(data, sealingSize) {
		j.add(sealing{binary.BigEndian.Uint32(b), binary.BigEndian.Uint64(b[4:]), binary.BigEndian.Uint16(b[12:]), [32]byte(b[14:])})
	}
	return nil
}

func (j *journal) add(s sealing) {
	at, _ := slices.BinarySearchFunc(j.all, s, func(a, b sealing) int {
		if c := comparePlace(a, b); c != 0 {
			return c
		}
		return -1 // behind those of the same place
	})
	j.all = slices.Insert(j.all, at, s)
}

func comparePlace(a, b sealing) int {
	if a.revision != b.revision {
		return int(int64(a.revision) - int64(b.revision))
	}
	switch {
	case a.first < b.first:
		return -1
	case a.first > b.first:
		return 1
	}
	return 0
}

// note writes a segment down before it is sent.
func (j *journal) note(s sealing) error {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, sealingSize), s.revision)
	b = binary.BigEndian.AppendUint64(b, s.first)
	b = append(binary.BigEndian.AppendUint16(b, s.records), s.leaf[:]...)
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(b); err != nil {
		return diskError(err)
	}
	if err := j.file.Sync(); err != nil {
		return diskError(err)
	}
	return j.load()
}

// knows reports whether this phone has sealed a segment.
func (j *journal) knows(s sealing) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.has(s) {
		return true, nil
	}
	err := j.load() // another program may send the same transfer
	return err == nil && j.has(s), err
}

func (j *journal) has(s sealing) bool {
	at, _ := slices.BinarySearchFunc(j.all, s, comparePlace)
	for ; at < len(j.all) && comparePlace(j.all[at], s) == 0; at++ {
		if j.all[at] == s {
			return true
		}
	}
	return false
}
