package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

// fault is what the network does to one call.
type fault int

const (
	fine   fault = iota
	before       // the call never reaches the server
	after        // the server has done it, and the answer is lost
)

// network stands before a server of `staunch dev` and does harm to the n-th call
// of a name.
type network struct {
	*httptest.Server

	mu    sync.Mutex
	name  string // of the call: "FinishEnrol"
	what  fault
	times int
	cut   string // a call that never gets through
	calls map[string]int
}

func (n *network) harm(name string, what fault, times int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.name, n.what, n.times, n.calls = name, what, times, map[string]int{}
	n.cut = ""
}

// cutOff lets no call of a name through until harm is called.
func (n *network) cutOff(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = name
}

func (n *network) count(name string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls[name]
}

// next is what happens to a call.
func (n *network) next(path string) fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := filepath.Base(path)
	n.calls[name]++
	if name == n.cut {
		return before
	}
	if name != n.name || n.times == 0 {
		return fine
	}
	n.times--
	return n.what
}

// devNetwork runs a server as `staunch dev` does, behind a network.
func devNetwork(t *testing.T) *network {
	t.Helper()
	dir := t.TempDir()
	if err := writeDevFiles(dir); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(filepath.Join(dir, configName))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{calls: map[string]int{}}
	target := &url.URL{Scheme: "http", Host: l.Addr().String()}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // which is signed
	}, FlushInterval: -1}
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n.next(r.URL.Path) {
		case before:
			panic(http.ErrAbortHandler)
		case after:
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(n.Close)
	atPort(cfg, n.Listener.Addr()) // the origin that the phone derives from the address it is given
	cfg.Recovery.Profile = config.ProfileNone
	s, err := server.New(&server.Options{Config: cfg, Logger: slog.New(slog.DiscardHandler), Listener: l, DangerousTestRoots: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return n
}

// phoneCommand runs `staunch phone`, and reads the last line that it prints.
func phoneCommand(t *testing.T, args ...string) (code int, last map[string]any) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(append([]string{"phone"}, append(args, "--json")...), &streams{strings.NewReader(""), &out, &errs})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatalf("%v: %q, %s", args, out.String(), errs.String())
	}
	if last["ok"] != (code == 0) {
		t.Errorf("%v: exit %d with %s", args, code, out.String())
	}
	return code, last
}

// TestPhoneNetworkFaults: whatever call is lost, or its answer, the phone has one
// account in the end, and one device in it; a freeze code comes in any case.
func TestPhoneNetworkFaults(t *testing.T) {
	n := devNetwork(t)
	for i, tt := range []struct {
		call  string
		what  fault
		times int
	}{
		{"", fine, 0},
		{"BeginEnrol", before, 2},
		{"BeginEnrol", after, 2},
		{"FinishEnrol", before, 1},
		{"FinishEnrol", after, 1},
	} {
		for _, platform := range []string{"android", "ios"} {
			t.Run(fmt.Sprintf("%s/%d/%s", tt.call, tt.what, platform), func(t *testing.T) {
				home := filepath.Join(t.TempDir(), "p")
				n.harm(tt.call, tt.what, tt.times)
				code, e := phoneCommand(t, "enroll", "--server", n.URL, "--home", home, "--name", fmt.Sprint("P", i), "--platform", platform, "--timeout", "20s")
				if code != 0 || len(e["freeze_code"].(string)) != 19 {
					t.Fatalf("exit %d, %v", code, e)
				}
				code, st := phoneCommand(t, "status", "--home", home)
				if code != 0 || st["account"] != e["account"] || st["device"] != e["device"] || st["devices"] != float64(1) || st["passkeys"] != float64(1) {
					t.Errorf("exit %d, %v", code, st)
				}
			})
		}
	}
}

// TestPhoneCrash: a phone that dies while it enrols, with the server's answer
// lost for good, is found again by the same command.
func TestPhoneCrash(t *testing.T) {
	n := devNetwork(t)
	for _, platform := range []string{"android", "ios"} {
		for _, what := range []fault{before, after} {
			t.Run(fmt.Sprintf("%s/%d", platform, what), func(t *testing.T) {
				home := filepath.Join(t.TempDir(), "p")
				enroll := []string{"enroll", "--server", n.URL, "--home", home, "--name", "Pixel", "--platform", platform, "--timeout"}
				// The network dies with FinishEnrol, so that the phone cannot ask either.
				n.harm("FinishEnrol", what, 1)
				n.cutOff("GetStatus")
				code, f := phoneCommand(t, append(enroll, "500ms")...)
				if code != phoneUnreachable || f["reason"] != "UNREACHABLE" {
					t.Fatalf("exit %d, %v", code, f)
				}
				if code, f := phoneCommand(t, "status", "--home", home); code != phoneAbsent || f["reason"] != "PHONE_NOT_ENROLLED" {
					t.Errorf("half a phone: exit %d, %v", code, f)
				}
				n.harm("", fine, 0)
				code, e := phoneCommand(t, append(enroll, "20s")...)
				if code != 0 {
					t.Fatalf("exit %d, %v", code, e)
				}
				if again := n.count("FinishEnrol"); (again == 0) != (what == after) {
					t.Errorf("FinishEnrol was called %d times again", again)
				}
				if _, st := phoneCommand(t, "status", "--home", home); st["devices"] != float64(1) || st["account"] != e["account"] {
					t.Errorf("%v", st)
				}
				if code, _ := phoneCommand(t, "freeze", "--home", home); code != 0 {
					t.Errorf("freeze: exit %d", code)
				}
			})
		}
	}
}

// TestPhoneCrashTwice: one that dies again while it finds out is found again, and
// has a freeze code in the end.
func TestPhoneCrashTwice(t *testing.T) {
	n := devNetwork(t)
	for _, call := range []string{"GetStatus", "FinishSignIn", "ListDevices", "ConfirmAction"} {
		t.Run(call, func(t *testing.T) {
			home := filepath.Join(t.TempDir(), "p")
			enroll := []string{"enroll", "--server", n.URL, "--home", home, "--name", "Pixel", "--timeout"}
			n.harm("FinishEnrol", after, 1)
			n.cutOff(call)
			for range 2 {
				if code, f := phoneCommand(t, append(enroll, "500ms")...); code != phoneUnreachable {
					t.Fatalf("exit %d, %v", code, f)
				}
			}
			n.harm("", fine, 0)
			code, e := phoneCommand(t, append(enroll, "20s")...)
			if code != 0 || e["freeze_code"] == nil || n.count("FinishEnrol") != 0 {
				t.Fatalf("exit %d, %v", code, e)
			}
			if code, _ := phoneCommand(t, append(enroll, "20s")...); code != phoneRefused {
				t.Errorf("enrolled twice: exit %d", code)
			}
		})
	}
}

// TestPhoneJoinFaults: the same of a join.
func TestPhoneJoinFaults(t *testing.T) {
	n := devNetwork(t)
	old := filepath.Join(t.TempDir(), "old")
	if code, e := phoneCommand(t, "enroll", "--server", n.URL, "--home", old, "--name", "Old"); code != 0 {
		t.Fatal(e)
	}
	for i, tt := range []struct {
		call string
		what fault
	}{
		{"BeginDevice", before}, {"BeginDevice", after}, {"WaitJoin", before}, {"WaitJoin", after}, {"FinishJoin", before}, {"FinishJoin", after},
	} {
		t.Run(fmt.Sprintf("%s/%d", tt.call, tt.what), func(t *testing.T) {
			home := filepath.Join(t.TempDir(), "new")
			n.harm(tt.call, tt.what, 1)
			approved := make(chan string, 1)
			go func() { approved <- approveFrom(home, old) }()
			code, e := phoneCommand(t, "join", "--server", n.URL, "--home", home, "--name", fmt.Sprint("New", i), "--timeout", "20s")
			if why := <-approved; why != "" {
				t.Fatal(why)
			}
			if code != 0 || e["device_state"] != "held" || e["freeze_code"] != nil {
				t.Fatalf("exit %d, %v", code, e)
			}
			if _, st := phoneCommand(t, "status", "--home", home); st["device"] != e["device"] {
				t.Errorf("%v", st)
			}
			if code, v := phoneCommand(t, "veto", "--home", old, "--device", e["device"].(string)); code != 0 || v["removed"] != e["device"] {
				t.Errorf("exit %d, %v", code, v)
			}
		})
	}
}

// approveFrom waits until the phone in home has a join, and approves it. It says
// what went wrong.
func approveFrom(home, old string) string {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		h, err := openHome(home)
		if err != nil || h.file.State.Began == nil || h.file.State.Began.Code == "" {
			continue
		}
		var out, errs bytes.Buffer
		b := h.file.State.Began
		if code := run([]string{"phone", "approve", "--home", old, "--code", b.Code, "--number", b.Number}, &streams{strings.NewReader(""), &out, &errs}); code != 0 {
			return fmt.Sprintf("approve: exit %d, %s", code, errs.String())
		}
		return ""
	}
	return "there was no join"
}
