package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What a system has written to a file is there until it stops itself: a server that
// was killed, or stopped, loses nothing. So what no sync has covered is read again
// when the system has started anew since it was last read, and when nobody can tell.

// bootFile names the start of the system, in data_dir.
const bootFile = "boot-id"

// bootID names this start of the system; empty: it has no name.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id") // Linux
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// recheckMoves reads again what a power cut may have torn, before anybody fetches it.
func (s *Server) recheckMoves(ctx context.Context) error {
	if s.blobs == nil {
		return nil
	}
	file, boot := filepath.Join(s.cfg.DataDir, bootFile), s.bootID()
	if last, err := os.ReadFile(file); err == nil && boot != "" && string(last) == boot {
		return nil
	}
	began := time.Now()
	for _, a := range s.apps {
		if a.moves == nil {
			continue
		}
		if err := a.moves.Recheck(ctx); err != nil {
			return fmt.Errorf("server: app %s: reading history again that may be torn: %w", a.id, err)
		}
	}
	s.log.Info("the system has started anew: history that was on its way is read again", "took", time.Since(began).Round(time.Millisecond))
	if boot == "" {
		return nil
	}
	if err := os.WriteFile(file, []byte(boot), 0o600); err != nil { // if a power cut tears it, all is read once more
		return fmt.Errorf("server: data_dir: %w", err)
	}
	return nil
}
