package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/staunchid/staunch/stream"
)

// Letters opens the dead letters of a stream; servers may run meanwhile.
type Letters struct {
	opts Options
	c    *kgo.Client
}

// OpenLetters connects to the cluster.
func OpenLetters(o *Options) (*Letters, error) {
	l := &Letters{opts: *o}
	if err := l.opts.complete(); err != nil {
		return nil, err
	}
	var err error
	l.c, err = l.opts.client()
	return l, err
}

// Close ends the connections.
func (l *Letters) Close() error {
	l.c.Close()
	return nil
}

// List gives all letters, the oldest first.
func (l *Letters) List(ctx context.Context) ([]stream.Letter, error) {
	all, err := l.read(ctx)
	if err != nil {
		return nil, err
	}
	return slices.SortedStableFunc(maps.Values(all), func(a, b stream.Letter) int { return a.At.Compare(b.At) }), nil
}

// Retry puts a letter back: it is enqueued anew, and then it is no letter any more.
func (l *Letters) Retry(ctx context.Context, id string) error {
	one, err := l.find(ctx, id)
	if err != nil {
		return err
	}
	m := &kgo.Record{Topic: l.opts.Topic, Key: []byte(id), Value: one.Raw}
	if one.Raw == nil {
		if m, err = message(l.opts.Topic, stream.Entry{Record: one.Record}); err != nil {
			return err
		}
	}
	if err := produce(ctx, l.c, m); err != nil {
		return fmt.Errorf("kafka: put a dead letter back: %w", err)
	}
	return l.remove(ctx, id)
}

// Drop deletes a letter for good.
func (l *Letters) Drop(ctx context.Context, id string) error {
	if _, err := l.find(ctx, id); err != nil {
		return err
	}
	return l.remove(ctx, id)
}

func (l *Letters) remove(ctx context.Context, id string) error {
	if err := produce(ctx, l.c, &kgo.Record{Topic: l.opts.deadTopic(), Key: []byte(id)}); err != nil {
		return fmt.Errorf("kafka: delete a dead letter: %w", err)
	}
	return nil
}

func (l *Letters) find(ctx context.Context, id string) (stream.Letter, error) {
	if !stream.ValidID(id) {
		return stream.Letter{}, fmt.Errorf("%w: %q", stream.ErrNoLetter, id)
	}
	all, err := l.read(ctx)
	if err != nil {
		return stream.Letter{}, err
	}
	one, ok := all[id]
	if !ok {
		return stream.Letter{}, fmt.Errorf("%w: %s", stream.ErrNoLetter, id)
	}
	return one, nil
}

// read reads the topic from its start to where it ends now.
func (l *Letters) read(ctx context.Context) (map[string]stream.Letter, error) {
	n, err := l.opts.partitions(ctx, l.c)
	if err != nil {
		return nil, err
	}
	topic := l.opts.deadTopic()
	start, err := l.offsets(ctx, topic, n[topic], -2)
	if err != nil {
		return nil, err
	}
	end, err := l.offsets(ctx, topic, n[topic], -1)
	if err != nil {
		return nil, err
	}
	from := map[int32]kgo.Offset{}
	for id := range end {
		if start[id] < end[id] {
			from[id] = kgo.NewOffset().At(start[id])
		}
	}
	all := map[string]stream.Letter{}
	if len(from) == 0 {
		return all, nil
	}
	in, err := l.opts.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return nil, err
	}
	defer in.Close()
	for len(from) > 0 {
		f := in.PollFetches(ctx)
		if err := f.Err(); err != nil {
			return nil, fmt.Errorf("kafka: read %s: %w", topic, err)
		}
		f.EachRecord(func(m *kgo.Record) {
			if delete(all, string(m.Key)); m.Value != nil {
				all[string(m.Key)] = letter(m)
			}
			if m.Offset+1 >= end[m.Partition] {
				delete(from, m.Partition)
			}
		})
	}
	return all, nil
}

// offsets asks for an offset of each partition: -2 is the first, -1 the end
// (Kafka protocol, ListOffsets).
func (l *Letters) offsets(ctx context.Context, topic string, n int32, which int64) (map[int32]int64, error) {
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	for id := range n {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = id, which
		t.Partitions = append(t.Partitions, p)
	}
	all := map[int32]int64{}
	if n == 0 {
		return all, nil
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, l.c)
	if err != nil {
		return nil, fmt.Errorf("kafka: where %s ends: %w", topic, err)
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, fmt.Errorf("kafka: where %s ends: %w", topic, err)
			}
			all[p.Partition] = p.Offset
		}
	}
	if len(all) != int(n) {
		return nil, errors.New("kafka: a broker left out a partition of " + topic)
	}
	return all, nil
}
