package server_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/blob"
	"github.com/staunchid/staunch/server"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
	"github.com/staunchid/staunch/transfer/sealed"
)

// relay is a transfer of app demo in the store of a server that does not run, with
// segments of one record at 0, 1 and 2.
type relay struct {
	opts *server.Options
	key  []byte
	row  transfer.Transfer
	all  []transfer.Segment
}

func newRelay(t *testing.T, opts *server.Options) *relay {
	t.Helper()
	key, err := server.RowKey(bytes.Repeat([]byte("a"), 64), "demo")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	r := &relay{opts: opts, key: key, row: transfer.Transfer{
		ID: transfer.ID("t_" + strings.Repeat("a", 26)), Version: 5, State: transfer.Streaming, Account: account.NewID(), SenderDevice: "d_1", Class: handover.ClassLAN,
		CreatedAt: now, ConfirmedAt: now, Opens: now, Moved: now, Deadline: now.Add(time.Hour), Revision: 1, Offer: []byte{1},
	}}
	if err := os.MkdirAll(opts.Config.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	f := r.blobs(t)
	defer f.Close()
	bulk, err := sealed.NewKey(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	for first := range uint64(3) {
		plain := make([]byte, sealed.RecordSize)
		segment, leaf, err := sealed.Seal(nil, bulk, sealed.Header{Revision: 1, First: first, Plain: uint32(len(plain))}, plain)
		if err != nil {
			t.Fatal(err)
		}
		g := transfer.Segment{Transfer: r.row.ID, Revision: 1, First: first, Records: 1, Bytes: uint32(len(segment)), Leaf: leaf, Blob: strings.ToLower(rand.Text())}
		if err := f.Put(t.Context(), r.blob(g), int64(len(segment)), bytes.NewReader(segment)); err != nil {
			t.Fatal(err)
		}
		r.all = append(r.all, g)
		r.row.BytesStored += uint64(len(plain))
	}
	r.store(t, func(tx *sqlite.Tx) error {
		r.row.MAC = r.row.Seal(key)
		err := tx.AddTransfer(t.Context(), r.row)
		for _, g := range r.all {
			err = errors.Join(err, tx.AddSegment(t.Context(), g))
		}
		return err
	})
	return r
}

func (r *relay) blobs(t *testing.T) *blob.Folder {
	t.Helper()
	f, err := blob.OpenFolder(&blob.FolderOptions{Dir: filepath.Join(r.opts.Config.DataDir, "blobs")})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (r *relay) blob(g transfer.Segment) string {
	return fmt.Sprintf("demo/transfer/%s/%d/%d-%s", g.Transfer, g.Revision, g.First, g.Blob)
}

func (r *relay) file(first int) string {
	return filepath.Join(r.opts.Config.DataDir, "blobs", filepath.FromSlash(r.blob(r.all[first])))
}

// tear writes zeros in the place of a blob's end, as a power cut does.
func (r *relay) tear(t *testing.T, first int) {
	t.Helper()
	f, err := os.OpenFile(r.file(first), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(make([]byte, 100), int64(r.all[first].Bytes)-100)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func (r *relay) store(t *testing.T, fn func(*sqlite.Tx) error) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: filepath.Join(r.opts.Config.DataDir, "demo.db"), App: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Update(t.Context(), fn), s.Close()); err != nil {
		t.Fatal(err)
	}
}

// run starts the server anew, and stops it when it serves. boot names the start of
// the system that it believes in.
func (r *relay) run(t *testing.T, boot string) {
	t.Helper()
	var err error
	if r.opts.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	r.opts.TestingOnlyBootID(boot)
	if err := start(t, r.opts).stop(); err != nil {
		t.Fatal(err)
	}
}

// there are the first records of the segments that the store knows.
func (r *relay) there(t *testing.T) (firsts []uint64, stored uint64) {
	t.Helper()
	r.store(t, func(tx *sqlite.Tx) error {
		all, err := tx.Segments(t.Context(), r.row.ID, 1, 0, 99)
		for _, g := range all {
			firsts = append(firsts, g.First)
		}
		v, _, err2 := tx.Transfer(t.Context(), r.row.ID)
		stored = v.BytesStored / sealed.RecordSize
		return errors.Join(err, err2)
	})
	return firsts, stored
}

func (r *relay) check(t *testing.T) (kinds []string) {
	t.Helper()
	report, err := server.CheckApp(t.Context(), r.opts.Config, "demo")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range report.Problems {
		kinds = append(kinds, p.Kind)
	}
	return kinds
}

// TestPowerCut: what a power cut has torn or taken away is not there when the server
// serves again; the phone sends it again. A server that was only killed reads nothing.
func TestPowerCut(t *testing.T) {
	r := newRelay(t, setupAccounts(t, "demo"))
	want := func(when string, firsts ...uint64) {
		t.Helper()
		got, stored := r.there(t)
		if !slices.Equal(got, firsts) || stored != uint64(len(firsts)) {
			t.Errorf("%s: segments %v, %d counted, want %v", when, got, stored, firsts)
		}
	}
	r.run(t, "first")
	want("all whole", 0, 1, 2)
	r.tear(t, 0)
	if err := os.Remove(r.file(1)); err != nil {
		t.Fatal(err)
	}
	r.run(t, "first")
	want("the same start of the system", 0, 1, 2)
	if got := r.check(t); !slices.Equal(got, []string{transfer.LostSegments}) {
		t.Errorf("check of a blob that is gone: %v", got)
	}
	r.run(t, "second")
	want("after a power cut", 2)
	r.tear(t, 2)
	r.run(t, "second")
	want("the same start again", 2)
	r.run(t, "")
	want("nobody can tell", []uint64(nil)...)
	if got := r.check(t); got != nil {
		t.Errorf("check: %v", got)
	}
}

// TestCheckMoves: what check says of rows and ciphertext that do not fit together.
func TestCheckMoves(t *testing.T) {
	file := func(r *relay) string { return r.file(1) }
	tests := []struct {
		name  string
		spoil func(t *testing.T, r *relay)
		want  []string
	}{
		{"nothing", func(*testing.T, *relay) {}, nil},
		{"a blob is gone", func(t *testing.T, r *relay) { must(t, os.Remove(file(r))) }, []string{transfer.LostSegments}},
		{"a blob is shorter", func(t *testing.T, r *relay) { must(t, os.Truncate(file(r), 10)) }, []string{transfer.LostSegments}},
		{"all blobs are gone", func(t *testing.T, r *relay) { must(t, os.RemoveAll(filepath.Join(r.opts.Config.DataDir, "blobs"))) },
			[]string{transfer.LostSegments, transfer.LostSegments, transfer.LostSegments}},
		{"a row is gone", func(t *testing.T, r *relay) {
			r.store(t, func(tx *sqlite.Tx) error { return tx.DropSegment(t.Context(), r.row.ID, 1, 1) })
		}, []string{transfer.BadSegments}},
		{"a blob of an acked segment is gone", func(t *testing.T, r *relay) {
			r.store(t, func(tx *sqlite.Tx) error { _, err := tx.AckSegments(t.Context(), r.row.ID, 1, 2); return err })
			must(t, os.Remove(file(r)))
		}, nil},
		{"another state", func(t *testing.T, r *relay) {
			r.store(t, func(tx *sqlite.Tx) error {
				v := r.row
				v.State = transfer.Sealed
				_, err := tx.PutTransfer(t.Context(), v, v.Version)
				return err
			})
		}, []string{"row_mac"}},
		{"two in charge", func(t *testing.T, r *relay) {
			db := openDB(t, r.opts)
			for _, text := range []string{`DROP INDEX transfer_live`, `DROP INDEX transfer_moved`} {
				_, err := db.Exec(text)
				must(t, err)
			}
			r.store(t, func(tx *sqlite.Tx) error {
				v := r.row
				v.BytesStored = 0
				add := func(last string, state transfer.State) error {
					v.ID, v.State = v.ID[:len(v.ID)-1]+transfer.ID(last), state
					v.MAC = v.Seal(r.key)
					return tx.AddTransfer(t.Context(), v)
				}
				return errors.Join(add("e", transfer.Claimed), add("i", transfer.Committed), add("m", transfer.Final))
			})
		}, []string{"store_schema", "store_schema", transfer.TwoInCharge, transfer.TwoInCharge}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRelay(t, setupAccounts(t, "demo"))
			tt.spoil(t, r)
			if got := r.check(t); !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
