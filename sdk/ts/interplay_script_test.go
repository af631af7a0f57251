package ts

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// script is test/interplay/pure.ts: one half of a transfer in TypeScript.
type script struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

func newScript(t *testing.T, dir string) *script {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, "node", filepath.Join(dir, "test", "interplay", "pure.js"))
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error("node:", err)
		}
		cancel()
	})
	return &script{t, in, bufio.NewReader(out)}
}

// does calls something and gives what came of it.
func (s *script) does(call string, args map[string]string) reply {
	s.t.Helper()
	got := s.tries(call, args)
	if text, bad := got["error"]; bad {
		s.t.Fatalf("%s: %v", call, text)
	}
	return reply{s.t, got}
}

func (s *script) tries(call string, args map[string]string) map[string]any {
	s.t.Helper()
	asked := map[string]string{"do": call}
	for k, v := range args {
		asked[k] = v
	}
	b, err := json.Marshal(asked)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.in.Write(append(b, '\n')); err != nil {
		s.t.Fatal(err)
	}
	answer, err := s.out.ReadBytes('\n')
	if err != nil {
		s.t.Fatal(call, err)
	}
	got := map[string]any{}
	if err := json.Unmarshal(answer, &got); err != nil {
		s.t.Fatalf("%s: %v in %s", call, err, answer)
	}
	return got
}

// reply is what a call gave.
type reply struct {
	t   *testing.T
	got map[string]any
}

func (r reply) text(name string) string {
	s, _ := r.got[name].(string)
	return s
}

func (r reply) bytes(name string) []byte {
	r.t.Helper()
	b, err := base64.StdEncoding.DecodeString(r.text(name))
	if err != nil {
		r.t.Fatal(name, err)
	}
	return b
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
