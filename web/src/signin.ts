// The sign-in page: passkeys offered in the field, and a button. The field's
// ceremony waits; the button stops it, for a browser runs one at a time.

import { pageData, post, Refused } from "./api";
import { type Ceremony, canFill, gaveUp, get, signal, type Signals, signalUnknown, supported, words } from "./passkey";
import { say } from "./said";

const renewal = 4 * 60_000; // a ceremony lives five minutes
const next = pageData<{ next: string }>().next;
const button = document.getElementById("go") as HTMLButtonElement;

let waiting: AbortController | undefined;
let since = 0;
let fills = false;
let busy = false;

async function finish(c: Ceremony, response: Record<string, any>): Promise<void> {
  say("Signing you in…");
  try {
    const done = await post<{ next: string; signals: Signals }>("/signin/finish", { ceremony: c.ceremony, response, next });
    await signal(done.signals);
    location.assign(done.next);
  } catch (e) {
    if (e instanceof Refused && e.reason === "PASSKEY_UNKNOWN") await signalUnknown(c.options.rpId, response.id);
    throw e;
  }
}

function failed(e: unknown): void {
  say(gaveUp(e) ? "" : words(e), "bad");
}

// fill lets the browser offer passkeys in the field, until one is chosen or
// somebody aborts it.
async function fill(): Promise<void> {
  waiting?.abort();
  if (!fills || busy || document.hidden) return;
  const mine = (waiting = new AbortController());
  since = Date.now();
  try {
    const c = await post<Ceremony>("/signin/begin", { mediation: "conditional" });
    if (mine.signal.aborted) return;
    const response = await get(c.options, { mediation: "conditional", signal: mine.signal });
    busy = button.disabled = true;
    await finish(c, response);
  } catch (e) {
    if (mine.signal.aborted) return;
    failed(e);
    busy = button.disabled = false;
    if (!gaveUp(e)) return; // the next renewal tries again
    fills = false; // a browser that refuses to wait is not asked again and again
  }
}

async function press(): Promise<void> {
  if (busy) return;
  waiting?.abort();
  busy = button.disabled = true;
  say("Your device will now ask for you.");
  try {
    const c = await post<Ceremony>("/signin/begin");
    await finish(c, await get(c.options));
  } catch (e) {
    failed(e);
    busy = button.disabled = false;
    void fill();
  }
}

async function start(): Promise<void> {
  if (!supported()) {
    say("This browser has no passkeys. Use another browser, or another of your devices.", "bad");
    return;
  }
  document.getElementById("ways")!.hidden = false;
  button.addEventListener("click", press);
  document.getElementById("name")!.addEventListener("keydown", (e) => {
    if (e.key === "Enter") void press();
  });
  fills = await canFill();
  document.getElementById("fill")!.hidden = !fills;
  await fill();
}

setInterval(() => {
  if (Date.now() - since >= renewal) void fill();
}, 15_000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && Date.now() - since >= renewal) void fill();
});
addEventListener("pageshow", (e) => {
  if (e.persisted) location.reload(); // from the back-forward cache: its ceremony is old
});
void start();
