package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
)

// DefaultTopic is the first topic's name if none is given.
const DefaultTopic = "staunch.recovery.records"

const (
	group = "staunch-recovery"
	// patience is how long a message may take to be acknowledged.
	patience = 10 * time.Second
)

// Options of a stream.
type Options struct {
	Brokers     []string       // host:port of some brokers; the others are learnt from them
	Topic       string         // ""; DefaultTopic. -retry and -dlq are appended to it.
	Partitions  int32          // of topics that it makes; 0: 12
	Replication int16          // of topics that it makes; 0: as the brokers have it
	TLS         *tls.Config    // nil: no TLS
	SASL        sasl.Mechanism // nil: none
	Stream      stream.Options

	testingOnlySession time.Duration // after which a silent process has left the group
	testingOnlyHeld    int           // messages of a partition in memory, at most
}

// Stream is an open stream. It is safe for concurrent use.
type Stream struct {
	opts  Options
	log   *slog.Logger
	out   *kgo.Client
	queue *stream.Queue[place]
	ready atomic.Bool // the topics are as they must be

	mu    sync.Mutex  // guards what follows
	in    *kgo.Client // of Run; nil: it does not run
	owned map[string]map[int32]*partition
	dead  map[string]bool // IDs of the letters; complete some time after Run has begun
}

// Open checks the options. It asks no broker: a cluster that is away is an error
// of Enqueue, and waited for by Run.
func Open(o *Options) (*Stream, error) {
	s := &Stream{opts: *o, log: o.Stream.Logger, owned: map[string]map[int32]*partition{}, dead: map[string]bool{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.opts.complete(); err != nil {
		return nil, err
	}
	var err error
	hooks := stream.Hooks[place]{Done: s.done, Bury: s.bury, Park: s.park}
	if s.queue, err = stream.NewQueue(o.Stream, hooks); err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	if s.out, err = s.opts.client(); err != nil {
		return nil, err
	}
	return s, nil
}

func (o *Options) complete() error {
	if len(o.Brokers) == 0 {
		return errors.New("kafka: no brokers")
	}
	if o.Topic == "" {
		o.Topic = DefaultTopic
	}
	if o.Partitions == 0 {
		o.Partitions = 12
	}
	if o.Replication == 0 {
		o.Replication = -1 // KIP-464: the broker's default
	}
	if o.testingOnlySession == 0 {
		o.testingOnlySession = 30 * time.Second
	}
	if o.testingOnlyHeld == 0 {
		o.testingOnlyHeld = 10000
	}
	return nil
}

func (o *Options) retryTopic() string { return o.Topic + "-retry" }
func (o *Options) deadTopic() string  { return o.Topic + "-dlq" }

// client is a client with what all have in common. Producing is idempotent and
// waits for all replicas in sync: both are kgo's defaults, said here because a
// promise rests on them.
func (o *Options) client(more ...kgo.Opt) (*kgo.Client, error) {
	opts := append([]kgo.Opt{
		kgo.SeedBrokers(o.Brokers...), kgo.ClientID("staunch"),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordDeliveryTimeout(patience),
		kgo.RetryTimeout(patience), kgo.DialTimeout(5 * time.Second),
	}, more...)
	if o.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(o.TLS))
	}
	if o.SASL != nil {
		opts = append(opts, kgo.SASL(o.SASL))
	}
	c, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return c, nil
}

// Enqueue returns when r is durable.
func (s *Stream) Enqueue(ctx context.Context, r recovery.Record) error {
	if r.At.IsZero() {
		r.At = time.Now()
	}
	m, err := message(s.opts.Topic, stream.Entry{Record: r})
	if err != nil {
		return err
	}
	if !s.ready.Load() { // nobody has looked at the topics yet
		if err := s.Check(ctx); err != nil {
			return err
		}
	}
	if err := produce(ctx, s.out, m); err != nil {
		return fmt.Errorf("kafka: enqueue: %w", err)
	}
	return nil
}

// Nudge applies what this process holds for a key now.
func (s *Stream) Nudge(ctx context.Context, app account.AppID, vault string, acct [16]byte) error {
	return s.queue.Nudge(ctx, app, vault, acct)
}

// Stats tells what this process holds, and what it has still to read of its
// partitions. Dead letters are those of all processes.
func (s *Stream) Stats() stream.Stats {
	var st stream.Stats
	st.Depth, st.Oldest = s.queue.Depth()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, partitions := range s.owned {
		for _, p := range partitions {
			st.Depth += p.lag()
		}
	}
	st.Dead = len(s.dead)
	return st
}

// Close ends the stream. Let Run end first.
func (s *Stream) Close() error {
	s.out.Close()
	return nil
}

var _ recovery.Retry = (*Stream)(nil)
