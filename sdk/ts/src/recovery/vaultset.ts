/** Who the vaults are: the set that release keys sign, and the bindings that evidence proves. spec/kr1.md, section 4. */
import { ed25519 } from "@noble/curves/ed25519.js";

import { equal } from "../bytes.js";
import { at, bytes, dict, list, map, maybe, type Of, orNull, refine, row, uint } from "./shape.js";
import { hash, id16, limit, maxTBS, maxVaults, shortText, suite, time, u32, u64, vaultID } from "./wire.js";

/** Binding ties a platform's evidence to a replica and its keys. */
export const binding = map({ 1: "staunch/kr1/evidence" }, {
  vault: at(2, vaultID), replica: at(3, shortText), boot: at(4, id16), bootKey: at(5, hash), epoch: at(6, u32),
  hpke: at(7, orNull(bytes(0, 1_216))), configHash: at(8, hash), issued: at(9, time), nonce: at(10, orNull(bytes(0, 64))),
});
export type Binding = Of<typeof binding>;

export const releaseKeys = row(null, { k: uint(1, 16), keys: list(hash, 1, 16) });
export type ReleaseKeys = Of<typeof releaseKeys>;

/** Measurement is one program that may be behind a member's evidence. */
export const measurement = map({}, {
  platform: at(1, shortText), values: at(2, dict(bytes(0, 128), 64, 1, 32)), notBefore: at(3, time), notAfter: at(4, orNull(time)),
  floor: maybe(5, dict(u64, 64, 1, 32)), logIndex: maybe(6, u64),
});
export type Measurement = Of<typeof measurement>;

/** Member is a vault or a witness of a set. */
export const member = map({}, {
  vault: at(1, vaultID), operator: at(2, shortText), configHash: at(3, hash), measurements: at(4, list(measurement, 1, 64)),
});
export type VaultMember = Of<typeof member>;

/** VaultSet is the published list of vaults. */
export const vaultSet = refine(
  map({ 1: "staunch/kr1/vault-set" }, {
    version: at(2, u64), profile: at(3, shortText), suite: at(4, suite), n: at(5, uint(1, maxVaults)), t: at(6, uint(1, maxVaults)),
    limit: at(7, limit), vaults: at(8, list(member, 1, maxVaults)), witnessesOnly: at(9, list(member, 0, 16)),
    release: at(10, releaseKeys), validFrom: at(11, time), previous: at(12, orNull(hash)),
  }),
  (s) => (s.t > s.n || s.vaults.length !== s.n ? "a vault set of another number of vaults than it says" : undefined),
);
export type VaultSet = Of<typeof vaultSet>;

/** KofM is bytes that several release keys have signed. */
export const kOfM = row(null, { tbs: bytes(1, maxTBS), sigs: list(row(null, { key: hash, sig: bytes(64) }), 1, 16) });
export type KofM = Of<typeof kOfM>;

/** SignatureError: bytes that those who must have signed have not. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
}

/**
 * verifyKofM throws unless k distinct keys of the list have signed, and whatever keys of
 * the list have signed have signed this. Signatures of other keys it does not look at. No
 * keys, a k of 0 or above their number, a key twice and the key of zeros verify nothing
 * (spec/kr1.md, section 4, "k of m").
 */
export function verifyKofM(doc: KofM, keys: { readonly k: number; readonly keys: readonly Uint8Array[] }): void {
  if (!Number.isInteger(keys.k) || keys.k < 1 || keys.k > keys.keys.length) {
    throw new SignatureError(`recovery: ${keys.k} of ${keys.keys.length} release keys verify nothing`);
  }
  keys.keys.forEach((key, i) => {
    if (key.every((b) => b === 0) || keys.keys.slice(0, i).some((other) => equal(other, key))) {
      throw new SignatureError("recovery: a release key is zero, or there twice");
    }
  });
  const signed = new Set<number>();
  for (const { key, sig } of doc.sigs) {
    const which = keys.keys.findIndex((mine) => equal(mine, key));
    if (which < 0) {
      continue;
    }
    if (!verifyEd25519(key, doc.tbs, sig)) {
      throw new SignatureError("recovery: the signature of a release key is wrong");
    }
    signed.add(which);
  }
  if (signed.size < keys.k) {
    throw new SignatureError(`recovery: ${signed.size} release keys have signed, and ${keys.k} must`);
  }
}

/** verifyEd25519 is RFC 8032, Section 5.1.7: canonical encodings, and no cofactor. */
export function verifyEd25519(key: Uint8Array, message: Uint8Array, sig: Uint8Array): boolean {
  try {
    return ed25519.verify(sig, message, key, { zip215: false });
  } catch {
    return false; // a key or a signature that is no point or scalar
  }
}

