package client_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/client"
)

// TestHistoryIsRemembered: a move that was cut off goes on with the history that it was
// begun with, though its app names another one now, or none; and says which that is to
// who insists on another.
func TestHistoryIsRemembered(t *testing.T) {
	p := newPair(t, nil)
	p.relay.held = time.Second
	letters := filepath.Join(t.TempDir(), "let\"ters")
	write(t, letters, map[string]string{"a.txt": "1", "deep/b.txt": "2"})
	begun := source(t, &client.FolderSourceOptions{Items: []string{letters}})
	p.c.source = begun
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); p.run(ctx) }()
	for !strings.Contains(p.c.said(), "held") {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	<-done

	other := t.TempDir()
	o := &client.SendOptions{
		Moving: p.c.moving(), Source: source(t, &client.FolderSourceOptions{Dir: other}), Judge: judge(t), Name: "Old", LeastRecall: client.NoLeastRecall,
		Info: client.MoveInfo{Model: "C", OS: "15", App: "1"}, Ask: func(context.Context, *client.Peer) (bool, error) { return true, nil },
		Show: func(string) error { return nil },
	}
	_, err := p.c.start().SendMove(t.Context(), o)
	if !errors.Is(err, client.ErrMoveOther) || !strings.Contains(err.Error(), "begun with "+letters+", and not with "+other) {
		t.Errorf("another one: %v", err)
	}
	o.Resume = func(string) (client.Source, error) { return source(t, &client.FolderSourceOptions{Dir: other}), nil }
	if _, err := p.c.start().SendMove(t.Context(), o); !errors.Is(err, client.ErrMoveOther) {
		t.Errorf("another one by Resume: %v", err)
	}
	o.Resume = func(name string) (client.Source, error) { return client.ReopenFolderSource(name) }
	gone := letters + ".away"
	if err := os.Rename(letters, gone); err != nil {
		t.Fatal(err)
	}
	if _, err := p.c.start().SendMove(t.Context(), o); !errors.Is(err, client.ErrHistory) || !strings.Contains(err.Error(), letters) {
		t.Errorf("it is no longer there: %v", err)
	}
	if err := os.Rename(gone, letters); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { _, err := p.c.start().SendMove(t.Context(), o); ended <- err }()
	if _, err := p.n.receive(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"a.txt": "1", "deep/b.txt": "2"} {
		if got, err := os.ReadFile(filepath.Join(p.n.history(), filepath.Base(letters), name)); string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func source(t *testing.T, o *client.FolderSourceOptions) *client.FolderSource {
	t.Helper()
	s, err := client.NewFolderSource(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestReopenFolderSource: what Name writes is read again, if all is still what it was.
func TestReopenFolderSource(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a=b/\"c\n.txt": "1", "note.txt": "2", "empty/x": ""})
	items := source(t, &client.FolderSourceOptions{Items: []string{filepath.Join(dir, "a=b"), filepath.Join(dir, "note.txt")}})
	for _, s := range []*client.FolderSource{items, source(t, &client.FolderSourceOptions{Dir: dir}), source(t, &client.FolderSourceOptions{Dir: filepath.Join(dir, "none")})} {
		if again, err := client.ReopenFolderSource(s.Name()); err != nil || again.Name() != s.Name() {
			t.Errorf("%q: %v", s.Name(), err)
		}
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, "note.txt")), os.Mkdir(filepath.Join(dir, "note.txt"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for what, name := range map[string]string{
		"a file is a folder now": items.Name(), "another source's": "store 7", "a part": `"a"="/b"`, "no line": `"a"="/b"/"c"`,
		"more behind it": "\"a\"=\"/b\"/\"c\"x\n", "anywhere": "\"a\"=\"b\"/\"c\"\n",
	} {
		if _, err := client.ReopenFolderSource(name); !errors.Is(err, client.ErrHistory) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
