package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// maxPicture is how many pixels a picture may have: a screenshot of two large
// screens, and no picture of some kilobytes that fills the memory.
const maxPicture = 64 << 20

// errNoCode is a picture without a code that can be read.
var errNoCode = errors.New("there is no code in the picture that can be read; take a picture of the whole code, with the light margin around it, and sharp")

// scanFile reads the code in a picture, as the camera of a phone would: a file
// of this program, or a screenshot of a terminal that shows one.
func scanFile(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return scan(data)
}

func scan(data []byte) (string, error) {
	c, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("a picture in PNG is wanted: %w", err)
	}
	if c.Width*c.Height > maxPicture {
		return "", fmt.Errorf("the picture has %d × %d pixels, which is more than this program reads: cut the code out of it", c.Width, c.Height)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("a picture in PNG is wanted: %w", err)
	}
	return scanImage(img)
}

// scanImage looks for a code that is dark on light, then light on dark; each
// first anywhere in the picture, then as the only thing in it.
func scanImage(img image.Image) (string, error) {
	source := gozxing.NewLuminanceSourceFromImage(img)
	for _, light := range []gozxing.LuminanceSource{source, source.Invert()} {
		for _, binarizer := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(light), gozxing.NewGlobalHistgramBinarizer(light)} {
			picture, err := gozxing.NewBinaryBitmap(binarizer)
			if err != nil {
				return "", fmt.Errorf("read the picture: %w", err)
			}
			for _, hint := range []gozxing.DecodeHintType{gozxing.DecodeHintType_TRY_HARDER, gozxing.DecodeHintType_PURE_BARCODE} {
				found, err := qrcode.NewQRCodeReader().Decode(picture, map[gozxing.DecodeHintType]any{hint: true})
				if err == nil {
					return found.GetText(), nil
				}
			}
		}
	}
	return "", errNoCode
}
