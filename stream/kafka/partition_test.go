package kafka

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestPartition: the offset that is committed is the first that is not done, in
// whatever order they are done.
func TestPartition(t *testing.T) {
	for _, c := range []struct {
		name     string
		consumed []int64
		done     []int64
		commits  []int64 // after each done; -1: none
	}{
		{"in order", []int64{5, 6, 7}, []int64{5, 6, 7}, []int64{6, 7, 8}},
		{"backwards", []int64{5, 6, 7}, []int64{7, 6, 5}, []int64{-1, -1, 8}},
		{"with holes", []int64{5, 9, 12}, []int64{5, 12, 9}, []int64{9, -1, 13}},
		{"one is never done", []int64{5, 6, 7}, []int64{6, 7}, []int64{-1, -1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPartition("t", 0)
			for _, offset := range c.consumed {
				p.consumed(&kgo.Record{Offset: offset, LeaderEpoch: 3}, 20, 100)
			}
			if want := int(20 - c.consumed[len(c.consumed)-1] - 1); p.lag() != want {
				t.Errorf("lag %d, want %d", p.lag(), want)
			}
			var got []int64
			for _, offset := range c.done {
				low, commit, _ := p.done(offset, 100)
				if !commit {
					low.Offset = -1
				} else if low.Epoch != 3 {
					t.Errorf("epoch %d", low.Epoch)
				}
				got = append(got, low.Offset)
			}
			if diff := cmp.Diff(c.commits, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPartitionSlow: fetching stops when much is held, and goes on at half of it.
func TestPartitionSlow(t *testing.T) {
	p := newPartition("t", 0)
	for offset := range int64(10) {
		if full := p.consumed(&kgo.Record{Offset: offset}, 10, 10); full != (offset == 9) {
			t.Errorf("%d: full %v", offset, full)
		}
	}
	for offset := range int64(10) {
		if _, _, thin := p.done(offset, 10); thin != (offset == 5) {
			t.Errorf("%d: thin %v", offset, thin)
		}
	}
}

// TestPartitionGone: of a partition that another process has, nothing is committed.
func TestPartitionGone(t *testing.T) {
	p := newPartition("t", 0)
	p.consumed(&kgo.Record{Offset: 1}, 2, 10)
	p.leave()
	if low, commit, thin := p.done(1, 10); commit || thin || low.Offset != 0 {
		t.Errorf("%v %v %v", low, commit, thin)
	}
}
