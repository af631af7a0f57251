package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/staunchid/staunch/client"
)

// takenBack looks, when the server has refused what a phone wanted, whether that is
// since the account which it had received was taken back: nobody else tells it. Then
// it gives up what it has of it, and says so; else err stays what it is.
func (f phoneFlags) takenBack(ctx context.Context, s *streams, h *home, err error) error {
	var refused *client.Error
	if !errors.As(err, &refused) || errors.Is(err, client.ErrUnreachable) || h.file.Left != nil {
		return err
	}
	if _, there := os.Stat(filepath.Join(h.dir, transferName, receiveName)); there != nil {
		return err
	}
	lock, busy := h.alone()
	if busy != nil { // the command that takes it will notice
		return err
	}
	failed := f.with(ctx, s, h, func(ctx context.Context, r *phoneRun) error {
		_, err := r.phone.MoveStatus(ctx, &client.Moving{Dir: filepath.Join(h.dir, transferName), Home: &movingHome{h, r.soft, time.Now}})
		return err
	})
	if failed = errors.Join(failed, lock.Close()); failed != nil {
		return err
	}
	var read error
	if h.file, read = h.read(); read != nil || h.file.Left == nil {
		return errors.Join(err, read)
	}
	if h.file.State.Account == "" {
		return h.notEnrolled()
	}
	return h.stays()
}
