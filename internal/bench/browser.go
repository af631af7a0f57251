package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"
)

// What is promised of the TypeScript SDK: sealing and opening a history takes no
// longer than so many times the bare AES-GCM of Web Cryptography over the same bytes,
// in records of the same size and in the same page.
const (
	browserMiB   = 200
	browserRatio = 1.5
	browserLimit = 10 * time.Minute
)

// browserPage is what is measured; sdk/ts/test/bench/sealing.ts says how.
const browserPage = "sdk/ts/test/bench/page.ts"

// found is what the page tells: milliseconds of each round.
type found struct {
	Error  string
	Rounds []struct{ Bare, History float64 }
}

// chromium is the browser: the one that STAUNCH_CHROMIUM names, or the first that is
// here; or nothing.
func chromium() string {
	for _, name := range []string{os.Getenv("STAUNCH_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// measureBrowser seals and opens a history in a browser, in rounds.
func measureBrowser(out io.Writer, rounds int) (ok bool, err error) {
	browser := chromium()
	if browser == "" {
		fmt.Fprintf(out, "\n%s was not measured: Chromium is not here (`make browser`, or name one in STAUNCH_CHROMIUM)\n", browserName)
		return true, nil
	}
	dir, err := os.MkdirTemp("", "staunch-bench-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "page.js")
	bundle := exec.Command("go", "tool", "-modfile=tools.mod", "esbuild", "--bundle", "--minify", "--format=esm", "--target=es2022", "--outfile="+script, browserPage)
	if text, err := bundle.CombinedOutput(); err != nil {
		return false, fmt.Errorf("esbuild (`make node-modules` installs what it bundles): %w\n%s", err, text)
	}
	f, err := askPage(browser, dir, script, rounds)
	if err != nil {
		return false, err
	}
	bare, history := f.Rounds[0].Bare, f.Rounds[0].History
	for _, r := range f.Rounds { // noise only ever adds
		bare, history = min(bare, r.Bare), min(history, r.History)
	}
	verdict := "holds"
	if history > browserRatio*bare {
		verdict = "MISSED"
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\nIN A BROWSER\tTIME\tBARE AES-GCM\tRATIO\tGOAL\t\n")
	fmt.Fprintf(t, "seal and open %d MiB of history\t%.0f ms\t%.0f ms\t%.2f\t≤ %.2f\t%s\n", browserMiB, history, bare, history/bare, browserRatio, verdict)
	return verdict == "holds", t.Flush()
}

// askPage opens the page in a browser of its own, and waits for what it finds.
func askPage(browser, dir, script string, rounds int) (*found, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	results := make(chan *found, 1)
	server := &http.Server{Handler: pageHandler(script, results), ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(l) //nolint:errcheck // it ends with Close
	defer server.Close()

	ctx, cancel := context.WithTimeout(context.Background(), browserLimit)
	defer cancel()
	// localhost is a secure context, in which there is Web Cryptography.
	address := "http://localhost:" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port) + "/?mib=" + strconv.Itoa(browserMiB) + "&rounds=" + strconv.Itoa(rounds)
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--user-data-dir="+filepath.Join(dir, "profile"), address)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case f := <-results:
		cancel()
		<-ended //nolint:errcheck // it was killed
		if f.Error == "" && len(f.Rounds) == 0 {
			f.Error = "no round"
		}
		if f.Error != "" {
			return nil, errors.New(f.Error)
		}
		return f, nil
	case err := <-ended:
		return nil, fmt.Errorf("%s ended before it was done: %w", browser, errors.Join(err, ctx.Err()))
	}
}

// pageHandler serves the page and takes its result.
func pageHandler(script string, results chan<- *found) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><title>Staunch</title><script type="module" src="/page.js"></script>`)
	})
	mux.HandleFunc("GET /page.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, script) })
	mux.HandleFunc("POST /result", func(w http.ResponseWriter, r *http.Request) {
		f := new(found)
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(f); err != nil {
			f.Error = err.Error()
		}
		w.WriteHeader(http.StatusNoContent)
		select {
		case results <- f:
		default: // one is enough
		}
	})
	return mux
}
