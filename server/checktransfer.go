package server

import (
	"context"
	"errors"
	"io/fs"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/blob"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/transfer"
)

// checkMoves compares the rows of moves with each other, and with the ciphertext in
// dir. What is missing there is looked for again as the store is then.
func checkMoves(ctx context.Context, s *sqlite.Store, tx *sqlite.Tx, dir string, id account.AppID) (all []audit.Problem, err error) {
	o := &transfer.CheckOptions{App: id}
	first := true
	o.View = func(ctx context.Context, fn func(transfer.Tx) error) error {
		if first {
			first = false
			return fn(tx)
		}
		return s.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
	}
	f, err := blob.OpenFolder(&blob.FolderOptions{Dir: dir, ReadOnly: true})
	switch {
	case err == nil:
		o.Blobs = f
		defer func() { err = errors.Join(err, f.Close()) }()
	case !errors.Is(err, fs.ErrNotExist): // none has moved yet, or all of it is gone
		return nil, err
	}
	return transfer.Check(ctx, o)
}
