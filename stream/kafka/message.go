package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
)

// The headers of a message.
const (
	headerRetries   = "retry-count"
	headerScheduled = "scheduled-at"
	headerFailed    = "first-failed-at"
	headerReason    = "reason"
	headerDead      = "dead-at"
)

func number(name string, n int64) kgo.RecordHeader {
	return kgo.RecordHeader{Key: name, Value: strconv.AppendInt(nil, n, 10)}
}

// header finds a number; 0 if there is none, or none that can be read: then an
// entry is tried earlier, or once more.
func header(m *kgo.Record, name string) int64 {
	n, err := strconv.ParseInt(text(m, name), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func text(m *kgo.Record, name string) string {
	for _, h := range m.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}

func moment(m *kgo.Record, name string) time.Time {
	if n := header(m, name); n > 0 {
		return time.UnixMilli(n).UTC()
	}
	return time.Time{}
}

// message is the message of an entry.
func message(topic string, e stream.Entry) (*kgo.Record, error) {
	value, err := stream.Encode(e.Record)
	if err != nil {
		return nil, err
	}
	due := e.Due
	if due.IsZero() {
		due = time.Now()
	}
	m := &kgo.Record{Topic: topic, Key: stream.KeyOf(e.Record).Bytes(), Value: value}
	m.Headers = []kgo.RecordHeader{number(headerRetries, int64(e.Attempts)), number(headerScheduled, due.UnixMilli())}
	if !e.Failed.IsZero() {
		m.Headers = append(m.Headers, number(headerFailed, e.Failed.UnixMilli()))
	}
	return m, nil
}

// entry is the inverse of message.
func entry(m *kgo.Record) (stream.Entry, error) {
	r, err := stream.Decode(m.Value)
	if err != nil {
		return stream.Entry{}, err
	}
	return stream.Entry{
		Record: r, Attempts: int(header(m, headerRetries)),
		Failed: moment(m, headerFailed), Due: moment(m, headerScheduled),
	}, nil
}

// letterMessage is the message of a dead letter.
func letterMessage(topic string, l stream.Letter) (*kgo.Record, error) {
	value := l.Raw
	if value == nil {
		var err error
		if value, err = stream.Encode(l.Record); err != nil {
			return nil, err
		}
	}
	return &kgo.Record{Topic: topic, Key: []byte(l.ID), Value: value, Headers: []kgo.RecordHeader{
		number(headerRetries, int64(l.Attempts)), number(headerDead, l.At.UnixMilli()),
		{Key: headerReason, Value: []byte(stream.Clip(l.Reason))},
	}}, nil
}

// letter is the inverse of letterMessage.
func letter(m *kgo.Record) stream.Letter {
	l := stream.Letter{ID: string(m.Key), Attempts: int(header(m, headerRetries)), Reason: text(m, headerReason), At: moment(m, headerDead)}
	r, err := stream.Decode(m.Value)
	if err != nil {
		l.Raw = m.Value
		return l
	}
	l.Record = r
	return l
}

// produce waits until all replicas in sync have m. After an error they may have it
// all the same, or may get it later, which harms nothing.
func produce(ctx context.Context, c *kgo.Client, m *kgo.Record) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done := make(chan error, 1)
	go c.Produce(ctx, m, func(_ *kgo.Record, err error) { done <- err })
	select {
	case <-ctx.Done():
		return fmt.Errorf("no broker has acknowledged it: %w", ctx.Err())
	case err := <-done:
		return err
	}
}

// park hands an entry that has failed to the retry topic.
func (s *Stream) park(ctx context.Context, e stream.Entry) error {
	m, err := message(s.opts.retryTopic(), e)
	if err == nil {
		err = produce(ctx, s.out, m)
	}
	if err != nil {
		s.log.WarnContext(ctx, "kafka: an entry that failed cannot be produced anew; its offset stays", "key", stream.KeyOf(e.Record).String(), "error", err)
	}
	return err
}

// bury makes a dead letter durable.
func (s *Stream) bury(ctx context.Context, l stream.Letter) error {
	m, err := letterMessage(s.opts.deadTopic(), l)
	if err != nil {
		return err
	}
	return produce(ctx, s.out, m)
}

// buryRaw does that with a message that is no entry, and does not give up before
// Run ends: until then its offset is not done.
func (s *Stream) buryRaw(ctx context.Context, m *kgo.Record, why error) error {
	l := stream.Letter{ID: stream.RawID(m.Value), Raw: m.Value, Reason: why.Error(), At: time.Now()}
	if l.Raw == nil {
		l.Raw = []byte{}
	}
	for failures := 1; ; failures++ {
		err := s.bury(ctx, l)
		if err == nil {
			s.log.ErrorContext(ctx, "kafka: a message is no entry; it is a dead letter: see staunch recovery dlq list",
				"topic", m.Topic, "partition", m.Partition, "offset", m.Offset, "error", errors.Join(recovery.ErrPermanent, why))
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(stream.Backoff(failures)):
		}
	}
}
