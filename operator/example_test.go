package operator_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/store/sqlite"
)

// The server's machine invites somebody to the console.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	s, err := sqlite.Open(ctx, &sqlite.Options{Path: filepath.Join(dir, "demo.db"), App: "demo"})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	people, err := operator.New(&operator.Options{
		App: "demo", RowKey: make([]byte, 32), // of the app's root secret, in earnest
		Update: func(ctx context.Context, fn func(operator.Tx) error) error {
			return s.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		View: func(ctx context.Context, fn func(operator.Tx) error) error {
			return s.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	local := account.Caller{Kind: account.Operator, App: "demo", Name: "local:root"}
	in, err := people.Invite(ctx, local, "mika")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(in.Name, in.Secret, len(in.Secret.Text()))
	// Output: mika [redacted] 43
}
