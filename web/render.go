package web

import (
	"embed"
	"fmt"
	"strconv"
	"time"
)

//go:embed templates
var templateFiles embed.FS

// stamp is a time for scripts, when the same for people whose browser runs none.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func when(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") }

// left says how long something still takes, as times.ts does.
func left(seconds int) string {
	s := max(seconds, 0)
	switch {
	case s >= 48*3600:
		return strconv.Itoa(s/(24*3600)) + " days"
	case s >= 3600:
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
