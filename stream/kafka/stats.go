package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/staunchid/staunch/stream"
)

// Stats tells what the stream holds, of all servers, without being one of them:
// what the group has not committed. Depth counts messages.
func (l *Letters) Stats(ctx context.Context) (s stream.Stats, err error) {
	dead, err := l.read(ctx)
	if err != nil {
		return s, err
	}
	s.Dead = len(dead)
	n, err := l.opts.partitions(ctx, l.c)
	if err != nil {
		return s, err
	}
	undone := map[string]map[int32]span{}
	for _, topic := range []string{l.opts.Topic, l.opts.retryTopic()} {
		start, err := l.offsets(ctx, topic, n[topic], -2)
		if err != nil {
			return s, err
		}
		end, err := l.offsets(ctx, topic, n[topic], -1)
		if err != nil {
			return s, err
		}
		done, err := l.committed(ctx, topic, n[topic])
		if err != nil {
			return s, err
		}
		undone[topic] = map[int32]span{}
		for id := range end {
			if at := max(start[id], done[id]); at < end[id] {
				s.Depth += int(end[id] - at)
				undone[topic][id] = span{at, end[id]}
			}
		}
	}
	s.Oldest, err = l.oldest(ctx, undone)
	return s, err
}

// committed gives the offset up to which the group has done each partition
// (Kafka protocol, OffsetFetch); -1: of this partition nothing was committed.
func (l *Letters) committed(ctx context.Context, topic string, n int32) (map[int32]int64, error) {
	all := map[int32]int64{}
	if n == 0 {
		return all, nil
	}
	t := kmsg.NewOffsetFetchRequestGroupTopic()
	t.Topic = topic
	for id := range n {
		t.Partitions = append(t.Partitions, id)
	}
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group, g.Topics = group, []kmsg.OffsetFetchRequestGroupTopic{t}
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Groups = append(req.Groups, g)
	resp, err := req.RequestWith(ctx, l.c)
	if err != nil {
		return nil, fmt.Errorf("kafka: what the group %s has done of %s: %w", group, topic, err)
	}
	for _, g := range resp.Groups {
		err := kerr.ErrorForCode(g.ErrorCode)
		if errors.Is(err, kerr.GroupIDNotFound) { // no server has ever run
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("kafka: what the group %s has done of %s: %w", group, topic, err)
		}
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, fmt.Errorf("kafka: what the group %s has done of %s: %w", group, topic, err)
				}
				all[p.Partition] = p.Offset
			}
		}
	}
	return all, nil
}

// maxLooked is how many messages of a partition are looked at for the oldest one.
const maxLooked = 1000

// span is what of a partition is not done: from one offset up to another.
type span struct{ from, end int64 }

// oldest reads the first messages of each partition, and gives the time at which
// the oldest of their entries was enqueued. Not all of them, for there may be
// millions; an entry that failed is produced anew and stands behind younger ones.
func (l *Letters) oldest(ctx context.Context, undone map[string]map[int32]span) (oldest time.Time, err error) {
	from, left := map[string]map[int32]kgo.Offset{}, 0
	for topic, partitions := range undone {
		from[topic] = map[int32]kgo.Offset{}
		for id, u := range partitions {
			from[topic][id] = kgo.NewOffset().At(u.from)
			left++
		}
	}
	if left == 0 {
		return oldest, nil
	}
	in, err := l.opts.client(kgo.ConsumePartitions(from))
	if err != nil {
		return oldest, err
	}
	defer in.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for left > 0 {
		f := in.PollFetches(ctx)
		if err := f.Err(); err != nil {
			return oldest, fmt.Errorf("kafka: read the oldest messages: %w", err)
		}
		f.EachRecord(func(m *kgo.Record) {
			u, ok := undone[m.Topic][m.Partition]
			if !ok {
				return
			}
			at := m.Timestamp
			if e, err := entry(m); err == nil && !e.Record.At.IsZero() {
				at = e.Record.At
			}
			if oldest.IsZero() || at.Before(oldest) {
				oldest = at
			}
			if m.Offset+1 >= min(u.end, u.from+maxLooked) {
				delete(undone[m.Topic], m.Partition)
				left--
			}
		})
	}
	return oldest, nil
}
