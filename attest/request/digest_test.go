package request_test

import (
	"testing"

	"github.com/staunchid/staunch/attest/request"
)

// A body and its digests: RFC 9530, Appendix D.
const (
	hello       = "{\"hello\": \"world\"}\n"
	helloSHA256 = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
	helloSHA512 = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:"
)

// TestRFC9530: the example of Appendix D.
func TestRFC9530(t *testing.T) {
	for _, field := range []string{helloSHA256, helloSHA256 + ", " + helloSHA512, helloSHA512 + "," + helloSHA256} {
		m := good()
		m.Fields["content-digest"] = field
		m.SetBody([]byte(hello))
		if _, err := request.Parse(m); err != nil {
			t.Errorf("%s: %v", field, err)
		}
	}
}
