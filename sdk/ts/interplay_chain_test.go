package ts

import (
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
)

// handset is a phone of either language, by what a person does with it.
type handset struct {
	w    *world
	home string
	ts   bool // in TypeScript; else in Go
}

// in is a command of the phone, in its language.
func (h handset) in(t *testing.T, ts string, args map[string]string, goes ...string) *exec.Cmd {
	if h.ts {
		return h.w.inTypeScript(t.Context(), h.home, ts, args)
	}
	return h.w.inGo(t.Context(), h.home, goes...)
}

// enrol makes the phone one with an account, sealing keys, a history and a backup.
func (h handset) enrol(t *testing.T, pin string, files map[string]string) (account string) {
	t.Helper()
	e := does(t, h.in(t, "enrollWithKeys", map[string]string{"name": "First"}, "enroll", "--server", h.w.url, "--name", "First"))
	for name, content := range files {
		if h.ts {
			does(t, h.in(t, "addHistory", map[string]string{"path": name, "content": content}))
			continue
		}
		file := filepath.Join(h.w.dir, h.home, "history", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if b := does(t, h.in(t, "backUp", map[string]string{"pin": pin}, "backup", "--pin-file", h.w.pinFile(t, pin))); b["acknowledged"] != 3.0 {
		t.Fatalf("not every vault has the backup: %v", b)
	}
	return e.text("account")
}

// savedHome is what `staunch phone` has in its phone.json, in part.
type savedHome struct {
	Key []byte   `json:"sealing_key"` // PKCS #8
	Old [][]byte `json:"old_sealing_keys"`
}

// saved is what is in the store of the phone.
func (h handset) saved(t *testing.T) (home savedHome) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(h.w.dir, h.home, "phone.json"))
	if err == nil {
		err = json.Unmarshal(b, &home)
	}
	if err != nil {
		t.Fatal(err)
	}
	return home
}

// key is the phone's sealing key, in PKCS #8.
func (h handset) key(t *testing.T) string {
	t.Helper()
	if !h.ts {
		return hex.EncodeToString(h.saved(t).Key)
	}
	return does(t, h.in(t, "sealingKey", nil)).text("key")
}

// history is what the phone has of it.
func (h handset) history(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	if h.ts {
		got, _ := does(t, h.in(t, "history", nil))["files"].(map[string]any)
		for name, content := range got {
			files[name], _ = content.(string)
		}
		return files
	}
	dir := filepath.Join(h.w.dir, h.home, "history")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[filepath.ToSlash(strings.TrimPrefix(path, dir+string(filepath.Separator)))] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// cooled waits until the phone, which was added, may do all that its account may.
func (h handset) cooled(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		st := does(t, h.in(t, "status", nil, "status"))
		if st["deviceState"] == float64(accountv1.State_STATE_ACTIVE) || st["device_state"] == "active" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the phone in %s does not cool off: %v", h.home, st)
		}
	}
}

// lose loses the phone, for good.
func (h handset) lose(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(h.w.dir, h.home)); err != nil {
		t.Fatal(err)
	}
}

// recover makes the phone, which is new, the account's, by the PIN alone. It gives
// the sealing keys that came back, in PKCS #8.
func (h handset) recover(t *testing.T, account, pin string) (keys []string) {
	t.Helper()
	if h.ts {
		at := does(t, h.in(t, "start", map[string]string{"account": account, "name": "Third"}))
		if at["open"] != false {
			t.Fatalf("there was no wait: %v", at)
		}
		got := until(t, func() *exec.Cmd { return h.in(t, "recover", map[string]string{"pin": pin}) })
		for _, secret := range got["secrets"].([]any) {
			keys = append(keys, secret.(string))
		}
		if e := does(t, h.in(t, "finish", map[string]string{"name": "Third"})); e.text("account") != account {
			t.Errorf("recovered %v, and the account is %s", e, account)
		}
		return keys
	}
	got := until(t, func() *exec.Cmd {
		return h.in(t, "", nil, "recover", "--server", h.w.url, "--name", "Third", "--account", account, "--pin-file", h.w.pinFile(t, pin))
	})
	if got.text("account") != account {
		t.Errorf("recovered %v, and the account is %s", got, account)
	}
	for _, key := range h.saved(t).Old {
		keys = append(keys, hex.EncodeToString(key))
	}
	return keys
}

// TestChain: an account that was made with a phone of one language moves to one of
// the other, which is lost; a third one, of the first language, has the sealing key
// back by the PIN, byte for byte.
func TestChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, configure(t, map[string]string{
		"app.transfer hold_none": "none", "app.transfer hold_risk": "none", "app.hold add": "1s", "app.hold recovery": "1s", "app.wait recovery": "3s",
	}))
	files := map[string]string{"chat.jsonl": "{\"n\":1}\n", "pictures/ü.txt": "picture"}
	const pin = "748219"
	for _, c := range []struct {
		name string
		ts   bool // the first phone and the third
	}{{"TypeScript, Go, TypeScript", true}, {"Go, TypeScript, Go", false}} {
		t.Run(c.name, func(t *testing.T) {
			first, second, third := handset{w, c.name + "/1", c.ts}, handset{w, c.name + "/2", !c.ts}, handset{w, c.name + "/3", c.ts}
			account := first.enrol(t, pin, files)
			key := first.key(t)
			_, got := moves(t, second.in(t, "receive", nil, "transfer receive", "--server", w.url), func(uri string) *exec.Cmd {
				return first.in(t, "send", map[string]string{"uri": uri}, "transfer send", "--yes", "--scan", uri)
			})
			if got.text("account") != account || second.key(t) != key {
				t.Errorf("the second phone has another account or key than the first: %v", got)
			}
			if have := second.history(t); !maps.Equal(have, files) {
				t.Errorf("the second phone has the history %q, and the first had %q", have, files)
			}
			// Its half of the backup came along: it brings that up to date, without a PIN.
			second.cooled(t)
			if b := does(t, second.in(t, "update", nil, "backup")); b["acknowledged"] != 3.0 {
				t.Errorf("not every vault has what the second phone brought up to date: %v", b)
			}
			second.lose(t)
			if keys := third.recover(t, account, pin); len(keys) != 1 || keys[0] != key || len(key) != 96 {
				t.Errorf("the third phone has the keys %v, and the first had %s", keys, key)
			}
		})
	}
}
