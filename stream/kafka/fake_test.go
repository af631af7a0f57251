package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/streamtest"
)

// messages are those of a topic, as a plain consumer sees them.
func messages(t *testing.T, brokers []string, topic string, want int) []*kgo.Record {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var all []*kgo.Record
	for len(all) < want {
		f := c.PollFetches(ctx)
		if err := f.Err(); err != nil {
			t.Fatalf("%d messages of %s: %v", len(all), topic, err)
		}
		all = append(all, f.Records()...)
	}
	return all
}

// TestMessages: what is in the topics, key and headers and all.
func TestMessages(t *testing.T) {
	brokers := fake(t).ListenAddrs()
	s := openTopic(t, brokers, "", stream.Options{Rate: -1, MaxAttempts: 3})
	store := streamtest.NewStore(func(recovery.Record) error { return errors.New("away") })
	before := time.Now().UnixMilli()
	streamtest.Enqueue(t, s, streamtest.Record(7, 1, 1))
	streamtest.Run(t, s, store.Apply)
	streamtest.Wait(t, nil, "it is a dead letter", func() bool { return s.Stats().Dead == 1 })

	first := messages(t, brokers, "staunch.recovery.records", 1)
	retries := messages(t, brokers, "staunch.recovery.records-retry", 2)
	dead := messages(t, brokers, "staunch.recovery.records-dlq", 1)
	if len(first) != 1 || len(retries) != 2 || len(dead) != 1 {
		t.Fatalf("%d, %d and %d messages", len(first), len(retries), len(dead))
	}
	if text(first[0], headerRetries) != "0" || header(first[0], headerScheduled) < before || text(first[0], headerFailed) != "" {
		t.Errorf("enqueued: %v", first[0].Headers)
	}
	failed := header(retries[0], headerFailed)
	for i, m := range retries {
		if header(m, headerRetries) != int64(i+1) || header(m, headerFailed) != failed || failed < before || header(m, headerScheduled) <= failed {
			t.Errorf("retry %d: %v", i+1, m.Headers)
		}
		if string(m.Key) != "v1\x00\x07"+strings.Repeat("\x00", 15) || m.Partition != first[0].Partition || string(m.Value) != string(first[0].Value) {
			t.Errorf("retry %d: key %q, partition %d", i+1, m.Key, m.Partition)
		}
	}
	if m := dead[0]; string(m.Key) != stream.LetterID(streamtest.Record(7, 1, 1)) || text(m, headerReason) != "away" || header(m, headerDead) < failed || text(m, headerRetries) != "3" {
		t.Errorf("dead: key %q, %v", m.Key, m.Headers)
	}
}

// TestStranger: a message that is no entry becomes a dead letter and holds up nothing.
func TestStranger(t *testing.T) {
	brokers := fake(t).ListenAddrs()
	s := openTopic(t, brokers, "", stream.Options{Rate: -1})
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, value := range [][]byte{[]byte("hello"), {}} {
		if err := produce(t.Context(), s.out, &kgo.Record{Topic: DefaultTopic, Key: []byte("k"), Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	streamtest.Enqueue(t, s, streamtest.Record(1, 1, 1))
	store := streamtest.NewStore(nil)
	streamtest.Run(t, s, store.Apply)
	store.Wait(t, "the entry is stored", func() bool { return store.Ver(1) == 1 })
	streamtest.Wait(t, nil, "both are dead letters", func() bool { return s.Stats().Dead == 2 })
	l, err := OpenLetters(&Options{Brokers: brokers})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	all, err := l.List(t.Context())
	if err != nil || len(all) != 2 || string(all[0].Raw)+string(all[1].Raw) != "hello" || !strings.Contains(all[0].Reason, "not an entry") {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestTopics: topics that exist are taken as they are; two numbers of partitions
// are an error that says what to do.
func TestTopics(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "a"), kfake.SeedTopics(4, "b", "b-dlq"), kfake.SeedTopics(5, "b-retry"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a := openTopic(t, c.ListenAddrs(), "a", stream.Options{Rate: -1})
	if err := a.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	n, err := a.opts.partitions(t.Context(), a.out)
	if err != nil || n["a"] != 4 || n["a-retry"] != 4 || n["a-dlq"] != 1 {
		t.Errorf("%v, %v", n, err)
	}
	b := openTopic(t, c.ListenAddrs(), "b", stream.Options{Rate: -1})
	if err := b.Check(t.Context()); !errors.Is(err, ErrTopics) || !strings.Contains(err.Error(), "b has 4 partitions and b-retry has 5") {
		t.Errorf("%v", err)
	}
	if err := b.Enqueue(t.Context(), streamtest.Record(1, 1, 1)); !errors.Is(err, ErrTopics) {
		t.Errorf("enqueued into topics that do not fit: %v", err)
	}
}

// TestAway: without a cluster Enqueue says so in time.
func TestAway(t *testing.T) {
	s := openTopic(t, []string{"127.0.0.1:1"}, "", stream.Options{Rate: -1})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := s.Enqueue(ctx, streamtest.Record(1, 1, 1)); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("%v", err)
	}
	if _, err := Open(&Options{}); err == nil {
		t.Error("opened without brokers")
	}
}

// TestRefused: what the brokers do not acknowledge is not durable. An entry that
// cannot be produced anew keeps its offset.
func TestRefused(t *testing.T) {
	c := fake(t)
	s := openTopic(t, c.ListenAddrs(), "", stream.Options{Rate: -1})
	streamtest.Enqueue(t, s, streamtest.Record(1, 1, 1))
	c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		p := req.(*kmsg.ProduceRequest)
		if p.Acks != -1 {
			t.Errorf("acks %d, want all", p.Acks)
		}
		res := p.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range p.Topics {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID = topic.Topic, topic.TopicID
			for _, partition := range topic.Partitions {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.ErrorCode = partition.Partition, kerr.TopicAuthorizationFailed.Code
				rt.Partitions = append(rt.Partitions, rp)
			}
			res.Topics = append(res.Topics, rt)
		}
		return res, nil, true
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := s.Enqueue(ctx, streamtest.Record(2, 1, 1)); err == nil {
		t.Error("enqueued, and no replica has it")
	}
	store := streamtest.NewStore(func(recovery.Record) error { return errors.New("away") })
	stop := streamtest.Run(t, s, store.Apply)
	store.Wait(t, "it is tried", func() bool { return len(store.Calls()) > 0 })
	time.Sleep(3 * time.Second) // a commit comes each second
	stop()
	for topic, partitions := range c.GroupInfo(group).Commits {
		for id, at := range partitions {
			if at.Offset != 0 {
				t.Errorf("%s/%d is committed up to %d", topic, id, at.Offset)
			}
		}
	}
	if n := len(store.Calls()); n < 3 {
		t.Errorf("tried %d times in 3 s", n)
	}
}

// TestPaused: more than the memory may hold is left with the broker, and comes in the end.
func TestPaused(t *testing.T) {
	s, err := Open(&Options{Brokers: fake(t).ListenAddrs(), Partitions: 1, Stream: stream.Options{Rate: -1, Workers: 1}, testingOnlyHeld: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	hang := make(chan struct{})
	store := streamtest.NewStore(func(recovery.Record) error {
		<-hang
		return nil
	})
	streamtest.Enqueue(t, s, streamtest.Record(0, 1, 1))
	stop := streamtest.Run(t, s, store.Apply)
	held := func() int { n, _ := s.queue.Depth(); return n }
	streamtest.Wait(t, nil, "the first is held", func() bool { return held() == 1 })
	for n := byte(1); n < 60; n++ {
		streamtest.Enqueue(t, s, streamtest.Record(n, 1, 1))
		time.Sleep(time.Millisecond) // a fetch each, more or less
	}
	time.Sleep(300 * time.Millisecond)
	if n := held(); n > 50 {
		t.Errorf("%d are held, with 8 as the most: nothing was paused", n)
	}
	close(hang)
	for n := byte(1); n < 60; n++ {
		store.Wait(t, fmt.Sprintf("%d is stored", n), func() bool { return store.Ver(n) == 1 })
	}
	stop()
}
