/** A new phone comes into an account that another device has; both halves of it. */
import { timestampDate } from "@bufbuild/protobuf/wkt";

import { base64url, type Bytes, concat, equal, fromBase64url, u32, utf8 } from "../bytes.js";
import { JoinKind, JoinState, type WaitJoinResponse } from "../gen/staunch/account/v1/join_pb.js";
import { Platform } from "../gen/staunch/account/v1/nouns_pb.js";
import { approve, type Show } from "./approve.js";
import { type Core, lower } from "./core.js";
import { type Enrolled, enrolled, type Enrolment, mayBegin, newPhone, resume } from "./enrol.js";
import { reasonOf, StaunchError } from "./errors.js";
import { asNeeded } from "./session.js";
import { firstPause, mostPause, reopened, uncertain, wait } from "./tries.js";

/** Joining is what the new phone shows, so that a device of the account can approve it. */
export interface Joining {
  readonly join: string;
  /** For the QR code. */
  readonly code: string;
  /** Two digits, which the owner types on the other device. */
  readonly number: string;
  readonly expiresAt: Date;
}

/** Applicant is what another device must see before its owner approves a join. What the new device calls itself, anybody could have written. */
export interface Applicant {
  readonly join: string;
  readonly kind: string; // "phone", "browser" or "guest"
  readonly name: string;
  readonly platform: string;
  /** Of a browser. */
  readonly origin: string;
  /** For people; empty: not known. */
  readonly place: string;
  readonly expiresAt?: Date;
}

/**
 * join brings this phone into an account. show is told what to show; then it waits
 * until the other device has approved, makes the passkey, and finishes. A phone
 * that was cut off goes on where it was.
 */
export async function join(core: Core, e: Enrolment, show: (j: Joining) => void | Promise<void>, signal?: AbortSignal): Promise<Enrolled> {
  mayBegin(core, "join");
  if (core.state.began !== undefined) {
    const out = await resumed(core);
    if (out !== undefined) {
      return out;
    }
  }
  const open = joining(core);
  const j = open !== undefined && core.serverNow() < open.expiresAt ? open : await requestJoin(core, e);
  await show(j);
  let end = Infinity;
  for (let pause = firstPause; ; pause = Math.min(2 * pause, mostPause)) {
    const w = await waitJoin(core, j.join, signal);
    end = Math.min(end, core.now() + core.patience);
    try {
      return await finishJoin(core, w, e);
    } catch (err) {
      if (!uncertain(err)) {
        throw err;
      }
      const out = await resumed(core);
      if (out !== undefined) {
        return out;
      }
      if (core.now() >= end) {
        throw err;
      }
    }
    await wait(pause, signal);
  }
}

async function resumed(core: Core): Promise<Enrolled | undefined> {
  const out = await resume(core);
  if (out !== undefined) {
    await core.change({ began: undefined });
  }
  return out;
}

function joining(core: Core): Joining | undefined {
  const { join: id, code, number, expiresAt } = core.state.began ?? {};
  return id === undefined || code === undefined || number === undefined || expiresAt === undefined ? undefined : { join: id, code, number, expiresAt };
}

/** requestJoin opens a join. The key is kept with it: who has it alone can finish. */
async function requestJoin(core: Core, e: Enrolment): Promise<Joining> {
  const b = await core.calls.accounts.beginDevice({}, { unsigned: true });
  const phone = await newPhone(core, e, b.app, b.challenge);
  await core.change({ began: { flow: "join" } });
  const m = await core.calls.joins.requestJoin({ phone });
  // The other device compares this hash with the server's: it must be of our keys.
  const hash = await keysHash(core.state.key, e.sealing?.alg ?? "", e.sealing?.key ?? new Uint8Array());
  if (m.code !== joinCode(m.join, hash)) {
    throw new StaunchError("MISMATCH", "client: the code of the join is not that of this phone's keys. Show it to nobody");
  }
  const j = { join: m.join, code: m.code, number: m.number, expiresAt: m.expiresAt ? timestampDate(m.expiresAt) : core.serverNow() };
  await core.change({ began: { flow: "join", ...j } });
  return j;
}

/** waitJoin waits until the join is approved. */
function waitJoin(core: Core, id: string, signal?: AbortSignal): Promise<WaitJoinResponse> {
  return reopened(core, () => watchJoin(core, id, signal), signal, async (err) => {
    const why = reasonOf(err);
    if (["JOIN_OVER", "JOIN_EXPIRED", "JOIN_NOT_FOUND"].includes(why)) {
      await core.change({ began: undefined });
      throw why === "JOIN_OVER" ? err : joinOver(why, err);
    }
    return false;
  });
}

function joinOver(why: string, cause?: unknown): StaunchError {
  return new StaunchError("JOIN_OVER", `client: the join is over (${why}). Open a new one`, { cause });
}

/** watchJoin reads one stream. undefined: it has ended too early, and another is wanted. */
async function watchJoin(core: Core, id: string, signal?: AbortSignal): Promise<WaitJoinResponse | undefined> {
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
  try {
    for await (const m of core.calls.joins.waitJoin({ join: id }, { signal: both })) {
      if (m.state === JoinState.CONFIRMED) {
        return m;
      }
      if (m.state !== JoinState.OPEN) {
        throw joinOver(`it is ${lower(JoinState, m.state)}`);
      }
    }
    return undefined;
  } finally {
    stop.abort();
  }
}

/** finishJoin makes the passkey, which is kept before the server knows it. */
async function finishJoin(core: Core, w: WaitJoinResponse, e: Enrolment): Promise<Enrolled> {
  const response = await core.create(w.options);
  await core.change({ began: { flow: "join", ...core.state.began, account: w.account } });
  const f = await core.calls.joins.finishJoin({ join: w.join, ceremony: w.ceremony, response });
  await core.keepSession(f.signed, { began: undefined });
  return enrolled(core, f.signed, e.name);
}

/**
 * readJoin reads a join by the code that the new device shows. It throws JOIN_KEYS
 * if the server has another device's keys than the code: show nothing of it then,
 * and approve nothing.
 */
export async function readJoin(core: Core, code: string): Promise<Applicant> {
  const { id, hash } = parseJoinCode(code);
  const m = await asNeeded(core, () => core.calls.joins.getJoin({ code }));
  if (m.join !== id || !equal(m.keysHash.subarray(0, hash.length), hash)) {
    throw new StaunchError("JOIN_KEYS", "client: the server shows another device than the code does. Nothing was approved");
  }
  return {
    join: m.join, kind: lower(JoinKind, m.kind), name: m.name, platform: lower(Platform, m.platform), origin: m.origin, place: m.place,
    ...(m.expiresAt && { expiresAt: timestampDate(m.expiresAt) }),
  };
}

/** approveJoin approves a join with the number that the new device shows. What is signed names that device. */
export async function approveJoin(core: Core, a: Applicant, number: string, show?: Show): Promise<void> {
  await approve(core, a.kind === "guest" ? "guest.approve" : "device.add", { join: a.join, number }, show);
}

const prefix = "staunch-join:";
const hashBytes = 16;

/** keysHash is what both devices compare: SHA-256 over the new device's keys. */
export async function keysHash(key: string, sealingAlg: string, sealingKey: Uint8Array): Promise<Bytes> {
  const fields = [utf8(key), utf8(sealingAlg), sealingKey].flatMap((f) => [u32(f.length), f]);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(utf8("staunch/join/v1\0"), ...fields)));
}

/** joinCode is the text of the QR code: the join, and the first 16 bytes of the hash of its keys. */
export function joinCode(id: string, hash: Uint8Array): string {
  return `${prefix}${id}.${base64url(hash.subarray(0, hashBytes))}`;
}

/** parseJoinCode reads what joinCode gives. Nobody has compared the hash yet. */
export function parseJoinCode(code: string): { readonly id: string; readonly hash: Bytes } {
  const [, id, text] = /^staunch-join:(j_[a-z2-7]{26})\.([A-Za-z0-9_-]{22})$/.exec(code) ?? [];
  if (id === undefined || text === undefined) {
    throw new StaunchError("CODE", `client: this is no code of a new device, which is ${prefix}JOIN.HASH`);
  }
  try {
    return { id, hash: fromBase64url(text) };
  } catch (cause) {
    throw new StaunchError("CODE", "client: this is no code of a new device: its hash is not in base64url", { cause });
  }
}
