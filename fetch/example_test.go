package fetch_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/fetch"
	"github.com/staunchid/staunch/fetch/fetchtest"
)

func Example() {
	vendor := fetchtest.NewServer() // leave it and the URLs out, and take fetch.NewClient
	defer vendor.Close()
	vendor.SetStatusList(`{"entries": {"57A0": {"status": "REVOKED", "reason": "KEY_COMPROMISE"}}}`)
	folder, err := os.MkdirTemp("", "staunch")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)

	s, err := fetch.NewStatus(&fetch.StatusOptions{
		URL: vendor.StatusURL(), Client: vendor.Client(),
		File:  filepath.Join(folder, "status-list.json"),
		OnNew: func(l *android.StatusList) { fmt.Println(l.Len(), "on the list: look at the registered keys again") },
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("before the first:", s.List() != nil)
	if _, err := s.Fetch(context.Background()); err != nil { // Run does so again and again
		log.Fatal(err)
	}
	fmt.Println("57a0 is", s.List().Lookup("57a0"))

	vendor.FailStatus(fetchtest.Empty, 1)
	_, err = s.Fetch(context.Background())
	fmt.Println("refused:", err != nil, "and 57a0 is", s.List().Lookup("57a0"))
	// Output:
	// before the first: false
	// 1 on the list: look at the registered keys again
	// 57a0 is REVOKED
	// refused: true and 57a0 is REVOKED
}

func ExampleReceipts_Exchange() {
	vendor := fetchtest.NewServer()
	defer vendor.Close()
	p8, err := vendor.NewAppleKey("TEAM123456", "KEY1234567") // from App Store Connect
	if err != nil {
		log.Fatal(err)
	}
	key, err := fetch.ParseAppleKey("TEAM123456", "KEY1234567", p8)
	if err != nil {
		log.Fatal(err)
	}
	r, err := fetch.NewReceipts(&fetch.ReceiptOptions{
		URL: vendor.ReceiptURL(appattest.Production), Client: vendor.Client(),
		Keys: []*fetch.AppleKey{key},
	})
	if err != nil {
		log.Fatal(err)
	}
	vendor.SetExchange(func(fetchtest.Exchange) fetchtest.Answer { return fetchtest.Answer{Status: 304} })
	o, err := r.Exchange(context.Background(), "TEAM123456", appattest.Production, []byte("the receipt of the attestation"))
	if err != nil { // cannot tell: nothing was asked
		log.Fatal(err)
	}
	fmt.Println(key, o.Kind)
	// Output: [redacted] too_early
}
