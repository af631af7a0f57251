/** PINs: what only the owner knows, and the rules for a new one. */
import { type Bytes, utf8 } from "../bytes.js";
import { stretch } from "./derive.js";
import { RecoveryError } from "./errors.js";
import { Hidden } from "./hidden.js";
import { common } from "./pinblock.js";
import type { Argon2 } from "./wire.js";

/** leastPin is how many characters a new PIN has at least where an app says nothing. */
export const leastPin = 6;
const leastLeast = 4;
const mostLeast = 32;
const most = 64;
const mostBytes = 256;

/** Pin is letters and digits alike, in NFKC. It is never trimmed, never sent in the clear, and prints as [redacted]. */
export class Pin extends Hidden {
  readonly #text: string;

  /** @internal: newPin and typedPin make them. */
  constructor(text: string) {
    super();
    this.#text = text;
  }

  /** @internal x: the PIN, slowed down, with the registration as salt. */
  stretch(reg: Bytes, a: Argon2): Promise<Bytes> {
    return stretch(this.#text, reg, a);
  }

  /** @internal for the seed profile, whose enclave learns the PIN. */
  reveal(): string {
    return this.#text;
  }
}

/**
 * newPin takes a PIN that is being set. It must be long enough, and none of those that
 * many people choose, for no vault ever sees one. It throws a RecoveryError with the
 * reason PIN_REFUSED and words for the owner. minLength: 6 without, and 4 at least. What
 * the server says is signed by nobody: Recovery takes it only where it is more.
 */
export function newPin(text: string, minLength = leastPin): Pin {
  const written = normal(text);
  const least = Math.max(minLength === 0 ? leastPin : minLength, leastLeast);
  const n = [...written].length;
  if (n < least || n > most) {
    throw refused(`it has ${n} characters, and must have ${least} to ${most}`);
  }
  const why = common(written);
  if (why !== undefined) {
    throw refused(why);
  }
  return new Pin(written);
}

/** checkLeast throws OPTIONS for a least length that an app cannot have meant. */
export function checkLeast(least: number | undefined): void {
  if (least !== undefined && !(Number.isInteger(least) && least >= leastLeast && least <= mostLeast)) {
    throw new RecoveryError("OPTIONS", `recovery: options: trust.pinMin: ${least} characters; write ${leastLeast} to ${mostLeast}, or leave it out for ${leastPin}`);
  }
}

/** typedPin takes a PIN that is being tried: the rules may have been others when it was set. */
export function typedPin(text: string): Pin {
  return new Pin(normal(text));
}

function normal(text: string): string {
  if (/\p{Surrogate}/u.test(text)) {
    throw refused("it is not UTF-8 text");
  }
  const written = text.normalize("NFKC");
  switch (true) {
    case written === "":
      throw refused("it is empty");
    case utf8(written).length > mostBytes:
      throw refused(`it has more than ${mostBytes} bytes`);
    case /\p{Cc}/u.test(written):
      throw refused("it has a control character, such as a line end");
    default:
      return written;
  }
}

function refused(why: string): RecoveryError {
  return new RecoveryError("PIN_REFUSED", `recovery: PIN refused: ${why}`, { words: why });
}
