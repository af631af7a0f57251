/** What a browser has of what a phone needs: an authenticator, and a place to write things down. */
import { StaunchError } from "./errors.js";
import type { Passkeys, Store } from "./ports.js";

/** BrowserPasskeys is the authenticator of the browser. Its dialogs need a click shortly before. */
export class BrowserPasskeys implements Passkeys {
  /** available tells whether this page can ask for passkeys at all: it is in a secure context, and the browser knows WebAuthn L3's JSON. */
  static available(): boolean {
    return globalThis.isSecureContext && typeof PublicKeyCredential === "function" && typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function";
  }

  async create(options: PublicKeyCredentialCreationOptionsJSON): Promise<RegistrationResponseJSON> {
    supported();
    const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
    return credential(made).toJSON() as RegistrationResponseJSON;
  }

  async get(options: PublicKeyCredentialRequestOptionsJSON): Promise<AuthenticationResponseJSON> {
    supported();
    const used = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    return credential(used).toJSON() as AuthenticationResponseJSON;
  }
}

function supported(): void {
  if (!BrowserPasskeys.available()) {
    throw new StaunchError("PASSKEY", "client: passkey: this page cannot ask for passkeys: serve it by https (or from localhost), to a browser of 2025 or later");
  }
}

function credential(c: Credential | null): PublicKeyCredential {
  if (!(c instanceof PublicKeyCredential)) {
    throw new StaunchError("PASSKEY", "client: passkey: the browser has given none");
  }
  return c;
}

const table = "values";

/** IndexedDBStore is a store in the browser's database. What is in it anybody can read who runs scripts on this origin, but for keys, which nobody reads out. */
export class IndexedDBStore implements Store {
  readonly holdsKeys = true;
  readonly #db: IDBDatabase;
  readonly #release: () => void;

  private constructor(db: IDBDatabase, release: () => void) {
    this.#db = db;
    this.#release = release;
  }

  /**
   * open opens the database of this name, and makes it if there is none. One tab at a
   * time may have it open: two phones with one key would undo each other's work. The
   * second one is refused (STORE_OPEN).
   */
  static async open(name: string): Promise<IndexedDBStore> {
    const release = await lock(`staunch/store/${name}`);
    try {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(table);
      const db = await answer(request);
      db.onversionchange = () => db.close(); // somebody deletes it
      return new IndexedDBStore(db, release);
    } catch (err) {
      release();
      throw err;
    }
  }

  /** remove deletes a database and all that is in it: the phone is lost. Close it before. */
  static async remove(name: string): Promise<void> {
    await answer(indexedDB.deleteDatabase(name));
  }

  read(name: string): Promise<unknown> {
    return answer(this.#db.transaction(table).objectStore(table).get(name));
  }

  write(changes: Readonly<Record<string, unknown>>): Promise<void> {
    return new Promise((resolve, reject) => {
      const tx = this.#db.transaction(table, "readwrite", { durability: "strict" });
      tx.oncomplete = () => resolve();
      tx.onabort = tx.onerror = () => reject(new StaunchError("STORE", `client: the browser does not write down: ${tx.error?.message ?? "no reason given"}`, { cause: tx.error }));
      const values = tx.objectStore(table);
      try {
        for (const [name, value] of Object.entries(changes)) {
          if (value === undefined) {
            values.delete(name);
          } else {
            values.put(value, name);
          }
        }
      } catch (cause) { // a value that cannot be cloned
        tx.abort();
        reject(new StaunchError("STORE", `client: the browser cannot hold a value: ${cause instanceof Error ? cause.message : String(cause)}`, { cause }));
      }
    });
  }

  /**
   * persist asks the browser never to throw away by itself what this origin has stored, when it runs out of space, and says
   * whether it promises that. Chromium and Safari decide without a word, and may change their mind as the person comes more
   * often; Firefox asks the person. So open does not ask: call it behind a click that lets him expect it.
   */
  async persist(): Promise<boolean> {
    return await navigator.storage.persisted() || await navigator.storage.persist();
  }

  /** close gives the database free for another tab. */
  close(): void {
    this.#db.close();
    this.#release();
  }
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new StaunchError("STORE", `client: the browser's database: ${request.error?.message ?? "no reason given"}`, { cause: request.error }));
  });
}

const grace = 2_000; // ms: for a page that is being left

/** lock holds a Web Lock until release is called, or the page is left. */
function lock(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(grace);
    navigator.locks.request(name, { signal }, () => new Promise<void>((release) => resolve(release))).catch((cause: unknown) => {
      reject(new StaunchError("STORE_OPEN", "client: this phone is open in another tab; close that one", { cause }));
    });
  });
}
