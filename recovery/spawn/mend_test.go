package spawn

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFolderGone: without the folder of one vault, or of the witness, the others
// go on. A witness takes the counts from them; no vault makes itself new keys, and
// with its folder back it is what it was.
func TestFolderGone(t *testing.T) {
	for _, tt := range []struct {
		gone   string
		joined []string // who takes part afterwards
		want   string   // in the log
	}{
		{"v2", []string{"v1", "v3", "w1"}, "without the master keys no record of this vault can be opened: restore the folder"},
		{"w1", []string{"v1", "v2", "v3", "w1"}, "restore it"},
	} {
		t.Run(tt.gone, func(t *testing.T) {
			d := dir(t)
			first, stop := running(t, options(d))
			before, err := first.links["v2/a"].Info(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			stop()
			kept, gone := filepath.Join(filepath.Dir(d), "kept"), filepath.Join(d, tt.gone)
			if err := os.Rename(gone, kept); err != nil {
				t.Fatal(err)
			}

			said := &log{}
			o := options(d)
			o.Stderr, o.Logger = said, slog.New(slog.NewTextHandler(said, nil))
			s, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- s.Run(ctx) }()
			end := time.Now().Add(time.Minute)
			for _, text := range append(rejoined(tt.joined), tt.want, gone) {
				for !strings.Contains(said.String(), text) {
					if time.Now().After(end) {
						t.Fatalf("nobody says %q:\n%s", text, said)
					}
					time.Sleep(20 * time.Millisecond)
				}
			}
			if _, err := s.links["v2/a"].Info(ctx); (err == nil) != (tt.gone != "v2") {
				t.Errorf("v2: %v", err)
			}
			cancel()
			if err := <-done; err != nil {
				t.Fatal(err)
			}

			if err := os.RemoveAll(gone); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(kept, gone); err != nil {
				t.Fatal(err)
			}
			whole, _ := running(t, options(d))
			after, err := whole.links["v2/a"].Info(t.Context())
			if err != nil || after.Epoch != before.Epoch || !bytes.Equal(after.HPKE, before.HPKE) {
				t.Errorf("v2 is another vault than before: %v", err)
			}
		})
	}
}

// rejoined are what witnesses say that take part again.
func rejoined(ids []string) (all []string) {
	for _, id := range ids {
		all = append(all, "msg=recovery.rejoined witness="+id)
	}
	return all
}
