/** What moves besides the history, and how it is sealed (spec/transfer.md, section 5). */
import type { Bytes } from "../../bytes.js";
import { decode, encode, MalformedError, type Value } from "../../cbor.js";
import { octets, text } from "../shape.js";
import { HandoverError } from "./errors.js";
import { malformed } from "./messages.js";
import { sharedKey } from "./schedule.js";
import type { Secret } from "./secret.js";

/** Secrets are what moves besides the history, by name: "sealing" the sealing keys, "recovery" the device's recovery state. */
export type Secrets = ReadonlyMap<string, Bytes>;

const maxSecrets = 64 << 10; // bytes encoded
const secretName = text(0, 64);
const secret = octets(0, maxSecrets);

/** encodeSecrets gives their bytes, at most 64 KiB. It throws a HandoverError "malformed". */
export function encodeSecrets(secrets: Secrets): Bytes {
  return malformed("secrets", () => {
    const bytes = encode(checkSecrets(secrets));
    if (bytes.length > maxSecrets) {
      throw new MalformedError(`${bytes.length} bytes, and at most ${maxSecrets} are allowed`);
    }
    return bytes;
  });
}

/** decodeSecrets reads them. It throws a HandoverError "malformed". */
export function decodeSecrets(bytes: Uint8Array): Secrets {
  return malformed("secrets", () => checkSecrets(decode(bytes, maxSecrets)));
}

function checkSecrets(value: Value): Map<string, Bytes> {
  if (!(value instanceof Map) || value.size > 64) {
    throw new MalformedError("a map of at most 64 secrets is wanted");
  }
  return new Map([...value as ReadonlyMap<Value, Value>].map(([k, v]) => [secretName.read(k), secret.read(v)]));
}

/**
 * box is AES-256-GCM under K_secret, with the root as additional data. Its nonce is zero, since
 * the share, and with it the key, is fresh in every grant.
 */
async function box(k0: Secret, th4: Uint8Array, share: Secret, root: Bytes): Promise<{ readonly how: AesGcmParams; readonly key: CryptoKey }> {
  const key = await crypto.subtle.importKey("raw", sharedKey(k0, "secret", th4, share), "AES-GCM", false, ["encrypt", "decrypt"]);
  return { how: { name: "AES-GCM", iv: new Uint8Array(12), additionalData: root }, key };
}

/** sealSecrets seals them under a share. It throws a HandoverError "malformed" for too many. */
export async function sealSecrets(k0: Secret, th4: Uint8Array, share: Secret, root: Bytes, secrets: Secrets): Promise<Bytes> {
  const plain = encodeSecrets(secrets);
  const { how, key } = await box(k0, th4, share, root);
  const sealed = new Uint8Array(await crypto.subtle.encrypt(how, key, plain));
  plain.fill(0);
  return sealed;
}

/** openSecrets opens them. It throws a HandoverError "commitment" if they do not open. */
export async function openSecrets(k0: Secret, th4: Uint8Array, share: Secret, root: Bytes, sealed: Bytes): Promise<Secrets> {
  const { how, key } = await box(k0, th4, share, root);
  let plain: Bytes;
  try {
    plain = new Uint8Array(await crypto.subtle.decrypt(how, key, sealed));
  } catch (cause) {
    throw new HandoverError("commitment", "the sealed secrets do not open", { cause });
  }
  const secrets = decodeSecrets(plain);
  plain.fill(0);
  return secrets;
}
