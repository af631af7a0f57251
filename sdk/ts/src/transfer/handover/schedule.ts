/**
 * The key schedule (spec/transfer.md, section 5): the shape of RFC 8446, Section 7.1, where
 * the secret of the code takes the place of the PSK, and the KEM's that of the key
 * exchange. Who has only one of the two has nothing.
 */
import { Aes256Gcm, CipherSuite, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";

import { type Bytes, concat } from "../../bytes.js";
import { extract, hmac256, input, key } from "../derive.js";
import { HandoverError } from "./errors.js";
import { Secret } from "./secret.js";

/** Sizes of HPKE's MLKEM768-X25519, in bytes. */
export const keySize = 1216;
export const encapsulatedSize = 1120;
export const seedSize = 32; // of the private key

const zeros = new Uint8Array(32);

/** suite is suite 1: it has no state that two calls share. */
function suite(): CipherSuite {
  return new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
}

/** publicKey is n_pub of the private key that is given by its seed. */
export async function publicKey(seed: Secret): Promise<Bytes> {
  const kem = new XWing();
  const pair = await kem.generateKeyPairDerand(seed.bytes());
  return new Uint8Array(await kem.serializePublicKey(pair.publicKey));
}

/** Encapsulated is what the KEM gives the current phone: enc for the other phone, and the way to x. */
export interface Encapsulated {
  readonly enc: Bytes;
  readonly exportKey: (th1: Uint8Array) => Promise<Secret>;
}

/** encapsulate is SetupBaseS(n_pub, I("hpke", th0)). It throws a HandoverError "malformed" for a key that is none. */
export async function encapsulate(nPub: Uint8Array, th0: Uint8Array): Promise<Encapsulated> {
  try {
    const recipientPublicKey = await new XWing().deserializePublicKey(nPub.slice());
    const ctx = await suite().createSenderContext({ recipientPublicKey, info: input("hpke", th0) });
    return { enc: new Uint8Array(ctx.enc), exportKey: exporter(ctx) };
  } catch (cause) {
    throw new HandoverError("malformed", "the new phone's key is none", { cause });
  }
}

/** decapsulate is SetupBaseR(enc, private key, I("hpke", th0)): the way to x. It throws a HandoverError "malformed". */
export async function decapsulate(seed: Secret, enc: Uint8Array, th0: Uint8Array): Promise<(th1: Uint8Array) => Promise<Secret>> {
  try {
    const pair = await new XWing().generateKeyPairDerand(seed.bytes());
    return exporter(await suite().createRecipientContext({ recipientKey: pair, enc: enc.slice(), info: input("hpke", th0) }));
  } catch (cause) {
    throw new HandoverError("malformed", "hello: what it encapsulates is nothing", { cause });
  }
}

/** exporter gives x, what the KEM alone gives: bound to th0 by the info, to th1 by the context of the export. */
function exporter(ctx: { export(context: Uint8Array, length: number): Promise<ArrayBuffer> }): (th1: Uint8Array) => Promise<Secret> {
  return async (th1) => Secret.of(new Uint8Array(await ctx.export(input("export", th1), 32)));
}

/** beaconKey is K_eid: 32 bytes for the block, 32 for the HMAC. */
export function beaconKey(qs: Secret, id: Uint8Array): Bytes {
  return key(extract(zeros, qs.bytes()), "eid", id, 64);
}

/** rootKey is K0. Without prox it is that of class none. */
export function rootKey(qs: Secret, prox: Secret | undefined, x: Secret, th1: Uint8Array): Secret {
  const psk = extract(zeros, concat(qs.bytes(), prox?.bytes() ?? new Uint8Array(16)));
  return Secret.of(extract(key(psk, "derived", th1, 32), x.bytes()));
}

/**
 * macOf is HMAC-SHA256 over a transcript value, by K_mac_c or K_mac_n: each phone has a key
 * of its own, so that neither's message comes back as the other's.
 */
export function macOf(k0: Secret, who: "c" | "n", th1: Uint8Array, value: Uint8Array): Bytes {
  return hmac256(key(k0.bytes(), `mac ${who}`, th1, 32), value);
}

/** numberOf is what the current phone shows and the other's person types: six digits. */
export function numberOf(k0: Secret, th2: Uint8Array): string {
  const b = key(k0.bytes(), "number", th2, 8);
  return (new DataView(b.buffer).getBigUint64(0) % 1_000_000n).toString().padStart(6, "0");
}

/**
 * sharedKey is K_bulk or K_secret: what K0 gives only together with a share that the server
 * keeps until it may be used.
 */
export function sharedKey(k0: Secret, label: "bulk" | "secret", th4: Uint8Array, share: Secret): Bytes {
  return extract(share.bytes(), key(k0.bytes(), label, th4, 32));
}
