package rpc

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// readingWriter takes a source whole, as net/http does to have the system send a file.
type readingWriter struct {
	*httptest.ResponseRecorder
	from io.Reader
}

func (w *readingWriter) ReadFrom(r io.Reader) (int64, error) {
	w.from = r
	return io.Copy(w.ResponseRecorder, r)
}

// TestAFileIsSentByTheSystem: what observes a call does not stand between a file and
// the connection.
func TestAFileIsSentByTheSystem(t *testing.T) {
	below := &readingWriter{ResponseRecorder: httptest.NewRecorder()}
	w := &statusWriter{ResponseWriter: below}
	src := strings.NewReader("segment")
	if err := sendSlowly(w, http.NewResponseController(w), src, 7); err != nil {
		t.Fatal(err)
	}
	l, ok := below.from.(*io.LimitedReader)
	if !ok || l.R != io.Reader(src) {
		t.Errorf("the connection was given %T, want the source itself and its length", below.from)
	}
	if got := below.Body.String(); got != "segment" || w.status != http.StatusOK {
		t.Errorf("sent %q with status %d", got, w.status)
	}
	if err := sendSlowly(w, http.NewResponseController(w), strings.NewReader("short"), 7); err == nil {
		t.Error("a source that ends early was sent without an error")
	}
}
