package site

import (
	"net/http"
	"strings"
)

// Label is what people will know a browser by: "Chromium on Linux". It is taken
// from what the browser says of itself, so nothing is decided by it.
func Label(r *http.Request) string {
	ua := r.UserAgent()
	return firstIn(ua, "Browser", browsers()) + " on " + firstIn(ua, "an unknown system", systems())
}

func firstIn(ua, otherwise string, list [][2]string) string {
	for _, e := range list {
		if strings.Contains(ua, e[0]) {
			return e[1]
		}
	}
	return otherwise
}

// browsers and systems are in an order in which the first that fits is right:
// most say that they are several.
func browsers() [][2]string {
	return [][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS", "Firefox"},
		{"CriOS", "Chrome"}, {"Chromium", "Chromium"}, {"HeadlessChrome", "Chromium"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
}

func systems() [][2]string {
	return [][2]string{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"},
		{"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}
}
