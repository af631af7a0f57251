package web

import (
	"fmt"
	"regexp"
	"testing"
)

// TestAccentIsReadable: whatever colour an app has, text on it and in it can be
// read (WCAG 2.2, 1.4.3), in light and in dark.
func TestAccentIsReadable(t *testing.T) {
	light, dark := rgb{0.961, 0.961, 0.953}, rgb{0.098, 0.110, 0.122}
	value := regexp.MustCompile(`--([a-z-]+):(#[0-9a-f]{6})`)
	for r := 0; r < 256; r += 51 {
		for g := 0; g < 256; g += 51 {
			for b := 0; b < 256; b += 51 {
				accent := fmt.Sprintf("#%02x%02x%02x", r, g, b)
				sheet, err := accentSheet(accent)
				if err != nil {
					t.Fatal(err)
				}
				got := value.FindAllStringSubmatch(string(sheet), -1)
				if len(got) != 6 {
					t.Fatalf("%s: %s", accent, sheet)
				}
				for i, ground := range []rgb{light, dark} {
					var c [3]rgb // accent, text on it, text in it
					for j := range c {
						if c[j], err = parseColour(got[3*i+j][2]); err != nil {
							t.Fatal(err)
						}
					}
					if x := contrast(c[0], c[1]); x < 4.5 {
						t.Errorf("%s: text on it has contrast %.2f: %s", accent, x, sheet)
					}
					if x := contrast(c[2], ground); x < 4.5 {
						t.Errorf("%s: text in it has contrast %.2f: %s", accent, x, sheet)
					}
				}
			}
		}
	}
}
