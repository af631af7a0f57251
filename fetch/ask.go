package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// answerError is an answer that is none, with how long the vendor asks to wait.
type answerError struct {
	code int
	wait time.Duration
}

func (e *answerError) Error() string { return "answered " + status(e.code) }

// askedToWait is how long the vendor asks to wait, at most 6 hours; 0: he does not.
func askedToWait(err error) time.Duration {
	var e *answerError
	if errors.As(err, &e) {
		return e.wait
	}
	return 0
}

// ask makes one request for the list that follows last, which may be nil. The
// time of an answer is that of its request.
func (s *Status) ask(ctx context.Context, last *kept) (*kept, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "staunch")
	conditional := last != nil && last.condition(req.Header)
	at := stampAt(s.now())
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && conditional: // RFC 9110, Section 15.4.5
		return last.confirm(at, freshness(resp.Header)), nil
	case resp.StatusCode != http.StatusOK: // a 304 that nobody asked for, and redirects too
		return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, s.url, &answerError{resp.StatusCode, retryAfter(resp.Header, at.wall)})
	}
	// net/http has undone the coding that it asked for.
	if coding := resp.Header.Get("Content-Encoding"); coding != "" {
		return nil, fmt.Errorf("%w: %s: content coding %q, which nobody asked for", ErrList, s.url, coding)
	}
	text, err := readBody(resp.Body, maxList) // what comes out of a coding, too
	if errors.Is(err, errTooLarge) {
		return nil, fmt.Errorf("%w: %s: %w", ErrList, s.url, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: the answer breaks off: %w", ErrUnreachable, s.url, err)
	}
	next, err := last.replace(text, at, resp.Header)
	if err != nil {
		return nil, fmt.Errorf("%w: %s, of type %q: %w", ErrList, s.url, quote([]byte(resp.Header.Get("Content-Type")), ""), err)
	}
	return next, nil
}

// condition asks for another list than this one (RFC 9110, Sections 13.1.2 and
// 13.1.3), if the vendor has given it a name.
func (k *kept) condition(h http.Header) bool {
	if k.etag != "" {
		h.Set("If-None-Match", k.etag)
	}
	if k.lastModified != "" {
		h.Set("If-Modified-Since", k.lastModified)
	}
	return k.etag != "" || k.lastModified != ""
}
