// What a person can do on every account page: the buttons with data-act, the
// step-up in between, and the alerts that come in.

import { pageData, post, Refused } from "./api";
import { type Approval, check } from "./approval";
import { ask } from "./ask";
import { type Ceremony, gaveUp, get, signal, type Signals, supported, words } from "./passkey";
import { said, say } from "./said";
import { localise } from "./times";

// done tells what has changed, on the page as it then is.
export function done(text: string, next = location.pathname): void {
  sessionStorage.setItem("said", text);
  location.assign(next);
}

export function failed(e: unknown): void {
  if (e instanceof Refused && (e.reason === "SESSION_REQUIRED" || e.reason === "SESSION_ENDED")) location.assign("/signin?ended");
  else if (!gaveUp(e)) {
    say(words(e), "bad");
    said.scrollIntoView({ block: "nearest" }); // the button may be far below
  }
}

// Result is what has come of a confirmed action.
interface Result {
  said: string;
  freeze_code?: string;
  signals?: Signals;
}

// fresh runs act, and once more after a step-up if the server wants one. It
// resolves to undefined if the person would rather not.
export async function fresh<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (e) {
    if (!(e instanceof Refused) || e.reason !== "STEP_UP_REQUIRED" || (e.need !== "fresh" && e.need !== "person")) throw e;
  }
  let result: T | undefined;
  await ask({ title: "Is it you?", lead: "This needs a fresh look. Your device will ask for your face, your fingerprint or your screen lock.", yes: "Continue" }, async () => {
    const c = await post<Ceremony>("/account/step-up/begin");
    await post("/account/step-up/finish", { ceremony: c.ceremony, response: await get(c.options) });
    result = await act();
  });
  return result;
}

// sign has the passkey sign what is shown of a, and has the server do it.
export async function sign(a: Approval, shown: string): Promise<Result> {
  await check(a, shown);
  const response = await get(a.options);
  const result = await post<Result>("/account/confirm", { approval: a.approval, response });
  await signal(result.signals, a.action === "handle.change");
  return result;
}

// over tells what has come of it. A freeze code is shown once, here.
export async function over(r: Result, next?: string): Promise<void> {
  if (r.freeze_code) {
    const lead = "Type it on the sign-in page when your devices are gone, and your account is frozen. It can do nothing else. We show it only now: write it down.";
    await ask({ title: "Keep this freeze code", lead, text: r.freeze_code, yes: "I have kept it" }, async () => {});
  }
  done(r.said, next);
}

// propose has an action put into words by the server, shows them and signs them.
export async function propose(title: string, action: string, about: object): Promise<void> {
  const a = await fresh(() => post<Approval>("/account/propose", { action, ...about }));
  if (!a) return;
  let result: Result | undefined;
  const lead = "Your passkey signs exactly these words. Your device will ask for your face, your fingerprint or your screen lock.";
  if (await ask({ title, lead, text: a.text, yes: "Confirm with passkey" }, async (_, shown) => void (result = await sign(a, shown)))) {
    await over(result!);
  }
}

const about = ({ device, credential, session, pending, move }: DOMStringMap) => ({ device, credential, session, pending, move });

const acts: Record<string, (b: HTMLElement) => Promise<void>> = {
  "sign-out": async () => {
    await post("/account/sign-out");
    location.assign("/signin");
  },
  freeze: async () => {
    const r = await post<{ next: string }>("/account/freeze");
    done("Your account is frozen.", r.next);
  },
  "sign-out-others": async () => {
    const r = await fresh(() => post<{ said: string }>("/account/sign-out-others"));
    if (r) done(r.said);
  },
  "end-session": async (b) => {
    if (await fresh(() => post("/account/end-session", about(b.dataset)))) done("That browser is signed out.");
  },
  veto: async (b) => {
    if (await fresh(() => post("/account/veto", about(b.dataset)))) done(b.dataset.said!);
  },
  "cancel-move": async (b) => {
    const r = await fresh(() => post<{ said: string }>("/account/cancel-move", about(b.dataset)));
    if (r) done(r.said);
  },
  rename: async (b) => {
    const to = { title: `Rename ${b.dataset.name}`, lead: "A name by which you will know it.", name: b.dataset.name!, yes: "Save" };
    let signals: Signals | undefined;
    let name = "";
    if (!(await ask(to, async (n) => void (name = n)))) return;
    const saved = await fresh(async () => {
      signals = (await post<{ signals?: Signals }>("/account/rename", { ...about(b.dataset), name })).signals;
      return true;
    });
    if (!saved) return;
    await signal(signals);
    done("The name is changed.");
  },
  propose: (b) => propose(b.dataset.title!, b.dataset.action!, about(b.dataset)),
};

// begin makes a page live. more are the acts that only it has.
export function begin(more: typeof acts = {}): void {
  Object.assign(acts, more);
  document.addEventListener("click", async (event) => {
    const b = (event.target as Element).closest<HTMLButtonElement>("button[data-act]");
    if (!b || b.disabled) return;
    b.disabled = true;
    try {
      await acts[b.dataset.act!](b);
    } catch (e) {
      failed(e);
    }
    b.disabled = false;
  });
  const before = sessionStorage.getItem("said");
  sessionStorage.removeItem("said");
  if (before) say(before, "good");
  else if (!supported()) say("This browser has no passkeys. You can read, freeze and sign out here, and no more.");
  localise();
}

export interface Alert {
  seq: number;
  kind: string;
  text: string;
  at: string;
}

// listen follows the alerts. A session that has ended, from wherever, ends the
// page too.
export function listen(heard: (a: Alert) => void = told): void {
  let after = pageData<{ after?: number }>().after ?? 0;
  let stream: EventSource;
  let pause = 500;
  const open = () => {
    stream = new EventSource(`/v1/alerts/stream?after=${after}`);
    stream.onopen = () => (pause = 500);
    stream.addEventListener("alert", (e) => {
      const a = JSON.parse(e.data) as Alert;
      after = a.seq;
      const count = document.getElementById("unread")!;
      count.textContent = String(Number(count.textContent) + 1);
      count.hidden = false;
      heard(a);
    });
    stream.onerror = async () => {
      // The server hangs up when the session ends, and now and then. It says
      // which of them when asked again.
      stream.close();
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, 30_000);
      const answer = await fetch("/v1/alerts/stream?after=" + after, { method: "GET", signal: AbortSignal.timeout(5000) }).catch(() => undefined);
      void answer?.body?.cancel();
      if (answer?.status === 401) location.assign("/signin?ended");
      else if (answer?.status === 403) location.reload(); // the session is too old to read: sign in and come back
      else open();
    };
  };
  addEventListener("pagehide", () => stream.close());
  open();
}

function told(a: Alert): void {
  say(`${a.text} `, "bad");
  const look = document.createElement("a");
  look.href = location.pathname;
  look.textContent = "Show what has changed";
  said.append(look);
}
