/** What the owner is told. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { errorFromJson } from "@connectrpc/connect/protocol-connect";

import { text } from "../bytes.js";
import type { Core } from "./core.js";
import { reasonOf, StaunchError, typed } from "./errors.js";
import { asNeeded } from "./session.js";
import { bounded } from "./transport.js";
import { reopened } from "./tries.js";

/** Alert tells the owner what has happened. */
export interface Alert {
  /** Its number in the account, from 1. */
  readonly seq: number;
  /** "device.add" ... */
  readonly kind: string;
  /** The device that it is about; empty: the account. */
  readonly device: string;
  /** For people. */
  readonly text: string;
  readonly at: Date;
}

const page = 500; // how many are asked for at once

/** alerts reads all alerts after a number, by number. */
export async function alerts(core: Core, after = 0): Promise<Alert[]> {
  const all: Alert[] = [];
  for (;;) {
    const m = await asNeeded(core, () => core.calls.accounts.listAlerts({ after: BigInt(all.at(-1)?.seq ?? after), limit: page }));
    for (const a of m.alerts) {
      all.push({ seq: Number(a.seq), kind: a.kind, device: a.device, text: a.text, at: a.at ? timestampDate(a.at) : new Date(NaN) });
    }
    if (m.alerts.length < page) {
      return all;
    }
  }
}

/** ackAlerts says up to which alert this device has shown them. */
export async function ackAlerts(core: Core, seq: number): Promise<void> {
  await asNeeded(core, () => core.calls.accounts.ackAlerts({ seq: BigInt(seq) }));
}

/**
 * followAlerts reads the alerts after a number, and then each as it comes, until
 * the signal or an error of fn ends it. A stream that breaks off is opened again
 * behind the last alert, so that none is lost and none comes twice.
 */
export async function followAlerts(core: Core, after: number, fn: (a: Alert) => void | Promise<void>, signal?: AbortSignal): Promise<never> {
  const at = { seq: after };
  const stopped = await reopened(core, async (heard) => {
    try {
      await follow(core, at, heard, fn, signal);
      return undefined;
    } catch (err) {
      if (err instanceof Stopped) {
        return err;
      }
      throw err;
    }
  }, signal, async (err) => {
    const ended = reasonOf(err) === "SESSION_ENDED" && !core.signedOut;
    if (ended) {
      await core.dropSession();
    }
    return ended;
  });
  throw stopped.cause;
}

/** Stopped carries an error of the function that is told of alerts. */
class Stopped extends Error {}

/** In docs/api.md, "Alerts". What it is read from is in the query, which the signature covers. */
const streamPath = "/v1/alerts/stream";
/** How long a stream may be still before it is taken for dead, in ms; the server writes every 15 seconds. */
const silence = 45_000;
const maxEvent = 64 << 10; // bytes

/** follow reads one stream of server-sent events (WHATWG HTML, Section 9.2). */
async function follow(core: Core, at: { seq: number }, began: () => void, fn: (a: Alert) => void | Promise<void>, signal?: AbortSignal): Promise<void> {
  const stop = new AbortController();
  let quiet = setTimeout(() => stop.abort(), silence);
  const heard = () => {
    clearTimeout(quiet);
    quiet = setTimeout(() => stop.abort(), silence);
  };
  try {
    const url = new URL(`${core.url}${streamPath}?after=${at.seq}`);
    const headers = new Headers({ accept: "text/event-stream" });
    const res = await core.signed(url, { method: "GET", headers, signal: signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]) });
    if (res.status !== 200) {
      throw await refusedBy(res);
    }
    began();
    for await (const data of events(res, heard)) {
      await tell(data, at, fn);
    }
  } catch (err) {
    throw err instanceof Stopped || err instanceof StaunchError ? err : typed(err);
  } finally {
    clearTimeout(quiet);
    stop.abort();
  }
}

/** events gives the data of each event. */
async function* events(res: Response, heard: () => void): AsyncGenerator<string> {
  const lines = res.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let data = "";
  for (;;) {
    let chunk;
    try {
      chunk = await lines?.read();
    } catch (cause) {
      throw new ConnectError("the stream broke off", Code.Unavailable, undefined, undefined, cause);
    }
    if (chunk === undefined || chunk.done) {
      return;
    }
    heard();
    const [last = "", ...whole] = (rest + chunk.value).split(/\r?\n/).reverse();
    rest = last;
    for (const line of whole.reverse()) {
      if (line === "" && data !== "") { // the end of an event
        yield data;
        data = "";
      } else if (line.startsWith("data:")) {
        data += line.slice("data:".length).replace(/^ /, "");
      }
    }
    if (rest.length + data.length > maxEvent) {
      throw new StaunchError("ANSWER", `client: alerts: an event of more than ${maxEvent} bytes`);
    }
  }
}

/** tell gives fn an alert that it has not had yet. */
async function tell(data: string, at: { seq: number }, fn: (a: Alert) => void | Promise<void>): Promise<void> {
  const { seq, kind, device, text: words, at: when } = JSON.parse(data) as Record<string, unknown>;
  if (typeof seq !== "number" || typeof kind !== "string" || typeof words !== "string" || typeof when !== "string") {
    throw new StaunchError("ANSWER", "client: alerts: what the server has sent is no alert");
  }
  if (seq <= at.seq) {
    return;
  }
  at.seq = seq;
  try {
    await fn({ seq, kind, device: typeof device === "string" ? device : "", text: words, at: new Date(when) });
  } catch (cause) {
    throw new Stopped("", { cause });
  }
}

/** refusedBy is the error in an answer that is no stream: it has the form of a call's (Connect protocol, "Error end-stream"). */
export async function refusedBy(res: Response): Promise<StaunchError> {
  const away = new ConnectError(`HTTP status ${res.status}`, res.status >= 500 || res.status === 429 ? Code.Unavailable : Code.Unknown);
  try {
    return typed(errorFromJson(JSON.parse(text(await bounded(res))), undefined, away));
  } catch {
    return typed(away);
  }
}
