package webhook_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/staunchid/staunch/webhook"
)

// A receiver: it verifies, leaves out what it has seen, stores, and then
// acknowledges.
func ExampleVerify() {
	key, err := webhook.ParsePublicKey(webhook.PublicKey(ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)))
	if err != nil { // it comes from the configuration: whpk_…
		log.Fatal(err)
	}
	seen := map[string]bool{} // in a database
	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		id, err := webhook.Verify(r.Header, body, []ed25519.PublicKey{key}, time.Now())
		if err != nil {
			http.Error(w, "not from Staunch", http.StatusUnauthorized)
			return
		}
		if seen[id] {
			return // 200: it is stored
		}
		var e struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(body, &e); err != nil {
			http.Error(w, "no event", http.StatusBadRequest)
			return
		}
		seen[id] = true
		fmt.Println("stored", id, e.Type)
	}
	body := `{"type":"account.frozen"}`
	for range 2 { // it may come twice
		r := httptest.NewRequest(http.MethodPost, "/staunch", strings.NewReader(body))
		r.Header = signed("evt_demo_1", time.Now(), body)
		receive(httptest.NewRecorder(), r)
	}
	// Output: stored evt_demo_1 account.frozen
}
