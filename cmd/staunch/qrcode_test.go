package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"
)

// someURI is a code as a new phone shows it: 202 digits.
func someURI(r *rand.Rand) string {
	digits := make([]byte, 202)
	for i := range digits {
		digits[i] = '0' + byte(r.IntN(10))
	}
	return "STAUNCH:/" + string(digits)
}

// TestCodeSize: 41 modules (transfer, section 5), 49 columns and 25 lines (15).
func TestCodeSize(t *testing.T) {
	t.Parallel()
	q, err := drawCode(someURI(rand.New(rand.NewPCG(1, 2))))
	if err != nil {
		t.Fatal(err)
	}
	if q.Size != 41 {
		t.Errorf("%d modules a side, want 41", q.Size)
	}
	var text strings.Builder
	if err := q.halfBlocks(&text, false); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	if len(lines) != 25 {
		t.Errorf("%d lines, want 25", len(lines))
	}
	for i, line := range lines {
		if n := len([]rune(line)); n != 49 {
			t.Errorf("line %d has %d columns, want 49", i, n)
		}
	}
}

// TestCodeRefused: what is no "SCHEME:/DIGITS" is not drawn.
func TestCodeRefused(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{"STAUNCH:/12a", "ST_UNCH:/12", "STAUNCH:/" + strings.Repeat("7", 8000)} {
		if _, err := drawCode(uri); err == nil {
			t.Errorf("%.20s: drawn", uri)
		}
	}
}

// TestCodeScanned: what is drawn can be read, from the picture and from
// screenshots of terminals: dark and light ones, with text around the code, at
// several sizes of the font.
func TestCodeScanned(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	cells := []image.Point{{8, 16}, {7, 15}, {9, 20}, {10, 18}, {16, 32}}
	for i := range 20 {
		uri := someURI(r)
		q, err := drawCode(uri)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := q.png()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := scan(picture); err != nil || got != uri {
			t.Errorf("code %d, from its picture: %q, %v", i, got, err)
		}
		var text strings.Builder
		fmt.Fprintf(&text, "$ staunch phone transfer receive --server http://127.0.0.1:8080 --home new\n\n")
		if err := q.halfBlocks(&text, false); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "\nScan this with the phone that has the account, or give it the text:\n\n%s\n\nWaiting.\n", uri)
		for _, dark := range []bool{true, false} {
			cell := cells[i%len(cells)]
			shot := terminal(text.String(), cell, dark)
			if got, err := scan(encode(t, shot)); err != nil || got != uri {
				t.Errorf("code %d, from a terminal with cells of %v, dark %v: %q, %v", i, cell, dark, got, err)
			}
		}
	}
}

// TestCodeScannedDoubled: a screenshot of a screen with twice the pixels.
func TestCodeScannedDoubled(t *testing.T) {
	t.Parallel()
	uri := someURI(rand.New(rand.NewPCG(5, 6)))
	q, err := drawCode(uri)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := q.halfBlocks(&text, false); err != nil {
		t.Fatal(err)
	}
	shot := terminal(text.String(), image.Pt(8, 16), true)
	for _, times := range []int{2, 3} {
		large := image.NewGray(image.Rect(0, 0, shot.Rect.Dx()*times, shot.Rect.Dy()*times))
		for y := range large.Rect.Dy() {
			for x := range large.Rect.Dx() {
				large.SetGray(x, y, shot.GrayAt(x/times, y/times))
			}
		}
		if got, err := scan(encode(t, large)); err != nil || got != uri {
			t.Errorf("%d times: %q, %v", times, got, err)
		}
	}
}

// TestScanRefused: pictures without a code, too large ones, and none.
func TestScanRefused(t *testing.T) {
	t.Parallel()
	empty := encode(t, image.NewGray(image.Rect(0, 0, 200, 200)))
	if _, err := scan(empty); !errors.Is(err, errNoCode) {
		t.Errorf("an empty picture: %v", err)
	}
	if _, err := scan([]byte("GIF89a")); err == nil {
		t.Error("a GIF was read")
	}
	huge := bytes.Clone(empty)
	binary.BigEndian.PutUint32(huge[16:], 16384) // width
	binary.BigEndian.PutUint32(huge[20:], 8192)  // height
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	if _, err := scan(huge); err == nil || !strings.Contains(err.Error(), "16384 × 8192 pixels") {
		t.Errorf("a huge picture: %v", err)
	}
}

func encode(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// terminal draws a text as a terminal does whose cells have this size. Letters
// are bars of about their blackness.
func terminal(text string, cell image.Point, dark bool) *image.Gray {
	paper, ink := color.Gray{Y: 250}, color.Gray{Y: 20}
	if dark {
		paper, ink = ink, paper
	}
	lines := strings.Split(text, "\n")
	columns := 80
	img := image.NewGray(image.Rect(0, 0, columns*cell.X, (len(lines)+3)*cell.Y))
	draw.Draw(img, img.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	row := 0
	for _, line := range lines {
		for i, c := range []rune(line) {
			at := image.Rectangle{Max: cell}.Add(image.Pt(i%columns*cell.X, (row+i/columns)*cell.Y))
			switch c {
			case ' ':
				continue
			case '█':
			case '▀':
				at.Max.Y = at.Min.Y + cell.Y/2
			case '▄':
				at.Min.Y += cell.Y / 2
			default:
				at = image.Rectangle{at.Min.Add(image.Pt(cell.X/4, cell.Y/4)), at.Max.Sub(image.Pt(cell.X/3, cell.Y/4))}
			}
			draw.Draw(img, at, image.NewUniform(ink), image.Point{}, draw.Src)
		}
		row += 1 + max(0, len([]rune(line))-1)/columns
	}
	return img
}
