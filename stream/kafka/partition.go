package kafka

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// place is where an entry was consumed.
type place struct {
	partition *partition
	offset    int64
}

// partition is what this process has consumed of one, for as long as the
// partition is its own.
type partition struct {
	topic string
	id    int32

	mu    sync.Mutex
	gone  bool           // another process has it: nothing is committed any more
	order []int64        // offsets that were consumed, from the first that is not done
	over  map[int64]bool // those of them that are done
	next  int64          // the offset after the last that was consumed
	high  int64          // where the partition ended when it was last fetched
	epoch int32
	slow  bool // not fetched from, because too much is held
}

func newPartition(topic string, id int32) *partition {
	return &partition{topic: topic, id: id, over: map[int64]bool{}}
}

// consumed notes a message, and reports whether it is enough for now.
func (p *partition) consumed(m *kgo.Record, high int64, most int) (full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.order = append(p.order, m.Offset)
	p.next, p.high, p.epoch = m.Offset+1, high, m.LeaderEpoch
	p.slow = len(p.order) >= most
	return p.slow
}

// done notes that an offset is done. If all before it are done, too, commit is
// true: up to low everything is. thin is true when it may be fetched from again.
func (p *partition) done(offset int64, most int) (low kgo.EpochOffset, commit, thin bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return low, false, false
	}
	p.over[offset] = true
	for len(p.order) > 0 && p.over[p.order[0]] {
		delete(p.over, p.order[0])
		p.order = p.order[1:]
		commit = true
	}
	low = kgo.EpochOffset{Epoch: p.epoch, Offset: p.next}
	if len(p.order) > 0 {
		low.Offset = p.order[0]
	}
	if thin = p.slow && len(p.order) < most/2; thin {
		p.slow = false
	}
	return low, commit, thin
}

func (p *partition) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
}

// lag is how many messages are not consumed yet.
func (p *partition) lag() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int(max(0, p.high-p.next))
}
