package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// batchRows is how many rows one statement inserts: a statement costs more than
// a row.
const batchRows = 50

// AppendAudits puts entries at the ends of their accounts' chains, in order.
func (tx *Tx) AppendAudits(ctx context.Context, all []audit.Entry) error {
	heads := map[account.ID]audit.Head{}
	var accounts []string
	for _, e := range all {
		if err := e.Validate(); err != nil {
			return tx.fail("audit entry", err)
		}
		if _, there := heads[e.Account]; !there {
			heads[e.Account] = audit.Head{}
			accounts = append(accounts, string(e.Account))
		}
	}
	slices.Sort(accounts)
	// One seek an account: the last entry's number and hash in one text.
	err := tx.few(ctx, "audit entry", `SELECT j.value, (SELECT n || ' ' || hex(hash) FROM audit_entry WHERE account = j.value ORDER BY n DESC LIMIT 1)
		FROM json_each(?) AS j`, []any{array(accounts)}, func(rows *engine.Stmt) error {
		var id account.ID
		var last sql.NullString
		if err := rows.Scan(&id, &last); err != nil || !last.Valid {
			return err
		}
		head, err := parseHead(last.String)
		heads[id] = head
		return err
	})
	if err != nil {
		return err
	}
	rows := make([][]any, len(all))
	for i, e := range all {
		e = e.Next(tx.app, heads[e.Account])
		heads[e.Account] = audit.Head{N: e.N, Hash: e.Hash}
		rows[i] = entryRow(e)
	}
	return tx.insert(ctx, "audit entry", `INSERT INTO audit_entry (`+entryColumns+`) VALUES `, rows)
}

// parseHead reads a number and a hash in hex.
func parseHead(text string) (head audit.Head, err error) {
	n, hash, _ := strings.Cut(text, " ")
	if head.N, err = strconv.ParseUint(n, 10, 64); err != nil {
		return audit.Head{}, unreadable(err)
	}
	if k, err := hex.Decode(head.Hash[:], []byte(hash[:min(len(hash), 64)])); err != nil || k != 32 || len(hash) != 64 {
		return audit.Head{}, unreadable(fmt.Errorf("a hash of %d digits", len(hash)))
	}
	return head, nil
}

// entryRow is an entry in the order of entryColumns.
func entryRow(e audit.Entry) []any {
	return []any{
		string(e.Account), int64(e.N), micros(e.Time), string(e.Actor.Kind), e.Actor.ID, e.Actor.Session, e.Actor.Class,
		e.Action, e.Subject, blob(e.Object), e.Reason, blob(e.Detail), e.Prev[:], e.Hash[:],
	}
}

// AppendEvents writes events to the outbox, in order.
func (tx *Tx) AppendEvents(ctx context.Context, all []event.Event) error {
	rows := make([][]any, len(all))
	for i, e := range all {
		if err := e.Validate(); err != nil {
			return tx.fail("event", err)
		}
		rows[i] = []any{string(e.Account), e.Type, []byte(e.Body), micros(e.At)}
	}
	return tx.insert(ctx, "event", `INSERT INTO outbox (account, type, body, at) VALUES `, rows)
}

// insert writes rows with as few statements as batchRows allows. All rows have
// the same length.
func (tx *Tx) insert(ctx context.Context, noun, query string, rows [][]any) error {
	for part := range slices.Chunk(rows, batchRows) {
		if len(part) < batchRows { // one by one, so that two statements are prepared and not batchRows
			for _, row := range part {
				if _, err := tx.exec(ctx, noun, query+placeholders(1, len(row)), row...); err != nil {
					return err
				}
			}
			continue
		}
		if _, err := tx.exec(ctx, noun, query+placeholders(batchRows, len(part[0])), slices.Concat(part...)...); err != nil {
			return err
		}
	}
	return nil
}

// placeholders is "(?, ?), (?, ?)" for two rows of two columns.
func placeholders(rows, columns int) string {
	row := "(" + strings.Repeat("?, ", columns-1) + "?)"
	return strings.Repeat(row+", ", rows-1) + row
}
