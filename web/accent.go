package web

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// defaultAccent is the colour of an app that names none.
const defaultAccent = "#1f5fd0"

// rgb has channels from 0 to 1.
type rgb [3]float64

// parseColour reads the one form that a setting may have. What is not of this
// form never reaches a style sheet.
func parseColour(text string) (rgb, error) {
	if !regexp.MustCompile(`^#[0-9a-f]{6}$`).MatchString(text) {
		return rgb{}, fmt.Errorf("web: colour %.20q: want # and six digits of lower-case hex, as in %s", text, defaultAccent)
	}
	n, err := strconv.ParseUint(text[1:7], 16, 32)
	if err != nil {
		return rgb{}, fmt.Errorf("web: colour: %w", err)
	}
	return rgb{float64(n>>16) / 255, float64(n>>8&255) / 255, float64(n&255) / 255}, nil
}

func (c rgb) String() string {
	b := func(x float64) int { return int(math.Round(min(max(x, 0), 1) * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", b(c[0]), b(c[1]), b(c[2]))
}

// luminance is the relative luminance of WCAG 2.2.
func (c rgb) luminance() float64 {
	lin := func(x float64) float64 {
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(c[0]) + 0.7152*lin(c[1]) + 0.0722*lin(c[2])
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b rgb) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func (c rgb) towards(d rgb, part float64) rgb {
	for i := range c {
		c[i] += (d[i] - c[i]) * part
	}
	return c
}

// readable moves c towards end until text in it has enough contrast on ground:
// WCAG 2.2, 1.4.3, wants 4.5; thin light lines on dark want more.
func (c rgb) readable(ground, end rgb, enough float64) rgb {
	for part := 0.0; part < 1; part += 0.02 {
		if d := c.towards(end, part); contrast(d, ground) >= enough {
			return d
		}
	}
	return end
}

// accentSheet is the app's own style sheet: its colour, and what follows from
// it so that text on it and in it can be read in light and in dark.
func accentSheet(accent string) ([]byte, error) {
	c, err := parseColour(accent)
	if err != nil {
		return nil, err
	}
	white, black := rgb{1, 1, 1}, rgb{0.06, 0.07, 0.08}
	on := func(c rgb) rgb {
		if contrast(white, c) >= 4.5 {
			return white
		}
		return rgb{} // the worst case of the two is 4.58
	}
	// The grounds are --bg, the less contrasting one, of style.css.
	light, dark := rgb{0.961, 0.961, 0.953}, rgb{0.098, 0.110, 0.122}
	button := c // dark pages need a button that stands out from them
	for contrast(button, dark) < 3 {
		button = button.towards(white, 0.08)
	}
	return fmt.Appendf(nil, ":root{--accent:%s;--on-accent:%s;--accent-text:%s}\n"+
		"@media (prefers-color-scheme:dark){:root{--accent:%s;--on-accent:%s;--accent-text:%s}}\n",
		c, on(c), c.readable(light, black, 4.6), button, on(button), c.readable(dark, white, 7)), nil
}

// icon is the picture in a browser's tab, for an app without a logo.
func icon(accent string) []byte {
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="%s"/>`+
		`<g fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"><circle cx="12" cy="12" r="4.7"/><path d="m15.5 15.5 8 8m-3.2-3.2 2.2-2.2"/></g></svg>`, accent)
}
