package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/store/storetest"
	"github.com/staunchid/staunch/transfer"
)

// A Tx has what each pillar needs of a transaction.
var (
	_ registry.Tx  = (*sqlite.Tx)(nil)
	_ integrity.Tx = (*sqlite.Tx)(nil)
	_ transfer.Tx  = (*sqlite.Tx)(nil)
	_ operator.Tx  = (*sqlite.Tx)(nil)
	_ audit.Reader = (*sqlite.Tx)(nil)
	_ audit.SealTx = (*sqlite.Tx)(nil)
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(ctx context.Context, dir string, app account.AppID) (storetest.Store, error) {
		s, err := sqlite.Open(ctx, &sqlite.Options{Path: filepath.Join(dir, "test.db"), App: app})
		if err != nil {
			return nil, err
		}
		return storetest.Of[*sqlite.Tx](s), nil
	})
}
