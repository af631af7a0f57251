package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"

	"rsc.io/qr/coding"
)

const (
	// quietZone is the light margin, in modules (ISO/IEC 18004, 5.3.8).
	quietZone = 4
	// pngModule is the side of a module in the picture, in pixels.
	pngModule = 8
)

// qrCode is a code to scan.
type qrCode struct {
	*coding.Code
}

// drawCode makes the code of a URI "SCHEME:/DIGITS". Scheme and digits are in
// segments of their own: in one segment the code would have 49 modules a side
// and not 41 (transfer, section 5).
func drawCode(uri string) (*qrCode, error) {
	cut := strings.IndexByte(uri, '/') + 1
	scheme, digits := coding.Alpha(strings.ToUpper(uri[:cut])), coding.Num(uri[cut:])
	if err := scheme.Check(); err != nil {
		return nil, fmt.Errorf("draw the code: %w", err)
	}
	if err := digits.Check(); err != nil {
		return nil, fmt.Errorf("draw the code: %w", err)
	}
	for v := coding.Version(coding.MinVersion); v <= coding.MaxVersion; v++ {
		if scheme.Bits(v)+digits.Bits(v) > v.DataBytes(coding.M)*8 {
			continue
		}
		plan, err := coding.NewPlan(v, coding.M, 0)
		if err != nil {
			return nil, fmt.Errorf("draw the code: %w", err)
		}
		code, err := plan.Encode(scheme, digits)
		if err != nil {
			return nil, fmt.Errorf("draw the code: %w", err)
		}
		return &qrCode{code}, nil
	}
	return nil, fmt.Errorf("draw the code: %d characters do not fit into one", len(uri))
}

// side is the number of modules with the quiet zone.
func (q *qrCode) side() int { return q.Size + 2*quietZone }

// dark reports the module at x, y, counted with the quiet zone.
func (q *qrCode) dark(x, y int) bool { return q.Black(x-quietZone, y-quietZone) }

// halfBlocks writes the code with two modules a character, one above the other.
// With colours it is dark on light on any terminal; without them it is light on
// dark where the terminal is, as most are: readers take both.
func (q *qrCode) halfBlocks(w io.Writer, colours bool) error {
	var b bytes.Buffer
	for y := 0; y < q.side(); y += 2 {
		if colours {
			b.WriteString("\x1b[38;5;231;48;5;16m") // white on black, whatever the terminal has
		}
		for x := range q.side() {
			below := y+1 < q.side() && !q.dark(x, y+1) // the last line has one module
			switch above := !q.dark(x, y); {
			case above && below:
				b.WriteString("█")
			case above:
				b.WriteString("▀")
			case below:
				b.WriteString("▄")
			default:
				b.WriteByte(' ')
			}
		}
		if colours {
			b.WriteString("\x1b[0m")
		}
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

// png is the code as a picture.
func (q *qrCode) png() ([]byte, error) {
	side := q.side() * pngModule
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x := range side {
			if q.dark(x/pngModule, y/pngModule) {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("draw the code: %w", err)
	}
	return b.Bytes(), nil
}
