package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/wal"
)

// deadLetters leaves dead letters, as a server does whose vault has gone.
func deadLetters(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: deadletters DIR N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	l, err := wal.Open(&wal.Options{Dir: filepath.Join(ts.MkAbs(args[0]), "recovery-retry"), Stream: stream.Options{Rate: -1}})
	ts.Check(err)
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	for i := range n {
		ts.Check(l.Enqueue(ctx, recovery.Record{App: "demo", Vault: "v9", Acct: [16]byte{byte(i)}, Account: "a_1", Gen: 2, Ver: uint64(i + 1), Sealed: []byte("sealed")}))
	}
	ended := make(chan error)
	go func() {
		ended <- l.Run(ctx, func(_ context.Context, r recovery.Record) error {
			return fmt.Errorf("there is no vault %s: %w", r.Vault, recovery.ErrPermanent)
		})
	}()
	ready := func() bool { // what was put back before is dead again as well
		again, err := filepath.Glob(ts.MkAbs(filepath.Join(args[0], "recovery-retry", "again", "*")))
		ts.Check(err)
		return len(again) == 0 && l.Stats().Depth == 0
	}
	for !ready() {
		if ctx.Err() != nil {
			ts.Fatalf("%+v", l.Stats())
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	ts.Check(<-ended)
	ts.Check(l.Close())
}
