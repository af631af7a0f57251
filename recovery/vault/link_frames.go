package vault

import (
	"bufio"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// errGone: the connection has ended.
var errGone = errors.New("vault: the link is down")

// maxQueued is how many messages may wait for a peer that reads slowly.
const maxQueued = 1024

// stalled is how long a peer may read nothing.
const stalled = 10 * time.Second

// frames writes messages to a connection, many at once where many are there.
type frames struct {
	conn  net.Conn
	queue chan []byte
	done  chan struct{} // closed when the connection has ended
	once  sync.Once
}

func newFrames(conn net.Conn) *frames {
	f := &frames{conn: conn, queue: make(chan []byte, maxQueued), done: make(chan struct{})}
	go f.run()
	return f
}

func (f *frames) end() {
	f.once.Do(func() {
		close(f.done)
		f.conn.Close()
	})
}

func (f *frames) run() {
	defer f.end()
	out := bufio.NewWriterSize(f.conn, 64<<10)
	for {
		var b []byte
		select {
		case b = <-f.queue:
		default:
			if out.Flush() != nil {
				return
			}
			select {
			case b = <-f.queue:
			case <-f.done:
				return
			}
		}
		if f.conn.SetWriteDeadline(time.Now().Add(stalled)) != nil {
			return
		}
		if _, err := out.Write(b); err != nil {
			return
		}
	}
}

// frame is a message with its length before it.
func frame(v wire.Coded) ([]byte, error) {
	b, err := wire.Encode(v)
	if err != nil {
		return nil, err
	}
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b))), b...), nil
}

// put queues a message; it waits for room as long as the connection lasts.
func (f *frames) put(v wire.Coded) error {
	b, err := frame(v)
	if err != nil {
		return err
	}
	select {
	case f.queue <- b:
		return nil
	case <-f.done:
		return errGone
	}
}

// offer queues a message if there is room: who asks has no use for a peer that
// does not read.
func (f *frames) offer(v wire.Coded) error {
	b, err := frame(v)
	if err != nil {
		return err
	}
	select {
	case <-f.done:
		return errGone
	default:
	}
	select {
	case f.queue <- b:
		return nil
	default:
		return errGone
	}
}
