package client

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer/sealed"
)

// bulkPath is where segments are put and got (docs/api.md, "Segments of a
// transfer").
const bulkPath = "/transfer/v1/"

// bulk carries ciphertext. What it says stands in paths and bodies alone: headers
// are what proxies change.
type bulk struct {
	http  *http.Client
	url   string
	app   account.AppID
	id    account.TransferID
	token []byte
}

// newBulkClient has connections of its own, and HTTP/1.1 on them: one a stream, so
// that streams do not share one window.
func newBulkClient(next http.RoundTripper) *http.Client {
	t, ok := next.(*http.Transport)
	if ok {
		t = t.Clone()
		t.ForceAttemptHTTP2 = false
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP1(true)
		t.MaxIdleConnsPerHost = 4
		t.WriteBufferSize, t.ReadBufferSize = 4<<10, 64<<10 // a segment does not pass through the first
		dialWhole(t)
		t.ResponseHeaderTimeout = silence
		t.DisableCompression = true
		next = t
	}
	return &http.Client{Transport: next, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (b *bulk) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, b.url+bulkPath+url.PathEscape(string(b.id))+"/"+path, body)
	if err != nil {
		return nil, fmt.Errorf("client: segment: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+base64.RawURLEncoding.EncodeToString(b.token))
	if b.app != "" {
		r.Header.Set("Staunch-App", string(b.app))
	}
	return r, nil
}

// refusedSegment is an answer that is neither what was asked for nor a lost one.
type refusedSegment struct {
	status int
	after  time.Duration // when to try again, as the server says
	err    error
}

func (e *refusedSegment) Error() string { return e.err.Error() }
func (e *refusedSegment) Unwrap() error { return e.err }

func (b *bulk) do(r *http.Request) (*http.Response, error) {
	res, err := b.http.Do(r)
	if err != nil {
		return nil, connect.NewError(connect.CodeUnavailable, err)
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	e := &refusedSegment{status: res.StatusCode, err: typed(refusedBy(res))}
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s >= 0 {
		e.after = time.Duration(s) * time.Second
	}
	return nil, e
}

// errEarly is an answer to a segment that the server has not had.
var errEarly = errors.New("the server has answered before it had the whole segment")

// put sends a segment. To send it again changes nothing. When it returns nobody reads
// the segment any more.
func (b *bulk) put(ctx context.Context, revision uint32, first uint64, segment []byte) error {
	l := &lent{segment: segment}
	defer l.takeBack()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before it is taken back
	r, err := b.request(ctx, http.MethodPut, fmt.Sprintf("%d/%d", revision, first), l.open())
	if err != nil {
		return err
	}
	r.ContentLength = int64(len(segment))
	r.GetBody = func() (io.ReadCloser, error) { return l.open(), nil }
	r.Header.Set("Content-Type", "application/octet-stream")
	res, err := b.do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 4096)) // so that the connection is used again
	err = errors.Join(err, res.Body.Close())
	if err == nil && !l.sent() {
		err = errEarly
	}
	if err != nil {
		return connect.NewError(connect.CodeUnavailable, err)
	}
	return nil
}

// get asks for a segment from a byte on. nil: it is not there yet, also after the
// wait.
func (b *bulk) get(ctx context.Context, revision uint32, first uint64, from int64, wait time.Duration) (io.ReadCloser, error) {
	path := fmt.Sprintf("%d/%d?wait=%d", revision, first, int(wait.Seconds()))
	r, err := b.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	if from > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	res, err := b.do(r)
	if err != nil {
		return nil, err
	}
	switch {
	case res.StatusCode == http.StatusNoContent:
		return nil, res.Body.Close()
	case (res.StatusCode == http.StatusPartialContent) != (from > 0):
		return nil, errors.Join(connect.NewError(connect.CodeUnavailable, fmt.Errorf("HTTP status %s", res.Status)), res.Body.Close())
	}
	return res.Body, nil
}

// storedSegment is a line of the server's list.
type storedSegment struct {
	first   uint64
	records uint16
	leaf    sealed.Leaf
}

// list gives what the server has of a revision, in order.
func (b *bulk) list(ctx context.Context, revision uint32, fn func(storedSegment) error) error {
	for after := uint64(0); ; {
		r, err := b.request(ctx, http.MethodGet, fmt.Sprintf("%d?after=%d&limit=1000", revision, after), nil)
		if err != nil {
			return err
		}
		res, err := b.do(r)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		if err = errors.Join(err, res.Body.Close()); err != nil {
			return connect.NewError(connect.CodeUnavailable, err)
		}
		var page struct {
			Segments []struct {
				First   uint64 `json:"first"`
				Records uint16 `json:"records"`
				Leaf    string `json:"leaf"`
			} `json:"segments"`
			Next uint64 `json:"next"`
		}
		if err := json.Unmarshal(text, &page); err != nil {
			return fmt.Errorf("client: list of segments: %w", err)
		}
		for _, s := range page.Segments {
			leaf, err := hex.DecodeString(s.Leaf)
			if err != nil || len(leaf) != len(sealed.Leaf{}) || s.Records == 0 || s.Records > sealed.MaxRecords {
				return fmt.Errorf("%w: the server's list of segments has one at record %d that cannot be", ErrMoveCheck, s.First)
			}
			if err := fn(storedSegment{s.First, s.Records, sealed.Leaf(leaf)}); err != nil {
				return err
			}
		}
		if page.Next <= after {
			return nil
		}
		after = page.Next
	}
}
