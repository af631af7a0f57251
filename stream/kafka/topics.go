package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ErrTopics: the topics are not as the stream needs them. The text says which, and
// what to change.
var ErrTopics = errors.New("kafka: the topics do not fit")

// keep is how long a message of the first two topics is kept, in milliseconds: 30 days.
const keep = "2592000000"

// Check reports whether the cluster is there and has the topics, and makes those
// that are missing.
func (s *Stream) Check(ctx context.Context) error {
	err := s.opts.check(ctx, s.out)
	if err == nil {
		s.ready.Store(true)
	}
	return err
}

func (o *Options) check(ctx context.Context, c *kgo.Client) error {
	n, err := o.partitions(ctx, c)
	if err != nil {
		return err
	}
	want := o.Partitions
	if n[o.Topic] > 0 {
		want = n[o.Topic]
	} else if n[o.retryTopic()] > 0 {
		want = n[o.retryTopic()]
	}
	for _, t := range []struct {
		name       string
		partitions int32
		policy     map[string]string
	}{
		{o.Topic, want, map[string]string{"cleanup.policy": "delete", "retention.ms": keep}},
		{o.retryTopic(), want, map[string]string{"cleanup.policy": "delete", "retention.ms": keep}},
		{o.deadTopic(), 1, map[string]string{"cleanup.policy": "compact"}},
	} {
		if n[t.name] > 0 {
			continue
		}
		if err := o.create(ctx, c, t.name, t.partitions, t.policy); err != nil {
			return err
		}
		n[t.name] = t.partitions
	}
	if n[o.Topic] != n[o.retryTopic()] {
		return fmt.Errorf("%w: %s has %d partitions and %s has %d: give both the same number", ErrTopics, o.Topic, n[o.Topic], o.retryTopic(), n[o.retryTopic()])
	}
	return nil
}

// partitions gives the number of partitions of each topic; 0: it is not there.
func (o *Options) partitions(ctx context.Context, c *kgo.Client) (map[string]int32, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = false
	for _, name := range []string{o.Topic, o.retryTopic(), o.deadTopic()} {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	resp, err := req.RequestWith(ctx, c)
	if errors.Is(err, kerr.SaslAuthenticationFailed) {
		return nil, fmt.Errorf("%w: the brokers refuse the user or its password: %w", ErrSecurity, err)
	}
	if err != nil {
		return nil, fmt.Errorf("kafka: no broker of %v answers: %w", o.Brokers, err)
	}
	all := map[string]int32{}
	for _, t := range resp.Topics {
		err := kerr.ErrorForCode(t.ErrorCode)
		switch {
		case errors.Is(err, kerr.UnknownTopicOrPartition):
		case err != nil:
			return nil, fmt.Errorf("kafka: topic %s: %w", *t.Topic, err)
		default:
			all[*t.Topic] = int32(len(t.Partitions))
		}
	}
	return all, nil
}

// create makes a topic. Another process may be faster.
func (o *Options) create(ctx context.Context, c *kgo.Client, name string, partitions int32, policy map[string]string) error {
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, partitions, o.Replication
	for k, v := range policy {
		cfg := kmsg.NewCreateTopicsRequestTopicConfig()
		cfg.Name, cfg.Value = k, kmsg.StringPtr(v)
		t.Configs = append(t.Configs, cfg)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, t)
	req.TimeoutMillis = int32(patience.Milliseconds())
	resp, err := req.RequestWith(ctx, c)
	if err == nil && len(resp.Topics) == 1 {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("%w: %s is not there and cannot be made: %w", ErrTopics, name, err)
	}
	return nil
}
