package kafka

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/streamtest"
)

// TestLettersStats: who is no server sees what waits, and since when.
func TestLettersStats(t *testing.T) {
	brokers := fake(t).ListenAddrs()
	s := openTopic(t, brokers, "", stream.Options{Rate: -1})
	l, err := OpenLetters(&Options{Brokers: brokers})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	look := func() stream.Stats {
		st, err := l.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	if st := look(); st != (stream.Stats{}) {
		t.Errorf("before there are topics: %+v", st)
	}
	old, young := streamtest.Record(1, 1, 1), streamtest.Record(2, 1, 1)
	old.At = old.At.Add(-time.Hour)
	streamtest.Enqueue(t, s, young, old)
	if st := look(); st.Depth != 2 || !st.Oldest.Equal(old.At) || st.Dead != 0 {
		t.Errorf("%+v, want the one of %s", st, old.At)
	}
	store := streamtest.NewStore(func(r recovery.Record) error {
		if r.Acct == old.Acct {
			return recovery.ErrPermanent
		}
		return nil
	})
	streamtest.Run(t, s, store.Apply)
	streamtest.Wait(t, nil, "all is committed", func() bool {
		st := look()
		return st.Depth == 0 && st.Dead == 1 && st.Oldest.IsZero()
	})
	var away *Letters
	if away, err = OpenLetters(&Options{Brokers: []string{"127.0.0.1:1"}}); err == nil {
		_, err = away.Stats(t.Context())
		err = errors.Join(err, away.Close())
	}
	if err == nil {
		t.Error("nobody is there, and it tells")
	}
}
