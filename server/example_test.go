package server_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

// A server inside another program: here with the demo policy, and therefore
// with test roots, which a program for real phones leaves out.
func Example() {
	dir, err := os.MkdirTemp("", "staunch-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{
		"policy.toml": attesttest.DemoPolicy(),
		"root.secret": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		"staunch.toml": `
			listen = "127.0.0.1:0"
			data_dir = "data"
			attest.policy_file = "policy.toml"
			[[app]]
			id = "demo"
			root_secret_file = "root.secret"`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}

	cfg, err := config.Load(filepath.Join(dir, "staunch.toml"))
	if err != nil {
		log.Fatal(err)
	}
	s, err := server.New(&server.Options{Config: cfg, DangerousTestRoots: true})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()

	res, err := http.Get(s.URL() + "/healthz")
	if err != nil {
		log.Fatal(err)
	}
	res.Body.Close()
	fmt.Println(res.Status)
	stop()
	fmt.Println(<-done)
	// Output:
	// 200 OK
	// <nil>
}
