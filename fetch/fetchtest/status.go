package fetchtest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is something that goes wrong with an answer.
type Fault string

// The faults. Those below Truncated are of the list alone.
const (
	None        Fault = ""
	Unreachable Fault = "unreachable"  // the connection is closed without an answer
	ServerError Fault = "server_error" // 500
	Unavailable Fault = "unavailable"  // 503, with what SetStatusHeader says
	Hang        Fault = "hang"         // no answer, until the caller gives up
	Redirect    Fault = "redirect"     // 302 to the good answer
	HTML        Fault = "html"         // 200 with the page of a proxy
	TooLarge    Fault = "too_large"    // 200 with 65 MiB
	Truncated   Fault = "truncated"    // half of the good answer, then the connection is closed

	Empty       Fault = "empty"        // a list without entries
	HalfGone    Fault = "half_gone"    // the list without more than half of its entries
	Malformed   Fault = "malformed"    // no JSON
	NotHex      Fault = "not_hex"      // the list with one key more, which is not hex
	WrongType   Fault = "wrong_type"   // the good list as text/html
	Gzip        Fault = "gzip"         // the good list in a coding, if the client asks for it
	GzipAnyway  Fault = "gzip_anyway"  // the same, said to be no coding that Go undoes
	NotModified Fault = "not_modified" // 304, whatever was asked
	Snapshot    Fault = "snapshot"     // the list inside a snapshot of the year 2100
)

// SetStatusList publishes a list, with another ETag and Last-Modified.
func (s *Server) SetStatusList(list string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list, s.version = []byte(list), s.version+1
	s.modified = time.Date(2026, 1, 1, 0, 0, s.version, 0, time.UTC)
}

// SetStatusHeader sets a header field of all answers about the list, such as
// Cache-Control. An ETag or Last-Modified of "" is not sent.
func (s *Server) SetStatusHeader(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header.Set(name, value)
}

// FailStatus lets the next answers about the list fail; times < 0: all, until
// the next FailStatus.
func (s *Server) FailStatus(f Fault, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.stuck = slices.Repeat([]Fault{f}, max(times, 0)), times < 0
	if s.stuck {
		s.faults = []Fault{f}
	}
}

// StatusRequests are the headers of the requests for the list so far.
func (s *Server) StatusRequests() []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.statuses)
}

// statusAnswer takes what the next answer is made of.
func (s *Server) statusAnswer(r *http.Request) (list []byte, header http.Header, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statuses = append(s.statuses, r.Header.Clone())
	if len(s.faults) > 0 {
		f = s.faults[0]
		if !s.stuck {
			s.faults = s.faults[1:]
		}
	}
	header = http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("ETag", fmt.Sprintf(`"v%d"`, s.version))
	header.Set("Last-Modified", s.modified.Format(http.TimeFormat))
	for name, values := range s.header {
		header[name] = values
		if values[0] == "" {
			delete(header, name)
		}
	}
	return s.list, header, f
}

func (s *Server) serveStatus(w http.ResponseWriter, r *http.Request) {
	list, header, f := s.statusAnswer(r)
	for name, values := range header {
		w.Header()[name] = values
	}
	if fails(w, r, f, list) {
		return
	}
	if list == nil {
		http.Error(w, "there is no list", http.StatusNotFound)
		return
	}
	etag, modified := header.Get("ETag"), header.Get("Last-Modified")
	asked, since := r.Header.Get("If-None-Match"), r.Header.Get("If-Modified-Since")
	// RFC 9110, Section 13.2.2: If-Modified-Since counts without If-None-Match alone.
	unchanged := asked != "" && asked == etag || asked == "" && since != "" && since == modified
	switch f {
	case NotModified:
		w.WriteHeader(http.StatusNotModified)
		return
	case None:
		if unchanged {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	case Empty:
		list = []byte(`{"entries": {}}`)
	case Malformed:
		list = []byte(`{"entries": `)
	case HalfGone, NotHex:
		list = changed(list, f)
	case WrongType:
		w.Header().Set("Content-Type", "text/html")
	case Snapshot:
		list = []byte(`{"fetched_at": "2100-01-01T00:00:00Z", "list": ` + string(list) + `}`)
	case Gzip:
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			break
		}
		w.Header().Set("Content-Encoding", "gzip")
		list = compressed(list)
	case GzipAnyway:
		w.Header().Set("Content-Encoding", "x-gzip")
		list = compressed(list)
	}
	w.Write(list)
}

// fails gives the answers that have nothing of the good one; it reports whether
// it has.
func fails(w http.ResponseWriter, r *http.Request, f Fault, good []byte) bool {
	switch f {
	case Unreachable:
		panic(http.ErrAbortHandler)
	case Hang:
		<-r.Context().Done()
	case ServerError:
		http.Error(w, "internal error", http.StatusInternalServerError)
	case Unavailable:
		http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
	case Redirect:
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	case HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte("<html><title>Sign in to the guest network</title></html>"))
	case TooLarge:
		spaces := bytes.Repeat([]byte(" "), 1<<20)
		for range 65 {
			if _, err := w.Write(spaces); err != nil {
				return true // the caller has seen enough
			}
		}
		w.Write(good)
	case Truncated:
		w.Header().Set("Content-Length", strconv.Itoa(len(good)))
		w.Write(good[:len(good)/2])
		http.NewResponseController(w).Flush() // or an error, and then nothing arrives
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}

// changed is a list that lacks entries, or has one too many.
func changed(list []byte, f Fault) []byte {
	var l struct {
		Entries map[string]json.RawMessage `json:"entries"`
	}
	if err := json.Unmarshal(list, &l); err != nil {
		return list // a test that publishes what is no list
	}
	serials := make([]string, 0, len(l.Entries))
	for serial := range l.Entries {
		serials = append(serials, serial)
	}
	slices.SortFunc(serials, strings.Compare)
	if f == NotHex {
		l.Entries["not hex"] = json.RawMessage(`{"status": "REVOKED"}`)
		serials = nil
	}
	for _, serial := range serials[:min(len(serials), len(serials)/2+1)] {
		delete(l.Entries, serial)
	}
	out, err := json.Marshal(l)
	if err != nil {
		return list
	}
	return out
}

func compressed(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil || z.Close() != nil {
		return nil // never: to memory
	}
	return b.Bytes()
}
