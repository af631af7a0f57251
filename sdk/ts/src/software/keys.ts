/** Keys on P-256 in software, as they lie in a store. */
import type { Bytes } from "../bytes.js";
import type { Store } from "../phone/ports.js";

/** KeptKey is a key in a store: the key itself where the store can hold it and nobody can read it out, else its bytes. */
export interface KeptKey {
  readonly spki: Bytes;
  readonly private: CryptoKey | Bytes;
}

const curve = { name: "ECDSA", namedCurve: "P-256" } as const;

/** generate makes a key that signs. */
export async function generate(store: Store): Promise<KeptKey> {
  const readable = store.holdsKeys !== true;
  const pair = await crypto.subtle.generateKey(curve, readable, ["sign", "verify"]);
  return {
    spki: new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey)),
    private: readable ? new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey)) : pair.privateKey,
  };
}

/** signWith signs a message: ECDSA over its SHA-256, as r || s. */
export async function signWith(key: KeptKey, message: Uint8Array): Promise<Bytes> {
  const k = key.private instanceof Uint8Array ? await crypto.subtle.importKey("pkcs8", key.private, curve, false, ["sign"]) : key.private;
  return new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, k, message as Bytes));
}

/** der is a signature r || s as an Ecdsa-Sig-Value (RFC 3279, Section 2.2.3). */
export function der(rs: Uint8Array): Bytes {
  const half = rs.length / 2;
  const body = [...integer(rs.subarray(0, half)), ...integer(rs.subarray(half))];
  return new Uint8Array([0x30, body.length, ...body]); // below 128 bytes on P-256
}

function integer(unsigned: Uint8Array): number[] {
  let at = 0;
  while (at < unsigned.length - 1 && unsigned[at] === 0) {
    at++;
  }
  const digits = [...unsigned.subarray(at)];
  if ((digits[0] as number) >= 0x80) {
    digits.unshift(0);
  }
  return [0x02, digits.length, ...digits];
}
