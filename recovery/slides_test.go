package recovery_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/storetest"
)

// TestSlides runs the scripts of testdata/slides: what the design that profile seed
// reproduces says, rule by rule, with real enclaves, a real store and the service.
//
// A line with > is a command, those after it what it says, and # is a comment.
//
//	enclaves N, tries N      how many there are, and how many are asked at most
//	backup PIN DATA          through the service, as a phone does
//	restore PIN
//	count N                  back up, and restore until the count is N
//	counts                   the counts in storage and of each enclave; #1 is the sticky one
//	give #N V restore PIN    an insider hands an enclave the record of version V
//	put back V               an insider puts that record into storage
//	restart #N               an enclave forgets
//	storage loses | fails [N] | works | hides
//	queue breaks | works | applies
//	trace                    what was done for the last call, in order
//	search TEXT …            in storage, queue, logs and on the links
//	history, forks           versions that are noted, and events recovery.fork
//	users N, another enclave accounts and who served them
func TestSlides(t *testing.T) {
	files, err := filepath.Glob("testdata/slides/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := newSlides(t)
			s.start(3)
			var want []string
			command, at := "", 0
			check := func() {
				if command == "" {
					return
				}
				got := s.run(strings.Fields(command))
				if got != strings.Join(want, "\n") {
					t.Fatalf("%s:%d: %s\n%s\nwant\n%s", file, at, command, got, strings.Join(want, "\n"))
				}
			}
			for i, line := range strings.Split(string(text), "\n") {
				switch {
				case strings.HasPrefix(line, "> "):
					check()
					command, at, want = line[2:], i+1, nil
				case line != "" && line[0] != '#':
					want = append(want, line)
				}
			}
			check()
		})
	}
}

// run does one command and gives what it says.
func (s *slides) run(w []string) string {
	s.Helper()
	arg := func(i int) string {
		if i < len(w) {
			return w[i]
		}
		return ""
	}
	n := func(i int) int {
		v, err := strconv.Atoi(strings.TrimPrefix(arg(i), "#"))
		if err != nil {
			s.Fatalf("%q: %v", w, err)
		}
		return v
	}
	switch w[0] {
	case "enclaves":
		s.start(n(1))
	case "tries":
		s.tries = n(1)
		s.serve()
	case "backup":
		return s.through(wire.OpSeedBackup, arg(1), arg(2))
	case "restore":
		return s.through(wire.OpSeedRestore, arg(1), "")
	case "count":
		s.through(wire.OpSeedBackup, "482915", "secret")
		for s.stored().Ver < uint64(n(1)) {
			s.through(wire.OpSeedRestore, "482915", "")
		}
		return s.counts()
	case "counts":
		return s.counts()
	case "give":
		return s.give(s.number(n(1)), uint64(n(2)), wire.OpSeedRestore, arg(4))
	case "put":
		s.putBack(uint64(n(2)))
	case "restart":
		s.number(n(1)).restart()
	case "storage":
		s.loses, s.blind, s.fails = arg(1) == "loses", arg(1) == "hides", 0
		if arg(1) == "fails" {
			s.fails = -1
			if arg(2) != "" {
				s.fails = n(2)
			}
		}
	case "queue":
		return s.runQueue(arg(1))
	case "trace":
		return strings.Join(s.traced, ", ")
	case "search":
		return s.search(w[1:])
	case "history":
		return s.history()
	case "forks":
		return strconv.Itoa(s.forks())
	case "users":
		return s.users(n(1))
	case "another":
		return s.another()
	default:
		s.Fatalf("there is no command %q", w)
	}
	return ""
}

func (s *slides) runQueue(what string) string {
	s.queue.broken = what == "breaks"
	if what != "applies" {
		return ""
	}
	n := len(s.queue.held)
	for _, r := range s.queue.held {
		b, err := json.Marshal(r)
		if err != nil {
			s.Fatal(err)
		}
		s.wire.Write(b)
	}
	if err := s.queue.drain(s.Context(), nil); err != nil {
		return "not yet"
	}
	return fmt.Sprintf("applied %d", n)
}

// stored is what storage has of the account.
func (s *slides) stored() (r recovery.RecordRow) {
	s.Helper()
	err := s.store.View(s.Context(), func(tx storetest.Tx) (err error) {
		r, _, err = tx.Recovery(s.Context(), "v1", s.acct())
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return r
}

func (s *slides) counts() string {
	s.Helper()
	out := []string{fmt.Sprintf("storage %d", s.stored().Ver)}
	for i := range s.enclaves {
		m, err := s.number(i+1).memory.Load(s.Context(), s.acct())
		if err != nil {
			s.Fatal(err)
		}
		out = append(out, fmt.Sprintf("#%d %d", i+1, m.Ver))
	}
	return strings.Join(out, ", ")
}

// putBack puts an older record into storage.
func (s *slides) putBack(version uint64) {
	s.Helper()
	err := s.store.Update(s.Context(), func(tx storetest.Tx) error {
		r, _, err := tx.Recovery(s.Context(), "v1", s.acct())
		if err != nil {
			return err
		}
		gone := r
		gone.State, gone.Ver = uint8(wire.StateDeleted), r.Ver+1 // so that it can be dropped
		if _, err := tx.AdvanceRecovery(s.Context(), gone); err != nil {
			return err
		}
		if _, err := tx.DropTombstones(s.Context(), "v1", 1<<31, 10); err != nil {
			return err
		}
		r.Ver, r.Sealed = version, s.records[version]
		return tx.CreateRecovery(s.Context(), r)
	})
	if err != nil {
		s.Fatal(err)
	}
}

// search looks for texts in all that an insider can read.
func (s *slides) search(texts []string) string {
	s.Helper()
	files, err := filepath.Glob(s.path + "*")
	if err != nil {
		s.Fatal(err)
	}
	places := map[string][]byte{"on a link or in the queue": s.wire.Bytes(), "in a log": s.log.Bytes()}
	for _, f := range files {
		if places["in storage"], err = os.ReadFile(f); err != nil {
			s.Fatal(err)
		}
		for _, text := range texts {
			for place, b := range places {
				if bytes.Contains(b, []byte(text)) {
					return text + " " + place
				}
			}
		}
	}
	return fmt.Sprintf("nowhere, in %d files", len(files))
}

func (s *slides) history() string {
	s.Helper()
	var all []recovery.HistoryRow
	err := s.store.View(s.Context(), func(tx storetest.Tx) (err error) {
		all, err = tx.History(s.Context(), "v1", s.acct(), 100)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	var out []string
	for _, h := range slices.Backward(all) {
		out = append(out, strconv.FormatUint(h.Ver, 10))
	}
	return strings.Join(out, " ")
}

func (s *slides) forks() (n int) {
	s.Helper()
	err := s.store.View(s.Context(), func(tx storetest.Tx) error {
		all, err := tx.Events(s.Context(), 0, 1000)
		for _, e := range all {
			if e.Type == "recovery.fork" {
				n++
			}
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return n
}

// users backs up and restores for many accounts.
func (s *slides) users(n int) string {
	s.Helper()
	busy := map[string]int{}
	for range n {
		s.id = account.NewID()
		s.through(wire.OpSeedBackup, "482915", "secret")
		s.through(wire.OpSeedRestore, "482915", "")
		if len(s.served[s.id]) != 1 {
			return fmt.Sprintf("%s was served by %v", s.id, s.served[s.id])
		}
		for name := range s.served[s.id] {
			busy[name]++
		}
	}
	for name, served := range busy {
		if !about(served, n/len(s.enclaves)) {
			return fmt.Sprintf("%s served %d of %d", name, served, n)
		}
	}
	return fmt.Sprintf("each by one of %d", len(busy))
}

// about allows what chance does in one of a million runs.
func about(n, want int) bool { return math.Abs(float64(n-want)) < 5*math.Sqrt(float64(want)) }

// another adds an enclave and counts the accounts that go to it.
func (s *slides) another() string {
	s.Helper()
	before := map[account.ID]string{}
	for id := range s.served {
		s.id = id
		before[id] = s.number(1).name
	}
	e := &enclave{slides: s, name: "v1/" + string(rune('a'+len(s.enclaves)))}
	e.restart()
	s.enclaves = append(s.enclaves, e)
	s.serve()
	moved, elsewhere := 0, 0
	for id, name := range before {
		s.id = id
		switch now := s.number(1).name; {
		case now == e.name:
			moved++
		case now != name:
			elsewhere++
		}
	}
	s.served = map[account.ID]map[string]bool{}
	if !about(moved, len(before)/len(s.enclaves)) || elsewhere > 0 {
		return fmt.Sprintf("%d of %d moved to it, %d elsewhere", moved, len(before), elsewhere)
	}
	return "its share moved to it, and none elsewhere"
}
