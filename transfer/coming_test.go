package transfer_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/sealed"
)

// TestSegmentsOnTheirWayCount: what is still arriving takes room like what is stored, so
// that many at once do not fill the disk; when it has arrived, or will not, it does not
// count twice.
func TestSegmentsOnTheirWayCount(t *testing.T) {
	for name, limit := range map[string]func(*transfer.Policy, int64){
		"window": func(p *transfer.Policy, n int64) { p.Window = n },
		"relay":  func(p *transfer.Policy, n int64) { p.RelaySpace = n },
	} {
		t.Run(name, func(t *testing.T) {
			h := sealed.Header{Revision: 1, Plain: 2 * sealed.RecordSize}
			r := newRig(t, func(o *transfer.Options) { limit(&o.Policy, 2*h.Size()) })
			for _, command := range []string{"offer", "claim", "hello class=lan", "answer", "matched", "confirm"} {
				r.walk(want{command, nil})
			}
			put := func(first uint64, body func([]byte) io.Reader) error {
				h.First = first
				g := r.seal(h)
				_, err := r.PutSegment(t.Context(), transfer.Place{ID: idOf("t"), Token: r.c, Revision: 1, First: first}, h.Size(), body(g.bytes))
				return err
			}
			whole := func(b []byte) io.Reader { return bytes.NewReader(b) }
			if err := put(0, func(b []byte) io.Reader {
				return io.MultiReader(bytes.NewReader(b[:100]), during(func() { // it is on its way
					if err := put(2, func(b []byte) io.Reader {
						return io.MultiReader(bytes.NewReader(b[:100]), during(func() {
							if err := put(4, whole); !errors.Is(err, transfer.ErrWindow) && !errors.Is(err, transfer.ErrQuota) {
								t.Errorf("a third one at once: %v", err)
							}
						}))
					}); !errors.Is(err, transfer.ErrMalformed) { // cut short
						t.Errorf("the second: %v", err)
					}
				}), bytes.NewReader(b[100:]))
			}); err != nil {
				t.Fatalf("the first: %v", err)
			}
			if err := put(2, whole); err != nil {
				t.Errorf("where the second was to be: %v", err)
			}
			if err := put(4, whole); !errors.Is(err, transfer.ErrWindow) && !errors.Is(err, transfer.ErrQuota) {
				t.Errorf("a third one: %v", err)
			}
		})
	}
}

// during is a part of a body that does something and brings nothing.
type during func()

func (d during) Read([]byte) (int, error) {
	d()
	return 0, io.EOF
}
