// Moving from phone to phone: the new one shows a code and takes what comes, the
// old one scans, asks Marie, and sends.

import { StaunchError } from "@staunch/client";
import { devTrust } from "@staunch/client/software";
import { cancelMove, type MoveEvent, type MoveHome, MoveError, moveStatus, type Peer, recallMove, receiveMove, sendMove } from "@staunch/client/transfer";

import { sealingKey } from "./appdata";
import { draw, scan } from "./code";
import { h } from "./dom";
import { bar, type Choice, countdown, numberPad, sheet } from "./screens";
import type { Question, Unit } from "./unit";
import { failed } from "./words";

const info = { model: "Pixel, in software", os: "Android 16", app: "1.0" } as const;

/** offer shows a code on this new phone, and takes over what the phone that scans it has. */
export async function offer(u: Unit): Promise<void> {
  if (u.desk.story.account === undefined) {
    u.frame.trouble("There is no old phone yet. Set one up first.");
    return;
  }
  u.phase = "busy";
  u.frame.beneath("Not Marie's yet.");
  await u.data.keepMoving("receive");
  await u.desk.tell();
  const look = watching(u, "Everything is coming over");
  try {
    const moved = await receiveMove(u.phone, {
      home: moveHome(u), importer: u.data.history.importer(), info, events: look, number: (left, signal) => number(u, left, signal),
    });
    await u.data.keepMoving(undefined);
    await u.desk.tell({ moved: true, account: moved.account });
    await u.home();
    u.frame.note(`All ${moved.objects} files came along, byte for byte.`);
    return;
  } catch (err) {
    await cameToNothing(u, err);
  }
}

/** scanOther reads the code off the other phone's screen, and moves the account there. */
export async function scanOther(u: Unit): Promise<void> {
  const canvas = u.desk.units.find((other) => other !== u)?.frame.element.querySelector<HTMLCanvasElement>("canvas.qr");
  if (canvas === null || canvas === undefined) {
    u.frame.trouble("The other phone shows no code. Choose “Move from my old phone” there.");
    return;
  }
  await send(u, scan(canvas));
}

async function send(u: Unit, uri?: string): Promise<void> {
  u.phase = "busy";
  u.frame.beneath("Marie's, until all of it has gone over.");
  await u.data.keepMoving("send");
  await u.desk.tell();
  const look = watching(u, "Everything goes over");
  try {
    const moved = await sendMove(u.phone, {
      ...(uri === undefined ? {} : { uri }), home: moveHome(u), source: u.data.history.source(), name: u.name, info, trust, events: look,
      ask: (peer) => agree(u, peer), show: (text) => approve(u, text), leastRecall: 0,
    });
    await u.data.keepMoving(undefined);
    await u.data.keepLeft(moved.recallUntil?.getTime() ?? 0);
    await u.desk.tell({ moved: true });
    await u.home();
  } catch (err) {
    await cameToNothing(u, err);
  }
}

const away = 2000; // ms until a server that did not answer is asked again

/** cameToNothing tells why a move has ended, and forgets it; if it is only the server that is away, it goes on. */
async function cameToNothing(u: Unit, err: unknown): Promise<void> {
  if (err instanceof StaunchError && err.reason === "UNREACHABLE") {
    failed(u, err);
    await new Promise((later) => setTimeout(later, away));
    await goOn(u);
    return;
  }
  const over = err instanceof MoveError && err.fault === "ended";
  if (!over) { // nothing is left half done that would be in the way of the next one
    await cancelMove(u.phone, { home: moveHome(u) }).catch(() => undefined);
  }
  await u.data.keepMoving(undefined);
  if (u.phone.state.account === "") {
    await u.forget(); // a phone that was to be the new one: it has nothing yet
  }
  await u.home();
  failed(u, err);
}

/** goOn goes on with a move that a reload has cut off. It gives false if there is none. */
export async function goOn(u: Unit): Promise<boolean> {
  const what = await u.data.moving();
  if (what !== undefined) {
    void (what === "receive" ? offer(u) : send(u));
  }
  return what !== undefined;
}

/** takeBack takes the account back to the old phone. */
export async function takeBack(u: Unit): Promise<void> {
  u.phase = "busy";
  await u.desk.tell();
  try {
    await recallMove(u.phone, { home: moveHome(u) }, "user", (text) => approve(u, text));
    await u.data.keepLeft(undefined);
    await u.desk.tell({ moved: false });
    await u.home();
    u.frame.note("The account is back on this phone.");
    for (const other of u.desk.units) {
      if (other !== u && other.phase === "home") {
        await moveStatus(other.phone, { home: moveHome(other) });
        await other.forget();
        await other.home();
        other.frame.trouble("The old phone has taken the account back.");
      }
    }
  } catch (err) {
    await u.home();
    failed(u, err);
  }
}

/** watching shows on the screen what a move tells. */
function watching(u: Unit, title: string): (e: MoveEvent) => void {
  const b = bar(title);
  let shown = "";
  const show = (what: string, more: readonly Node[] = [b.element], choices: readonly Choice[] = []) => {
    if (shown !== what && u.asks === undefined) { // a question stays until it is answered
      shown = what;
      u.frame.screen("Moving", sheet({ icon: "move", title, words: what, more, choices }));
    }
  };
  show("Asking the server for a beginning.");
  return (e) => {
    switch (e.event) {
      case "offer":
        showCode(u, e.uri, e.expires);
        break;
      case "claimed":
        shown = "";
        u.phase = "busy";
        show(`${e.label || "A phone"} has scanned the code.`);
        void u.desk.tell();
        break;
      case "number":
        u.frame.screen("Number", sheet({ icon: "check", title: "Type this number on the other phone", words: "It is the same on both only if nobody sits in between.", more: [h("output.bignumber", { "data-number": e.number }, `${e.number.slice(0, 3)} ${e.number.slice(3)}`)] }));
        shown = "";
        break;
      case "matched":
        show("The numbers are the same.");
        break;
      case "held":
        u.phase = "held";
        void u.desk.tell();
        show("The server holds this for a while, so that Marie could still say no on any of her devices.", [countdown(e.until.getTime(), Date.now), b.element], [stopping(u, "Stop the move")]);
        break;
      case "progress":
        if (e.total > 0) {
          b.set(e.done / e.total, `${megabytes(e.done)} of ${megabytes(e.total)} MB`);
        }
        if (u.phase === "held" && e.phase === "copy") {
          u.phase = "busy";
          void u.desk.tell();
        }
        if (e.phase === "copy" || e.phase === "check" || e.phase === "commit" || e.phase === "open") {
          show({ copy: "Encrypted from phone to phone: the server sees neither words nor pictures.", check: "Every byte is checked.", commit: "The account changes hands.", open: "The keys are opened." }[e.phase]);
        }
        break;
      default:
    }
  };
}

const megabytes = (n: number): string => (n / 1e6).toFixed(1);

function showCode(u: Unit, uri: string, expires: Date): void {
  u.phase = "code";
  u.frame.screen("Code", sheet({
    icon: "scan", title: "Scan this with the old phone", more: [draw(uri), countdown(expires.getTime(), Date.now)],
    choices: [stopping(u, "Cancel")],
  }));
  void u.desk.tell();
}

/** stop ends a move from within; the flow that is under way tells what has come of it. */
function stop(u: Unit): void {
  cancelMove(u.phone, { home: moveHome(u), beside: true }).catch((err: unknown) => failed(u, err));
}

const stopping = (u: Unit, text: string): Choice => ({ text, kind: "plain", id: "cancel-move", act: () => stop(u) });

/** number has the number typed that the old phone shows. */
function number(u: Unit, left: number, signal: AbortSignal): Promise<string> {
  return asked(u, { title: "Type the number", words: `The old phone shows six digits; type them on the ${u.name.toLowerCase()}. They prove that nobody sits in between.` }, (resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    u.frame.screen("Number", numberPad({
      words: left < 3 ? `That was another number. ${left} tries left.` : "It proves that nobody sits in between.", done: resolve, cancel: () => stop(u),
    }));
  });
}

/** agree has Marie look at the new phone. */
function agree(u: Unit, peer: Peer): Promise<boolean> {
  return asked(u, { title: "Is it Marie's new phone?", words: "The old phone has looked at the new one's evidence by itself, and asks.", act: { text: "Yes, it is mine", press: "agree" } }, (resolve) => {
    u.frame.screen("Agree", sheet({
      icon: "phone", title: "Move the account to this phone?", words: `${peer.info.model}, ${peer.info.os}. Its hardware vouches for it${peer.sameNetwork ? ", and it is in the same network" : ""}.`,
      choices: [
        { text: "Yes, it is mine", kind: "primary", id: "agree", act: () => resolve(true) },
        { text: "No", kind: "plain", act: () => resolve(false) },
      ],
    }));
  });
}

/** asked puts a question, which stands until it is answered, whatever else the move tells meanwhile. press is the button that the guide presses as well. */
function asked<T>(u: Unit, q: Omit<Question, "act"> & { act?: { text: string; press: string } }, ask: (resolve: (answer: T) => void, reject: (err: Error) => void) => void): Promise<T> {
  const { title, words, act } = q;
  u.asks = { title, words, ...(act === undefined ? {} : { act: { text: act.text, run: () => u.frame.element.querySelector<HTMLElement>(`[data-act=${act.press}]`)?.click() } }) };
  void u.desk.tell();
  return new Promise<T>(ask).finally(() => {
    u.asks = undefined;
    void u.desk.tell();
  });
}

/** approve shows what Marie's passkey is to sign. */
export function approve(u: Unit, text: string): Promise<void> {
  return asked(u, { title: "Confirm with the passkey", words: `It signs exactly the words that the ${u.name.toLowerCase()} shows, and nothing else.`, act: { text: "Confirm with passkey", press: "confirm" } }, (resolve, reject) => {
    u.frame.screen("Approve", sheet({
      icon: "key", title: "Is it you?", words: "Your passkey signs exactly these words.", more: [h("blockquote.signed", {}, text)],
      choices: [
        { text: "Confirm with passkey", kind: "primary", id: "confirm", act: () => {
          u.frame.screen("Approving", sheet({ icon: "key", title: "One moment", words: "The passkey signs." }));
          resolve();
        } },
        { text: "No", kind: "plain", act: () => reject(new DOMException("the person said no", "NotAllowedError")) },
      ],
    }));
  });
}

/**
 * The verifier that the phones on this page have built in is a piece of the dev server. A real app has one in itself, for a
 * server that judges its own phones' evidence is none.
 */
const trust = devTrust(location.origin);

/** What moves beside the history, by name. */
const along = { sealing: "sealing", backup: "backup" } as const;

/** moveHome is the messenger, as far as a move changes it. */
export function moveHome(u: Unit): MoveHome {
  return {
    sealingPublic: async () => (await u.data.sealing())?.public ?? new Uint8Array(),
    async secrets() {
      const key = await u.data.sealing();
      if (key === undefined) {
        throw new Error("demo: this phone has no sealing key");
      }
      const backup = await u.data.backup();
      return new Map([[along.sealing, key.secret], ...(backup ? [[along.backup, backup] as const] : [])]);
    },
    sealingKey: async (secrets) => (await sealingKey(secrets.get(along.sealing) ?? new Uint8Array())).public,
    take: async (secrets) => u.data.takeOver(await sealingKey(secrets.get(along.sealing) ?? new Uint8Array()), secrets.get(along.backup)),
    lock: async () => u.data.keepLeft((await u.data.left()) ?? 0),
    unlock: () => u.data.keepLeft(undefined),
    wipe: () => u.data.wipe(),
  };
}
