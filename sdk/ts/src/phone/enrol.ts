/** Enrolling: an account with this phone as its first device. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";

import type { Bytes } from "../bytes.js";
import { type NewPhoneSchema, Platform, type Signed, State } from "../gen/staunch/account/v1/nouns_pb.js";
import { approve, type Show } from "./approve.js";
import { type Core, lower } from "./core.js";
import { StaunchError } from "./errors.js";
import { asNeeded, signIn, stranger } from "./session.js";
import { firstPause, mostPause, uncertain, wait } from "./tries.js";

/** Enrolment is what a new phone says of itself. */
export interface Enrolment {
  /** For people; 1 to 64 characters. */
  readonly name: string;
  /** The public sealing key of the app's end-to-end encryption; absent: it has none. */
  readonly sealing?: { readonly alg: string; readonly key: Bytes };
  /** Believed nowhere, for statistics alone. */
  readonly hints?: { readonly osVersion?: string; readonly appVersion?: string; readonly model?: string };
}

/** Enrolled is a phone that has an account. Texts are those of Go's SDK: "active", "held", "android". */
export interface Enrolled {
  readonly account: string;
  readonly accountState: string;
  readonly device: string;
  readonly deviceState: string;
  readonly passkey: string;
  readonly session: string;
  readonly name: string;
  readonly platform: string;
  /** Given out once, for the owner to keep on paper: whoever has it can freeze the account, and nothing else. Absent: of a join. */
  readonly freezeCode?: string;
  readonly at?: Date;
}

/**
 * enrol makes an account. A phone that has begun and does not know how it ended,
 * since it died or the answer got lost, finds out first: then it signs in, and has
 * a new freeze code made, for the first one got lost with the answer.
 */
export async function enrol(core: Core, e: Enrolment, signal?: AbortSignal): Promise<Enrolled> {
  mayBegin(core, "enrol");
  if (core.state.began !== undefined) {
    const out = await resumeEnrol(core);
    if (out !== undefined) {
      return out;
    }
  }
  const end = core.now() + core.patience;
  for (let pause = firstPause; ; pause = Math.min(2 * pause, mostPause)) {
    try {
      return await tryEnrol(core, e, signal);
    } catch (err) {
      if (core.state.began === undefined || !uncertain(err)) {
        throw err;
      }
      const out = await resumeEnrol(core);
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

/** mayBegin throws for a phone that has an account, or is in the middle of another flow. */
export function mayBegin(core: Core, flow: string): void {
  const { account, began } = core.state;
  if (account !== "" && began === undefined) {
    throw new StaunchError("ENROLLED", "client: this phone has an account");
  }
  if (began !== undefined && began.flow !== flow) {
    throw new StaunchError("UNFINISHED", `client: this phone has begun something else (${began.flow}). Finish that, or give its store up`);
  }
}

async function tryEnrol(core: Core, e: Enrolment, signal?: AbortSignal): Promise<Enrolled> {
  const b = await core.calls.accounts.beginEnrol({}, { unsigned: true, ...(signal && { signal }) });
  const phone = await newPhone(core, e, b.app, b.challenge);
  const response = await core.create(b.options);
  await core.change({ began: { flow: "enrol", account: b.account, ...(b.expiresAt && { expiresAt: timestampDate(b.expiresAt) }) } });
  const m = await core.calls.accounts.finishEnrol({ ceremony: b.ceremony, response, phone });
  await core.keepSession(m.signed, { began: undefined });
  return {
    ...enrolledOf(m.signed as Signed, m.name, lower(Platform, m.platform)), freezeCode: m.freezeCode,
    ...(m.enrolledAt && { at: timestampDate(m.enrolledAt) }),
  };
}

/** resumeEnrol finds out what has become of an enrolment; undefined: there is no account. */
async function resumeEnrol(core: Core): Promise<Enrolled | undefined> {
  const out = await resume(core);
  if (out === undefined) {
    return undefined;
  }
  const freezeCode = await renewFreezeCode(core);
  await core.change({ began: undefined });
  return { ...out, freezeCode };
}

/** renewFreezeCode has a new freeze code made; the old one counts no more. */
export async function renewFreezeCode(core: Core, show?: Show): Promise<string> {
  const r = await approve(core, "freeze_code.renew", {}, show) as { freeze_code?: unknown };
  if (typeof r.freeze_code !== "string" || r.freeze_code === "") {
    throw new StaunchError("ANSWER", "client: new freeze code: the server's answer has none");
  }
  return r.freeze_code;
}

/** resume signs in if the server knows the key that the phone has begun with; undefined: it does not. */
export async function resume(core: Core): Promise<Enrolled | undefined> {
  if (core.key === undefined) {
    return undefined;
  }
  await core.dropSession();
  let st;
  try {
    st = await core.calls.accounts.getStatus({});
  } catch (err) {
    if (stranger(err)) {
      return undefined;
    }
    throw err;
  }
  await signIn(core);
  const { devices } = await core.calls.accounts.listDevices({});
  const added = devices.find((d) => d.this)?.addedAt;
  const { account, device, passkey, session } = core.state;
  return {
    account, device, passkey, session, name: st.name, platform: lower(Platform, st.platform),
    accountState: lower(State, st.accountState), deviceState: lower(State, st.deviceState), ...(added && { at: timestampDate(added) }),
  };
}

/** newPhone has the hardware make a key over the challenge, and gives what a flow that brings a new key sends. */
export async function newPhone(core: Core, e: Enrolment, app: string, challenge: Uint8Array): Promise<MessageInitShape<typeof NewPhoneSchema>> {
  const k = await core.newKey(app, challenge);
  return {
    name: e.name, challenge, keyId: k.appleKeyId ?? "", hints: e.hints, sealingAlg: e.sealing?.alg ?? "", sealingKey: e.sealing?.key,
    platform: k.platform === "ios" ? Platform.IOS : Platform.ANDROID,
    evidence: k.platform === "ios"
      ? { case: "attestationObject", value: k.attestationObject ?? new Uint8Array() }
      : { case: "certificateChain", value: { certificates: [...k.certificateChain ?? []] } },
  };
}

/** enrolled is a phone that an account has let in, with what the server has noted of it. */
export async function enrolled(core: Core, m: Signed | undefined, name: string): Promise<Enrolled> {
  const { devices } = await asNeeded(core, () => core.calls.accounts.listDevices({}));
  const mine = devices.find((d) => d.this);
  return { ...enrolledOf(m as Signed, name, mine ? lower(Platform, mine.platform) : ""), ...(mine?.addedAt && { at: timestampDate(mine.addedAt) }) };
}

function enrolledOf(m: Signed, name: string, platform: string): Enrolled {
  return {
    account: m.account, accountState: lower(State, m.accountState), device: m.device, deviceState: lower(State, m.deviceState),
    passkey: m.passkey, session: m.session, name, platform,
  };
}
