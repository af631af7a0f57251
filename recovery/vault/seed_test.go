package vault

import (
	"fmt"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// enclaves are m replicas of the seed profile and a storage.
type enclaves struct {
	*rig
	replicas []*Vault
}

func newEnclaves(t testing.TB, m int) *enclaves {
	t.Helper()
	g := newRig(t, func(c *wire.Config) {
		c.Profile, c.Policy, c.Freshness, c.Witnesses = ProfileSeed, PolicyStrict, wire.Freshness{Level: LevelQuorum}, nil
	})
	g.config.Freshness.Level = LevelMemory
	e := &enclaves{rig: g}
	for range m {
		e.replicas = append(e.replicas, e.enclave())
	}
	return e
}

// enclave starts one, which remembers nothing.
func (e *enclaves) enclave() *Vault {
	e.t.Helper()
	o := e.options()
	o.Freshness = NewMemory()
	v, err := New(o)
	if err != nil {
		e.t.Fatal(err)
	}
	return v
}

// ask calls replica i with a record, and stores nothing.
func (e *enclaves) ask(i int, record []byte, pin, data string) (*wire.SeedAnswer, *wire.Reply) {
	e.t.Helper()
	op, q := wire.OpSeedRestore, &wire.SeedRequest{PIN: wire.Secret(pin)}
	if data != "" {
		op, q.Data = wire.OpSeedBackup, wire.Secret(data)
	}
	body, err := wire.EncodeSeedRequest(q)
	if err != nil {
		e.t.Fatal(err)
	}
	e.v = e.replicas[i]
	c, key := e.seal(op, body)
	c.Record = record
	reply := e.v.Handle(e.t.Context(), c)
	if reply == nil || reply.Answer == nil {
		return nil, reply
	}
	a, err := key.OpenSeedAnswer(reply.Answer)
	if err != nil {
		e.t.Fatal(err)
	}
	return a, reply
}

// must is ask, and stores what comes back.
func (e *enclaves) must(i int, pin, data string, verdict wire.Verdict, version uint64, used uint8) *wire.SeedAnswer {
	e.t.Helper()
	a, reply := e.ask(i, e.row, pin, data)
	if a == nil || a.Verdict != verdict || a.Version != version || a.Used != used {
		e.t.Fatalf("%+v, code %v; want %v, version %d, used %d", a, reply.Result, verdict, version, used)
	}
	if len(reply.Answer) != wire.SeedAnswerSize || len(reply.Record) != wire.SeedRecordSize || *reply.Ver != version || *reply.Gen != 1 {
		e.t.Fatalf("an answer of %d bytes, a record of %d", len(reply.Answer), len(reply.Record))
	}
	e.row = reply.Record
	return a
}

// TestSeed walks through the rules of the slides (section 3): R2, R4, R5, R6, R8
// and R10.
func TestSeed(t *testing.T) {
	e := newEnclaves(t, 2)
	if a, reply := e.ask(0, nil, "123456", ""); a == nil || a.Verdict != wire.VerdictNoBackup || reply.Record != nil || a.Limit != 10 {
		t.Fatalf("nothing is there: %+v", a)
	}
	e.must(0, "123456", "secret", wire.VerdictOK, 1, 0)
	if a := e.must(0, "123456", "", wire.VerdictOK, 2, 0); string(a.Data) != "secret" {
		t.Fatalf("%+v", a)
	}
	older := e.row
	if a := e.must(0, "000000", "", wire.VerdictWrongPIN, 3, 1); a.Data != nil {
		t.Fatalf("%+v", a)
	}
	e.must(0, "123456", "", wire.VerdictOK, 4, 0)
	for _, row := range [][]byte{older, nil} { // R6, and a store that has lost it
		if a, reply := e.ask(0, row, "123456", ""); a != nil || reply.Result != wire.CodeStale || *reply.Ver != 4 {
			t.Fatalf("an older record: %+v, %+v", a, reply)
		}
	}
	_, reply := e.ask(0, e.row, "123456", "") // R8: returned 5, and the write is lost
	if reply.Result != wire.CodeDone || *reply.Ver != 5 {
		t.Fatalf("%+v", reply)
	}
	if _, reply = e.ask(0, e.row, "123456", ""); reply.Result != wire.CodeStale {
		t.Fatalf("given 4, own 5: %+v", reply)
	}
	e.must(1, "123456", "", wire.VerdictOK, 5, 0) // R10: the next one starts from storage
	e.must(0, "123456", "", wire.VerdictOK, 6, 0) // R4: given 5 >= own 5
	for used := uint8(1); used < 10; used++ {
		e.must(0, "000000", "", wire.VerdictWrongPIN, 6+uint64(used), used)
	}
	e.must(0, "000000", "", wire.VerdictLocked, 16, 10)
	e.must(0, "123456", "", wire.VerdictLocked, 17, 10)
	e.replicas[0] = e.enclave()
	e.must(0, "123456", "", wire.VerdictLocked, 18, 10) // also after a restart
	e.must(0, "654321", "new", wire.VerdictOK, 19, 0)
	if a := e.must(0, "654321", "", wire.VerdictOK, 20, 0); string(a.Data) != "new" {
		t.Errorf("%+v", a)
	}
}

// TestSeedBound: what the seed profile cannot do. An insider with m enclaves that
// he restarts r times in all, and any record he likes, tries exactly L·(m+r) PINs.
func TestSeedBound(t *testing.T) {
	for _, c := range []struct{ m, r int }{{1, 0}, {3, 0}, {3, 2}} {
		t.Run(fmt.Sprintf("m=%d r=%d", c.m, c.r), func(t *testing.T) {
			e := newEnclaves(t, c.m)
			e.must(0, "123456", "secret", wire.VerdictOK, 1, 0)
			clean, tried := e.row, 0
			guess := func(i int, row []byte) []byte {
				a, reply := e.ask(i, row, "000000", "")
				if a == nil {
					return nil
				}
				if a.Verdict == wire.VerdictWrongPIN || a.Verdict == wire.VerdictLocked && a.Used == 10 && e.opened(row) {
					tried++
				}
				return reply.Record
			}
			for life := range c.m + c.r {
				i := life % c.m
				if life >= c.m {
					e.replicas[i] = e.enclave()
				}
				row := clean
				for range 15 { // more than the limit
					if next := guess(i, row); next != nil {
						row = next
					}
					guess(i, clean) // and the clean one again, in between
				}
			}
			if want := 10 * (c.m + c.r); tried != want {
				t.Errorf("%d PINs were tried, want %d", tried, want)
			}
		})
	}
}

// opened reports whether the record was not locked yet.
func (e *enclaves) opened(row []byte) bool {
	e.t.Helper()
	w := &work{Vault: e.v, ring: e.v.ring.Load(), call: &wire.Call{Acct: e.acct, Record: row}}
	key, err := w.recordKey()
	if err != nil {
		e.t.Fatal(err)
	}
	s, err := key.OpenSeed(row)
	if err != nil {
		e.t.Fatal(err)
	}
	return s.State == wire.StateActive
}

// TestSeedRefused: what does not open, or is not what the op demands.
func TestSeedRefused(t *testing.T) {
	e := newEnclaves(t, 1)
	e.must(0, "123456", "secret", wire.VerdictOK, 1, 0)
	body, err := wire.EncodeSeedRequest(&wire.SeedRequest{PIN: wire.Secret("123456"), Data: wire.Secret("x")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		op   wire.Op
		body []byte
		row  []byte
		want wire.Code
	}{
		{"restore with data", wire.OpSeedRestore, body, e.row, wire.CodeUnreadable},
		{"not padded", wire.OpSeedBackup, body[:100], e.row, wire.CodeUnreadable},
		{"an op of KR-1", wire.OpStatus, body, e.row, wire.CodeUnreadable},
		{"a record that was changed", wire.OpSeedBackup, body, append(append([]byte(nil), e.row[:4000]...), make([]byte, 640)...), wire.CodeBadRecord},
		{"good", wire.OpSeedBackup, body, e.row, wire.CodeDone},
	} {
		t.Run(c.name, func(t *testing.T) {
			call, _ := e.seal(c.op, c.body)
			call.Record = c.row
			if reply := e.v.Handle(t.Context(), call); reply.Result != c.want {
				t.Errorf("%v, want %v", reply.Result, c.want)
			}
		})
	}
}

// TestSeedWithWitnesses: with marks that survive, a record that is newer than its
// mark is refused, and a restart gives nothing.
func TestSeedWithWitnesses(t *testing.T) {
	e := newEnclaves(t, 1)
	e.config.Freshness.Level = LevelQuorum
	again := func() {
		v, err := New(e.options())
		if err != nil {
			t.Fatal(err)
		}
		e.replicas[0] = v
	}
	again()
	e.must(0, "123456", "secret", wire.VerdictOK, 1, 0)
	clean := e.row
	for used := uint8(1); used < 10; used++ {
		e.must(0, "000000", "", wire.VerdictWrongPIN, 1+uint64(used), used)
	}
	again()
	if a, reply := e.ask(0, clean, "000000", ""); a != nil || reply.Result != wire.CodeStale {
		t.Errorf("the clean record after a restart: %+v", a)
	}
	e.fresh.Memory = NewMemory()
	if a, reply := e.ask(0, e.row, "000000", ""); a != nil || reply.Result != wire.CodeFuture {
		t.Errorf("a record without a mark: %+v", a)
	}
}
