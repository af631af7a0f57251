// Package request binds an HTTP request to a device. The phone signs method,
// host, path, query and body with its attested key, and a server that checks
// the signature knows that this app on this phone sent this very request: a
// proxy or malware on the way that changes one digit of a payment breaks it.
//
// The signature is an HTTP Message Signature (RFC 9421), and the body is bound
// by a Content-Digest (RFC 9530):
//
//	POST /v1/remit?dry=0 HTTP/1.1
//	Host: pay.example.com
//	Content-Digest: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:
//	Signature-Input: staunch=("@method" "@authority" "@path" "@query" "content-digest");created=1763700000;nonce="k2v3Yw9tJmQ4s6t7u8v9wA";keyid="<43 characters>";tag="staunch-v1"
//	Signature: staunch=:<base64>:
//
// The package imports nothing but the standard library and keeps no state.
//
// # In a service
//
// Put Middleware in front of the handlers. Who decides is a Checker; Staunch's
// Connect client is one (package client), and so is whatever you write:
//
//	guard := request.Middleware(checker, &request.Options{Authority: "pay.example.com"})
//	http.ListenAndServe(addr, guard(mux))
//
// A handler asks FromContext who signed. It reads the bytes that were checked.
//
// # In a verifier
//
//	p, err := request.Parse(m)          // the form: see below
//	f := p.At(authorities)              // is it for us?
//	f = p.Demand(headers, members)      // what this route wants besides
//	f = p.Clock(now, maxAge, skew)      // is it for now?
//	...                                 // find the key under p.KeyID
//	ok := request.VerifySignature(alg, key, p.Base, p.Signature)
//	...                                 // is p.Nonce new for this key?
//
// All of it, in this order; the last step belongs to the caller alone, who must
// remember nonces for maxAge and skew. An iPhone's signature is an App Attest
// assertion over SHA-256(p.Base), which attest/appattest verifies.
//
// # What Parse demands
//
//   - Exactly one signature has the tag staunch-v1, and its label is staunch.
//     Others are ignored.
//   - It covers @method, @authority, @path and @query, and content-digest with
//     POST, PUT, PATCH and whenever there is a body. Besides them header fields,
//     each as a whole; nothing twice; in any order.
//   - created, nonce, keyid and tag are there; expires and alg may be; nothing
//     else may. nonce is 22 to 64 characters of base64url.
//   - Content-Digest holds sha-256, and the body has it. A sha-512 beside it must
//     be right too. A Content-Digest that need not be there must be right all the
//     same, and be covered.
//   - Content-Encoding is covered, if there is one and a body: it says what the
//     handler makes of the bytes.
//   - Method, host, path, query and fields are printable ASCII, so that none of
//     them can begin a line of the base.
//   - Signature-Input is written as RFC 9651 writes it, to the byte: what is
//     signed is the text as sent, and no two readers see two things in it.
//
// Path and query are the bytes of the request line. Nothing is decoded and no
// dot, slash or percent-encoding is normalised, but that an empty path is "/".
// The host is in lower case, and the ports 80 and 443 are left out: behind a
// proxy nobody can tell which of them is the default one. Bytes outside ASCII,
// "#", "\" and wrong percent-encodings are refused.
//
// # Parameters in the body
//
// A body that two programs read differently can be signed like any other. So
// Members lists only the names that occur once, ignoring case, at the top of a
// JSON object, and Demand wants the parameters that matter to be among them, and
// Content-Type to be covered and to say JSON: {"a":"&amount=9&"} is a form, too.
//
// # What it does not do
//
// It knows no keys, remembers no nonces and reads no clock. It does not cover
// responses, trailers, single query parameters or single members of fields. It
// does not decode a Content-Encoding: the digest is over the content as sent.
//
// Errors that a phone or somebody on the way causes are a *Failure, whose code
// is a row of Staunch's table of findings.
//
// Specifications: RFC 9421, RFC 9530, RFC 9651 (which replaces RFC 8941), RFC
// 9110, RFC 9112, RFC 8259. Departures: docs/divergences/requests.md.
package request
