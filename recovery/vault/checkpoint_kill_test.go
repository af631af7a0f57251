package vault

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const killedDir = "STAUNCH_TEST_WITNESS_DIR"

func soleWitness(t *testing.T, dir string) *Witness {
	t.Helper()
	w, err := NewWitness(&WitnessOptions{ID: "v1", Boot: bootID(), All: []string{"v1"}, Q: 1, R: 1, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestKilledChild is the process that TestKilled kills: it prints what a witness
// has acknowledged, account and version, for ever.
func TestKilledChild(t *testing.T) {
	dir := os.Getenv(killedDir)
	if dir == "" {
		t.Skip("run by TestKilled")
	}
	w := soleWitness(t, dir)
	if w.Begin() != nil {
		if err := w.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	w.journal.idle()
	w.journal.least = 30_000 // so that snapshots are killed too
	w.journal.writing.Unlock()
	q, err := NewQuorum(&QuorumOptions{Vault: "v1", Key: testKey(), Witnesses: []Peer{w.Local("v1")}, Q: 1, R: 1})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for writer := range byte(4) {
		wg.Go(func() {
			for {
				m, err := charge(q, acctOf(writer+1), byte(rand.IntN(255)+1))
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Printf("counted %d %d\n", writer+1, m.Ver)
			}
		})
	}
	wg.Wait()
}

// TestKilled kills a witness again and again: what it has acknowledged it knows.
func TestKilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "witness")
	counted := map[byte]uint64{}
	for range 6 {
		child := exec.Command(os.Args[0], "-test.run", "^TestKilledChild$")
		child.Env = append(os.Environ(), killedDir+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Minute, func() { child.Process.Kill() }) // or, below, once it has counted
		lines := 0
		for in := bufio.NewScanner(out); in.Scan(); {
			var acct byte
			var ver uint64
			if _, err := fmt.Sscanf(in.Text(), "counted %d %d", &acct, &ver); err != nil {
				if !strings.HasPrefix(in.Text(), "counted") {
					t.Fatal(in.Text())
				}
				continue // cut short by the kill
			}
			counted[acct] = max(counted[acct], ver)
			if lines++; lines == 1 {
				kill.Reset(time.Duration(50+rand.IntN(250)) * time.Millisecond)
			}
		}
		child.Wait()
		kill.Stop()
		w := soleWitness(t, dir)
		for acct, ver := range counted {
			if m := heldBy(w, acctOf(acct)); m.Ver < ver {
				t.Fatalf("account %d is at version %d, and %d was acknowledged", acct, m.Ver, ver)
			}
		}
		if got := headOf(w.journal); got.N == 0 || lines == 0 {
			t.Errorf("%d lines, head %+v", lines, got)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	if snapshots, err := numbered(dir, snapshotName); err != nil || len(snapshots) == 0 {
		t.Errorf("no snapshot was made: %v", err)
	}
}
