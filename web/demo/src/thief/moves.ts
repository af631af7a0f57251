// The thief wants the account to move to a phone of his.

import type { Phone } from "@staunch/client";
import { devTrust, MemoryStore } from "@staunch/client/software";
import { type MoveEvent, type MoveHome, receiveMove, sendMove, SoftwareHome, StoreHistory } from "@staunch/client/transfer";
import { type Attack, buy, caught, journal, type Scene, worked } from "./attack";

const info = { model: "Pixel 9", os: "Android 16", app: "1.0" } as const;

/** locked is Marie's keys and chats as her phone has them. No attack may get so far that it asks for one. */
const locked = (hers: Phone): MoveHome => ({
  sealingPublic: async () => new Uint8Array((await hers.devices()).find((d) => d.this)?.sealingKey ?? []),
  secrets: () => Promise.reject(new Error("thief: Marie's phone was about to hand out her keys")),
  sealingKey: () => Promise.reject(new Error("thief: Marie's phone takes no keys")),
  take: () => Promise.reject(new Error("thief: Marie's phone takes no keys")),
  lock: () => Promise.resolve(), unlock: () => Promise.resolve(), wipe: () => Promise.resolve(),
});

/** Side is one half of a move, and how it has ended: undefined, it went through. */
interface Side {
  readonly uri: Promise<string>;
  readonly end: Promise<unknown>;
}

/** shows has a new phone show a code. number is what is typed on it. */
function shows(phone: Phone, store: MemoryStore, number: () => Promise<string>, signal: AbortSignal): Side {
  const history = new StoreHistory(store);
  let offered: (uri: string) => void;
  const uri = new Promise<string>((resolve) => (offered = resolve));
  const events = (e: MoveEvent): void => {
    if (e.event === "offer") {
      offered(e.uri);
    }
  };
  const end = receiveMove(phone, { home: new SoftwareHome(store, history), info, importer: history.importer(), number, events, signal });
  return { uri, end: end.then(() => undefined, (error: unknown) => error) };
}

/** scans has a phone scan a code, and its owner say yes to whatever it asks. */
function scans(scene: Scene, phone: Phone, home: MoveHome, uri: string, events: (e: MoveEvent) => void, signal: AbortSignal): Promise<unknown> {
  const show = (): never => { throw new Error("thief: the owner is asked for her passkey"); };
  const end = sendMove(phone, { uri, home, trust: devTrust(scene.settings.origin), name: "Marie's phone", info, ask: () => Promise.resolve(true), show, events, signal });
  return end.then(() => undefined, (error: unknown) => error);
}

const sixDigits = (): string => String(crypto.getRandomValues(new Uint32Array(1))[0] as number % 1_000_000).padStart(6, "0");

/** patience is how long either half may take. */
const patience = 60_000; // ms

export const strangersCode: Attack = {
  name: "strangers-code", title: "A stranger's code", needs: "account", calm: true,
  words: "“Scan to win.” The code on the poster is his new phone's. Marie scans it, and says yes to what her phone asks.",
  async run(scene) {
    const log = await journal(scene);
    const store = new MemoryStore();
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), patience);
    try {
      const his = shows(await buy(scene, "genuine", store), store, () => Promise.resolve(sixDigits()), over.signal);
      const uri = await Promise.race([his.uri, his.end.then((error) => { throw error; })]);
      const hers = await scans(scene, scene.victim, locked(scene.victim), uri, () => undefined, over.signal);
      if (hers === undefined) {
        return worked("Marie's account is on his phone.");
      }
      const { account } = scene.victim.state;
      const entry = await log.find(`the end of the move (${String(hers)})`, (e) => e.action === "transfer.aborted" && e.account === account);
      return caught(entry, "the new phone", "The new phone must be told a number that only Marie's screen shows. He stands at a poster, and may guess three times.");
    } finally {
      clearTimeout(timer);
      over.abort();
    }
  },
};

export const secondReader: Attack = {
  name: "second-reader", title: "A photo of your code", needs: "account", calm: true,
  words: "Marie's new phone shows its code, she scans it. He has photographed it over her shoulder, and answers too, with an account of his own.",
  async run(scene) {
    const log = await journal(scene);
    const [new_, own] = [new MemoryStore(), new MemoryStore()];
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), patience);
    try {
      const his = await buy(scene, "genuine", own);
      const home = new SoftwareHome(own, new StoreHistory(own));
      await his.enroll({ name: "His phone", sealing: await home.sealing() });
      const coral = shows(await buy(scene, "genuine", new_), new_, () => new Promise(() => undefined), over.signal); // Marie has yet to type
      const uri = await Promise.race([coral.uri, coral.end.then((error) => { throw error; })]);
      let claimed: () => void;
      const scanned = new Promise<void>((resolve) => (claimed = resolve));
      const hers = scans(scene, scene.victim, locked(scene.victim), uri, (e) => { if (e.event === "peer") { claimed(); } }, over.signal);
      await Promise.race([scanned, hers.then((error) => { throw error; })]);
      if (await scans(scene, his, home, uri, () => undefined, over.signal) === undefined) {
        return worked("His account is on Marie's new phone.");
      }
      const { account } = scene.victim.state;
      const entry = await log.find("the second answer", (e) => e.action === "transfer.contended" && e.account === account);
      return caught(entry, "the server", "Two phones have answered to one code, and nobody can tell which was meant: the move is over, for both.");
    } finally {
      clearTimeout(timer);
      over.abort();
    }
  },
};
