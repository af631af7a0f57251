package audit_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// flows makes a store by random flows: things that come, change their states
// and go, in the chains of three accounts and of the app, and seals in between.
// before has an object as it was before its last change.
func flows(t *testing.T, r *rand.Rand) (m *memory, before map[string][32]byte) {
	m, before = &memory{}, map[string][32]byte{}
	state := map[string]string{}
	next := map[string][2]string{"": {"enrol", "active"}, "active": {"freeze", "frozen"}, "frozen": {"unfreeze", "active"}}
	for i := range 10 + r.IntN(30) {
		e := entry()
		e.Account = []account.ID{"", alice, bob, "a_cccccccccccccccccccccccccc"}[r.IntN(4)]
		e.Time, e.Object, e.Reason = noon.Add(time.Duration(i)*time.Second), nil, fmt.Sprint("reason ", i)
		d := audit.Detail{Rows: map[string]audit.Digest{}}
		for n := range r.IntN(3) {
			id := fmt.Sprintf("d%d of %s", r.IntN(3), e.Account)
			if _, twice := d.Rows[id]; twice || n > 0 && id == e.Subject {
				continue
			}
			step := next[state[id]]
			d.Steps = append(d.Steps, audit.Step{Of: "device", ID: id, Step: step[0], From: state[id], To: step[1]})
			state[id] = step[1]
			digest := [32]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}
			if n == 0 {
				e.Subject, e.Object = id, digest[:]
			} else {
				d.Rows[id] = digest
			}
			at := slices.IndexFunc(m.objects, func(o audit.Object) bool { return o.Subject == id })
			if at < 0 {
				m.objects = append(m.objects, audit.Object{Account: e.Account, Subject: id, Digest: digest})
				continue
			}
			before[id] = m.objects[at].Digest
			m.objects[at].Digest = digest
		}
		var err error
		if e.Detail, err = json.Marshal(d); err != nil {
			t.Fatal(err)
		}
		if err := m.AppendAudit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if r.IntN(6) == 0 {
			mustSeal(t, m, newKey(byte(r.IntN(2))), 1+r.IntN(5))
		}
	}
	return m, before
}

// forgeries are what somebody at the store may do to one row. They report false
// where there is nothing to do it to.
func forgeries(before map[string][32]byte) map[string]func(m *memory, r *rand.Rand) bool {
	pick := func(r *rand.Rand, n int) int { return r.IntN(max(n, 1)) }
	entryOf := func(m *memory, r *rand.Rand, ok func(i int) bool) (int, bool) {
		var all []int
		for i := range m.entries {
			if ok(i) {
				all = append(all, i)
			}
		}
		if len(all) == 0 {
			return 0, false
		}
		return all[r.IntN(len(all))], true
	}
	last := func(m *memory, i int) bool {
		return i == len(m.entries)-1 || m.entries[i+1].Account != m.entries[i].Account
	}
	return map[string]func(m *memory, r *rand.Rand) bool{
		"entry changed": func(m *memory, r *rand.Rand) bool {
			e := &m.entries[r.IntN(len(m.entries))]
			switch r.IntN(6) {
			case 0:
				e.Reason += "x"
			case 1:
				e.Time = e.Time.Add(time.Microsecond)
			case 2:
				e.Actor.ID += "x"
			case 3:
				e.Detail = json.RawMessage(`{}x`)
			case 4:
				e.Hash[r.IntN(32)] ^= 1 << r.IntN(8)
			case 5:
				e.Prev[r.IntN(32)] ^= 1 << r.IntN(8)
			}
			return true
		},
		"entry changed, and its chain computed anew": func(m *memory, r *rand.Rand) bool {
			at, ok := entryOf(m, r, func(i int) bool { return m.entries[i].Seal != 0 })
			if !ok {
				return false
			}
			m.entries[at].Reason += "x"
			rehash(m, m.entries[at].Account)
			return true
		},
		"entry deleted": func(m *memory, r *rand.Rand) bool {
			at, ok := entryOf(m, r, func(i int) bool { return m.entries[i].Seal != 0 || !last(m, i) })
			if ok {
				m.entries = slices.Delete(m.entries, at, at+1)
			}
			return ok
		},
		"entry deleted, and its chain computed anew": func(m *memory, r *rand.Rand) bool {
			at, ok := entryOf(m, r, func(i int) bool { return m.entries[i].Seal != 0 })
			if ok {
				id := m.entries[at].Account
				m.entries = slices.Delete(m.entries, at, at+1)
				rehash(m, id)
			}
			return ok
		},
		"entries swapped": func(m *memory, r *rand.Rand) bool {
			a, b := r.IntN(len(m.entries)), r.IntN(len(m.entries))
			x, y := m.entries[a], m.entries[b]
			x.Account, x.N, y.Account, y.N = y.Account, y.N, x.Account, x.N // the key stays, the row moves
			m.entries[a], m.entries[b] = y, x
			return a != b
		},
		"tail cut off": func(m *memory, r *rand.Rand) bool {
			at, ok := entryOf(m, r, func(i int) bool { return m.entries[i].Seal != 0 })
			if ok {
				id, n := m.entries[at].Account, m.entries[at].N
				m.entries = slices.DeleteFunc(m.entries, func(e audit.Entry) bool { return e.Account == id && e.N >= n })
			}
			return ok
		},
		"mark of a seal changed": func(m *memory, r *rand.Rand) bool {
			e := &m.entries[r.IntN(len(m.entries))]
			was := e.Seal
			e.Seal = r.Uint64N(uint64(len(m.seals) + 2))
			return e.Seal != was
		},
		"seal changed": func(m *memory, r *rand.Rand) bool {
			if len(m.seals) == 0 {
				return false
			}
			s := &m.seals[r.IntN(len(m.seals))]
			s.Signature = slices.Clone(s.Signature)
			switch r.IntN(5) {
			case 0:
				s.Count++
			case 1:
				s.Digest[r.IntN(32)] ^= 1
			case 2:
				s.Prev[r.IntN(32)] ^= 1
			case 3:
				s.Time = s.Time.Add(time.Microsecond)
			case 4:
				s.Signature[r.IntN(32)] ^= 1
			}
			return true
		},
		"seal deleted": func(m *memory, r *rand.Rand) bool {
			at := pick(r, len(m.seals))
			if len(m.seals) > 0 {
				m.seals = slices.Delete(m.seals, at, at+1)
				return true
			}
			return false
		},
		"seals swapped": func(m *memory, r *rand.Rand) bool {
			a, b := pick(r, len(m.seals)), pick(r, len(m.seals))
			if a == b {
				return false
			}
			x, y := m.seals[a], m.seals[b]
			x.Number, y.Number = y.Number, x.Number
			m.seals[a], m.seals[b] = y, x
			return true
		},
		"seals cut off": func(m *memory, r *rand.Rand) bool {
			if len(m.seals) == 0 {
				return false
			}
			m.seals = m.seals[:r.IntN(len(m.seals))]
			return true
		},
		"row changed": func(m *memory, r *rand.Rand) bool {
			if len(m.objects) > 0 {
				m.objects[r.IntN(len(m.objects))].Digest[r.IntN(32)] ^= 1
			}
			return len(m.objects) > 0
		},
		"row deleted": func(m *memory, r *rand.Rand) bool {
			at := pick(r, len(m.objects))
			if len(m.objects) > 0 {
				m.objects = slices.Delete(m.objects, at, at+1)
				return true
			}
			return false
		},
		"rows swapped": func(m *memory, r *rand.Rand) bool {
			a, b := pick(r, len(m.objects)), pick(r, len(m.objects))
			if a == b {
				return false
			}
			x, y := &m.objects[a], &m.objects[b]
			x.Digest, y.Digest = y.Digest, x.Digest
			return x.Digest != y.Digest
		},
		"row moved to another account": func(m *memory, r *rand.Rand) bool {
			if len(m.objects) == 0 {
				return false
			}
			o := &m.objects[r.IntN(len(m.objects))]
			was := o.Account
			o.Account = []account.ID{alice, bob}[r.IntN(2)]
			return o.Account != was
		},
		"row rolled back": func(m *memory, r *rand.Rand) bool {
			at := slices.IndexFunc(m.objects, func(o audit.Object) bool { _, ok := before[o.Subject]; return ok })
			if at < 0 {
				return false
			}
			was := m.objects[at].Digest
			m.objects[at].Digest = before[m.objects[at].Subject]
			return m.objects[at].Digest != was
		},
		"row without its MAC": func(m *memory, r *rand.Rand) bool {
			if len(m.objects) > 0 {
				m.objects[r.IntN(len(m.objects))].BadMAC = true
			}
			return len(m.objects) > 0
		},
	}
}

// rehash computes the chain of an account anew, from its beginning.
func rehash(m *memory, id account.ID) {
	var head audit.Head
	for i, e := range m.entries {
		if e.Account == id {
			e = e.Next("demo", head)
			m.entries[i], head = e, audit.Head{N: e.N, Hash: e.Hash}
		}
	}
}

// TestCheckProperty: a store is clean after any flows, and not clean after any
// one row of it was forged.
func TestCheckProperty(t *testing.T) {
	keys := []ed25519.PublicKey{public(newKey(0)), public(newKey(1))}
	done := map[string]int{}
	seed := rand.Uint64()
	for round := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, round))
		m, before := flows(t, r)
		if report := check(t, m, keys...); !report.OK() {
			t.Fatalf("seed %d, round %d: not clean: %+v", seed, round, report.Problems)
		}
		for name, forge := range forgeries(before) {
			forged := m.clone()
			if !forge(forged, r) {
				continue
			}
			done[name]++
			if check(t, forged, keys...).OK() {
				t.Errorf("seed %d, round %d: %s, and it is not seen", seed, round, name)
			}
		}
	}
	for name := range forgeries(nil) {
		if done[name] < 5 {
			t.Errorf("%s: tried %d times only", name, done[name])
		}
	}
}
