/** Evidence: what a phone's hardware says of its key, and who judges it. */
import { type Bytes, equal } from "../../bytes.js";
import { decode, encode, MalformedError } from "../../cbor.js";
import { choice, list, octets, struct, text } from "../shape.js";
import { HandoverError } from "./errors.js";
import { malformed } from "./messages.js";

/**
 * Evidence is what an offer carries: to the server, which registers the key, and to the other
 * phone, which judges it itself.
 */
export interface Evidence {
  readonly platform: "android" | "ios";
  readonly chain?: readonly Bytes[]; // Android: certificates in DER, leaf first. This or object
  readonly object?: Bytes; // a WebAuthn-shaped object: Apple App Attest, or Android's android-key
  readonly keyId?: string; // Apple: what generateKey gave, in base64url
  readonly osVersion?: string; // what the app says of its phone; believed nowhere
  readonly appVersion?: string;
  readonly model?: string;
}

/** Verdict is what an app's verifier finds. */
export interface Verdict {
  /** Whether the phone and its app are genuine by the app's own policy. */
  readonly accepted: boolean;
  /** The key that the evidence is for, SubjectPublicKeyInfo, as the verifier read it in the evidence. */
  readonly key: Bytes;
  /** What was found, in words for a log: the reasons, if it is not accepted. */
  readonly findings: readonly { readonly code: string; readonly detail: string }[];
}

/**
 * EvidenceVerifier judges evidence by the app's own roots and policy. This SDK brings none:
 * a verifier that believes the server makes the server the judge of its own phones. An app
 * on a phone asks code of its own, on the phone.
 */
export interface EvidenceVerifier {
  /** verify judges evidence that was made over a challenge for the key in spki. It throws where it cannot tell. */
  verify(evidence: Evidence, challenge: Bytes, spki: Bytes): Promise<Verdict>;
}

const hint = text(1, 100);
const shape = struct<Evidence>(
  [1, "platform", choice("android", "ios")], [2, "chain", list(octets(1, 16 << 10), 1, 10), "optional"], [3, "object", octets(1, 64 << 10), "optional"],
  [4, "keyId", text(1, 64), "optional"], [5, "osVersion", hint, "optional"], [6, "appVersion", hint, "optional"], [7, "model", hint, "optional"]);

const maxEvidence = 64 << 10;

/** encodeEvidence gives its bytes. It throws a HandoverError "malformed". */
export function encodeEvidence(e: Evidence): Bytes {
  return malformed("evidence", () => {
    either(e);
    return encode(shape.write(e));
  });
}

/** decodeEvidence reads it. It throws a HandoverError "malformed". */
export function decodeEvidence(bytes: Uint8Array): Evidence {
  return malformed("evidence", () => {
    const e = shape.read(decode(bytes, maxEvidence));
    either(e);
    return e;
  });
}

function either(e: Evidence): void {
  if ((e.chain === undefined) === (e.object === undefined)) {
    throw new MalformedError("either a chain or an object is wanted");
  }
}

/** judge has evidence judged. Whoever is not accepted, for exactly this key, is a HandoverError "untrusted". */
export async function judge(trust: EvidenceVerifier | undefined, e: Evidence, challenge: Bytes, spki: Bytes): Promise<Verdict> {
  if (trust === undefined) {
    throw new HandoverError("untrusted", "the other phone brings evidence, and nobody here judges it: set options.trust");
  }
  let verdict: Verdict;
  try {
    verdict = await trust.verify(e, challenge, spki);
  } catch (cause) {
    throw new HandoverError("untrusted", "the other phone's evidence could not be judged", { cause });
  }
  if (verdict.accepted !== true) {
    const why = verdict.findings.map((f) => `; ${f.code}: ${f.detail}`).join("");
    throw new HandoverError("untrusted", `the other phone is not trusted${why}`, { verdict });
  }
  // The key that signs is the attested one, and not another beside it.
  if (!equal(verdict.key, spki)) {
    throw new HandoverError("untrusted", "the other phone's evidence is for another key", { verdict });
  }
  return verdict;
}
