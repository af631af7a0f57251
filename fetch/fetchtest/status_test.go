package fetchtest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/staunchid/staunch/fetch/fetchtest"
)

const list = `{"entries": {"a1": {"status": "REVOKED"}, "b2": {"status": "REVOKED"}}}`

// TestStatusAnswers: both ways in see the same vendor.
func TestStatusAnswers(t *testing.T) {
	for name, client := range map[string]func(*fetchtest.Server) *http.Client{"network": (*fetchtest.Server).Client, "in process": (*fetchtest.Server).InProcess} {
		t.Run(name, func(t *testing.T) {
			v := fetchtest.NewServer()
			defer v.Close()
			get := func(header, value string) (int, string, error) {
				req := must(http.NewRequest(http.MethodGet, v.StatusURL(), nil))
				req.Header.Set(header, value)
				resp, err := client(v).Do(req)
				if err != nil {
					return 0, "", err
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				return resp.StatusCode, string(body), err
			}
			if code, _, err := get("X", ""); code != 404 || err != nil {
				t.Errorf("before the first list: %d, %v", code, err)
			}
			v.SetStatusList(list)
			for _, c := range []struct {
				name, header, value string
				want                int
			}{
				{"unconditional", "X", "", 200},
				{"the same", "If-None-Match", `"v1"`, 304},
				{"another", "If-None-Match", `"v0"`, 200},
				{"the same date", "If-Modified-Since", "Thu, 01 Jan 2026 00:00:01 GMT", 304},
				{"another date", "If-Modified-Since", "Thu, 01 Jan 2026 00:00:00 GMT", 200},
			} {
				if code, body, err := get(c.header, c.value); code != c.want || err != nil || code == 200 && body != list || code == 304 && body != "" {
					t.Errorf("%s: %d %s %v", c.name, code, body, err)
				}
			}
			v.FailStatus(fetchtest.Truncated, 1)
			if code, body, err := get("X", ""); code != 200 || body != list[:len(list)/2] || err == nil {
				t.Errorf("truncated: %d %q %v", code, body, err)
			}
			v.FailStatus(fetchtest.Unreachable, -1)
			for range 3 {
				if code, _, err := get("X", ""); err == nil {
					t.Errorf("unreachable: %d", code)
				}
			}
			v.FailStatus(fetchtest.HalfGone, 1)
			if code, body, err := get("X", ""); code != 200 || strings.Contains(body, "a1") || strings.Contains(body, "b2") || err != nil {
				t.Errorf("half gone: %d %q %v", code, body, err)
			}
			if code, body, err := get("X", ""); code != 200 || body != list || err != nil {
				t.Errorf("after the faults: %d %q %v", code, body, err)
			}
		})
	}
}
