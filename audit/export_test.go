package audit

import "github.com/staunchid/staunch/account"

// NewSealerOf is NewSealer with seals over at most max entries.
func NewSealerOf(opts *SealerOptions, max int) (*Sealer, error) {
	with := *opts
	with.testingOnlyMax = max
	return NewSealer(&with)
}

// Encode is what the hash of e is over.
func Encode(e Entry, app account.AppID) []byte { return e.encode(nil, app) }
