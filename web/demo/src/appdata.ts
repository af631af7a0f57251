// What the messenger itself keeps on a phone: the sealing key of its end-to-end
// encryption, and the history. It lies in the phone's own store, beside what the
// SDK keeps there.

import type { Store } from "@staunch/client";
import { backupAlong, takeBackup } from "@staunch/client/recovery";
import { StoreHistory } from "@staunch/client/transfer";

import type { HistoryFile } from "./history";

/** The sealing key, as the phone keeps it and as it goes along with a move. */
export interface SealingKey {
  readonly alg: "P-256";
  readonly public: Uint8Array<ArrayBuffer>; // the point, 65 bytes
  readonly secret: Uint8Array<ArrayBuffer>; // PKCS #8
}

const curve = { name: "ECDH", namedCurve: "P-256" } as const;
const names = { key: "app/sealing", left: "app/left", moving: "app/moving", filling: "app/filling" } as const;

/** newSealingKey makes one. */
export async function newSealingKey(): Promise<SealingKey> {
  const pair = await crypto.subtle.generateKey(curve, true, ["deriveBits"]);
  return sealingKey(new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey)));
}

/** sealingKey is the key of a secret that came from elsewhere. It throws if that is none. */
export async function sealingKey(secret: Uint8Array<ArrayBuffer>): Promise<SealingKey> {
  const key = await crypto.subtle.importKey("pkcs8", secret, curve, true, ["deriveBits"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", key);
  const half = (text = "") => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return { alg: "P-256", public: new Uint8Array([4, ...half(x), ...half(y)]), secret };
}

/** What a phone is in the middle of. */
export type Moving = "receive" | "send";

/** Where the history comes from that is still to be put on a phone. */
export type Filling = "new" | "backup";

/** AppData is the messenger's part of a phone's store. */
export class AppData {
  readonly history: StoreHistory;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    this.history = new StoreHistory(store);
  }

  async sealing(): Promise<SealingKey | undefined> {
    return (await this.#store.read(names.key)) as SealingKey | undefined;
  }

  keepSealing(key: SealingKey): Promise<void> {
    return this.#store.write({ [names.key]: key });
  }

  /** backup is this phone's half of the PIN's backup, which moves with the account. */
  backup(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return backupAlong(this.#store);
  }

  /** takeOver keeps what came with the account: key, and half of the backup. */
  takeOver(key: SealingKey, backup: Uint8Array<ArrayBuffer> | undefined): Promise<void> {
    return this.#store.write({ [names.key]: key, ...(backup === undefined ? {} : takeBackup(backup)) });
  }

  /** left is until when the account, which has moved away, can be taken back, in ms since 1970; undefined: it has not. What is here is locked meanwhile. */
  async left(): Promise<number | undefined> {
    return (await this.#store.read(names.left)) as number | undefined;
  }

  keepLeft(until: number | undefined): Promise<void> {
    return this.#store.write({ [names.left]: until });
  }

  async moving(): Promise<Moving | undefined> {
    return (await this.#store.read(names.moving)) as Moving | undefined;
  }

  keepMoving(what: Moving | undefined): Promise<void> {
    return this.#store.write({ [names.moving]: what });
  }

  async filling(): Promise<Filling | undefined> {
    return (await this.#store.read(names.filling)) as Filling | undefined;
  }

  keepFilling(from: Filling | undefined): Promise<void> {
    return this.#store.write({ [names.filling]: from });
  }

  async file(path: string): Promise<HistoryFile | undefined> {
    const data = await this.history.read(path);
    return data === undefined ? undefined : { path, modified: 0, data };
  }

  /** files are all of the history. */
  async files(): Promise<HistoryFile[]> {
    const out: HistoryFile[] = [];
    for (const e of await this.history.entries()) {
      const data = await this.history.read(e.path);
      if (data !== undefined) {
        out.push({ path: e.path, modified: e.modified ?? 0, data });
      }
    }
    return out;
  }

  /** keep puts files into the history. */
  async keep(files: readonly HistoryFile[]): Promise<void> {
    for (const f of files) {
      await this.history.add(f.path, f.data, f.modified);
    }
  }

  /** wipe destroys key and history. */
  async wipe(): Promise<void> {
    await this.history.destroy();
    await this.#store.write({ [names.key]: undefined, "recovery/backup": undefined, "recovery/attempt": undefined });
  }
}
