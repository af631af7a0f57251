package recovery

// TestingOnlyFault makes a service die at the fault points for which fn is true.
func TestingOnlyFault(o *Options, fn func(point string) bool) { o.testingOnlyFault = fn }
