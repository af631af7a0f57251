package rpc_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/rpc"
)

// TestSlowSegment: who has not even sent the header of a segment, for which no token is
// needed, keeps a connection for as long as any call may take, and no longer. Behind
// it the phone may be slow.
func TestSlowSegment(t *testing.T) {
	const whole, life = 4096, 400 * time.Millisecond
	for _, tt := range []struct {
		name   string
		first  int // bytes that come at once
		then   int // and later than the server's own limit
		status string
	}{
		{"no header", 10, 0, "504"},
		{"in the middle", 64, whole - 64, "201"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, false, func(o *rpc.Options) { o.Apps[0].Moves = &fakeBulk{} })
			slow := httptest.NewUnstartedServer(b.Config.Handler)
			slow.Config.ReadTimeout = life
			slow.Start()
			defer slow.Close()
			c, err := net.Dial("tcp", slow.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			fmt.Fprintf(c, "PUT /transfer/v1/%s/1/0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", someTransfer, someToken, whole, strings.Repeat("x", tt.first))
			if tt.then > 0 {
				time.Sleep(2 * life)
				io.WriteString(c, strings.Repeat("x", tt.then)) //nolint:errcheck // the answer tells
			}
			if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if !strings.HasPrefix(res.Status, tt.status) {
				text, _ := io.ReadAll(res.Body)
				t.Errorf("%s %.200s", res.Status, text)
			}
		})
	}
}
