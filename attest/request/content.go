package request

import (
	"slices"
	"strings"
)

// The fields that say how content is read, as Message.Fields has them.
const (
	contentType     = "content-type"
	contentEncoding = "content-encoding"
)

// contentFields are in Message.Fields whenever a request has them, covered or
// not: they say what the content is, and so what a handler makes of it.
func contentFields() [3]string { return [3]string{contentDigest, contentType, contentEncoding} }

// CallFields are the header fields that a call to Staunch itself covers whenever
// it has them: the session, and the app that the call is for.
func CallFields() []string { return []string{"authorization", "staunch-app"} }

// checkEncoding refuses content with a Content-Encoding that nobody has signed.
// Who could add one would have the handler read other bytes than the phone's
// (RFC 9110, Section 8.4).
func (m *Message) checkEncoding(components []string) *Failure {
	if _, there := m.Fields[contentEncoding]; there && m.HasBody && !slices.Contains(components, contentEncoding) {
		return failf(CodeComponents, "there is a Content-Encoding that the signature does not cover")
	}
	return nil
}

// demandJSON reports why a handler may read the content as anything but the
// JSON whose members were listed, or nil. A body can be JSON and a form at once,
// {"a":"&amount=9&"}, so the type must be signed too.
func (p *Parsed) demandJSON() *Failure {
	switch {
	case !p.Covers(contentType):
		return failf(CodeComponents, "this route wants members of a JSON body, so Content-Type must be there and be covered")
	case !isJSON(p.contentType):
		return failf(CodeParams, "this route wants members of a JSON body, and Content-Type is %.60q, not application/json or application/...+json in UTF-8", p.contentType)
	case p.contentEncoding != "" && !strings.EqualFold(p.contentEncoding, "identity"):
		return failf(CodeParams, "this route wants members of a JSON body, and Content-Encoding is %.60q", p.contentEncoding)
	}
	return nil
}

// isJSON takes application/json and application/...+json (RFC 6839, Section
// 3.1), with charset=utf-8 or without. JSON has no other parameters (RFC 8259,
// Section 11), and a reader might act on one.
func isJSON(mediaType string) bool {
	mediaType, param, more := strings.Cut(strings.ToLower(mediaType), ";")
	sub, ok := strings.CutPrefix(strings.TrimRight(mediaType, " \t"), "application/")
	if !ok || !consists(sub, tokenChar) || sub != "json" && !strings.HasSuffix(sub, "+json") {
		return false
	}
	param = strings.Trim(param, " \t")
	return !more || param == "charset=utf-8" || param == `charset="utf-8"`
}
