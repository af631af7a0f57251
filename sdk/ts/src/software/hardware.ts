import type { Bytes } from "../bytes.js";
import { keyId } from "../phone/core.js";
import { StaunchError } from "../phone/errors.js";
import type { DeviceKey, Hardware, NewKey, Store } from "../phone/ports.js";
import { generate, type KeptKey, signWith } from "./keys.js";

/** Evidence is what a certification authority says of a key. */
export type Evidence = Pick<NewKey, "platform" | "certificateChain" | "attestationObject" | "appleKeyId">;

/**
 * SoftwareHardware keeps device keys in a store, where whoever reads the store has
 * them: no server takes them but one that trusts the authority behind attest. That
 * is a test's, or that of `staunch dev`.
 */
export class SoftwareHardware implements Hardware {
  readonly #store: Store;
  readonly #attest: (challenge: Bytes, spki: Bytes) => Promise<Evidence>;

  constructor(store: Store, attest: (challenge: Bytes, spki: Bytes) => Promise<Evidence>) {
    this.#store = store;
    this.#attest = attest;
  }

  async newKey(challenge: Bytes): Promise<NewKey> {
    const kept = await generate(this.#store);
    const evidence = await this.#attest(challenge, kept.spki);
    const key = await deviceKey(kept);
    await this.#store.write({ [nameOf(key.id)]: kept });
    return { key, ...evidence };
  }

  async open(id: string): Promise<DeviceKey> {
    const kept = await this.#store.read(nameOf(id));
    if (kept === undefined) {
      throw new StaunchError("STORE", `client: software: the store has no key ${id}; it is another phone's store, or was cleared in part`);
    }
    return deviceKey(kept as KeptKey);
  }
}

function nameOf(id: string): string {
  return `software/key/${id}`;
}

async function deviceKey(kept: KeptKey): Promise<DeviceKey> {
  return { id: await keyId(kept.spki), spki: kept.spki, sign: (message) => signWith(kept, message) };
}
