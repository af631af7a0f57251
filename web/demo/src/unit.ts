// A phone on the page: its drawing, its client, its storage, and what all phones
// share. The flows in enrolling, backing, moving and recovering work on one.

import { Phone, type Passkeys, type Store } from "@staunch/client";
import { SoftwareHardware } from "@staunch/client/software";

import { AppData } from "./appdata";
import type { Cloud } from "./cloud";
import type { Frame } from "./frame";
import { ask, type Settings } from "./server";
import type { Outcome } from "./thief";

/** What Marie has done so far, and has on paper. It survives a reload. */
export interface Story {
  readonly account?: string;
  readonly freezeCode?: string;
  readonly backedUp?: boolean;
  readonly moved?: boolean;
  readonly lost?: readonly string[]; // ids of phones
  readonly wasLost?: boolean; // one was, at any time
  readonly outcomes?: Readonly<Record<string, Outcome>>; // of attacks, by name
}

/** Desk is what the phones share: the page. */
export interface Desk {
  readonly settings: Settings;
  readonly story: Story;
  readonly cloud: Cloud;
  readonly units: readonly Unit[];
  /** tell keeps changes of the story, and has guide and vaults look again. */
  tell(changes?: Partial<Story>): Promise<void>;
}

/** What a phone is doing. */
export type Phase = "new" | "busy" | "home" | "choosing" | "backing" | "code" | "held" | "left" | "wait" | "pin" | "lost";

/** What a phone asks of Marie: the guide says it too. */
export interface Question {
  readonly title: string;
  readonly words: string;
  /** The answer that leads on, where it is one click. */
  readonly act?: { readonly text: string; readonly run: () => void };
}

/** Unit is a phone. */
export interface Unit {
  readonly id: "blue" | "coral";
  readonly name: string; // "Blue phone"
  readonly frame: Frame;
  readonly desk: Desk;
  phase: Phase;
  asks: Question | undefined;
  phone: Phone;
  store: Store;
  data: AppData;
  /** Told when hardware or authenticator is at work: for the steps on the screen. */
  heard: (what: "key" | "attested" | "passkey") => void;
  /** home shows what the phone shows when nothing is going on. */
  home(): Promise<void>;
  /** forget takes everything from the phone. */
  forget(): Promise<void>;
}

/** switchOn opens the phone in a store. */
export async function switchOn(u: Unit, store: Store, passkeys: Passkeys): Promise<void> {
  const hardware = new SoftwareHardware(store, async (challenge, spki) => {
    u.heard("key");
    const evidence = await attest(challenge, spki);
    u.heard("attested");
    return evidence;
  });
  const noisy: Passkeys = {
    create: (o) => {
      u.heard("passkey");
      return passkeys.create(o);
    },
    get: (o) => passkeys.get(o),
  };
  u.store = store;
  u.data = new AppData(store);
  u.phone = await Phone.open({ url: location.origin, app: u.desk.settings.app, hardware, passkeys: noisy, store });
}

/** attest has the software phones' authority vouch for a key, as a phone's factory has done. */
async function attest(challenge: Uint8Array, spki: Uint8Array): Promise<{ platform: "android"; certificateChain: Uint8Array<ArrayBuffer>[] }> {
  const { certificateChain } = await ask<{ certificateChain: string[] }>("/demo/attest", {
    platform: "android", kind: "genuine", challenge: base64url(challenge), spki: base64url(spki),
  });
  return { platform: "android", certificateChain: certificateChain.map(bytes) };
}

/** base64url is bytes in the form of the demo's JSON. */
export function base64url(b: Uint8Array): string {
  return btoa(String.fromCharCode(...b)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** bytes reads base64url. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}
