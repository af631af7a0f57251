/** What web/e2e/sdk.mjs calls in a page: the SDK's halves that only a browser has. */
import { BrowserPasskeys, IndexedDBStore } from "../../src/index.js";
import type { DeviceKey } from "../../src/phone/ports.js";
import { stripped } from "../../src/phone/strip.js";
import { SoftwareHardware } from "../../src/software/index.js";

const hardware = (store: IndexedDBStore) => new SoftwareHardware(store, () => Promise.resolve({ platform: "android", certificateChain: [] }));

/** signs reports whether a key signs what its public half verifies. */
async function signs(key: DeviceKey): Promise<boolean> {
  const message = crypto.getRandomValues(new Uint8Array(40));
  const verifier = await crypto.subtle.importKey("spki", key.spki, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, verifier, await key.sign(message), message);
}

const sdk = { BrowserPasskeys, IndexedDBStore, hardware, signs, stripped };
Object.assign(globalThis, { sdk });
