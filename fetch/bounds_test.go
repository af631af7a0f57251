package fetch

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestLargestIsKept: what is read as a list fits with its time into what is read
// as a file.
func TestLargestIsKept(t *testing.T) {
	data, err := snapshot([]byte("list"), time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC))
	if added := len(data) - len("list"); err != nil || added > maxFile-maxList {
		t.Errorf("%d bytes more, %v", added, err)
	}
}

func TestReadBody(t *testing.T) {
	for _, size := range []int{0, 99, 100} {
		if data, err := readBody(strings.NewReader(strings.Repeat("x", size)), 100); err != nil || len(data) != size {
			t.Errorf("%d bytes: %d, %v", size, len(data), err)
		}
	}
	endless := strings.NewReader(strings.Repeat("x", 1000))
	if data, err := readBody(endless, 100); !errors.Is(err, errTooLarge) || data != nil {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if read := 1000 - endless.Len(); read != 101 {
		t.Errorf("%d bytes were read", read)
	}
}
