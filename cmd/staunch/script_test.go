package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/staunchid/staunch/internal/vectors"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"staunch": main})
}

// TestScripts runs testdata/script/*.txtar with the real binary. Beside the
// commands of testscript there are:
//
//	waitfor URL                        until it answers 200
//	waitfor FILE REGEXP                until the file matches
//	jsonenv VAR FILE KEY               sets VAR to a text member of the first JSON value in FILE
//	httpget [-STATUS] URL [HEADER...]  prints the body; STATUS is 200 unless given
//	freeports VAR...                   sets each VAR to a port that is free
//	move [FLAG...] NEW OLD [FLAG...]   moves an account, see scriptMove
//	sametree DIR DIR                   fails unless names and bytes are the same
//	memory VAR                         sets VAR to a folder in memory, if there is some
//	smallfiles [-check] DIR N          makes so many files, see scriptSmallFiles
//	deadletters DIR N                  leaves N dead letters in the retry stream of a data_dir
//	httppost [-STATUS] URL BODY [HEADER...]
//
// BODY is JSON, or @FILE. A HEADER is "Name: value". $VECTORS is the folder of
// third-party vectors and the condition [vectors] tells whether it is there.
func TestScripts(t *testing.T) {
	t.Parallel()
	dir, found := vectors.Find(t, "")
	if !found {
		dir = ""
	}
	if os.Getenv("CI") == "true" { // where no script may skip itself
		for _, program := range []string{"sh", "curl"} {
			if _, err := exec.LookPath(program); err != nil {
				t.Fatal("there is no " + program)
			}
		}
		if !found {
			t.Fatal("vectors not found: set STAUNCH_VECTORS")
		}
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("VECTORS", dir)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "vectors" {
				return found, nil
			}
			return false, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"waitfor": waitFor, "jsonenv": jsonEnv,
			"move": scriptMove, "sametree": scriptSameTree, "smallfiles": scriptSmallFiles, "memory": scriptMemory, "deadletters": deadLetters, "freeports": freePorts,
			"httpget":  func(ts *testscript.TestScript, neg bool, args []string) { call(ts, neg, http.MethodGet, args) },
			"httppost": func(ts *testscript.TestScript, neg bool, args []string) { call(ts, neg, http.MethodPost, args) },
		},
	})
}

// patience is how long waitfor waits.
const patience = time.Minute

func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: waitfor URL, or waitfor FILE REGEXP")
	}
	ready := func() bool {
		res, err := http.Get(args[0])
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	}
	if len(args) == 2 {
		re, err := regexp.Compile(args[1])
		ts.Check(err)
		ready = func() bool {
			data, err := os.ReadFile(ts.MkAbs(args[0]))
			return err == nil && re.Match(data)
		}
	}
	for end := time.Now().Add(patience); !ready(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			data, err := os.ReadFile(ts.MkAbs(args[0]))
			ts.Fatalf("waitfor %s: not within %s\n%s%v", strings.Join(args, " "), patience, data, err)
		}
	}
}

func freePorts(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: freeports VAR...")
	}
	for _, name := range args {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer l.Close() // after all are chosen
		ts.Setenv(name, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
}

func jsonEnv(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: jsonenv VAR FILE KEY")
	}
	var v map[string]any
	ts.Check(json.NewDecoder(strings.NewReader(ts.ReadFile(args[1]))).Decode(&v))
	text, ok := v[args[2]].(string)
	if !ok {
		ts.Fatalf("%s: %s is %v", args[1], args[2], v[args[2]])
	}
	ts.Setenv(args[0], text)
}

func call(ts *testscript.TestScript, neg bool, method string, args []string) {
	status := http.StatusOK
	if len(args) > 0 && strings.HasPrefix(args[0], "-") {
		n, err := strconv.Atoi(args[0][1:])
		ts.Check(err)
		status, args = n, args[1:]
	}
	least := map[string]int{http.MethodGet: 1, http.MethodPost: 2}[method]
	if neg || len(args) < least {
		ts.Fatalf("usage: httpget [-STATUS] URL [HEADER...], or httppost [-STATUS] URL BODY [HEADER...]")
	}
	var body io.Reader
	if method == http.MethodPost {
		text, isFile := strings.CutPrefix(args[1], "@")
		if isFile {
			text = ts.ReadFile(text)
		}
		body = strings.NewReader(text)
	}
	req, err := http.NewRequest(method, args[0], body)
	ts.Check(err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range args[least:] {
		name, value, ok := strings.Cut(h, ": ")
		if !ok {
			ts.Fatalf("%q is no header", h)
		}
		req.Header.Set(name, value)
	}
	req.Host = req.URL.Host
	if name := req.URL.Hostname(); strings.HasSuffix(name, ".localhost") { // browsers know where that is
		req.URL.Host = net.JoinHostPort("127.0.0.1", req.URL.Port())
	}
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	ts.Check(err)
	_, err = ts.Stdout().Write(append(data, '\n'))
	ts.Check(err)
	if res.StatusCode != status {
		ts.Fatalf("%s %s: status %d, want %d\n%s", method, args[0], res.StatusCode, status, data)
	}
}
