// Package fetch downloads what verifiers need, as data with its age: Google's
// revocation list of attestation keys, and Apple's receipts with the risk
// metric. The verifiers themselves never touch a network.
//
// # The revocation list
//
// A [Status] keeps the last good list, in memory and in a file, and keeps it
// fresh:
//
//	s, err := fetch.NewStatus(&fetch.StatusOptions{
//		Client: fetch.NewClient(),
//		File:   "data/status-list.json",
//		OnNew:  func(l *android.StatusList) { ... }, // look at the registered keys again
//	})
//	...
//	go s.Run(ctx)
//	list := s.List() // nil: there is none yet
//
// A list replaces the one before it only as a whole, and only if it can be the
// vendor's: it parses to the last entry, it is not empty, and it has not lost
// more than half of its entries, or of those that are REVOKED. Everything else
// is refused with [ErrList], which is an alarm, and the last good list stays
// with its age. The file holds that list, so a restart does not let a shrunken
// one in.
//
// How old the list is decides whether phones are let in, so [Status.List] does
// not rely on a clock that somebody sets. The age of a list is the greater of
// what the wall clock and what the monotonic clock say:
//
//   - The wall clock goes back, even behind fetched_at: the list ages by the
//     monotonic clock, and is never fresh for ever.
//   - The wall clock goes forward: that looks like a machine that has slept, so
//     the list counts as old, and [Status.Run] fetches within a minute, which
//     makes it fresh. It is refused for that minute at most, unless the vendor
//     cannot be reached either.
//   - A kept list is from the future, because a clock was wrong when it was
//     written or is wrong now: it is taken, as fetched just now, and the file is
//     written anew with that time, so that the next restart finds it older, not
//     fresh again. It is fetched at once.
//
// # Receipts
//
// [Receipts] exchanges a receipt of App Attest for a newer one. It verifies
// nothing: the new receipt is untrusted until appattest.VerifyReceipt has seen
// it. What the vendor answered is data, an [Outcome], and not an error.
//
//	key, err := fetch.ParseAppleKey("TEAM123456", "KEY1234567", p8)
//	r, err := fetch.NewReceipts(&fetch.ReceiptOptions{Client: fetch.NewClient(), Keys: []*fetch.AppleKey{key}})
//	...
//	o, err := r.Exchange(ctx, "TEAM123456", appattest.Production, receipt)
//	switch o.Kind {
//	case fetch.OutcomeNew: // verify o.Receipt
//
// # What it refuses to do
//
// It speaks TLS, or to loopback. It follows no redirect, keeps no cookie, reads
// no more than a bound, and waits no longer than a bound. It decides nothing
// about keys or phones, and does not schedule receipts. Credentials are in no
// log, no error and no outcome.
//
// Specifications: Android, Verify hardware-backed key pairs with key
// attestation, section "Certificate revocation status list"; Apple, Assessing
// fraud risk; RFC 9110 and RFC 9111 (HTTP and its caching), RFC 7515 and
// RFC 7518 (JWS, ES256).
package fetch

import "errors"

// The errors. Each wraps its cause.
var (
	// ErrUnreachable: the vendor has not answered, or not with an answer. It
	// passes by itself, or the way out is closed: look at the firewall and at the
	// proxy (HTTPS_PROXY).
	ErrUnreachable = errors.New("fetch: the vendor cannot be reached")
	// ErrList: the vendor's answer is not a revocation list that can be trusted
	// to be whole. The last good one stays in use, and grows old: look at what
	// the URL serves before it is too old.
	ErrList = errors.New("fetch: the revocation list is refused")
	// ErrFile: the file of the last good list cannot be read or written. A list
	// that was fetched is in use all the same, but a restart forgets it.
	ErrFile = errors.New("fetch: the file of the last good revocation list")
	// ErrKey: there is no usable Apple key for this team. Load the key that
	// App Store Connect lists with the service DeviceCheck.
	ErrKey = errors.New("fetch: no Apple key")
	// ErrExchange: the receipt or its environment cannot be sent at all. The
	// caller has mixed something up.
	ErrExchange = errors.New("fetch: not a receipt to exchange")
)
