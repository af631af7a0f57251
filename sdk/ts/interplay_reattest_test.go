package ts

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/client"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
)

// revoke ends a device's key, as the app's backend does.
func (w *world) revoke(t *testing.T, key string) {
	t.Helper()
	secret, err := os.ReadFile(filepath.Join(w.dir, "server", "service.token"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := client.NewToken(string(secret))
	if err != nil {
		t.Fatal(err)
	}
	o := client.Options{URL: w.url, Token: token}
	c, err := o.HTTP()
	if err != nil {
		t.Fatal(err)
	}
	api := attestv1connect.NewAttestServiceClient(c, w.url)
	if _, err := api.RevokeKey(t.Context(), connect.NewRequest(&attestv1.RevokeKeyRequest{KeyId: key, Reason: "lost"})); err != nil {
		t.Fatal(err)
	}
}

// TestReattest: a device gets a new key while its own is good; and once that was
// revoked, by its owner's passkey, after which it cools off. In both languages.
func TestReattest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()

	t.Run("Go", func(t *testing.T) {
		first := does(t, w.inGo(ctx, "go", "enroll", "--server", w.url, "--name", "Pixel"))
		one := does(t, w.inGo(ctx, "go", "reattest"))
		if one.text("device") != first.text("device") || one.text("device_state") != "active" {
			t.Fatal(one)
		}
		w.revoke(t, one.text("key"))
		locked := does(t, w.inGo(ctx, "go", "status"))
		for end := time.Now().Add(20 * time.Second); locked.text("device_state") != "locked"; locked = does(t, w.inGo(ctx, "go", "status")) {
			if time.Now().After(end) {
				t.Fatal("the device is not locked:", locked)
			}
		}
		two := does(t, w.inGo(ctx, "go", "reattest"))
		if two.text("device") != first.text("device") || two.text("device_state") != "held" || two.text("key") == one.text("key") || two.text("hold_until") == "" {
			t.Error(two)
		}
		if again := w.inGo(ctx, "go", "reattest"); again.Run() == nil {
			t.Error("a device that cools off is attested anew")
		}
		if st := does(t, w.inGo(ctx, "go", "status")); st.text("device_state") != "held" {
			t.Error("after a refusal:", st)
		}
	})
	t.Run("TypeScript", func(t *testing.T) {
		first := does(t, w.inTypeScript(ctx, "ts", "enroll", map[string]string{"name": "Page"}))
		one := does(t, w.inTypeScript(ctx, "ts", "reattest", nil))
		if one.text("key") == "" || one.text("next") != "" {
			t.Fatal(one)
		}
		if st := does(t, w.inTypeScript(ctx, "ts", "signIn", nil)); st.text("device") != first.text("device") || st.text("key") != one.text("key") {
			t.Error(st)
		}
		w.revoke(t, one.text("key"))
		w.reaches(t, "ts", 4)
		two := does(t, w.inTypeScript(ctx, "ts", "reattest", nil))
		if two.text("key") == one.text("key") || two.text("next") != "" {
			t.Error(two)
		}
		w.reaches(t, "ts", 2)
	})
}

// reaches waits until a device of TypeScript's has a state: 2 is held, 4 is locked.
func (w *world) reaches(t *testing.T, home string, state float64) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		st := does(t, w.inTypeScript(t.Context(), home, "status", nil))
		if st["deviceState"] == state {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the device does not reach state %v: %v", state, st)
		}
	}
}
