package rpc_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/rpc"
	"github.com/staunchid/staunch/transfer"
)

// fakeBulk keeps one segment.
type fakeBulk struct {
	mu    sync.Mutex
	at    transfer.Place
	wait  time.Duration
	limit int
	body  []byte
	none  bool
	err   error
}

func (f *fakeBulk) note(at transfer.Place) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = at
	return f.err
}

func (f *fakeBulk) PutSegment(_ context.Context, at transfer.Place, size int64, body io.Reader) (bool, error) {
	if err := f.note(at); err != nil {
		return false, err
	}
	b, err := io.ReadAll(body)
	if err == nil && int64(len(b)) != size {
		err = transfer.ErrMalformed
	}
	created := !bytes.Equal(b, f.body)
	f.body = b
	return created, err
}

func (f *fakeBulk) GetSegment(_ context.Context, at transfer.Place, wait time.Duration, off, n int64) (*transfer.Piece, error) {
	f.wait = wait
	if err := f.note(at); err != nil || f.none {
		return nil, err
	}
	if off > int64(len(f.body)) {
		return nil, transfer.ErrMalformed
	}
	if rest := int64(len(f.body)) - off; n < 0 || n > rest {
		n = rest
	}
	return &transfer.Piece{Size: int64(len(f.body)), ReadCloser: io.NopCloser(bytes.NewReader(f.body[off : off+n]))}, nil
}

func (f *fakeBulk) ListSegments(_ context.Context, at transfer.Place, limit int) ([]transfer.Segment, uint64, error) {
	f.limit = limit
	return []transfer.Segment{{First: 64, Records: 2, Bytes: 9, Leaf: [32]byte{1}, Acked: true}}, 66, f.note(at)
}

func (f *fakeBulk) Received(_ context.Context, at transfer.Place) (*transfer.View, error) {
	return seen(), f.note(at)
}

// TestBulk: each call finds its place and token, and answers as it must.
func TestBulk(t *testing.T) {
	const path = "/transfer/v1/" + someTransfer
	full := bytes.Repeat([]byte("x"), 300<<10) // more than a message may have
	for _, tt := range []struct {
		name, method, path string
		header             string
		body               []byte
		change             func(f *fakeBulk)
		status             int
		answer             string // contained in it
		asked              string
	}{
		{"put", "PUT", path + "/1/64", "", full, nil, 201, "", "1 64"},
		{"put again", "PUT", path + "/1/64", "", full, func(f *fakeBulk) { f.body = full }, 200, "", "1 64"},
		{"put in chunks", "PUT", path + "/1/64", "", nil, nil, 400, "Content-Length", "0 0"},
		{"put of too much", "PUT", path + "/1/0", "", make([]byte, 4<<20+2000), nil, 413, "REQUEST_TOO_LARGE", "0 0"},
		{"put of another", "PUT", path + "/1/0", "", full, func(f *fakeBulk) { f.err = transfer.ErrConflict }, 409, "TRANSFER_CONFLICT", "1 0"},
		{"put of none", "PUT", path + "/1/0", "", full, func(f *fakeBulk) { f.err = transfer.ErrMalformed }, 422, "TRANSFER_MALFORMED", "1 0"},
		{"put into a full window", "PUT", path + "/1/0", "", full, func(f *fakeBulk) {
			f.err = &transfer.WaitError{Err: transfer.ErrWindow, RetryAt: time.Now().Add(3 * time.Second)}
		}, 429, "TRANSFER_WINDOW_FULL", "1 0"},
		{"put when it is over", "PUT", path + "/1/0", "", full, func(f *fakeBulk) { f.err = &transfer.EndedError{State: transfer.Aborted, Reason: transfer.Frozen} }, 410, "TRANSFER_ENDED", "1 0"},
		{"put in a wrong state", "PUT", path + "/1/0", "", full, func(f *fakeBulk) { f.err = &transfer.StateError{State: transfer.Sealed} }, 410, "TRANSFER_WRONG_STATE", "1 0"},
		{"get", "GET", path + "/2/3?wait=7", "", nil, func(f *fakeBulk) { f.body = []byte("0123456789") }, 200, "0123456789", "2 3"},
		{"get a part", "GET", path + "/2/3", "Range: bytes=2-4", nil, func(f *fakeBulk) { f.body = []byte("0123456789") }, 206, "234", "2 3"},
		{"get the rest", "GET", path + "/2/3", "Range: bytes=8-", nil, func(f *fakeBulk) { f.body = []byte("0123456789") }, 206, "89", "2 3"},
		{"get behind the end", "GET", path + "/2/3", "Range: bytes=11-", nil, func(f *fakeBulk) { f.body = []byte("0123456789") }, 416, "", "2 3"},
		{"get what is not there yet", "GET", path + "/2/3", "", nil, func(f *fakeBulk) { f.none = true }, 204, "", "2 3"},
		{"get for too long", "GET", path + "/2/3?wait=26", "", nil, nil, 400, "wait", "0 0"},
		{"get nothing", "GET", path + "/2/3", "", nil, func(f *fakeBulk) { f.err = transfer.ErrNotFound }, 404, "TRANSFER_NOT_FOUND", "2 3"},
		{"get without a token", "GET", path + "/2/3", "Authorization: none", nil, nil, 404, "TRANSFER_NOT_FOUND", "0 0"},
		{"list", "GET", path + "/2?after=64&limit=10", "", nil, nil, 200, `{"segments":[{"first":64,"records":2,"bytes":9,"leaf":"01` + strings.Repeat("00", 31) + `","acked":true}],"next":66}`, "2 64"},
		{"no transfer", "GET", "/transfer/v1/t_x/2", "", nil, nil, 404, "TRANSFER_NOT_FOUND", "0 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeBulk{}
			if tt.change != nil {
				tt.change(f)
			}
			b := newBench(t, false, func(o *rpc.Options) { o.Apps[0].Moves = f })
			var body io.Reader = bytes.NewReader(tt.body)
			if tt.method == "PUT" && tt.body == nil {
				body = io.MultiReader(strings.NewReader("x")) // of a length that nobody knows
			}
			req, err := http.NewRequestWithContext(t.Context(), tt.method, b.URL+tt.path, body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+someToken)
			if name, value, ok := strings.Cut(tt.header, ": "); ok {
				req.Header.Set(name, value)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			got, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != tt.status || !strings.Contains(string(got), tt.answer) {
				t.Errorf("%d %.200s, %v", res.StatusCode, got, err)
			}
			if asked := fmt.Sprint(f.at.Revision, f.at.First); asked != tt.asked || f.at.Revision != 0 && (f.at.ID != someTransfer || f.at.Token[31] != 31) {
				t.Errorf("asked for %+v", f.at)
			}
			if after, err := strconv.Atoi(res.Header.Get("Retry-After")); (tt.status == 429) != (err == nil && after > 0 && after <= 3) {
				t.Errorf("Retry-After %q", res.Header.Get("Retry-After"))
			}
			if res.Header.Get("ETag") != "" { // TestStateNotInHeaders
				t.Error("state in a header")
			}
			if len(b.calls) == 1 && b.calls[0].Procedure != rpc.BulkPath {
				t.Errorf("observed %+v", b.calls)
			}
		})
	}
}

// TestReceived goes by the bulk service, too, and an app without one moves nobody.
func TestReceived(t *testing.T) {
	f := &fakeBulk{}
	b := newBench(t, false, func(o *rpc.Options) { o.Apps[0].Moves = f })
	a := b.call(t, movePath+"Received", long(`{"transfer":"t_","token":"TOKEN32","revision":2,"record":"64"}`))
	if a.status != http.StatusOK || f.at.First != 64 || f.at.Revision != 2 || f.at.Token[31] != 31 {
		t.Errorf("%d %s, asked %+v", a.status, a.body, f.at)
	}
	without := newBench(t, false, nil)
	a = without.call(t, movePath+"Received", long(`{"transfer":"t_","token":"TOKEN32"}`))
	if a.reason() != "TRANSFER_OFF" {
		t.Errorf("%d %s", a.status, a.body)
	}
}
