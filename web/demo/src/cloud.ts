// The messenger's backup of the history: files encrypted under a key that is
// derived from the sealing key, so that who gets that back gets the history back.
// Where it lies is the messenger's affair; here it is a storage of the page that
// is on no phone.

import type { Store } from "@staunch/client";

import type { SealingKey } from "./appdata";
import type { HistoryFile } from "./history";

interface Sealed {
  readonly path: string;
  readonly modified: number;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
}

const name = "backup";

/** Cloud has the newest backup. */
export class Cloud {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** put replaces what is there. */
  async put(key: SealingKey, files: readonly HistoryFile[]): Promise<void> {
    const k = await derive(key);
    const sealed: Sealed[] = [];
    for (const f of files) {
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const data = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8(f.path) }, k, f.data));
      sealed.push({ path: f.path, modified: f.modified, iv, data });
    }
    await this.#store.write({ [name]: sealed });
  }

  /** get opens what is there. It throws for another key than it was put with. */
  async get(key: SealingKey): Promise<HistoryFile[]> {
    const k = await derive(key);
    const files: HistoryFile[] = [];
    for (const s of ((await this.#store.read(name)) ?? []) as Sealed[]) {
      const data = await crypto.subtle.decrypt({ name: "AES-GCM", iv: s.iv, additionalData: utf8(s.path) }, k, s.data);
      files.push({ path: s.path, modified: s.modified, data: new Uint8Array(data) });
    }
    return files;
  }

  /** drop deletes it. */
  drop(): Promise<void> {
    return this.#store.write({ [name]: undefined });
  }
}

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

async function derive(key: SealingKey): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey("raw", key.secret, "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8("staunch demo: history") };
  return crypto.subtle.deriveKey(how, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}
