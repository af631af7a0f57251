// Where each phone of the page keeps its things, and with what it asks for its
// person: a database of its own, and the browser's authenticator, or one of
// software.

import { BrowserPasskeys, IndexedDBStore, type Passkeys, type Store } from "@staunch/client";
import { SoftwarePasskeys } from "@staunch/client/software";

/** Rooms gives a phone its storage and its authenticator, and empties them. */
export interface Rooms {
  open(id: string): Promise<{ readonly store: Store; readonly passkeys: Passkeys }>;
  /** empty takes everything that a phone has; open gives it a new room. */
  empty(id: string): Promise<void>;
}

/** What people may choose: "browser" asks with face, finger or PIN of this computer. */
export type Kind = "browser" | "software";

/** Holder is the phone that has its passkey in the browser's authenticator. */
interface Holder {
  readonly phone: string;
  readonly credential: string; // base64url
}

const database = (id: string): string => `staunch-demo-${id}`;
const holder = "passkeys/holder"; // of a Holder
const choice = "passkeys/kind";

/** makeRooms keeps what is common to the phones in page. */
export function makeRooms(page: Store): Rooms & { kind(): Promise<Kind>; choose(kind: Kind): Promise<void> } {
  const open = new Map<string, IndexedDBStore>();
  const kind = async (): Promise<Kind> => ((await page.read(choice)) as Kind | undefined) ?? ((await verifiesHere()) ? "browser" : "software");
  return {
    async open(id) {
      const store = await IndexedDBStore.open(database(id));
      open.set(id, store);
      return { store, passkeys: either(id, page, store, kind) };
    },
    async empty(id) {
      open.get(id)?.close();
      open.delete(id);
      await IndexedDBStore.remove(database(id));
      const held = (await page.read(holder)) as Holder | undefined;
      if (held?.phone === id) {
        await dropPasskey(held.credential);
        await page.write({ [holder]: undefined });
      }
    },
    kind,
    choose: (k) => page.write({ [choice]: k }),
  };
}

/** verifiesHere tells whether this computer has an authenticator of its own that asks its person. */
export async function verifiesHere(): Promise<boolean> {
  return BrowserPasskeys.available() && (await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false));
}

/**
 * either asks the browser, or an authenticator of software in the phone's own store. An authenticator has one passkey for an
 * account, and a browser has one authenticator where the two phones would have two: so while the other phone has its passkey
 * there, this one takes software.
 */
function either(id: string, page: Store, store: Store, kind: () => Promise<Kind>): Passkeys {
  const software = new SoftwarePasskeys({ store, origin: location.origin });
  const browser = new BrowserPasskeys();
  return {
    async create(o) {
      const held = (await page.read(holder)) as Holder | undefined;
      if ((await kind()) === "software" || (held !== undefined && held.phone !== id)) {
        return software.create(o);
      }
      try {
        const made = await browser.create(o);
        await page.write({ [holder]: { phone: id, credential: made.id } satisfies Holder });
        return made;
      } catch (err) {
        if (err instanceof DOMException && err.name === "InvalidStateError") { // it has kept one of a phone that is gone
          return software.create(o);
        }
        throw err;
      }
    },
    get: async (o) => (((await page.read(holder)) as Holder | undefined)?.phone === id ? browser.get(o) : software.get(o)),
  };
}

/** dropPasskey has the browser's authenticator forget a passkey of a phone that is gone, where it can (WebAuthn L3 §5.1.10.2). */
async function dropPasskey(credentialId: string): Promise<void> {
  const signals = PublicKeyCredential as unknown as { signalUnknownCredential?: (o: { rpId: string; credentialId: string }) => Promise<void> };
  await signals.signalUnknownCredential?.({ rpId: location.hostname, credentialId }).catch(() => undefined); // then its owner has one more, as after any lost phone
}

/** removeAll deletes every database of the page. Close them before. */
export async function removeAll(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await IndexedDBStore.remove(database(id));
  }
}

/** pageStore opens what is the page's own, and no phone's: the story, the backup. */
export const pageStore = (): Promise<IndexedDBStore> => IndexedDBStore.open(database("page"));
