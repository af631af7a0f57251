package android_test

import (
	"testing"

	"github.com/staunchid/staunch/attest/android"
)

// TestNumbersHaveRoom: a list holds each tag once, so that as many places as
// there are such tags are enough.
func TestNumbersHaveRoom(t *testing.T) {
	if tagged, places := android.NumberTags(); tagged == 0 || tagged > places {
		t.Errorf("%d tags hold a number, with places for %d", tagged, places)
	}
}
