package attesttest_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
)

// A software phone signs a payment, and a server reads it.
func ExampleAndroidKey_SignRequest() {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		log.Fatal(err)
	}
	key, err := ca.Phone().GenerateKey(now, []byte("challenge"))
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, _, err := request.FromHTTP(r, 1<<20)
		if err != nil {
			log.Fatal(err)
		}
		p, err := request.Parse(m)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprint(w, p.Covered, p.KeyID == key.ID())
	}))
	defer server.Close()

	r, err := http.NewRequest(http.MethodPost, server.URL+"/v1/remit", strings.NewReader(`{"amount":1200}`))
	if err != nil {
		log.Fatal(err)
	}
	if err := key.SignRequest(now, r); err != nil {
		log.Fatal(err)
	}
	answer, err := server.Client().Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
	// Output: [@method @authority @path @query content-digest] true
}
