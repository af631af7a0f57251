//go:build unix

package main

import (
	"path/filepath"
	"testing"
	"time"
)

// TestTransferResumed kills each of the three once while the history is copied:
// the same commands go on, say so, and nothing is missing.
func TestTransferResumed(t *testing.T) {
	t.Parallel() // it waits for processes most of the time
	s := newKillSite(t)
	s.history(160 << 20)
	s.start()
	m := &mover{T: t, url: "http://" + s.address, old: filepath.Join(s.dir, "old"), fresh: filepath.Join(s.dir, "new"), items: filepath.Join(s.dir, "history")}
	code, enrolled := phoneCommand(t, "enroll", "--server", m.url, "--home", m.old, "--name", "Old")
	if code != 0 {
		t.Fatal(code, enrolled)
	}
	defer m.close()
	victims := []string{"sender", "receiver", "server"}
	for until := time.Now().Add(3 * patience); !m.turn(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("it is not over:\n%s", m)
		}
		receive, send := m.window("receiver"), m.window("sender")
		if len(victims) == 0 || receive == nil || send == nil {
			continue
		}
		if p, ok := latest(receive, "progress"); !ok || p["phase"] != "copy" {
			continue
		}
		time.Sleep(30 * time.Millisecond) // some pieces are on their way
		switch victims[0] {
		case "sender":
			send.kill()
		case "receiver":
			receive.kill()
		default:
			s.kill()
			s.start()
		}
		victims = victims[1:]
	}
	if got := m.outcome(); got != "complete" {
		t.Fatalf("it has ended as %s:\n%s", got, m)
	}
	if err := sameTree(m.items, filepath.Join(m.fresh, historyName, filepath.Base(m.items))); err != nil {
		t.Error(err)
	}
	if got := m.receive.last()["sealing_key_sha256"]; got != enrolled["sealing_key_sha256"] {
		t.Errorf("the sealing key is %v, want %v", got, enrolled["sealing_key_sha256"])
	}
	for name, w := range map[string]*window{"receive": m.receive, "send": m.send} {
		if _, ok := latest(w, "resumed"); !ok {
			t.Errorf("%s does not say that it goes on:\n%s", name, w.text())
		}
	}
	if len(victims) > 0 {
		t.Errorf("never killed while the history was copied: %v", victims)
	}
}
