package rpc

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
)

// BulkPath is where the segments of transfers are put and fetched, by plain HTTP
// (spec/transfer.md, "Over HTTP"):
//
//	PUT /transfer/v1/{id}/{revision}/{first}    201 stored, 200 there already
//	GET /transfer/v1/{id}/{revision}/{first}    ?wait=0..25 and Range: 200, 206, 204 not there yet
//	GET /transfer/v1/{id}/{revision}            ?after=RECORD&limit=1..1000
//
// Each bears "Authorization: Bearer TOKEN", the phone's token of the transfer in
// base64url. Bodies are streamed: a segment is never in memory. State is in bodies
// and paths, and in no header that a proxy may change. Errors are Connect's, in
// JSON, with statuses of their own.
const BulkPath = "/transfer/v1/"

const (
	maxSegment = 64 + 64*(64<<10+16) // bytes: a header, and 64 records with their tags
	bulkHead   = 64                  // bytes of that header: nobody has looked at a token before they are there
	bulkIdle   = time.Minute         // from one piece of a body to the next
	bulkMost   = 10 * time.Minute    // for all of it: a phone with a slow link sends smaller segments
)

// bulkHandler serves BulkPath.
type bulkHandler struct{ *edge }

func (e *edge) bulk() http.Handler {
	h := &bulkHandler{e}
	mux := http.NewServeMux()
	mux.Handle("PUT "+BulkPath+"{id}/{revision}/{first}", h.serve(h.put))
	mux.Handle("GET "+BulkPath+"{id}/{revision}/{first}", h.serve(h.get))
	mux.Handle("GET "+BulkPath+"{id}/{revision}", h.serve(h.list))
	return mux
}

// serve finds app, token and place of a request, and answers an error.
func (h *bulkHandler) serve(do func(http.ResponseWriter, *http.Request, Moves, transfer.Place) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		moves, at, err := h.place(r)
		if err == nil {
			err = do(w, r, moves, at)
		}
		callOf(r.Context()).Code = "ok"
		if err != nil {
			h.refused(w, r, err)
		}
	})
}

func (h *bulkHandler) place(r *http.Request) (Moves, transfer.Place, error) {
	app, err := h.named(r.Header)
	callOf(r.Context()).App = app.ID
	if err != nil {
		return nil, transfer.Place{}, err
	}
	if app.Moves == nil {
		return nil, transfer.Place{}, integrity.ErrNoMoves
	}
	at := transfer.Place{ID: transfer.ID(r.PathValue("id"))}
	if at.ID.Validate() != nil {
		return nil, at, transfer.ErrNotFound
	}
	revision, err := strconv.ParseUint(r.PathValue("revision"), 10, 32)
	if err != nil {
		return nil, at, errRequestf("the path has no revision: /transfer/v1/{id}/{revision}/{first}")
	}
	at.Revision = uint32(revision)
	if first := r.PathValue("first"); first != "" {
		if at.First, err = strconv.ParseUint(first, 10, 63); err != nil {
			return nil, at, errRequestf("the path has no first record: /transfer/v1/{id}/{revision}/{first}")
		}
	}
	at.Token, err = bulkToken(r.Header)
	return app.Moves, at, err
}

// bulkToken is the phone's token. Without a good one there is no such transfer.
func bulkToken(h http.Header) (token [32]byte, err error) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return token, transfer.ErrNotFound
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	t, err := parseToken(text)
	if err != nil || !strings.EqualFold(scheme, "Bearer") {
		return token, transfer.ErrNotFound
	}
	return [32]byte(t), nil
}

// put stores a segment.
func (h *bulkHandler) put(w http.ResponseWriter, r *http.Request, moves Moves, at transfer.Place) error {
	switch {
	case r.ContentLength < 0:
		return errRequestf("a segment is sent with its Content-Length, and not in chunks")
	case r.ContentLength > maxSegment:
		w.Header().Set("Connection", "close")
		return fmt.Errorf("%w: %d bytes, a segment has at most %d", errTooLarge, r.ContentLength, maxSegment)
	case r.Header.Get("Content-Encoding") != "":
		return errRequestf("a segment is not compressed")
	}
	rc := http.NewResponseController(w)
	created, err := moves.PutSegment(r.Context(), at, r.ContentLength, &slowBody{Reader: r.Body, rc: rc, until: time.Now().Add(bulkMost)})
	if err != nil {
		return err
	}
	_ = rc.SetWriteDeadline(time.Now().Add(bulkIdle)) // see stay
	if created {
		w.WriteHeader(http.StatusCreated)
	}
	return nil
}

// slowBody gives each piece of a body its own time: the server's is for whole
// requests. That holds for the header, so that a stranger, who has no token, occupies
// a connection for no longer than with any other call.
type slowBody struct {
	io.Reader
	rc    *http.ResponseController
	until time.Time // and not longer
	read  int
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.read >= bulkHead {
		next := time.Now().Add(bulkIdle)
		if next.After(b.until) {
			next = b.until
		}
		_ = b.rc.SetReadDeadline(next) // see stay
	}
	n, err := b.Reader.Read(p)
	b.read += n
	if errors.Is(err, os.ErrDeadlineExceeded) { // the phone sends it again
		err = fmt.Errorf("%w: the segment has stopped coming after %d bytes", context.DeadlineExceeded, b.read)
	}
	return n, err
}

// sendPiece is how much of an answer gets bulkIdle: a link of 17 kbit/s is enough.
const sendPiece = 128 << 10

// sendSlowly does the same for what is sent. A file goes from the disk to the
// connection without passing through this process, where the system can do that.
func sendSlowly(w io.Writer, rc *http.ResponseController, r io.Reader, size int64) error {
	for size > 0 {
		_ = rc.SetWriteDeadline(time.Now().Add(bulkIdle)) // see stay
		n, err := io.CopyN(w, r, min(size, sendPiece))
		if err != nil {
			return err
		}
		size -= n
	}
	return nil
}

// get gives a segment, or a part of it, to the new phone.
func (h *bulkHandler) get(w http.ResponseWriter, r *http.Request, moves Moves, at transfer.Place) error {
	wait, err := number(r, "wait", 0, 25, 0)
	if err != nil {
		return err
	}
	rc := http.NewResponseController(w)
	stay(rc, time.Duration(wait)*time.Second)
	off, n, ranged := rangeOf(r.Header)
	piece, err := moves.GetSegment(r.Context(), at, time.Duration(wait)*time.Second, off, n)
	if ranged && errors.Is(err, transfer.ErrMalformed) {
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		return nil
	}
	if err != nil {
		return err
	}
	if piece == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	defer piece.Close()
	size := piece.Size - off
	if n >= 0 {
		size = min(size, n)
	}
	head := w.Header()
	head.Set("Content-Type", "application/octet-stream")
	head.Set("Content-Length", strconv.FormatInt(size, 10))
	head.Set("Accept-Ranges", "bytes")
	if ranged {
		if size == 0 {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return nil
		}
		head.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", off, off+size-1, piece.Size))
		w.WriteHeader(http.StatusPartialContent)
	}
	if err := sendSlowly(w, rc, piece.ReadCloser, size); err != nil {
		h.log.InfoContext(r.Context(), "segment not sent", "transfer", at.ID, "record", at.First, "error", err)
		panic(http.ErrAbortHandler) // what was sent is short, and the phone must see that
	}
	return nil
}

// rangeOf reads a Range of one piece with a beginning (RFC 9110, Section 14.2).
// Another one is as good as none, and the whole is sent.
func rangeOf(h http.Header) (off, n int64, ranged bool) {
	text, ok := strings.CutPrefix(h.Get("Range"), "bytes=")
	from, to, dash := strings.Cut(text, "-")
	if !ok || !dash || from == "" {
		return 0, -1, false
	}
	off, err := strconv.ParseInt(from, 10, 63)
	if err != nil || off < 0 {
		return 0, -1, false
	}
	if to == "" {
		return off, -1, true
	}
	last, err := strconv.ParseInt(to, 10, 63)
	if err != nil || last < off {
		return 0, -1, false
	}
	return off, last - off + 1, true
}

// listed is a page of what is stored.
type listed struct {
	Segments []listedSegment `json:"segments"`
	Next     uint64          `json:"next,omitempty"` // where to go on; not there: this is the end
}

type listedSegment struct {
	First   uint64 `json:"first"`
	Records uint32 `json:"records"`
	Bytes   uint32 `json:"bytes"` // of the ciphertext
	Leaf    string `json:"leaf"`  // in hex
	Acked   bool   `json:"acked"`
}

// list says what is stored of a revision.
func (h *bulkHandler) list(w http.ResponseWriter, r *http.Request, moves Moves, at transfer.Place) error {
	after, err := number(r, "after", 0, 1<<62, 0)
	if err != nil {
		return err
	}
	limit, err := number(r, "limit", 1, 1000, 1000)
	if err != nil {
		return err
	}
	at.First = uint64(after)
	all, next, err := moves.ListSegments(r.Context(), at, int(limit))
	if err != nil {
		return err
	}
	out := listed{Segments: make([]listedSegment, len(all)), Next: next}
	for i, s := range all {
		out.Segments[i] = listedSegment{s.First, s.Records, s.Bytes, hex.EncodeToString(s.Leaf[:]), s.Acked}
	}
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(text); err != nil {
		h.log.InfoContext(r.Context(), "list not sent", "transfer", at.ID, "error", err)
	}
	return nil
}

// number reads a number of the query.
func number(r *http.Request, name string, least, most, otherwise int64) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, errRequestf("%s is a number from %d to %d", name, least, most)
	}
	return n, nil
}
