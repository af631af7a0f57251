package vault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// journalled is a set of 4 witnesses with journals.
func journalled(t testing.TB) *set {
	t.Helper()
	s := &set{TB: t, key: testKey(), sizes: sizes{4, 3, 3, 1}}
	for range 4 {
		s.dirs = append(s.dirs, filepath.Join(t.TempDir(), "witness"))
	}
	return startSet(s)
}

// join lets the witnesses with these numbers join the others, all at once.
func (s *set) join(within time.Duration, which ...int) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	errs := make([]error, len(which))
	var wg sync.WaitGroup
	for n, i := range which {
		wg.Go(func() { errs[n] = s.witnesses[i].Run(ctx, s.others(i)) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *set) attempts(acct [16]byte, n int) {
	s.Helper()
	for range n {
		m, err := s.writer.Load(context.Background(), acct)
		if err != nil {
			s.Fatal(err)
		}
		if _, err := charge(s.writer, acct, byte(m.Charges)+1); err != nil {
			s.Fatal(err)
		}
	}
}

func copyDir(t testing.TB, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// TestPowerCut is crash/16: all witnesses restart at once, and their journals
// bring the marks back, if R of them agree with the heads that the others keep.
func TestPowerCut(t *testing.T) {
	for _, c := range []struct {
		name  string
		back  []int // whose disks are put back to before the last attempts
		gone  []int // who never starts again
		joins bool
	}{
		{name: "all come back", joins: true},
		{name: "one never comes back", gone: []int{3}, joins: true},
		{name: "two never come back", gone: []int{2, 3}},
		{name: "one disk is put back", back: []int{2}, joins: true},
		{name: "two disks are put back", back: []int{1, 2}},
		{name: "one disk is put back, and one is gone", back: []int{2}, gone: []int{3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := journalled(t)
			s.attempts(acctOf(1), 3)
			old := make([]string, 4)
			for _, i := range c.back {
				old[i] = filepath.Join(t.TempDir(), "old")
				copyDir(t, s.dirs[i], old[i])
			}
			s.attempts(acctOf(1), 3)
			s.attempts(acctOf(2), 1)
			s.attempts(acctOf(2), 1)
			gone := map[int]bool{}
			for _, i := range c.gone {
				gone[i] = true
				s.peers[i].cut(true)
			}
			for _, i := range c.back {
				copyDir(t, old[i], s.dirs[i])
			}
			var started []int
			for i := range s.witnesses {
				w := s.restart(i)
				if gone[i] { // its folder is lost with it
					forget(w)
					continue
				}
				started = append(started, i)
			}
			if err := s.join(time.Second, started...); (err == nil) != c.joins {
				t.Fatalf("joining: %v", err)
			}
			m, err := s.quorum(nil).Load(t.Context(), acctOf(1))
			if !c.joins {
				if !errors.Is(err, ErrAmnesia) && !errors.Is(err, ErrUnavailable) {
					t.Errorf("%+v, %v", m, err)
				}
				return
			}
			if err != nil || m.Charges != 6 {
				t.Errorf("after the power cut: %+v, %v", m, err)
			}
			s.writer = s.quorum(s.witnesses[0])
			s.attempts(acctOf(1), 1)
		})
	}
}

// TestBegunOnce: where a journal is, nothing is begun anew, also when it has no
// mark yet.
func TestBegunOnce(t *testing.T) {
	s := journalled(t)
	if err := s.restart(1).Begin(); err == nil {
		t.Error("a witness with a journal begins anew")
	}
}

// TestRestartWithJournal: a witness that restarts counts its own journal, so two
// others are enough; put back, it does not count.
func TestRestartWithJournal(t *testing.T) {
	for _, c := range []struct {
		name       string
		back, fits bool
	}{{"as it was", false, true}, {"put back", true, false}} {
		t.Run(c.name, func(t *testing.T) {
			s := journalled(t)
			s.attempts(acctOf(1), 2)
			old := filepath.Join(t.TempDir(), "old")
			copyDir(t, s.dirs[3], old)
			s.attempts(acctOf(1), 2)
			if c.back {
				copyDir(t, old, s.dirs[3])
			}
			s.restart(3)
			forget(s.witnesses[2]) // the third is gone
			if err := s.join(time.Second, 3); (err == nil) != c.fits {
				t.Errorf("joining: %v", err)
			}
		})
	}
}

func headOf(j *journal) Head {
	j.writing.Lock()
	defer j.writing.Unlock()
	return j.end
}

func lastSegment(t testing.TB, dir string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, segmentName+"*"))
	if err != nil || len(all) == 0 {
		t.Fatal("no segment", err)
	}
	return all[len(all)-1]
}

// TestJournalDamage: the beginning of a frame at the end is cut off, damage
// anywhere else is an error.
func TestJournalDamage(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func([]byte) []byte
		lost   uint64 // batches; refused: it is an error
	}{
		{"whole", func(b []byte) []byte { return b }, 0},
		{"a torn tail", func(b []byte) []byte { return b[:len(b)-5] }, 1},
		{"a bit of the last frame", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, 1},
		{"half a head at the end", func(b []byte) []byte { return append(b, 0, 0, 1) }, 0},
		{"zeros at the end", func(b []byte) []byte { return append(b, make([]byte, 300)...) }, 0},
		{"a bit of the first frame", func(b []byte) []byte { b[20] ^= 1; return b }, refused},
		{"a length in the middle", func(b []byte) []byte { b[0] = 0x7f; return b }, refused},
		{"the first frame left out", func(b []byte) []byte { _, rest, _ := unframe(b); return rest }, refused},
		{"a frame twice", func(b []byte) []byte {
			_, rest, _ := unframe(b)
			return append(b[:len(b)-len(rest):len(b)-len(rest)], b...)
		}, refused},
		{"the first frame made again", func(b []byte) []byte {
			_, rest, _ := unframe(b)
			body, _ := encode(&chained{n: 1, entries: []entry{{kind: entryLife, name: "v2", life: life(9, 9)}}})
			return append(framed(body), rest...)
		}, refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := journalled(t)
			s.attempts(acctOf(1), 3)
			if err := s.witnesses[1].Close(); err != nil {
				t.Fatal(err)
			}
			end := headOf(s.witnesses[1].journal).N
			file := lastSegment(t, s.dirs[1])
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, c.damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			o := &WitnessOptions{ID: "v2", Boot: bootID(), All: []string{"v1", "v2"}, Q: 2, R: 2, Dir: s.dirs[1]}
			w, err := NewWitness(o)
			if c.lost == refused {
				if !errors.Is(err, ErrJournal) {
					t.Errorf("it is read: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := headOf(w.journal).N; got != end-c.lost {
				t.Errorf("%d batches are left of %d", got, end)
			}
			wait := w.durable(entry{kind: entryLife, name: "v1", life: life(5, 5)})
			if _, err := wait(); err != nil {
				t.Fatal(err)
			}
			w.Close()
			if w, err = NewWitness(o); err != nil || w.view["v1"] != life(5, 5) { // what was cut off stays off
				t.Fatalf("read once more: %v", err)
			}
			w.Close()
		})
	}
}

const refused = 1 << 40

// TestDiskGone: what cannot be written is not acknowledged, and nothing is after it.
func TestDiskGone(t *testing.T) {
	s := journalled(t)
	s.attempts(acctOf(1), 1)
	w := s.witnesses[1]
	w.journal.file.Close()
	for range 2 {
		wait := w.durable(entry{kind: entryLife, name: "v1", life: life(5, 5)})
		if _, err := wait(); !errors.Is(err, ErrJournal) {
			t.Errorf("it is acknowledged: %v", err)
		}
	}
}

func TestAgrees(t *testing.T) {
	kept := Head{N: 7, Hash: wire.Hash{1}}
	for _, c := range []struct {
		name   string
		answer HeadAnswer
		live   bool
		want   bool
	}{
		{"the same", HeadAnswer{Known: true, Hash: kept.Hash}, false, true},
		{"another", HeadAnswer{Known: true, Hash: wire.Hash{2}}, true, false},
		{"it never got there", HeadAnswer{}, true, false},
		{"too long ago, live all the time", HeadAnswer{Past: true}, true, true},
		{"too long ago, from the disk", HeadAnswer{Past: true}, false, false},
	} {
		if got := agrees(c.answer, kept, c.live); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestSnapshot: a journal does not grow for ever, and loses nothing.
func TestSnapshot(t *testing.T) {
	s := journalled(t)
	j := s.witnesses[1].journal
	j.writing.Lock()
	j.least = 5_000
	j.writing.Unlock()
	for range 30 {
		for a := range byte(10) {
			s.attempts(acctOf(a+1), 1)
		}
		j.idle()
		j.least = 5_000
		j.writing.Unlock()
	}
	s.witnesses[1].Close()
	segments, err := numbered(s.dirs[1], segmentName)
	if err != nil || len(segments) > 2 || segments[0] < 3 {
		t.Errorf("segments %v, %v", segments, err)
	}
	end := headOf(j)
	w := s.restart(1)
	if headOf(w.journal) != end || uint64(len(w.journal.recent)) != end.N {
		t.Errorf("the chain ends at %v, it ended at %v", w.journal.end, end)
	}
	for a := range byte(10) {
		if m := heldBy(w, acctOf(a+1)); m.Charges < 29 { // the last write may have gone to the three others
			t.Errorf("account %d: %+v", a, m)
		}
	}
	if err := s.join(3*time.Second, 1); err != nil {
		t.Error(err)
	}
	w.Close()
	snapshots, err := numbered(s.dirs[1], snapshotName)
	if err != nil || len(snapshots) != 1 {
		t.Fatal(snapshots, err)
	}
	name := w.journal.snapshot(snapshots[0])
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, first, _ := unframe(b)
	_, rest, _ := unframe(first)
	if err := os.WriteFile(name, append(b[:len(b)-len(first):len(b)-len(first)], rest...), 0o600); err != nil { // whole frames, but fewer
		t.Fatal(err)
	}
	if _, err := NewWitness(&WitnessOptions{ID: "v2", Boot: bootID(), All: []string{"v1", "v2"}, Q: 2, R: 2, Dir: s.dirs[1]}); !errors.Is(err, ErrJournal) {
		t.Errorf("a snapshot from which something was taken: %v", err)
	}
}
