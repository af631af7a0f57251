// Pay is a payment service of a few lines that lets through what a registered
// phone has signed, and nothing else. See README.md beside it.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/client"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "`address` to listen on")
	staunch := flag.String("staunch", "http://127.0.0.1:8080", "`URL` of the Staunch server")
	token := flag.String("token", "service.token", "`file` with the app's token, which staunch dev writes")
	flag.Parse()
	if err := run(*listen, *staunch, *token); err != nil {
		fmt.Fprintln(os.Stderr, "pay:", err)
		os.Exit(1)
	}
}

func run(listen, staunch, tokenFile string) error {
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/remit", remit)

	token, err := client.ReadToken(tokenFile)
	if err != nil {
		return err
	}
	checker, err := client.NewChecker(&client.Options{URL: staunch, App: "demo", Token: token})
	if err != nil {
		return err
	}
	guard := request.Middleware(checker, &request.Options{Logger: log})
	server := &http.Server{Handler: guard(mux), ReadHeaderTimeout: 10 * time.Second}

	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("%w; is another one running? Give -listen 127.0.0.1:8091", err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	return server.Serve(listener)
}

// payment is the body of a request.
type payment struct {
	Amount int64  `json:"amount"`
	Payee  string `json:"payee"`
}

// remit pays. It runs only for requests that were let through, but asks who
// signed all the same: while a rollout only observes, nobody may have.
func remit(w http.ResponseWriter, r *http.Request) {
	who, ok := request.FromContext(r.Context())
	if !ok {
		http.Error(w, "not signed by a registered phone", http.StatusForbidden)
		return
	}
	p, err := read(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s pays %d to %s\n", who.Account, p.Amount, p.Payee)
}

func read(r *http.Request) (p payment, err error) {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("the body is no payment: %w", err)
	}
	if p.Amount <= 0 || p.Payee == "" {
		return p, errors.New("a payment has an amount above 0 and a payee")
	}
	return p, nil
}

// withoutTime makes the log the same every time, so that README.md can show it.
func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
