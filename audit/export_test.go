package audit

// NewSealerOf is NewSealer with seals over at most max entries.
func NewSealerOf(opts *SealerOptions, max int) (*Sealer, error) {
	with := *opts
	with.testingOnlyMax = max
	return NewSealer(&with)
}
