package demo_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestPage: the page names its own files, and no other origin's.
func TestPage(t *testing.T) {
	s := newSite(t, &fakeServer{})
	html := send(s, http.MethodGet, "/demo", "").Body.String()
	if strings.Contains(html, "http://") || strings.Contains(html, "https://") || strings.Contains(html, "<style") || strings.Contains(html, "onclick") {
		t.Error("the page has something of elsewhere, or inline")
	}
	n := 0
	for _, part := range strings.Split(html, `"/demo/assets/`)[1:] {
		path, _, _ := strings.Cut(part, `"`)
		w := send(s, http.MethodGet, "/demo/assets/"+path, "")
		if n++; w.Code != 200 || w.Body.Len() == 0 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %d bytes", path, w.Code, w.Body.Len())
		}
	}
	if n != 3 {
		t.Errorf("%d files", n)
	}
	for _, path := range []string{"/demo/nothing", "/demo/assets/demo.js", "/demo/assets/../demo.go"} {
		if w := send(s, http.MethodGet, path, ""); w.Code == 200 {
			t.Errorf("%s is there", path)
		}
	}
	if got := send(s, http.MethodGet, "/demo/settings", "").Body.String(); !strings.Contains(got, `"keys":["AQID"]`) || !strings.Contains(got, `"rpId":"localhost"`) {
		t.Errorf("settings %s", got)
	}
}
