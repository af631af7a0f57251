package wal

import (
	"fmt"
	"time"

	"github.com/staunchid/staunch/stream"
)

// maxBatch is how much is written at once. A segment has room for it.
const maxBatch = 4 << 20

// flush is how long a mark waits for company.
const flush = time.Second

// write is the one writer: it takes what has come while it was writing, writes it
// in one go, syncs once, and answers all of it.
func (l *Log) write(t *tail) {
	defer close(l.ended)
	defer func() {
		if t.f != nil {
			_ = t.f.Close() // entries are synced; marks need not be
		}
	}()
	tick := time.NewTicker(flush)
	defer tick.Stop()
	for {
		select {
		case w := <-l.writes:
			l.commit(t, l.gather(w))
		case <-tick.C:
			l.writeMarks(t)
		case <-l.stop:
			for {
				select {
				case w := <-l.writes:
					l.commit(t, l.gather(w))
					continue
				default:
				}
				l.writeMarks(t)
				return
			}
		}
	}
}

// gather adds what else is waiting.
func (l *Log) gather(first *write) []*write {
	batch, size := []*write{first}, len(first.body)
	for size < maxBatch-maxFrame {
		select {
		case w := <-l.writes:
			batch = append(batch, w)
			size += len(w.body) + header
		default:
			return batch
		}
	}
	return batch
}

// commit makes a batch durable, gives it to the queue and answers it.
func (l *Log) commit(t *tail, batch []*write) {
	var b []byte
	at := make([]int64, len(batch))
	for i, w := range batch {
		at[i] = int64(len(b))
		b = appendFrame(b, w.body)
	}
	p, err := l.append(t, b, len(batch), true)
	if err != nil {
		err = fmt.Errorf("wal: nothing of it is kept: %w", err)
	}
	for i, w := range batch {
		if err == nil {
			l.queue.Put(stream.Entry{Record: w.record}, place{p.seg, p.offset + at[i]})
		}
		w.done <- err
	}
}

// writeMarks appends the marks that have come.
func (l *Log) writeMarks(t *tail) {
	l.mu.Lock()
	marks := l.marks
	l.marks = nil
	l.mu.Unlock()
	var b []byte
	for _, m := range marks {
		b = appendFrame(b, m)
	}
	if t.f == nil || len(b) == 0 {
		return // before the first entry since the start they would need a segment of their own
	}
	if _, err := l.append(t, b, 0, false); err != nil {
		l.log.Warn("wal: marks cannot be written: after a restart their entries are applied once more", "error", err)
	}
}

// append writes frames with so many entries, and says where.
func (l *Log) append(t *tail, b []byte, entries int, sync bool) (place, error) {
	s, full, err := t.room(len(b))
	if err != nil {
		return place{}, err
	}
	p := place{s, t.good}
	l.mu.Lock()
	s.pending += entries // before they are there, so that nobody deletes it
	if full != nil {
		full.sealed = true
		l.drop(full)
	}
	l.mu.Unlock()
	err = t.write(b, sync)
	if err != nil {
		l.mu.Lock()
		s.pending -= entries
		l.mu.Unlock()
		return place{}, err
	}
	return p, nil
}
