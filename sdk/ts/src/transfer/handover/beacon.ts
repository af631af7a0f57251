/** Beacons: what the new phone sends over the air while its code is shown (spec/transfer.md, section 6). */
import { type Bytes, concat, equal } from "../../bytes.js";
import { hmac256 } from "../derive.js";
import { HandoverError } from "./errors.js";
import { Secret } from "./secret.js";

/** beaconSize is the length of a beacon in bytes. */
export const beaconSize = 20;

const block = 16;
const zeros = new Uint8Array(block);

/** sealBeacon is prox as one block of AES-256 under the first half of K_eid, and 4 bytes of an HMAC under the other. */
export async function sealBeacon(keys: Uint8Array, prox: Secret): Promise<Bytes> {
  const aes = await importAES(keys);
  // CBC from zeros is the bare cipher for its first block; the second one is padding.
  const e = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv: zeros }, aes, prox.bytes())).slice(0, block);
  return concat(e, tag(keys, e));
}

/** openBeacon is the way back. It throws a HandoverError "beacon". */
export async function openBeacon(keys: Uint8Array, heard: Uint8Array): Promise<Secret> {
  if (heard.length !== beaconSize) {
    throw new HandoverError("beacon", `${heard.length} bytes are no beacon: it has ${beaconSize}`);
  }
  const e = heard.slice(0, block);
  if (!equal(heard.subarray(block), tag(keys, e))) {
    throw new HandoverError("beacon", "the beacon of another code");
  }
  const aes = await importAES(keys);
  // Web Cryptography takes off a padding: a second block is made that has nothing else.
  const padding = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv: e }, aes, new Uint8Array(0)));
  return Secret.of(new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv: zeros }, aes, concat(e, padding))));
}

function importAES(keys: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", keys.slice(0, 32), "AES-CBC", false, ["encrypt", "decrypt"]);
}

function tag(keys: Uint8Array, e: Uint8Array): Bytes {
  return hmac256(keys.subarray(32), e).slice(0, beaconSize - block);
}
