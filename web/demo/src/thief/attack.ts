// What an attack is, and what attacks share. Each really happens, against the server
// that runs; that it was stopped is read from what the server has written down.

import { Phone, type Store } from "@staunch/client";
import { type Evidence, MemoryStore, SoftwareHardware, SoftwarePasskeys } from "@staunch/client/software";
import type { Entry, Entries, Settings } from "../server";

/** Scene is what the thief finds. */
export interface Scene {
  readonly settings: Settings;
  /** Marie's phone as it lies there: signed in. */
  readonly victim: Phone;
  /** Its storage, as malware on it could read it. */
  readonly victimStore: Store;
  /** Marie has set a PIN. */
  readonly backedUp: boolean;
  /** Says what the thief does now; absent: nobody listens. */
  readonly tell?: (words: string) => void;
}

/** Outcome is how an attack has ended. */
export interface Outcome {
  /** false: it has worked, and whoever reads this has found a hole. */
  readonly stopped: boolean;
  /** Who stopped it, for people: "the server", "the vaults", "the new phone". */
  readonly stoppedBy: string;
  /** What the server's record says: a finding of the attestation, or the reason of a refusal. */
  readonly code: string;
  /** The record itself: chain and number of its audit entry, or "call/N". */
  readonly recordedId: string;
  readonly words: string;
}

/** Attack is one that the panel offers. */
export interface Attack {
  /** For programs: "replayed-payment". */
  readonly name: string;
  readonly title: string;
  /** What the thief has in his hands, and wants. */
  readonly words: string;
  /** What there must be first. */
  readonly needs: "account" | "backup";
  /** The account must not cool off: what this one does, Marie could not do then either. */
  readonly calm?: boolean;
  run(scene: Scene): Promise<Outcome>;
}

/** ask calls the demo's own endpoints. It throws if they do not answer. */
export async function ask<T>(scene: Scene, path: string, body?: object): Promise<T> {
  const answer = await fetch(scene.settings.origin + path, {
    ...(body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    credentials: "omit", redirect: "error", signal: AbortSignal.timeout(10_000),
  });
  const data = (await answer.json()) as T & { message?: string };
  if (!answer.ok) {
    throw new Error(data.message ?? `thief: ${path}: status ${answer.status}`);
  }
  return data;
}

export const base64url = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

export const fromBase64url = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

/** Kind is what a phone is: genuine, or one of the catalogue of attest/attesttest. */
export type Kind = "genuine" | "repackaged" | "emulator" | "unlocked" | "forged" | "software" | "replayed";

/** buy gives the thief a phone of his own: over a store that is empty, or that of another one. origin: where its passkeys say that they are used. */
export async function buy(scene: Scene, kind: Kind, store: Store = new MemoryStore(), origin = scene.settings.origin): Promise<Phone> {
  const hardware = new SoftwareHardware(store, async (challenge, spki): Promise<Evidence> => {
    const body = { platform: "android", kind, spki: base64url(spki), challenge: base64url(challenge) };
    const { certificateChain } = await ask<{ certificateChain: string[] }>(scene, "/demo/attest", body);
    return { platform: "android", certificateChain: certificateChain.map(fromBase64url) };
  });
  return Phone.open({ url: scene.settings.origin, app: scene.settings.app, hardware, passkeys: new SoftwarePasskeys({ store, origin }), store });
}

/** Recorded is an entry, and of an attempt at a PIN how many are left. */
export type Recorded = Entry & { readonly left?: number };

/** Journal is the server's record from a moment on. */
export interface Journal {
  /** find waits until the server has written down what wanted says, and gives it. It throws after ten seconds: then the attack left no trace, which is a fault. */
  find(what: string, wanted: (e: Recorded) => boolean): Promise<Recorded>;
}

/** journal begins to read where the record ends now. */
export async function journal(scene: Scene): Promise<Journal> {
  let run = "";
  let after = 0;
  const seen: Recorded[] = [];
  const read = async (): Promise<number> => {
    const got = await ask<Entries>(scene, `/demo/records?after=${after}&run=${encodeURIComponent(run)}`);
    ({ run, next: after } = got);
    seen.push(...got.records);
    return got.records.length;
  };
  while (await read() > 0) { /* what was there before is not of this attack */ }
  seen.length = 0;
  return {
    async find(what, wanted) {
      for (const end = Date.now() + 10_000; ;) {
        await read();
        const found = seen.find(wanted);
        if (found !== undefined) {
          return found;
        }
        if (Date.now() > end) {
          throw new Error(`thief: the server has not recorded ${what}; of many refusals it records a few a minute and counts the others: wait a minute, and try again`);
        }
        await new Promise((done) => setTimeout(done, 200));
      }
    },
  };
}

/** caught is the outcome of an attack that the record says was refused. */
export const caught = (e: Entry, stoppedBy: string, words: string): Outcome => ({ stopped: e.refused, stoppedBy, code: e.code, recordedId: e.id, words });

/** worked is the outcome of an attack that nobody has stopped. */
export const worked = (words: string): Outcome => ({ stopped: false, stoppedBy: "", code: "", recordedId: "", words });
