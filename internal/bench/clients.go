package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
)

// drive makes each of the calls once, over connections of HTTP/1.1 that are
// kept, and looks at every answer. The clients do as little as they can: they
// run on the same processors as the server.
func drive(address string, calls [][]byte, check func(body []byte) error) (sample, error) {
	conns := make([]net.Conn, clients)
	for i := range conns {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return sample{}, err
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			return sample{}, err
		}
		conns[i] = c
	}
	serverBefore, err := processor(address)
	if err != nil {
		return sample{}, err
	}
	before, err := ownProcessor()
	if err != nil {
		return sample{}, err
	}
	start := time.Now()
	var next atomic.Int64
	errs := make([]error, clients)
	var wg sync.WaitGroup
	for i, c := range conns {
		wg.Go(func() {
			r := bufio.NewReader(c)
			for errs[i] == nil {
				n := int(next.Add(1)) - 1
				if n >= len(calls) {
					return
				}
				errs[i] = ask(c, r, calls[n], check)
			}
		})
	}
	wg.Wait()
	s := sample{n: len(calls), wall: time.Since(start)}
	after, err := ownProcessor()
	if err := errors.Join(append(errs, err)...); err != nil {
		return sample{}, err
	}
	serverAfter, err := processor(address)
	s.server, s.clientSpent = serverAfter-serverBefore, after-before
	return s, err
}

// ask makes one call.
func ask(c io.Writer, r *bufio.Reader, call []byte, check func([]byte) error) error {
	if _, err := c.Write(call); err != nil {
		return err
	}
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
			return fmt.Errorf("answered %s", line)
		}
		if len(line) <= 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	body, err := r.Peek(length)
	if err != nil {
		return err
	}
	if err := check(body); err != nil {
		return err
	}
	_, err = r.Discard(length)
	return err
}

// answered accepts what the bare server says.
func answered(body []byte) error {
	if len(body) != answerSize {
		return fmt.Errorf("an answer of %d bytes", len(body))
	}
	return nil
}

// allowed accepts a message that begins with DECISION_ALLOW, its field 1.
func allowed(body []byte) error {
	if len(body) < 2 || body[0] != 1<<3 || body[1] != byte(attestv1.Decision_DECISION_ALLOW) {
		return fmt.Errorf("the answer is %x, and does not allow", body)
	}
	return nil
}
