/** The QR code on the new phone (spec/transfer.md, section 3). */
import { type Bytes, concat } from "../../bytes.js";
import { beaconKey } from "./schedule.js";
import { openBeacon, sealBeacon } from "./beacon.js";
import { HandoverError } from "./errors.js";
import { Secret } from "./secret.js";

const version = 1;
const suite = 1; // HPKE base mode, MLKEM768-X25519, HKDF-SHA256, AES-256-GCM
const size = 83;
const scheme = "STAUNCH:/";

/** publicSize is how many bytes a code and an offer have in common. */
export const publicSize = 51;

/** The beacons that a code can offer, as bits. */
export const beaconBLE = 1;
export const beaconNFC = 2;
export const beaconLAN = 4;
const allBeacons = beaconBLE | beaconNFC | beaconLAN;

/** Code is what the QR code says. Its secret goes by light alone: the server never has it. It prints as [redacted]. */
export class Code {
  readonly beacons: number; // which the new phone offers
  readonly id: Bytes; // of the transfer, 16 random bytes
  readonly keyHash: Bytes; // SHA-256 of the new phone's KEM key
  #secret: Secret;

  constructor(parts: { readonly beacons: number; readonly id: Bytes; readonly keyHash: Bytes; readonly secret: Secret }) {
    if (!Number.isInteger(parts.beacons) || (parts.beacons & ~allBeacons) !== 0) {
      throw new HandoverError("malformed", `code: beacons ${parts.beacons} are not known`);
    }
    this.beacons = parts.beacons;
    this.id = parts.id;
    this.keyHash = parts.keyHash;
    this.#secret = parts.secret;
  }

  /** copy is the same code with a secret of its own, which is erased by itself. */
  copy(): Code {
    return new Code({ beacons: this.beacons, id: this.id, keyHash: this.keyHash, secret: Secret.of(this.#secret.bytes()) });
  }

  /** secret is qs. It must not be sent to the server, nor logged. */
  get secret(): Secret {
    return this.#secret;
  }

  /**
   * uri is the text that the QR code shows: upper case and digits, 211 characters. Who reads
   * it can pose as the phone that scanned it: show it on the screen, and nowhere else.
   */
  uri(): string {
    return scheme + digits(concat(this.public(), this.#secret.bytes()));
  }

  /** public is what the server sees of the code too: all but the secret. */
  public(): Bytes {
    return concat(Uint8Array.of(version, this.beacons, suite), this.id, this.keyHash);
  }

  /** transferId is the transfer's name: "t_" and 26 characters. */
  transferId(): string {
    return transferId(this.id);
  }

  /** beacon is prox as one block, and 4 bytes of an HMAC over that: 20 bytes to send over the air. */
  beacon(prox: Secret): Promise<Bytes> {
    return sealBeacon(beaconKey(this.#secret, this.id), prox);
  }

  /** openBeacon reads what was heard. What is no beacon of this code is a HandoverError "beacon": listen on. */
  openBeacon(heard: Uint8Array): Promise<Secret> {
    return openBeacon(beaconKey(this.#secret, this.id), heard);
  }

  toJSON(): string {
    return "[redacted]";
  }

  toString(): string {
    return "[redacted]";
  }
}

/** parseCode reads the text of a code. It throws a HandoverError "malformed" or "version". */
export function parseCode(uri: string): Code {
  if (uri.slice(0, scheme.length).toUpperCase() !== scheme) {
    throw new HandoverError("malformed", `code: it does not begin with ${scheme}`);
  }
  const { bytes, wrong } = readDigits(uri.slice(scheme.length));
  if (bytes.length > 0 && bytes[0] !== version) { // whatever follows: a later version may be longer
    throw new HandoverError("version", `the code is of version ${bytes[0]}, which this app does not know: update the app`);
  }
  if (wrong !== undefined) {
    throw new HandoverError("malformed", `code: ${wrong}`);
  }
  if (bytes[2] !== suite) {
    throw new HandoverError("malformed", `code: suite ${bytes[2]} is not known`);
  }
  const code = new Code({
    beacons: bytes[1] as number, id: bytes.slice(3, 19), keyHash: bytes.slice(19, publicSize), secret: Secret.of(bytes.subarray(publicSize)),
  });
  bytes.fill(0);
  return code;
}

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** transferId writes 16 bytes as "t_" and 26 characters of base32 (RFC 4648, no padding, lower case). */
export function transferId(id: Uint8Array): string {
  let out = "t_";
  let bits = 0, n = 0;
  for (const b of id) {
    bits = (bits << 8 | b) & 0xfff;
    for (n += 8; n >= 5; n -= 5) {
      out += alphabet[bits >> (n - 5) & 31];
    }
  }
  return out + (n > 0 ? alphabet[bits << (5 - n) & 31] : "");
}

/** width is how many digits n bytes have: 17 for 7 of them, 15 for the last 6. */
function width(n: number): number {
  return n === 7 ? 17 : 15;
}

/**
 * digits writes each 7 bytes as a little-endian number in 17 digits, and the 6 that are left
 * over in 15 (the widths of FIDO CTAP 2.2, Section 11.5.1).
 */
function digits(bytes: Uint8Array): string {
  let out = "";
  for (let at = 0; at < bytes.length; at += 7) {
    const group = bytes.subarray(at, at + 7);
    out += group.reduceRight((n, b) => n << 8n | BigInt(b), 0n).toString().padStart(width(group.length), "0");
  }
  return out;
}

/** readDigits is the way back. With something wrong it gives the bytes before it. */
function readDigits(text: string): { readonly bytes: Bytes; readonly wrong?: string } {
  const bytes = new Uint8Array(size);
  let rest = text;
  for (let at = 0; at < size; at += 7) {
    const n = Math.min(7, size - at);
    const got = bytes.subarray(0, at);
    const group = rest.slice(0, width(n));
    if (group.length < width(n)) {
      return { bytes: got, wrong: `it is cut short, after ${at} bytes` };
    }
    if (!/^[0-9]+$/.test(group)) {
      return { bytes: got, wrong: `something that is no digit, after ${at} bytes` };
    }
    let v = BigInt(group);
    if (v >> BigInt(8 * n) !== 0n) { // two texts for one code otherwise
      return { bytes: got, wrong: `a number too large for its bytes, after ${at} bytes` };
    }
    for (let i = 0; i < n; i++, v >>= 8n) {
      bytes[at + i] = Number(v & 0xffn);
    }
    rest = rest.slice(group.length);
  }
  return rest === "" ? { bytes } : { bytes, wrong: `${rest.length} characters too many` };
}
