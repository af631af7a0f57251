package recovery

import "context"

// TestingOnlyFault makes a service die at the fault points for which fn is true.
func TestingOnlyFault(o *Options, fn func(point string) bool) { o.testingOnlyFault = fn }

// TestingOnlyReseal does one round of sealing records anew.
func TestingOnlyReseal(s *Service, ctx context.Context) error { return s.reseal(ctx) }
