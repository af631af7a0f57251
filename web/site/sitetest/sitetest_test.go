package sitetest

import "testing"

// TestLoud: a script that does what none may is named for it.
func TestLoud(t *testing.T) {
	for script, want := range map[string]string{
		`p.textContent = text`:            "",
		`p.innerHTML = text`:              "innerHTML",
		`document.write(text)`:            "document.write",
		`if (navigator.userAgent) {}`:     "userAgent",
		`sessionStorage.setItem("a","b")`: "sessionStorage",
	} {
		if got := loud(script, []string{"sessionStorage"}); got != want {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
}
