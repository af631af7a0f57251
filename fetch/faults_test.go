package fetch_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/fetch"
	"github.com/staunchid/staunch/fetch/fetchtest"
)

// http1 is a client of the vendor that does not speak HTTP/2, in which a
// connection that is cut looks otherwise.
func http1(v *fetchtest.Server) *http.Client {
	tr := v.Client().Transport.(*http.Transport).Clone()
	tr.DisableKeepAlives = true // or net/http asks again by itself when a connection of before is cut
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetHTTP1(true)
	tr.TLSClientConfig.NextProtos = []string{"http/1.1"}
	return &http.Client{Transport: tr}
}

func TestFaults(t *testing.T) {
	t.Run("HTTP 1", func(t *testing.T) { testFaults(t, http1) })
	t.Run("HTTP 2", func(t *testing.T) { testFaults(t, (*fetchtest.Server).Client) })
	t.Run("in process", func(t *testing.T) { testFaults(t, (*fetchtest.Server).InProcess) })
}

func testFaults(t *testing.T, client func(*fetchtest.Server) *http.Client) {
	for fault, want := range map[fetchtest.Fault]struct {
		err  error
		text string
	}{
		fetchtest.Unreachable: {fetch.ErrUnreachable, "fetch: the vendor cannot be reached"},
		fetchtest.ServerError: {fetch.ErrUnreachable, "answered 500 Internal Server Error"},
		fetchtest.Unavailable: {fetch.ErrUnreachable, "answered 503"},
		fetchtest.Hang:        {fetch.ErrUnreachable, "deadline exceeded"},
		fetchtest.Redirect:    {fetch.ErrUnreachable, "answered 302 Found"},
		fetchtest.Truncated:   {fetch.ErrUnreachable, "breaks off"},
		fetchtest.HTML:        {fetch.ErrList, `"text/html; charset=utf-8": android: malformed status list`},
		fetchtest.TooLarge:    {fetch.ErrList, "too large"},
		fetchtest.Empty:       {fetch.ErrList, "it is empty"},
		fetchtest.HalfGone:    {fetch.ErrList, "of 4 entries 3 are missing"},
		fetchtest.Malformed:   {fetch.ErrList, "malformed"},
		fetchtest.NotHex:      {fetch.ErrList, `serial "not hex" is not hex`},
		fetchtest.GzipAnyway:  {fetch.ErrList, `content coding "x-gzip"`},
		fetchtest.Snapshot:    {fetch.ErrList, "it is a snapshot"},
		fetchtest.WrongType:   {nil, ""}, // the content is judged, not its label
		fetchtest.Gzip:        {nil, ""},
	} {
		if fault == fetchtest.TooLarge && !strings.HasSuffix(t.Name(), "in_process") {
			continue // 64 MiB through TLS take long with the race detector, and show no more
		}
		t.Run(string(fault), func(t *testing.T) {
			f := newFixture(t, nil)
			f.opts.Client = client(f.vendor)
			if fault == fetchtest.Hang {
				f.opts.Timeout = 2 * time.Second // the first fetch, which hangs nowhere, must come through
			}
			f.start(t)
			f.vendor.SetStatusList(listOf("REVOKED", "a1", "b2", "c3", "d4"))
			f.fetch(t, true, nil)
			last := f.List()
			file := must(os.ReadFile(f.opts.File))
			f.vendor.SetStatusList(listOf("REVOKED", "a1", "b2", "c3", "d4", "e5"))
			f.vendor.FailStatus(fault, 1)
			if fault == fetchtest.HalfGone { // of the list as it was
				f.vendor.SetStatusList(listOf("REVOKED", "a1", "b2", "c3", "d4"))
			}
			f.log.Reset()
			f.fetch(t, want.err == nil, want.err)
			if want.err == nil {
				if f.List().Len() != 5 {
					t.Errorf("%d entries", f.List().Len())
				}
				return
			}
			if text := f.Err().Error(); !strings.Contains(text, want.text) {
				t.Errorf("%q does not say %q", text, want.text)
			}
			if f.List() != last || len(f.news) != 1 || !bytes.Equal(file, must(os.ReadFile(f.opts.File))) {
				t.Error("the last good list is not as it was")
			}
			level := "level=WARN"
			if want.err == fetch.ErrList {
				level = "level=ERROR" // the alarm
			}
			if !strings.Contains(f.log.String(), level) || strings.Count(f.log.String(), "\n") != 1 {
				t.Errorf("logged %q, want one line of %s", f.log.String(), level)
			}
			f.fetch(t, fault != fetchtest.HalfGone, nil) // and all is well again
			if f.List() == last || f.Err() != nil {
				t.Error("it has not recovered")
			}
		})
	}
}

// TestRefusesAtFirst: there is nothing to compare with, and still not all goes.
func TestRefusesAtFirst(t *testing.T) {
	for _, fault := range []fetchtest.Fault{fetchtest.Empty, fetchtest.NotHex, fetchtest.Malformed, fetchtest.Snapshot, fetchtest.HTML} {
		f := newFixture(t, nil)
		f.vendor.SetStatusList(listOf("REVOKED", "a1"))
		f.vendor.FailStatus(fault, 1)
		f.fetch(t, false, fetch.ErrList)
		if _, err := os.Stat(f.opts.File); f.List() != nil || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a list is there", fault)
		}
	}
}

func TestShrinkGuard(t *testing.T) {
	for _, c := range []struct {
		name, before, after string
		want                error
	}{
		{"half is missing", listOf("REVOKED", "a", "b", "c", "d"), listOf("REVOKED", "a", "b"), nil},
		{"more than half is missing", listOf("REVOKED", "a", "b", "c", "d"), listOf("REVOKED", "a"), fetch.ErrList},
		{"others stand in for them", listOf("REVOKED", "a", "b", "c", "d"), listOf("REVOKED", "a", "1", "2", "3", "4", "5"), fetch.ErrList},
		{"more than half is missing, none revoked", listOf("SUSPENDED", "a", "b", "c", "d"), listOf("SUSPENDED", "a"), fetch.ErrList},
		{"others stand in, none revoked", listOf("SUSPENDED", "a", "b", "c", "d"), listOf("SUSPENDED", "a", "1", "2", "3", "4", "5"), fetch.ErrList},
		{"another spelling", listOf("REVOKED", "0A", "B", "00c"), listOf("REVOKED", "a", "0b", "C"), nil},
		{"zero in another spelling", listOf("REVOKED", "0"), listOf("REVOKED", "000"), nil},
		{"half is freed", listOf("REVOKED", "a", "b"), `{"entries": {"a": {"status": "REVOKED"}, "b": {"status": "SUSPENDED"}}}`, nil},
		{"more than half is freed", listOf("REVOKED", "a", "b", "c"), `{"entries": {"a": {"status": "REVOKED"}, "b": {"status": "SUSPENDED"}, "c": {"status": "SUSPENDED"}}}`, fetch.ErrList},
		{"the statuses are spelled otherwise", listOf("REVOKED", "a", "b"), listOf("revoked", "a", "b"), fetch.ErrList},
		{"none was revoked", listOf("SUSPENDED", "a", "b"), listOf("WATCHED", "a", "b"), nil},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %v", c.name, restart), func(t *testing.T) {
				f := newFixture(t, nil)
				f.vendor.SetStatusList(c.before)
				f.fetch(t, true, nil)
				if restart {
					f.start(t)
				}
				f.vendor.SetStatusList(c.after)
				f.fetch(t, c.want == nil, c.want)
				f.fetch(t, false, c.want) // saying it twice makes it no better
			})
		}
	}
}
