package kafka

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/streamtest"
)

func fake(t *testing.T) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func openTopic(t *testing.T, brokers []string, topic string, o stream.Options) *Stream {
	t.Helper()
	s, err := Open(&Options{Brokers: brokers, Topic: topic, Partitions: 3, Stream: o, testingOnlySession: 6 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func bed(brokers []string, topic string) streamtest.Bed {
	return streamtest.Bed{
		Open: func(t *testing.T, o stream.Options) streamtest.Stream { return openTopic(t, brokers, topic, o) },
		Letters: func(t *testing.T) streamtest.Letters {
			l, err := OpenLetters(&Options{Brokers: brokers, Topic: topic})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			return l
		},
	}
}

func TestConform(t *testing.T) {
	streamtest.Conform(t, func(t *testing.T) streamtest.Bed { return bed(fake(t).ListenAddrs(), "") })
}
