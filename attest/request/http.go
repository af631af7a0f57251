package request

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// FromHTTP reads, hashes and lists the body of a request that a server has
// received, and returns what a verifier needs together with the body. The
// caller puts the bytes back for whoever reads the body next. A body of more
// than maxBody bytes is ErrBodyTooLarge.
//
// Authority is r.Host, so set that first where a proxy rewrites it. Path and
// query are the bytes of the request line, whatever has become of r.URL since;
// of a request line with a whole URL ("GET http://host/path") they are what
// stands behind the host. The body is the content as sent: chunks are joined,
// a Content-Encoding is not undone. Trailers are no part of it.
func FromHTTP(r *http.Request, maxBody int64) (*Message, []byte, error) {
	body, err := readBody(r, maxBody)
	if err != nil {
		return nil, nil, err
	}
	m := lineOf(r)
	m.setFields(r.Header)
	m.SetBody(body)
	return m, body, nil
}

// FromCall is FromHTTP for Staunch itself: the message has the fields of
// CallFields as well, covered or not, so that a verifier can refuse one that is
// there and that nobody has signed.
func FromCall(r *http.Request, maxBody int64) (*Message, []byte, error) {
	m, body, err := FromHTTP(r, maxBody)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range CallFields() {
		if value, ok := combined(r.Header, name); ok {
			m.Fields[name] = value
		}
	}
	return m, body, nil
}

// readBody reads all of a body. One that says beforehand that it is too large
// is not begun, so that a client that waits for "100 Continue" need not send it.
func readBody(r *http.Request, maxBody int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > maxBody {
		return nil, fmt.Errorf("%w: Content-Length is %d, and %d bytes are allowed", ErrBodyTooLarge, r.ContentLength, maxBody)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, max(maxBody, 0)+1))
	var outer *http.MaxBytesError // somebody in front has set a limit of his own
	switch {
	case errors.As(err, &outer):
		return nil, fmt.Errorf("%w: %w", ErrBodyTooLarge, err)
	case err != nil:
		return nil, fmt.Errorf("request: read the body: %w", err)
	case int64(len(body)) > maxBody:
		return nil, fmt.Errorf("%w: %d bytes are allowed", ErrBodyTooLarge, maxBody)
	}
	return body, nil
}

// lineOf reads the request line and Host.
func lineOf(r *http.Request) *Message {
	uri := r.RequestURI
	if uri == "" { // a request that is to be sent
		uri = r.URL.RequestURI()
	}
	m := &Message{Method: r.Method, Authority: r.Host}
	if m.Method == "" {
		m.Method = http.MethodGet
	}
	if m.Authority == "" {
		m.Authority = r.URL.Host
	}
	// RFC 9112, Section 3.2.2: in the absolute form the path begins behind the
	// host, and an empty one is "/".
	if _, rest, ok := strings.Cut(uri, "://"); ok && !strings.HasPrefix(uri, "/") && r.Method != http.MethodConnect {
		uri = rest[min(len(rest), strings.IndexAny(rest+"/", "/?")):]
	}
	path, query, ok := strings.Cut(uri, "?")
	m.Path, m.Query = path, "?"
	if ok {
		m.Query += query
	}
	return m
}

// setFields takes from h the signatures, the fields that our signature covers,
// and those that say what the content is. It takes no other: a Cookie stays here.
func (m *Message) setFields(h http.Header) {
	m.SignatureInput, _ = combined(h, "Signature-Input")
	m.Signature, _ = combined(h, "Signature")
	covered, content := Covered(m.SignatureInput), contentFields()
	m.Fields = make(map[string]string, len(covered)+len(content))
	for _, name := range append(covered, content[:]...) {
		if value, ok := combined(h, name); ok {
			m.Fields[name] = value
		}
	}
}

// combined is the value of a field: its lines without white space at their
// ends, joined by ", " (RFC 9421, Section 2.1). net/http has joined folded lines.
func combined(h http.Header, name string) (string, bool) {
	lines := h.Values(name)
	switch len(lines) {
	case 0:
		return "", false
	case 1:
		return strings.Trim(lines[0], " \t"), true
	}
	trimmed := make([]string, len(lines))
	for i, line := range lines {
		trimmed[i] = strings.Trim(line, " \t")
	}
	return strings.Join(trimmed, ", "), true
}
