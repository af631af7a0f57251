/** Device proofs (spec/transfer.md, section 1): signatures of a phone's attested key over transcript values. */
import { decode as decodeAny } from "cborg";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";

import { type Bytes, concat, copy, equal, fromHex, utf8 } from "../../bytes.js";
import { sha256 } from "../derive.js";
import { HandoverError } from "./errors.js";

/** deviceProof is what is signed: "staunch/device-proof/v1" ‖ 0x00 ‖ value. */
export function deviceProof(value: Uint8Array): Bytes {
  return concat(utf8("staunch/device-proof/v1\0"), value);
}

/** What a SubjectPublicKeyInfo begins with, by the kind of its key; the key follows. */
const kinds = [
  { kind: "P-256", prefix: fromHex("3059301306072a8648ce3d020106082a8648ce3d030107034200"), size: 65 }, // RFC 5480
  { kind: "P-384", prefix: fromHex("3076301006072a8648ce3d020106052b81040022036200"), size: 97 },
  { kind: "Ed25519", prefix: fromHex("302a300506032b6570032100"), size: 32 }, // RFC 8410
] as const;

/**
 * verifyProof verifies a proof over a transcript value by the key in a SubjectPublicKeyInfo:
 * a signature as Android's keys make it (ECDSA as r ‖ s, P-256 with SHA-256 and P-384 with
 * SHA-384, or Ed25519), or an assertion of Apple's. An assertion's counter is not judged: a
 * value occurs once. It throws a HandoverError "forged".
 */
export async function verifyProof(spki: Uint8Array, value: Uint8Array, proof: Uint8Array): Promise<void> {
  const found = kinds.find((k) => spki.length === k.prefix.length + k.size && equal(spki.subarray(0, k.prefix.length), k.prefix));
  if (found === undefined) {
    throw new HandoverError("forged", "no proofs are made with keys of this kind");
  }
  const point = copy(spki.subarray(found.prefix.length));
  const message = deviceProof(value);
  let good = false;
  try {
    switch (found.kind) {
      case "P-256": // no assertion is 64 bytes long: its authenticator data alone has 37, and its signature over 60
        good = proof.length === 64 ? await verifyECDSA("P-256", "SHA-256", point, message, proof) : verifyAssertion(point, message, proof);
        break;
      case "P-384":
        good = proof.length === 96 && await verifyECDSA("P-384", "SHA-384", point, message, proof);
        break;
      case "Ed25519":
        good = proof.length === 64 && ed25519.verify(proof, message, point, { zip215: false });
        break;
    }
  } catch (cause) {
    throw new HandoverError("forged", "the device proof or its key is none", { cause });
  }
  if (!good) {
    throw new HandoverError("forged", "the device proof is not good");
  }
}

async function verifyECDSA(namedCurve: string, hash: string, point: Bytes, message: Bytes, proof: Uint8Array): Promise<boolean> {
  const k = await crypto.subtle.importKey("raw", point, { name: "ECDSA", namedCurve }, false, ["verify"]);
  return crypto.subtle.verify({ name: "ECDSA", hash }, k, copy(proof), message);
}

const maxAssertion = 4096;

/**
 * verifyAssertion verifies Apple's form, an assertion with clientDataHash SHA-256(message):
 * steps 2 and 3 of "Verify the assertion" on Apple's page "Validating apps that connect to
 * your server". ECDSA-with-SHA256 hashes its message, which is the nonce.
 */
function verifyAssertion(point: Bytes, message: Bytes, assertion: Uint8Array): boolean {
  if (assertion.length > maxAssertion) {
    return false;
  }
  const map: unknown = decodeAny(assertion, { useMaps: true, strict: true, allowIndefinite: false, rejectDuplicateMapKeys: true });
  const signature: unknown = map instanceof Map ? map.get("signature") : undefined;
  const data: unknown = map instanceof Map ? map.get("authenticatorData") : undefined;
  if (!(signature instanceof Uint8Array) || !(data instanceof Uint8Array) || data.length < 37) {
    return false;
  }
  const nonce = sha256(concat(data, sha256(message)));
  return p256.verify(signature, sha256(nonce), point, { prehash: false, lowS: false, format: "der" });
}
