//go:build unix

package vault

import (
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// prepared is one account at one vault: its requests and its row.
type prepared struct {
	v        *Vault
	evaluate wire.Call
	release  wire.Call
}

func (p *prepared) call(b *testing.B, c *wire.Call) {
	reply := p.v.Handle(b.Context(), c)
	if reply == nil || reply.Result != wire.CodeDone {
		b.Errorf("%v: %+v", c.Op, reply)
		return
	}
	p.evaluate.Record, p.release.Record = reply.Record, reply.Record
}

// BenchmarkRecovery: an evaluate and a release at three vaults in this process,
// whose marks four witnesses keep in their memories. The phone's half was done
// beforehand. It tells how many recoveries a second all processors make, and how
// long 99 of 100 take at most.
func BenchmarkRecovery(b *testing.B) {
	for _, proof := range []bool{false, true} {
		b.Run(map[bool]string{false: "2of3", true: "2of3-proofs"}[proof], func(b *testing.B) {
			pool := make(chan [3]*prepared, 64)
			vaults := benchVaults(b)
			for i := range cap(pool) {
				var three [3]*prepared
				for j, g := range vaults {
					three[j] = prepare(b, g, byte(i), proof)
				}
				pool <- three
			}
			var mu sync.Mutex
			var took []time.Duration
			before := cpu(b)
			b.ResetTimer()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					three := <-pool
					began := time.Now()
					for _, p := range three {
						p.call(b, &p.evaluate)
					}
					for _, p := range three {
						p.call(b, &p.release)
					}
					d := time.Since(began)
					pool <- three
					mu.Lock()
					took = append(took, d)
					mu.Unlock()
				}
			})
			slices.Sort(took)
			b.ReportMetric(float64(cpu(b)-before)/1e6/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "recoveries/s")
			b.ReportMetric(float64(took[len(took)*99/100])/1e6, "p99-ms")
		})
	}
}

// cpu is the processor time of this process so far: on a machine that does other
// things the only figure that says something.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchVaults are three vaults on a quorum of 4, 3 and 3, one liar tolerated.
func benchVaults(b *testing.B) [3]*rig {
	b.Helper()
	ids := []string{"v1", "v2", "v3", "w1"}
	var witnesses []*Witness
	for _, id := range ids {
		w, err := NewWitness(&WitnessOptions{ID: id, Boot: NewBoot().ID, All: ids, Q: 3, R: 3, F: 1})
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Begin(); err != nil {
			b.Fatal(err)
		}
		witnesses = append(witnesses, w)
	}
	var vaults [3]*rig
	for i := range vaults {
		g := newRig(b, func(c *wire.Config) { c.Vault = ids[i] })
		var peers []Peer
		for _, w := range witnesses {
			peers = append(peers, w.Local(ids[i]))
		}
		q, err := NewQuorum(&QuorumOptions{
			Vault: ids[i], Key: g.keys.MarkKey(ids[i]), Witnesses: peers, Q: 3, R: 3, F: 1, Own: witnesses[i], Timeout: time.Minute,
		})
		if err != nil {
			b.Fatal(err)
		}
		g.fresh.clock = time.Now() // of the witnesses too
		o := g.options()
		o.Replica, o.Freshness = fmt.Sprintf("%s/a", ids[i]), q
		if g.v, err = New(o); err != nil {
			b.Fatal(err)
		}
		vaults[i] = g
	}
	return vaults
}

// prepare registers an account at a vault and seals what its phone will send.
func prepare(b *testing.B, g *rig, n byte, proof bool) *prepared {
	b.Helper()
	g.acct, g.row = wire.Acct{n, 1}, nil
	r := g.register("271828")
	g.mustManage(wire.OpCreate, g.createOf(r, 0, nil), g.voucher(wire.PurposeFirst), wire.VerdictOK, 1)
	body, err := wire.Encode(&wire.Evaluate{Reg: r.reg, B: g.blind(r, r.pin, 1).Element.Bytes(), WantProof: proof})
	if err != nil {
		b.Fatal(err)
	}
	evaluate, key := g.seal(wire.OpEvaluate, body)
	a, _ := g.send(evaluate, key)
	if body, err = wire.Encode(g.releaseOf(r, r.pin, 1, a)); err != nil {
		b.Fatal(err)
	}
	release, _ := g.seal(wire.OpRelease, body)
	evaluate.Record, release.Record = g.row, g.row
	return &prepared{g.v, *evaluate, *release}
}
