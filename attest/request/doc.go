// Package request binds an HTTP request to a device: the phone signs method,
// host, path, query and body with its attested key (HTTP Message Signatures,
// RFC 9421, with a Content-Digest, RFC 9530), and this package reads, checks
// and makes such requests. It imports nothing but the standard library.
package request
