package site

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Note is what is logged of a request, gathered while it is served.
type Note struct {
	Pattern string // of the route: paths hold identifiers
	Who     string // whose session it is; empty: nobody's
	Reason  string // of an answer that is not the one asked for
}

type noteKey struct{}

// Noted is the note of a request. One that no Log has seen gets a lost one.
func Noted(ctx context.Context) *Note {
	if n, ok := ctx.Value(noteKey{}).(*Note); ok {
		return n
	}
	return &Note{}
}

// Log writes a line for each request.
type Log struct {
	Logger *slog.Logger
	Text   string // of the line
	App    string
	Who    string // what Note.Who is called there, for example "account"
}

// Serve lets next serve a request, and writes its line.
func (l Log) Serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	note := &Note{}
	rec := &recorder{ResponseWriter: w}
	next.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), noteKey{}, note)))
	l.Logger.Info(l.Text, "method", r.Method, "pattern", note.Pattern, "app", l.App, l.Who, note.Who,
		"status", rec.status, "reason", note.Reason, "duration", time.Since(began))
}

// recorder remembers the status that was sent.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the first status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write is a status 200 if none was sent.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
