package kafka

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/staunchid/staunch/recovery"
)

// Run consumes and applies until ctx ends, and returns nil. A cluster that is
// away, and topics that are wrong, are logged and tried again.
func (s *Stream) Run(ctx context.Context, apply func(context.Context, recovery.Record) error) error {
	for ctx.Err() == nil {
		err := s.Check(ctx)
		if err == nil {
			break
		}
		s.log.ErrorContext(ctx, "kafka: the retry stream cannot be used; it is tried again", "error", err)
		pause(ctx, 5*time.Second)
	}
	in, err := s.opts.client(
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(s.opts.Topic, s.opts.retryTopic()),
		kgo.Balancers(kgo.RangeBalancer()), // both topics' partitions of one number go to one process
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(s.opts.testingOnlySession),
		kgo.BlockRebalanceOnPoll(), kgo.AutoCommitMarks(), kgo.AutoCommitInterval(time.Second),
		kgo.OnPartitionsRevoked(s.revoked), kgo.OnPartitionsLost(s.lost),
	)
	if err != nil {
		return err
	}
	letters, err := s.opts.client(kgo.ConsumeTopics(s.opts.deadTopic()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		in.Close()
		return err
	}
	s.setConsumer(in)
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { s.poll(ctx, in, &wg) })
	wg.Go(func() { s.follow(ctx, letters) })
	err = s.queue.Run(ctx, apply)
	stop()
	wg.Wait()
	letters.Close()
	in.CloseAllowingRebalance() // it commits what is done, and leaves the group
	s.setConsumer(nil)
	return err
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// fetched reports whether there is anything to look at; errors are logged.
func (s *Stream) fetched(ctx context.Context, f kgo.Fetches) bool {
	bad := false
	f.EachError(func(topic string, partition int32, err error) {
		if bad = true; ctx.Err() == nil {
			s.log.WarnContext(ctx, "kafka: a partition cannot be read; it is tried again", "topic", topic, "partition", partition, "error", err)
		}
	})
	if bad {
		pause(ctx, time.Second)
	}
	return !f.Empty()
}

// poll gives the queue what comes. Partitions change hands between two polls only.
func (s *Stream) poll(ctx context.Context, in *kgo.Client, wg *sync.WaitGroup) {
	for ctx.Err() == nil {
		f := in.PollFetches(ctx)
		if s.fetched(ctx, f) {
			f.EachPartition(func(f kgo.FetchTopicPartition) {
				p := s.own(f.Topic, f.Partition)
				for _, m := range f.Records {
					if p.consumed(m, f.HighWatermark, s.opts.testingOnlyHeld) {
						in.PauseFetchPartitions(map[string][]int32{f.Topic: {f.Partition}})
					}
					s.take(ctx, place{p, m.Offset}, m, wg)
				}
			})
		}
		in.AllowRebalance()
	}
}

// take gives the queue one message.
func (s *Stream) take(ctx context.Context, at place, m *kgo.Record, wg *sync.WaitGroup) {
	e, err := entry(m)
	if err == nil {
		s.queue.Put(e, at)
		return
	}
	wg.Go(func() {
		if s.buryRaw(ctx, m, err) == nil {
			s.done([]place{at})
		}
	})
}

// follow keeps the IDs of all dead letters.
func (s *Stream) follow(ctx context.Context, letters *kgo.Client) {
	for ctx.Err() == nil {
		f := letters.PollFetches(ctx)
		if !s.fetched(ctx, f) {
			continue
		}
		s.mu.Lock()
		f.EachRecord(func(m *kgo.Record) {
			if m.Value == nil {
				delete(s.dead, string(m.Key))
			} else {
				s.dead[string(m.Key)] = true
			}
		})
		s.mu.Unlock()
	}
}

// own gives the partition, which this process has.
func (s *Stream) own(topic string, id int32) *partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owned[topic] == nil {
		s.owned[topic] = map[int32]*partition{}
	}
	if s.owned[topic][id] == nil {
		s.owned[topic][id] = newPartition(topic, id)
	}
	return s.owned[topic][id]
}

func (s *Stream) setConsumer(in *kgo.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in = in
}

func (s *Stream) consumer() *kgo.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.in
}

// done is the queue's: entries that need not be consumed again.
func (s *Stream) done(places []place) {
	in := s.consumer()
	if in == nil {
		return // Run has ended: they are consumed once more
	}
	for _, at := range places {
		p := at.partition
		low, commit, thin := p.done(at.offset, s.opts.testingOnlyHeld)
		if commit {
			in.MarkCommitOffsets(map[string]map[int32]kgo.EpochOffset{p.topic: {p.id: low}})
		}
		if thin {
			in.ResumeFetchPartitions(map[string][]int32{p.topic: {p.id}})
		}
	}
}

// revoked commits what is done, and forgets what is held of partitions that go to
// another process.
func (s *Stream) revoked(ctx context.Context, in *kgo.Client, gone map[string][]int32) {
	s.forget(gone)
	if err := in.CommitMarkedOffsets(ctx); err != nil {
		s.log.WarnContext(ctx, "kafka: offsets cannot be committed: some entries are applied once more", "error", err)
	}
	in.ResumeFetchPartitions(gone) // should they come back
}

func (s *Stream) lost(_ context.Context, in *kgo.Client, gone map[string][]int32) {
	s.forget(gone)
	in.ResumeFetchPartitions(gone)
}

func (s *Stream) forget(gone map[string][]int32) {
	was := map[*partition]bool{}
	s.mu.Lock()
	for topic, ids := range gone {
		for _, id := range ids {
			if p := s.owned[topic][id]; p != nil {
				p.leave()
				was[p] = true
				delete(s.owned[topic], id)
			}
		}
	}
	s.mu.Unlock()
	s.queue.Drop(func(at place) bool { return was[at.partition] })
}
