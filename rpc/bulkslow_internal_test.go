package rpc

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadlines notes the last deadline that a body was given.
type deadlines struct {
	*httptest.ResponseRecorder
	read time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.read = t; return nil }

// TestSlowBody: each piece has its time, and all of them together have theirs.
func TestSlowBody(t *testing.T) {
	for name, tt := range map[string]struct {
		read int
		left time.Duration // of the time for all
		want time.Duration // 0: the server's
	}{
		"within the header":    {bulkHead - 1, bulkMost, 0},
		"behind the header":    {bulkHead, bulkMost, bulkIdle},
		"almost out of time":   {bulkHead, time.Second, time.Second},
		"where time has ended": {bulkHead, -time.Hour, -time.Hour},
	} {
		d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		now := time.Now()
		b := &slowBody{Reader: strings.NewReader("x"), rc: http.NewResponseController(d), until: now.Add(tt.left), read: tt.read}
		if _, err := b.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		switch left := d.read.Sub(now); {
		case tt.want == 0 && !d.read.IsZero():
			t.Errorf("%s: it has %s", name, left)
		case tt.want != 0 && (left < tt.want || left > tt.want+10*time.Second):
			t.Errorf("%s: it has %s, not %s", name, left, tt.want)
		}
	}
}
