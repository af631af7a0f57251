package handover_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/staunchid/staunch/transfer/handover"
)

// TestRedacted: no way of printing a half, a code, a share or a grant shows what is
// secret of it, and no error does.
func TestRedacted(t *testing.T) {
	p := newRig(t).meet(t)
	code := p.n.Code()
	beacon, err := p.n.Beacon()
	p.ok("beacon", err)
	prox, err := p.c.OpenBeacon(beacon)
	p.ok("open", err)
	early := *p.n
	p.walk(handover.StepReceipt)
	bulk, err := p.c.BulkKey()
	p.ok("bulk", err)
	needles := map[string][]byte{
		"code": code.Secret[:], "proximity": prox[:], "hold share": p.hold[:], "commit share": p.granted.CommitShare[:],
		"bulk key": bulk, "sealing key": secrets()["sealing"],
	}
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{code, &code, code.Secret, &early, p.n, p.c, p.hold, p.granted, *p.granted, granting(), secrets()} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		out.Write(b)
		log.Info("m", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
	}
	text := out.String()
	if strings.Contains(text, code.URI()) {
		t.Error("the code's text is printed")
	}
	for _, v := range []any{code, &early, p.n, p.c} { // nothing at all, so not the number either
		if got := fmt.Sprintf("%v %+v %#v %x", v, v, v, v); got != "[redacted] [redacted] [redacted] [redacted]" {
			t.Errorf("%T prints %s", v, got)
		}
	}
	for name, b := range needles {
		for _, form := range []string{string(b), hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), base64.StdEncoding.EncodeToString(b),
			strings.Trim(strings.ReplaceAll(fmt.Sprintf("%d", b), " ", ", "), "[]"), strings.Trim(fmt.Sprintf("%d", b), "[]")} {
			if strings.Contains(text, form) {
				t.Errorf("%s is printed", name)
			}
		}
	}
}
