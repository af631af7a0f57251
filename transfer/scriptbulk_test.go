package transfer_test

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/sealed"
)

// doBulk runs a command about ciphertext.
func (r *rig) doBulk(name string, a args) (string, error) {
	ctx := r.Context()
	row := r.row(a.in())
	at := transfer.Place{ID: idOf(a.in()), Revision: uint32(a.number("rev", int(max(row.Revision, 1)))), First: uint64(a.number("first", 0))}
	switch name {
	case "put":
		at.Token = r.by(a, "c")
		return r.put(at, a)
	case "get":
		at.Token, at.First = r.by(a, "n"), uint64(a.number("", 0))
		p, err := r.GetSegment(ctx, at, 0, int64(a.number("off", 0)), int64(a.number("n", -1)))
		if err != nil || p == nil {
			return "not there yet", err
		}
		defer p.Close()
		b, err := io.ReadAll(p)
		return fmt.Sprintf("%d bytes of %d", len(b), p.Size), err
	case "received":
		at.Token, at.First = r.by(a, "n"), uint64(a.number("", 0))
		v, err := r.Received(ctx, at)
		if err != nil {
			return "", err
		}
		return details(v), nil
	case "list":
		at.Token, at.First = r.by(a, "c"), uint64(a.number("", 0))
		all, next, err := r.ListSegments(ctx, at, a.number("limit", 100))
		text := ""
		for _, g := range all {
			text += fmt.Sprintf("%d+%d acked=%t ", g.First, g.Records, g.Acked)
		}
		return fmt.Sprintf("%snext %d", text, next), err
	case "flush":
		err := r.Flush(ctx, at.ID, r.by(a, "c"))
		return fmt.Sprintf("%d blobs are durable", len(r.shelf.synced)), err
	case "sweep":
		return r.blobs(), r.Sweep(ctx)
	case "recheck":
		return "ok", r.Recheck(ctx)
	case "check":
		all, err := transfer.Check(ctx, &transfer.CheckOptions{App: r.opts.App, View: r.store.view, Blobs: r.shelf})
		text := fmt.Sprintf("%d problems", len(all))
		for _, p := range all {
			text += "\n  " + p.Kind + " " + p.Subject
		}
		return regexp.MustCompile(`-[a-z2-7]{26}`).ReplaceAllString(text, "-…"), err
	case "restart":
		r.open()
	case "lose", "tear":
		r.damage(name, uint64(a.number("", 0)))
	}
	return r.blobs(), nil
}

func (r *rig) blobs() string { return fmt.Sprintf("%d blobs", len(r.shelf.blobs)) }

// damage does to the blob of a segment what a disk does.
func (r *rig) damage(how string, first uint64) {
	for key, b := range r.shelf.blobs {
		if !strings.Contains(key, fmt.Sprintf("/%d-", first)) {
			continue
		}
		if how == "lose" {
			delete(r.shelf.blobs, key)
		} else {
			b.b = slices.Clone(b.b)
			b.b[len(b.b)-1]++
			r.shelf.blobs[key] = b
		}
	}
}

func (r *rig) put(at transfer.Place, a args) (string, error) {
	records := a.number("records", 1)
	h := sealed.Header{Revision: uint32(a.number("header", int(at.Revision))), First: at.First, Plain: uint32(records*sealed.RecordSize - a.number("short", 0))}
	g := r.seal(h)
	if a.has("again") {
		i := slices.IndexFunc(r.segments, func(g segment) bool { return g.header.First == at.First && g.header.Revision == at.Revision })
		g = r.segments[i]
	}
	body, size := g.bytes, int64(len(g.bytes))
	at.First += uint64(a.number("path", 0))
	if cut := a.number("cut", 0); cut > 0 {
		body = body[:cut]
	}
	size += int64(a.number("size", 0))
	created, err := r.PutSegment(r.Context(), at, size, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	if !created {
		return "there already", nil
	}
	r.segments = slices.DeleteFunc(r.segments, func(was segment) bool {
		return was.header.Revision == g.header.Revision && was.header.First == g.header.First // sent again
	})
	r.segments = append(r.segments, g)
	slices.SortFunc(r.segments, func(a, b segment) int { return int(a.header.First) - int(b.header.First) })
	row := r.row(a.in())
	return fmt.Sprintf("stored, %d bytes, v%d until +%s", row.BytesStored, row.Version, row.Deadline.Sub(r.at)), nil
}
