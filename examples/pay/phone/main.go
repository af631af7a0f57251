// Phone is a software phone that registers a key with a Staunch server and pays
// with it. Then it does what attackers would. See ../README.md.
//
// To keep the example short it plays two more parts: that of the backend, which
// asks for the challenge, and that of whoever is on the way.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// public is the name under which phones know the payment service. The policy of
// `staunch dev` takes requests that are signed for it, and for no other.
const public = "pay.example.com"

const payment = `{"amount":1200,"payee":"shop-7"}`

func main() {
	pay := flag.String("pay", "http://127.0.0.1:8090", "`URL` of the payment service")
	staunch := flag.String("staunch", "http://127.0.0.1:8080", "`URL` of the Staunch server")
	token := flag.String("token", "service.token", "`file` with the app's token, which staunch dev writes")
	platform := flag.String("platform", "android", "android or apple")
	flag.Parse()
	if err := run(*pay, *staunch, *token, *platform); err != nil {
		fmt.Fprintln(os.Stderr, "phone:", err)
		os.Exit(1)
	}
}

func run(pay, staunch, tokenFile, platform string) error {
	ours, err := newPhone(platform)
	if err != nil {
		return err
	}
	if err := ours.register(staunch, tokenFile); err != nil {
		return err
	}
	stranger, err := newPhone(platform) // it has a key that no server knows
	if err != nil {
		return err
	}
	if err := stranger.attest(make([]byte, 32)); err != nil {
		return err
	}
	return play(pay+"/v1/remit", ours, stranger)
}

// play sends a request a step: signed by a phone for a host, then changed by
// somebody on the way.
func play(url string, ours, stranger *phone) error {
	var first http.Header
	for i, step := range []struct {
		what  string
		phone *phone
		host  string
		onWay func(*http.Request)
	}{
		{"A signed payment", ours, public, func(r *http.Request) { first = r.Header.Clone() }},
		{"One digit of the amount is changed", ours, public, func(r *http.Request) { setBody(r, strings.Replace(payment, "1200", "9200", 1)) }},
		{"The first payment is sent again", ours, public, func(r *http.Request) { r.Header = first }},
		{"It is sent to another path", ours, public, func(r *http.Request) { r.URL.Path = "/v1/refund" }},
		{"It is sent to another host", ours, public, func(r *http.Request) { r.Host = "shop.example.com" }},
		{"It was signed for another host", ours, "shop.example.com", func(r *http.Request) { r.Host = public }},
		{"The phone is not registered", stranger, public, nil},
		{"There is no signature", ours, public, func(r *http.Request) { r.Header.Del("Signature") }},
		{"Another signed payment", ours, public, nil},
	} {
		r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(payment))
		if err != nil {
			return err
		}
		r.Host = step.host
		r.Header.Set("Content-Type", "application/json")
		if err := step.phone.sign(time.Now(), r); err != nil {
			return err
		}
		if step.onWay != nil {
			step.onWay(r)
		}
		answer, err := send(r)
		if err != nil {
			return err
		}
		fmt.Printf("%d. %s.\n   %s\n", i+1, step.what, answer)
	}
	return nil
}

func setBody(r *http.Request, body string) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
}

func send(r *http.Request) (string, error) {
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	return fmt.Sprintf("%d %s", answer.StatusCode, bytes.TrimSpace(text)), err
}
