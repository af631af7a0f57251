package server_test

import (
	"net/http"
	"testing"
)

// TestMetricsInside: the hosts that people come to do not tell how many come.
func TestMetricsInside(t *testing.T) {
	s := start(t, setupAccounts(t, "demo"))
	for host, want := range map[string]int{"demo.localhost": 404, "demo.localhost:8080": 404, "staunch.internal": 200, "127.0.0.1": 200} {
		req, err := http.NewRequest(http.MethodGet, s.URL()+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d, want %d", host, res.StatusCode, want)
		}
	}
}
