package server_test

import (
	"database/sql"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/server"
)

// putBack is a console with one operator, mika, whose rows somebody has kept who can
// write to the store.
type putBack struct {
	*visitor
	people *server.Operators
	db     *sql.DB
}

func newPutBack(t *testing.T) *putBack {
	t.Helper()
	o := withConsoles(t)
	s := start(t, o)
	p := &putBack{visitor: &visitor{t: t, url: s.URL(), host: strings.TrimPrefix(o.Config.Apps[0].Console.Origin, "http://"), cookies: map[string]string{}}}
	var err error
	if p.people, err = server.OpenOperators(t.Context(), o.Config, "demo", "local:test"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.people.Close() })
	_, link, err := p.people.Invite(t.Context(), "mika")
	if err != nil {
		t.Fatal(err)
	}
	p.enter(link)
	if p.db, err = sql.Open("sqlite", "file:"+filepath.Join(o.Config.DataDir, "demo.db")+"?_pragma=busy_timeout(5000)"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.db.Close() })
	p.exec(`CREATE TABLE kept_operator AS SELECT * FROM operator; CREATE TABLE kept_session AS SELECT * FROM operator_session`)
	return p
}

func (p *putBack) exec(query string) int64 {
	p.t.Helper()
	r, err := p.db.Exec(query)
	if err != nil {
		p.t.Fatal(err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// undo puts the rows back and cuts off the removal, and reports whether there was one.
func (p *putBack) undo() bool {
	p.t.Helper()
	return p.exec(`DELETE FROM audit_entry WHERE action = 'operator.remove'`) > 0 &&
		p.exec(`INSERT OR REPLACE INTO operator SELECT * FROM kept_operator`) > 0 &&
		p.exec(`INSERT OR REPLACE INTO operator_session SELECT * FROM kept_session`) > 0
}

// TestOperatorPutBack: an operator is removed, and somebody puts back his rows and
// cuts off the end of the record.
func TestOperatorPutBack(t *testing.T) {
	t.Run("at once", func(t *testing.T) { // before a server may have read of it
		p := newPutBack(t)
		done := make(chan error)
		go func() {
			_, err := p.people.Remove(t.Context(), "mika")
			done <- err
		}()
		for !p.undo() {
			time.Sleep(time.Millisecond)
		}
		if err := <-done; !errors.Is(err, operator.ErrTampered) {
			t.Errorf("who removes him is told: %v", err)
		}
	})
	t.Run("later", func(t *testing.T) { // and nobody has come to the console since
		p := newPutBack(t)
		if _, err := p.people.Remove(t.Context(), "mika"); err != nil {
			t.Fatal(err)
		}
		if !p.undo() {
			t.Fatal("nothing to undo")
		}
		if code, page := p.do(http.MethodGet, "/", ""); code != http.StatusInternalServerError || !strings.Contains(page, "staunch check") {
			t.Errorf("%d\n%s", code, page)
		}
	})
}
