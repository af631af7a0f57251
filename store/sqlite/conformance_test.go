package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/store/storetest"
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
