package android_test

import (
	"testing"

	"github.com/staunchid/staunch/attest/android"
)

// TestNumbersHaveRoom: a list holds each tag once, so that as many places as
// there are such tags are enough.
func TestNumbersHaveRoom(t *testing.T) {
	if numbers, places, texts, textPlaces := android.TagPlaces(); numbers == 0 || numbers > places || texts == 0 || texts > textPlaces {
		t.Errorf("%d tags hold a number, with places for %d; %d a text, with places for %d", numbers, places, texts, textPlaces)
	}
}
