package integrity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

const (
	benchPhones = 64
	benchCrowd  = 10_000 // others in each table, so that two phones are seldom on one page of it
)

// BenchmarkSignIn is a whole sign-in on a known phone, from the signed call to
// the commit of nonce, session, entry and event, with a store in a file that is
// not synced: full one after the other, together all phones at a time. The floor
// is its two signatures, one of the passkey and one of the call; rows are those
// that it writes, and nothing else, a transaction for each sign-in or for 32. All
// are processor time, which others on the machine change less.
func BenchmarkSignIn(b *testing.B) {
	r := &rig{t: b, path: filepath.Join(b.TempDir(), "demo.db"), now: noon, noSync: true}
	r.open(func(o *integrity.Options) {
		o.Policy.Limits.BeginDevice = integrity.Limit{N: 1 << 30, Per: time.Minute}
	})
	phones := make([]*phone, benchPhones)
	for i := range phones {
		p := r.newPhone(&passkeytest.Options{Algorithm: -7}) // ES256, as the call and the floor
		p.enrolled(must[*integrity.Enrolled](b)(r.FinishEnrol(b.Context(), r.anonymous(), p.enrolment())))
		p.token = nil // it begins as one that is not signed in
		phones[i] = p
	}
	r.crowd(b)
	b.Run("full", func(b *testing.B) {
		signIns(b, r, phones, func(next func() bool) {
			for next() {
			}
		})
	})
	b.Run("together", func(b *testing.B) {
		signIns(b, r, phones, func(next func() bool) {
			var all sync.WaitGroup
			for range phones {
				all.Go(func() {
					for next() {
					}
				})
			}
			all.Wait()
		})
	})
	b.Run("rows", func(b *testing.B) { r.bare(b, 1) })
	b.Run("rows-together", func(b *testing.B) { r.bare(b, 32) })
	b.Run("floor", func(b *testing.B) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		digest := sha256.Sum256([]byte("what is signed"))
		sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		spent := -processorTime()
		for b.Loop() {
			for range 2 {
				if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
					b.Fatal("a good signature is refused")
				}
			}
		}
		b.ReportMetric(float64(spent+processorTime())/float64(b.N), "ns/op")
	})
}

// signIns measures sign-ins, which run makes by calling next until it gives
// false, and each phone in its turn: b.N, and enough that groups form. What the
// phones do is not in it.
func signIns(b *testing.B, r *rig, phones []*phone, run func(next func() bool)) {
	b.StopTimer()
	calls := make([]*request.Message, max(b.N, 4*benchPhones))
	answers := make([]*integrity.SignInAnswer, len(calls))
	for i := range calls {
		p := phones[i%len(phones)]
		answers[i], calls[i] = p.assertion(), p.message(nil)
	}
	var n atomic.Int64
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.StartTimer()
	spent := -processorTime()
	run(func() bool {
		i := int(n.Add(1)) - 1
		if i >= len(calls) {
			return false
		}
		if _, _, err := r.SignInOnPhone(b.Context(), calls[i], nil, network, answers[i]); err != nil {
			b.Error(err)
		}
		return true
	})
	spent += processorTime()
	b.StopTimer()
	runtime.ReadMemStats(&after)
	each := func(total float64) float64 { return total / float64(len(calls)) }
	b.ReportMetric(each(float64(spent)), "ns/op")
	b.ReportMetric(each(float64(after.TotalAlloc-before.TotalAlloc)), "B/op")
	b.ReportMetric(each(float64(after.Mallocs-before.Mallocs)), "allocs/op")
}

// crowd fills the tables with copies of a row in each, under other names, which
// nobody ever reads.
func (r *rig) crowd(b *testing.B) {
	b.Helper()
	db, err := sql.Open("sqlite", r.path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	p := r.newPhone(&passkeytest.Options{Algorithm: -7})
	p.enrolled(must[*integrity.Enrolled](b)(r.FinishEnrol(b.Context(), r.anonymous(), p.enrolment())))
	p.signIn()
	for _, t := range []struct{ table, names string }{
		{"account", "id handle handle_key user_handle"}, {"device", "id account key_id"}, {"credential", "ref credential_id account"},
		{"session", "id token_hash account"}, {"ceremony", "id challenge"}, {"audit_entry", "account"}, {"attest_key", "id account"},
	} {
		columns, err := db.Query(`SELECT name, type FROM pragma_table_info(?)`, t.table)
		if err != nil {
			b.Fatal(err)
		}
		var names, values []string
		for columns.Next() {
			var name, kind string
			if err := columns.Scan(&name, &kind); err != nil {
				b.Fatal(err)
			}
			value := name
			if strings.Contains(" "+t.names+" ", " "+name+" ") {
				if value = fmt.Sprintf("substr(%s, 1, 2) || lower(hex(randomblob(13)))", name); kind == "BLOB" {
					value = fmt.Sprintf("randomblob(length(%s))", name)
				}
			}
			names, values = append(names, name), append(values, value)
		}
		if err := columns.Err(); err != nil {
			b.Fatal(err)
		}
		if _, err := db.Exec(fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO %s (%s) SELECT %s FROM n, (SELECT * FROM %s LIMIT 1)`,
			benchCrowd, t.table, strings.Join(names, ", "), strings.Join(values, ", "), t.table)); err != nil {
			b.Fatalf("%s: %v", t.table, err)
		}
	}
}

// processorTime is what this process has used of the processor.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no reason to fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
