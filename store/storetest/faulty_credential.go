package storetest

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
)

func (tx *faultyTx) CredentialByID(ctx context.Context, rpID string, credentialID []byte) (account.Credential, bool, error) {
	return around2(tx, "CredentialByID", func() (account.Credential, bool, error) { return tx.Tx.CredentialByID(ctx, rpID, credentialID) })
}

func (tx *faultyTx) Credential(ctx context.Context, ref account.CredentialRef) (account.Credential, bool, error) {
	return around2(tx, "Credential", func() (account.Credential, bool, error) { return tx.Tx.Credential(ctx, ref) })
}

func (tx *faultyTx) Credentials(ctx context.Context, id account.ID) ([]account.Credential, error) {
	return around(tx, "Credentials", func() ([]account.Credential, error) { return tx.Tx.Credentials(ctx, id) })
}

func (tx *faultyTx) AddCredential(ctx context.Context, c account.Credential, evidence []byte) error {
	return around0(tx, "AddCredential", func() error { return tx.Tx.AddCredential(ctx, c, evidence) })
}

func (tx *faultyTx) PutCredential(ctx context.Context, c account.Credential) error {
	return around0(tx, "PutCredential", func() error { return tx.Tx.PutCredential(ctx, c) })
}

func (tx *faultyTx) SessionByToken(ctx context.Context, hash [32]byte) (account.Session, bool, error) {
	return around2(tx, "SessionByToken", func() (account.Session, bool, error) { return tx.Tx.SessionByToken(ctx, hash) })
}

func (tx *faultyTx) Session(ctx context.Context, id account.SessionID) (account.Session, bool, error) {
	return around2(tx, "Session", func() (account.Session, bool, error) { return tx.Tx.Session(ctx, id) })
}

func (tx *faultyTx) Sessions(ctx context.Context, id account.ID) ([]account.Session, error) {
	return around(tx, "Sessions", func() ([]account.Session, error) { return tx.Tx.Sessions(ctx, id) })
}

func (tx *faultyTx) AddSession(ctx context.Context, s account.Session, tokenHash [32]byte) error {
	return around0(tx, "AddSession", func() error { return tx.Tx.AddSession(ctx, s, tokenHash) })
}

func (tx *faultyTx) PutSession(ctx context.Context, s account.Session, tokenHash *[32]byte) error {
	return around0(tx, "PutSession", func() error { return tx.Tx.PutSession(ctx, s, tokenHash) })
}

func (tx *faultyTx) DeleteSessions(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteSessions", func() (int, error) { return tx.Tx.DeleteSessions(ctx, t, limit) })
}
