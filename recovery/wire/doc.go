// Package wire is the bytes of KR-1, Staunch's PIN recovery: what a phone, the
// service and the vaults say to each other, what vaults seal into records, and
// the keys that all of them derive. Both halves of the protocol, the client's
// and the vault's, are built on it, and nothing in it has state.
//
// The format is spec/kr1.md; its vectors are spec/vectors/kr1. Three layers:
//
//   - Structures. Each type of the CDDL is a Go type of the same name, and is
//     written and read by [Encode] and [Decode]. The encoding is deterministic
//     CBOR (RFC 8949, Section 4.2.1): what decodes encodes to the same bytes,
//     and anything else is [ErrMalformed]. All lengths are bounded.
//   - Protection. [Envelope] seals requests to a vault and answers to the one
//     who asked; [RecordKey] seals a vault's records; [DataKey] the blob
//     that the phone keeps at the service. [SigningKey], [Signed], [Managed] and
//     [KofM] sign exact bytes.
//   - Derivations. One function for each line of the table in spec/kr1.md,
//     named after what it derives.
//
// It decides nothing: whether a PIN may be tried is the vault's business, and
// whether a vault is to be trusted the client's. The threshold OPRF is in
// recovery/toprf, the exchange that proves a PIN in recovery/cpace. Argon2id and the
// rules for PINs are the client's. Elements and
// scalars are bytes here, of the right length and otherwise unchecked.
//
// What is secret prints as [redacted], in logs, JSON and with every verb of fmt.
package wire
