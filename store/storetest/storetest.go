// Package storetest checks that a store keeps the contract of package store,
// and makes stores fail on purpose.
//
// Every store runs the same suite:
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, func(ctx context.Context, dir string, app account.AppID) (storetest.Store, error) {
//			s, err := sqlite.Open(ctx, &sqlite.Options{Path: filepath.Join(dir, "test.db"), App: app})
//			if err != nil {
//				return nil, err
//			}
//			return storetest.Of[*sqlite.Tx](s), nil
//		})
//	}
//
// [Faulty] wraps a store and fails one call, once before and once after it took
// effect, so that a service can be driven through every place where it may be
// cut off.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/transfer"
)

// App is the app whose store the tests open.
const App account.AppID = "demo"

// Tx has the methods of all pillars, and what a check, a delivery and a replay
// read.
type Tx interface {
	integrity.Tx // with that of the registry
	recovery.Tx
	transfer.Tx
	operator.Tx
	audit.Reader
	audit.SealTx
	audit.SearchTx
	Evidence(ctx context.Context, id string) (e registry.Evidence, found bool, err error)
	Document(ctx context.Context, digest string) (d registry.Document, found bool, err error)
}

// Store is a store whose transactions are Tx.
type Store interface {
	Update(ctx context.Context, fn func(Tx) error) error
	View(ctx context.Context, fn func(Tx) error) error
	Check(ctx context.Context, now time.Time) (audit.Report, error)
	Close() error
}

// Typed is a store with a transaction type of its own.
type Typed[T Tx] interface {
	Update(ctx context.Context, fn func(T) error) error
	View(ctx context.Context, fn func(T) error) error
	Check(ctx context.Context, now time.Time) (audit.Report, error)
	Close() error
}

// Of gives s as a Store.
func Of[T Tx](s Typed[T]) Store { return joined[T]{s} }

type joined[T Tx] struct{ Typed[T] }

func (j joined[T]) Update(ctx context.Context, fn func(Tx) error) error {
	return j.Typed.Update(ctx, func(tx T) error { return fn(tx) })
}

func (j joined[T]) View(ctx context.Context, fn func(Tx) error) error {
	return j.Typed.View(ctx, func(tx T) error { return fn(tx) })
}

// Registry gives the two functions that registry.Options wants of a store.
func Registry(s Store) (update, view func(context.Context, func(registry.Tx) error) error) {
	update = func(ctx context.Context, fn func(registry.Tx) error) error {
		return s.Update(ctx, func(tx Tx) error { return fn(tx) })
	}
	view = func(ctx context.Context, fn func(registry.Tx) error) error {
		return s.View(ctx, func(tx Tx) error { return fn(tx) })
	}
	return update, view
}

// Flows gives the two functions that integrity.Options wants of a store.
func Flows(s Store) (update, view func(context.Context, func(integrity.Tx) error) error) {
	update = func(ctx context.Context, fn func(integrity.Tx) error) error {
		return s.Update(ctx, func(tx Tx) error { return fn(tx) })
	}
	view = func(ctx context.Context, fn func(integrity.Tx) error) error {
		return s.View(ctx, func(tx Tx) error { return fn(tx) })
	}
	return update, view
}

// Open opens the store in dir for an app, and makes it if there is none.
type Open func(ctx context.Context, dir string, app account.AppID) (Store, error)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"Transactions":  testTransactions,
		"Views":         testViews,
		"Opening":       testOpening,
		"Serialisable":  testSerialisable,
		"Challenges":    testChallenges,
		"Keys":          testKeys,
		"Evidence":      testEvidence,
		"CountKeys":     testCountKeys,
		"Exceptions":    testExceptionUses,
		"Documents":     testDocuments,
		"Audit":         testAudit,
		"Seals":         testSeals,
		"AuditSearch":   testAuditSearch,
		"Events":        testEvents,
		"Nonces":        testNonces,
		"NonceFloor":    testNonceFloor,
		"KeyUse":        testKeyUse,
		"KeyLists":      testKeyLists,
		"Statistics":    testStats,
		"Batches":       testBatches,
		"Jobs":          testJobs,
		"Revocation":    testRevocation,
		"Receipts":      testReceipts,
		"Accounts":      testAccounts,
		"Devices":       testDevices,
		"Holds":         testHolds,
		"Times":         testTimes,
		"Credentials":   testCredentials,
		"Sessions":      testSessions,
		"SignIns":       testSignIns,
		"SessionSweep":  testSessionSweep,
		"Ceremonies":    testCeremonies,
		"Approvals":     testApprovals,
		"Pendings":      testPendings,
		"Joins":         testJoins,
		"Alerts":        testAlerts,
		"AlertSeen":     testAlertSeen,
		"AlertSweep":    testAlertSweep,
		"Cursors":       testCursors,
		"EventsDeleted": testEventsDeleted,
		"Leases":        testLeases,
		"Signals":       testSignals,
		"Rates":         testRates,

		"Recoveries":       testRecoveries,
		"RecoveryEpochs":   testRecoveryEpochs,
		"RecoveryHistory":  testRecoveryHistory,
		"RecoveryIntents":  testRecoveryIntents,
		"RecoveryBlobs":    testRecoveryBlobs,
		"RecoverySessions": testRecoverySessions,
		"RecoveryReceipts": testRecoveryReceipts,

		"Transfers":          testTransfers,
		"TransfersDue":       testTransfersDue,
		"TransferSweep":      testTransferSweep,
		"TransferTokens":     testTransferTokens,
		"Operators":          testOperators,
		"OperatorCeremonies": testOperatorCeremonies,
		"OperatorSessions":   testOperatorSessions,
		"OperatorLooks":      testOperatorLooks,

		"Segments":     testSegments,
		"SegmentMarks": testSegmentMarks,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// fresh opens a new store, which must be without a problem at the end.
func fresh(t *testing.T, open Open) Store {
	t.Helper()
	s, err := open(t.Context(), t.TempDir(), App)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// mustCheck fails the test unless the store is without a problem.
func mustCheck(t *testing.T, s Store) {
	t.Helper()
	report, err := s.Check(t.Context(), noon())
	if err != nil || !report.OK() {
		t.Errorf("Check: %+v, %v", report, err)
	}
}

func update(t *testing.T, s Store, fn func(Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, s Store, fn func(Tx) error) {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}
