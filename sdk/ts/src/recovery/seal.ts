/** What a phone seals and opens: blobs, requests to vaults, and their answers (spec/kr1.md, section 5). */
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";

import { type Bytes, concat, copy, utf8 } from "../bytes.js";
import { encode as encodeValue } from "../cbor.js";
import { decode, decodePadded, encode, encodePadded, refuse, type Shape } from "./shape.js";
import {
  type Answer, answer, blob, type Header, header, maxPayload, Op, payload, type SeedAnswer, seedAnswer, type SeedRequest, seedPlain, seedRequest,
  type WirePayload,
} from "./wire.js";

const nonceSize = 12;
const tagSize = 16;
const answerPlain = 256;

/** UnreadableError: sealed under another key, for another request, or changed. */
export class UnreadableError extends Error {
  override readonly name = "UnreadableError";
}

/** seal is nonce 12 || AES-256-GCM || tag 16, the nonce random. */
export async function seal(key: Bytes, plain: Bytes, aad: Bytes): Promise<Bytes> {
  const iv = crypto.getRandomValues(new Uint8Array(nonceSize));
  const box = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: aad }, await aesKey(key), plain);
  return concat(iv, new Uint8Array(box));
}

/** open is the plaintext of what seal gives. */
export async function open(key: Bytes, box: Bytes, aad: Bytes): Promise<Bytes> {
  if (box.length < nonceSize + tagSize) {
    throw new UnreadableError(`recovery: a box of ${box.length} bytes`);
  }
  const imported = await aesKey(key);
  try {
    const iv = box.slice(0, nonceSize);
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: aad }, imported, box.slice(nonceSize)));
  } catch (cause) {
    throw new UnreadableError("recovery: a box that does not open: another key, or it was changed", { cause });
  }
}

function aesKey(key: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** sizes are what a payload is padded to, so that its length tells little. */
const sizes = [4_096, 8_192, 16_384, 32_768, maxPayload] as const;

/** sealBlob encrypts a payload under the data key and binds it to the header: an encoded blob. */
export async function sealBlob(key: Bytes, h: Header, p: WirePayload): Promise<Bytes> {
  const head = encode(header, h);
  const plain = encode(payload, p);
  const size = sizes.find((s) => plain.length <= s);
  if (size === undefined) {
    throw refuse(`a payload of ${plain.length} bytes, more than ${maxPayload}: keep fewer keys`);
  }
  const padded = new Uint8Array(size);
  padded.set(plain);
  plain.fill(0);
  const box = await seal(key, padded, head);
  padded.fill(0);
  return encode(blob, { header: head, box });
}

/** openBlob decrypts an encoded blob. UnreadableError: another key, or not what was sealed. */
export async function openBlob(key: Bytes, encoded: Bytes): Promise<{ header: Header; payload: WirePayload }> {
  const b = decode(blob, encoded);
  const h = decode(header, b.header);
  const plain = await open(key, b.box, b.header);
  if (!sizes.some((s) => s === plain.length)) {
    throw refuse(`a payload padded to ${plain.length} bytes`);
  }
  const p = decodePadded(payload, plain);
  plain.fill(0);
  return { header: h, payload: p };
}

/** Envelope is what both ends of a request know of it, and what it is bound to. */
export interface Envelope {
  readonly suite: number;
  readonly vault: string;
  readonly epoch: number;
  readonly config: Bytes; // config-hash
  readonly op: Op;
  readonly acct: Bytes;
}

/** Sealed is a request as it is sent, and what opens its answer. The same bytes may be sent again. */
export interface Sealed {
  readonly request: Bytes;
  openAnswer(sealed: Bytes): Promise<Answer>;
  openSeedAnswer(sealed: Bytes): Promise<SeedAnswer>;
}

/** sealRequest seals a structure to a vault's HPKE public key. */
export async function sealRequest<T>(e: Envelope, hpke: Bytes, shape: Shape<T>, request: T): Promise<Sealed> {
  return sealPlain(e, hpke, encode(shape, request));
}

/** sealSeedRequest seals a request of the seed profile, padded so that its length tells nothing. */
export async function sealSeedRequest(e: Envelope, hpke: Bytes, request: SeedRequest): Promise<Sealed> {
  return sealPlain(e, hpke, encodePadded(seedRequest, request, seedPlain));
}

async function sealPlain(e: Envelope, hpke: Bytes, plain: Bytes): Promise<Sealed> {
  const suite = hpkeSuite(e.suite);
  const sender = await suite.createSenderContext({
    recipientPublicKey: await suite.kem.deserializePublicKey(hpke.buffer), info: envelopeInfo(e).buffer,
  });
  const aad = envelopeAAD(e);
  const box = await sender.seal(plain.buffer, aad.buffer);
  plain.fill(0);
  const exported = await sender.export(utf8(isSeed(e.op) ? "staunch/seed/answer" : "staunch/kr1/answer").buffer, 32);
  return { request: concat(new Uint8Array(sender.enc), new Uint8Array(box)), ...answerKey(new Uint8Array(exported), aad) };
}

/** answerKey opens the answers to one request, with the key that its context exports. */
export function answerKey(key: Bytes, aad: Bytes): Omit<Sealed, "request"> {
  const opener = async <T>(shape: Shape<T>, size: number, sealed: Bytes): Promise<T> => {
    if (sealed.length !== nonceSize + size + tagSize) {
      throw new UnreadableError(`recovery: an answer of ${sealed.length} bytes, not ${nonceSize + size + tagSize}`);
    }
    return decodePadded(shape, await open(key, copy(sealed), aad));
  };
  return {
    openAnswer: (sealed) => opener(answer, answerPlain, sealed),
    openSeedAnswer: (sealed) => opener(seedAnswer, seedPlain, sealed),
  };
}

/** hpkeSuite is HPKE as a suite of KR-1 uses it (spec/kr1.md, section 2). */
export function hpkeSuite(suite: number): CipherSuite {
  return new CipherSuite({ kem: suite === 1 ? new XWing() : new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
}

/** envelopeInfo and envelopeAAD are what a request is bound to. */
export function envelopeInfo(e: Envelope): Bytes {
  return encodeValue([isSeed(e.op) ? "staunch/seed/hpke" : "staunch/kr1/hpke", e.suite, e.vault, e.epoch, e.config]);
}

export function envelopeAAD(e: Envelope): Bytes {
  return encodeValue([e.op, e.acct]);
}

/** hpkePublicSize is the length of a vault's HPKE public key, by suite. */
export function hpkePublicSize(suite: number): number {
  return suite === 1 ? 1_216 : 65;
}

function isSeed(op: Op): boolean {
  return op === Op.seedBackup || op === Op.seedRestore;
}
