package replica

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// UntilStopped ends on SIGTERM or SIGINT, and when a host that has started the
// process through a pipe closes it or dies. Input that is no pipe says nothing.
func UntilStopped(ctx context.Context, in *os.File) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	if Hosted(in) {
		go func() {
			_, _ = io.Copy(io.Discard, in) // whatever ends it, the host is gone
			stop()
		}()
	}
	return ctx, stop
}

// Hosted reports whether the input is a pipe: a host has started the process.
func Hosted(in *os.File) bool {
	info, err := in.Stat()
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}
