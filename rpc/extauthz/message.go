package extauthz

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	extauthzv1 "github.com/staunchid/staunch/gen/staunch/extauthz/v1"
)

// partialBody is the field by which Envoy marks each request that it sends with
// its body: "true" when the body is cut. A client's own field of that name is
// not sent along.
const partialBody = "X-Envoy-Auth-Partial-Body"

// message is a request as Envoy describes it, and what the route says of it.
type message struct {
	request *http.Request // as a server would have received it
	account string        // whose key it must be; empty: anybody's
	country string        // as the edge writes it; see attest.Country
}

// fromProto reads what Envoy sends. An error means that the filter is not
// configured as it must be, or the route not: Staunch does not see the request
// as the upstream will, and must not judge it.
func fromProto(m *extauthzv1.CheckRequest, app string) (*message, error) {
	http := m.GetAttributes().GetRequest().GetHttp()
	if http == nil {
		return nil, errorf("there is no HTTP request in the call")
	}
	r, err := readLines(http)
	if err != nil {
		return nil, err
	}
	if err := readBody(r, http); err != nil {
		return nil, err
	}
	out := &message{request: r}
	return out, out.route(m.GetAttributes().GetContextExtensions(), app)
}

func errorf(format string, args ...any) error {
	return fmt.Errorf("extauthz: "+format, args...)
}

// readLines reads the request line and the header fields.
func readLines(m *extauthzv1.HttpRequest) (*http.Request, error) {
	if m.GetHeaderMap() == nil {
		return nil, errorf("the header fields are not raw; set encode_raw_headers: true in the ext_authz filter")
	}
	pseudo := map[string]string{}
	r := &http.Request{Header: http.Header{}, URL: &url.URL{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	for _, line := range m.GetHeaderMap().GetHeaders() {
		name, value := line.GetKey(), string(line.GetRawValue())
		switch {
		case line.GetValue() != "": // text, in which bytes may have been changed
			return nil, errorf("the field %.40q is not raw; set encode_raw_headers: true in the ext_authz filter", name)
		case strings.HasPrefix(name, ":"):
			if _, twice := pseudo[name]; twice {
				return nil, errorf("%.40q is there twice", name)
			}
			pseudo[name] = value
			continue
		case strings.EqualFold(name, "Host"): // net/http keeps neither among the fields
			continue
		case strings.EqualFold(name, "Transfer-Encoding"):
			r.TransferEncoding = append(r.TransferEncoding, value)
			continue
		}
		r.Header.Add(name, value)
	}
	for _, p := range []struct{ name, also string }{{":method", m.GetMethod()}, {":path", m.GetPath()}, {":authority", m.GetHost()}} {
		if v := pseudo[p.name]; v == "" || v != p.also {
			return nil, errorf("%s is %.40q among the fields and %.40q beside them; leave allowed_headers and disallowed_headers out of the ext_authz filter", p.name, v, p.also)
		}
	}
	r.Method, r.RequestURI, r.Host = m.GetMethod(), m.GetPath(), m.GetHost()
	if !strings.HasPrefix(r.RequestURI, "/") {
		return nil, errorf("the path %.40q does not begin with /", r.RequestURI)
	}
	if m.GetQuery() != "" || m.GetFragment() != "" { // "always empty" in Envoy's definition
		return nil, errorf("query or fragment stand beside the path")
	}
	return r, nil
}

// readBody gives r its body. One that is not whole fails when it is read, with
// the error of a body that is too large.
//
// A request whose body Envoy was not told to send along comes like one without
// a body. In HTTP/1.1 that shows: a body has a Content-Length or a
// Transfer-Encoding (RFC 9112, Section 6.3). HTTP/2 and HTTP/3 need neither, so
// there only the methods that mostly have a body are refused.
func readBody(r *http.Request, m *extauthzv1.HttpRequest) error {
	if m.GetBody() != "" {
		return errorf("the body is text; set pack_as_bytes: true in with_request_body of the ext_authz filter")
	}
	raw := m.GetRawBody()
	length, stated, err := contentLength(r.Header)
	if err != nil {
		return err
	}
	marks := r.Header.Values(partialBody)
	mark := strings.Join(marks, ",")
	if len(marks) > 0 && mark != "true" && mark != "false" {
		return errorf("%s is %.40q, and Envoy writes true or false", partialBody, mark)
	}
	r.Body, r.ContentLength = http.NoBody, int64(len(raw))
	switch sent := uint64(len(raw)); {
	case mark == "true", stated && length > sent:
		r.Body, r.ContentLength = io.NopCloser(cut{sent}), -1
		return nil
	case stated && length < sent:
		return errorf("the body has %d bytes and Content-Length is %d", sent, length)
	case mark == "" && len(r.TransferEncoding) > 0: // a body in chunks, which Envoy has not sent along (RFC 9112, Section 6.3)
		return errorf("there is a body in chunks, and it was not sent along; set with_request_body in the ext_authz filter, and disable_request_body_buffering nowhere")
	case mark == "" && !stated && (sent > 0 || slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, r.Method)):
		return errorf("nothing says that the body is whole; set with_request_body in the ext_authz filter, and disable_request_body_buffering nowhere")
	case sent > 0:
		r.Body = io.NopCloser(bytes.NewReader(raw))
	}
	return nil
}

// contentLength is what the client has said, if it has.
func contentLength(h http.Header) (n uint64, stated bool, err error) {
	values := h.Values("Content-Length")
	if len(values) == 0 {
		return 0, false, nil
	}
	n, err = strconv.ParseUint(values[0], 10, 63)
	if err != nil || len(values) > 1 { // RFC 9110, Section 8.6
		return 0, false, errorf("Content-Length is %.40q", values)
	}
	return n, true, nil
}

// cut is a body of which more was to come.
type cut struct{ bytes uint64 }

func (c cut) Read([]byte) (int, error) {
	return 0, &http.MaxBytesError{Limit: int64(c.bytes)}
}
