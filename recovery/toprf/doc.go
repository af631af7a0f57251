// Package toprf is a threshold oblivious pseudorandom function: the VOPRF of RFC
// 9497, its key dealt out by Shamir's scheme to n servers of which t must help.
//
// The client deals a random key k once, and keeps nothing of it. From then on
// neither it nor anybody else can compute the function of an input without t
// servers, who learn nothing about the input, not even whether they have seen it
// before. t evaluations combine, byte for byte, to the output of the RFC's
// single server with the key k (mode 0x01), so its vectors are tests here.
//
//	b, err := suite.Blind(x, seed, regID)      // client: b.Element goes to every server
//	e, err := suite.Evaluate(share, element)   // server i
//	n, err := suite.Combine(t, answers)        // client, of t answers
//	rwd, err := b.Finalize(n)
//
// A server that answers falsely spoils the output. With more than t answers
// [Suite.CheckPolynomial] notices it, and a proof ([Suite.Prove],
// [Suite.Verify]) tells who it was.
//
// The blinding scalar is derived from a seed, the registration and the input, so
// that whoever repeats an attempt sends the same element again.
//
// The package counts nothing: how often a server evaluates is up to the server.
// It refuses the identity, the scalar zero and encodings that are not canonical.
// With P-256 the arithmetic on secret scalars is not constant in time (a limit
// of the module below it), with ristretto255 it is: choose [P256] only where
// FIPS algorithms are demanded. Secrets print as [redacted].
package toprf
