package integrity_test

import (
	"crypto/rand"
	"errors"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// The rows that a sign-in writes, with nothing read, checked or computed for
// them.
var bareRows = []string{
	`INSERT INTO attest_nonce (created, hashes) VALUES (?, ?)`,
	`UPDATE ceremony SET used_at = ? WHERE id = ? AND used_at IS NULL`,
	`UPDATE credential SET sign_count = ?, flags = ?, last_used_at = ?, mac = ? WHERE ref = ?`,
	`INSERT INTO session (id, token_hash, account, device, kind, proofs, origin, label, network, place, created_at, last_seen_at, until, ended_at, ended_why, mac)
		VALUES (?, ?, ?, ?, 'phone', ?, '', '', ?, '', ?, ?, ?, NULL, '', ?)`,
	`INSERT INTO audit_entry (account, n, time, actor_kind, actor_id, actor_session, actor_class, action, subject, object, reason, detail, prev, hash)
		VALUES (?, ?, ?, 'phone', ?, ?, 'exact', 'session.started', ?, NULL, '', NULL, ?, ?)`,
	`INSERT INTO outbox (account, type, body, at) VALUES (?, 'session.started', ?, ?)`,
}

// bare writes these rows for one of the crowd after the other, a transaction for
// each group of them, by calls of SQLite alone.
func (r *rig) bare(b *testing.B, group int) {
	c, err := engine.Open("file:" + r.path)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	if err := c.Exec(`PRAGMA synchronous = off; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 8000; PRAGMA temp_store = memory`); err != nil {
		b.Fatal(err)
	}
	all := make([]*engine.Stmt, len(bareRows))
	for i, query := range bareRows {
		if all[i], err = c.Prepare(query); err != nil {
			b.Fatal(err)
		}
		defer all[i].Close()
	}
	seq, err := c.Prepare(`SELECT max(n) FROM audit_entry`)
	if err != nil {
		b.Fatal(err)
	}
	defer seq.Close()
	var last int
	if _, err := seq.Row(nil, func(s *engine.Stmt) error { return s.Scan(&last) }); err != nil {
		b.Fatal(err)
	}
	type person struct{ account, ref, ceremony string }
	var people []person
	s, err := c.Prepare(`SELECT c.account, c.ref, y.id FROM (SELECT row_number() OVER (ORDER BY ref) AS n, * FROM credential) AS c
		JOIN (SELECT row_number() OVER (ORDER BY id) AS n, * FROM ceremony) AS y USING (n) ORDER BY random()`)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	err = s.Each(nil, func(s *engine.Stmt) error {
		var p person
		err := s.Scan(&p.account, &p.ref, &p.ceremony)
		people = append(people, p)
		return err
	})
	if err != nil || len(people) < benchCrowd {
		b.Fatal(len(people), err)
	}
	ids := make([]string, b.N)
	for i := range ids {
		ids[i] = string(account.NewSessionID())
	}
	hash, at := make([]byte, 32), noon.UnixMicro()
	proofs := `[{"method":"assertion","at":"2026-11-22T12:00:00Z","credential":"` + people[0].ref + `"}]`
	body := []byte(`{"by":"phone","class":"exact","device":"` + ids[0] + `","method":"assertion","network":"abcdefghijklmnopqrstuvwx"}`)
	b.ReportAllocs()
	b.ResetTimer()
	spent := -processorTime()
	for i := range b.N {
		p, id := people[i%len(people)], ids[i]
		rand.Read(hash)
		var begun, committed error
		if i%group == 0 {
			begun = c.Exec("BEGIN IMMEDIATE")
		}
		err := errors.Join(begun,
			all[0].Run(at, hash), all[1].Run(at, p.ceremony), all[2].Run(1, 5, at, hash, p.ref),
			all[3].Run(id, hash, p.account, id, proofs, "abcdefghijklmnopqrstuvwx", at, at, at, hash),
			all[4].Run(p.account, last+1+i, at, id, id, id, hash, hash), all[5].Run(p.account, body, at))
		if (i+1)%group == 0 || i+1 == b.N {
			committed = c.Exec("COMMIT")
		}
		if err := errors.Join(err, committed); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(spent+processorTime())/float64(b.N), "ns/op")
}
