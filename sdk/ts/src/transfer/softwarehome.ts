import { x25519 } from "@noble/curves/ed25519.js";

import { base64, type Bytes, concat, copy, equal, fromHex, text, utf8 } from "../bytes.js";
import type { Store } from "../phone/ports.js";
import { backupAlong, takeBackup } from "../recovery/along.js";
import { MoveError } from "./errors.js";
import type { StoreHistory } from "./storehistory.js";
import type { MoveHome, Secrets } from "./types.js";

/** The form of an X25519 key in PKCS #8 (RFC 8410, Section 7), before its 32 bytes. */
const pkcs8 = fromHex("302e020100300506032b656e04220420");
const algorithm = "X25519";
const names = { keys: "software/sealing", locked: "software/locked", release: "software/release" };

/** SealingKeys are as `staunch phone` has them in the secret "sealing": keys in PKCS #8, in base64. */
interface SealingKeys {
  readonly alg: string;
  readonly key: string;
  readonly old?: readonly string[];
}

/** RecoveryKept is as `staunch phone` has it in the secret "recovery": the phone's half of its backup, and by which keys it trusts vaults. */
interface RecoveryKept extends ReleaseKept {
  readonly backup?: string;
}

interface ReleaseKept {
  readonly release_k?: number;
  readonly release_keys?: readonly string[];
}

/**
 * SoftwareHome is a MoveHome whose keys lie in a Store, in the forms of `staunch phone`, so that an account can move between
 * the two. Whoever reads the store has the keys: it is for tests and demonstrations.
 */
export class SoftwareHome implements MoveHome {
  readonly #store: Store;
  readonly #history: StoreHistory | undefined;

  /** history is destroyed with the keys when a move is final. */
  constructor(store: Store, history?: StoreHistory) {
    this.#store = store;
    this.#history = history;
  }

  /** sealing is the public sealing key for an Enrolment; it is made the first time. */
  async sealing(): Promise<{ readonly alg: string; readonly key: Bytes }> {
    let keys = await this.#keys();
    if (keys === undefined) {
      keys = { alg: algorithm, key: base64(concat(pkcs8, x25519.utils.randomSecretKey())) };
      await this.#store.write({ [names.keys]: keys });
    }
    return { alg: keys.alg, key: publicOf(keys) };
  }

  /** locked reports whether the account is another phone's, and what is here waits for a recall. */
  async locked(): Promise<boolean> {
    return (await this.#store.read(names.locked)) === true;
  }

  /** sealingPublic makes none: the account would not have it. */
  async sealingPublic(): Promise<Bytes> {
    const keys = await this.#keys();
    return keys === undefined ? new Uint8Array() : publicOf(keys);
  }

  async secrets(): Promise<Secrets> {
    const keys = await this.#keys();
    const backup = await backupAlong(this.#store);
    const kept: RecoveryKept = {
      ...(backup ? { backup: base64(backup) } : {}), ...((await this.#store.read(names.release)) as ReleaseKept | undefined),
    };
    const secrets = new Map([["recovery", utf8(JSON.stringify(kept))]]);
    return keys === undefined ? secrets : secrets.set("sealing", utf8(JSON.stringify(keys)));
  }

  async sealingKey(secrets: Secrets): Promise<Bytes> {
    const keys = parse(secrets);
    return Promise.resolve(keys === undefined ? new Uint8Array() : publicOf(keys));
  }

  async take(secrets: Secrets): Promise<void> {
    const { backup, release_k, release_keys } = parseRecovery(secrets);
    await this.#store.write({
      [names.keys]: parse(secrets), [names.locked]: undefined,
      ...(backup ? takeBackup(fromBase64(backup)) : {}),
      [names.release]: release_keys ? { release_k, release_keys } : undefined,
    });
  }

  lock(): Promise<void> {
    return this.#store.write({ [names.locked]: true });
  }

  unlock(): Promise<void> {
    return this.#store.write({ [names.locked]: undefined });
  }

  async wipe(): Promise<void> {
    await this.#history?.destroy();
    await this.#store.write({ [names.keys]: undefined, [names.locked]: undefined, [names.release]: undefined, "recovery/backup": undefined, "recovery/attempt": undefined });
  }

  async #keys(): Promise<SealingKeys | undefined> {
    return (await this.#store.read(names.keys)) as SealingKeys | undefined;
  }
}

/** parse reads the secret "sealing", which is absent where the account has no sealing key: the grant says which it has. */
function parse(secrets: Secrets): SealingKeys | undefined {
  const written = secrets.get("sealing");
  if (written === undefined) {
    return undefined;
  }
  const { alg, key, old } = JSON.parse(text(written)) as Partial<SealingKeys>;
  if (typeof alg !== "string" || typeof key !== "string" || (old !== undefined && old !== null && !Array.isArray(old))) {
    throw new MoveError("keys_closed", 'what the old phone has sent as "sealing" is no secret of this app');
  }
  return { alg, key, ...(old ? { old } : {}) };
}

/** parseRecovery reads the secret "recovery", which may be absent. */
function parseRecovery(secrets: Secrets): RecoveryKept {
  const written = secrets.get("recovery");
  const kept = (written === undefined ? {} : JSON.parse(text(written))) as Partial<RecoveryKept> | null;
  const { backup, release_k, release_keys } = kept ?? {};
  if ((backup !== undefined && typeof backup !== "string") || (release_keys !== undefined && !Array.isArray(release_keys))) {
    throw new MoveError("keys_closed", 'what the old phone has sent as "recovery" is no secret of this app');
  }
  return { ...(backup ? { backup } : {}), ...(release_keys ? { release_k: Number(release_k), release_keys } : {}) };
}

function fromBase64(written: string): Bytes {
  return Uint8Array.from(atob(written), (c) => c.charCodeAt(0));
}

/** publicOf is the public half of a sealing key. */
function publicOf(keys: SealingKeys): Bytes {
  const der = fromBase64(keys.key);
  if (der.length !== pkcs8.length + 32 || !equal(der.subarray(0, pkcs8.length), pkcs8)) {
    throw new MoveError("keys_closed", "the sealing key is no X25519 key in PKCS #8");
  }
  return copy(x25519.getPublicKey(der.subarray(pkcs8.length)));
}
