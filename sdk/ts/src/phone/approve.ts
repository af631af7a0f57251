/** Actions that a person approves with a passkey over exactly what is done. */
import { concat, copy, equal, fromBase64url, u32, u64, utf8 } from "../bytes.js";
import type { ApprovalPreimage, ProposeActionResponse } from "../gen/staunch/account/v1/account_pb.js";
import type { Approval as Listed } from "../gen/staunch/account/v1/nouns_pb.js";
import type { Core } from "./core.js";
import { StaunchError } from "./errors.js";
import { asNeeded } from "./session.js";

/** Approval is an action that waits for the person's passkey. text is what is approved: show it exactly so, and nothing else. */
export interface Approval {
  readonly id: string;
  readonly action: string;
  readonly text: string;
  /** What will be executed. */
  readonly params: Readonly<Record<string, unknown>>;
  /** JSON: PublicKeyCredentialRequestOptionsJSON. */
  readonly options: string;
}

/** Show shows a text before the authenticator asks. It rejects if the person does not want it. */
export type Show = (text: string) => void | Promise<void>;

/** Proof is a passkey's answer over an action that another call carries out. */
export interface Proof {
  readonly approval: string;
  /** JSON: AuthenticationResponseJSON, without secrets. */
  readonly response: string;
  readonly text: string;
}

/**
 * propose opens an approval for an action (docs/api.md lists them with their
 * params). It computes the challenge anew from what is shown and executed, and
 * throws MISMATCH if the server wants another one signed.
 */
export function propose(core: Core, action: string, params: Readonly<Record<string, unknown>> = {}): Promise<Approval> {
  const asked = JSON.stringify(params);
  return asNeeded(core, async () => {
    const a = await approvalOf(core, await core.calls.accounts.proposeAction({ action, params: asked }));
    if (a.action !== action || !holds(a.params, JSON.parse(asked) as Record<string, unknown>)) {
      throw mismatch(`asked for ${action} ${asked}, and it is ${a.action} ${JSON.stringify(a.params)}`);
    }
    return a;
  });
}

/** openApproval is propose for an approval that somebody else has opened, such as the app's backend. */
export function openApproval(core: Core, id: string): Promise<Approval> {
  return asNeeded(core, async () => {
    const a = await approvalOf(core, await core.calls.accounts.proposeAction({ approval: id }));
    if (a.id !== id) {
      throw mismatch(`asked for approval ${id}, and it is ${a.id}`);
    }
    return a;
  });
}

/** confirm has the person approve a with a passkey, and the server does it in the same transaction. It gives what was done. */
export async function confirm(core: Core, a: Approval): Promise<unknown> {
  const response = await core.get(a.options);
  const { result } = await core.calls.accounts.confirmAction({ approval: a.id, response });
  return result === "" ? {} : JSON.parse(result) as unknown;
}

/** approve is the whole ceremony: propose, show, confirm. */
export async function approve(core: Core, action: string, params?: Readonly<Record<string, unknown>>, show?: Show): Promise<unknown> {
  const a = await propose(core, action, params);
  await show?.(a.text);
  return confirm(core, a);
}

/** proof is the ceremony for a call that carries the passkey's answer itself. */
export async function proof(core: Core, action: string, params?: Readonly<Record<string, unknown>>, show?: Show): Promise<Proof> {
  const a = await propose(core, action, params);
  await show?.(a.text);
  return { approval: a.id, response: await core.get(a.options), text: a.text };
}

/** deny refuses an approval, which all devices of the account are told. */
export async function deny(core: Core, id: string): Promise<void> {
  await asNeeded(core, () => core.calls.accounts.denyAction({ approval: id }));
}

/** approvals lists those that are open. */
export async function approvals(core: Core): Promise<readonly Listed[]> {
  return (await asNeeded(core, () => core.calls.accounts.listApprovals({}))).approvals;
}

/** approvalOf is the server's approval, if what it wants signed is what it shows (docs/accounts.md, "Request-bound approval"). */
async function approvalOf(core: Core, m: ProposeActionResponse): Promise<Approval> {
  const { approval: a, preimage: pre } = m;
  const { app, account } = core.state;
  if (a === undefined || pre === undefined) {
    throw mismatch("an answer without an approval or its preimage");
  }
  switch (true) {
    case pre.approval !== a.approval || pre.action !== a.action || pre.text !== a.text || !equal(pre.params, utf8(a.params)):
      throw mismatch("the approval has other parts than its preimage");
    case pre.account !== account:
      throw mismatch(`it is for account ${pre.account}`);
    case pre.app !== app:
      throw mismatch(`it is for app ${pre.app}`);
    case pre.nonce.length !== 32:
      throw mismatch(`a nonce of ${pre.nonce.length} bytes`);
  }
  const o = JSON.parse(m.options) as { challenge?: unknown; publicKey?: { challenge?: unknown } };
  const asked = o.publicKey?.challenge ?? o.challenge;
  if (typeof asked !== "string" || !equal(fromBase64url(asked), await challengeOf(pre))) {
    throw mismatch("another challenge");
  }
  return { id: a.approval, action: a.action, text: a.text, params: JSON.parse(a.params) as Record<string, unknown>, options: m.options };
}

/** challengeOf is the SHA-256 of an approval's preimage. Vectors: spec/vectors/approval.json. */
export async function challengeOf(m: Omit<ApprovalPreimage, "$typeName" | "$unknown">): Promise<Uint8Array> {
  return sha256(await preimageOf(m));
}

/** preimageOf is what the challenge is the hash of. L(x) is a 4-byte big-endian length and x. */
export async function preimageOf(m: Omit<ApprovalPreimage, "$typeName" | "$unknown">): Promise<Uint8Array> {
  const parts = [utf8(m.app), utf8(m.account), utf8(m.approval), utf8(m.action), await sha256(m.params), utf8(m.text), m.nonce];
  return concat(utf8("staunch/approval/v1\0"), ...parts.flatMap((p) => [u32(p.length), p]), u64(m.expires));
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", copy(bytes)));
}

function mismatch(why: string): StaunchError {
  return new StaunchError("MISMATCH", `client: what is to be signed is not what is shown: ${why}. Nothing was signed`);
}

/** holds reports whether have has every member of want with the same value. The server may add some. */
function holds(have: unknown, want: Readonly<Record<string, unknown>>): boolean {
  return typeof have === "object" && have !== null
    && Object.entries(want).every(([name, v]) => Object.hasOwn(have, name) && same((have as Record<string, unknown>)[name], v));
}

/** same compares values of JSON. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return a === b && !(typeof a === "number" && Number.isInteger(a) && !Number.isSafeInteger(a)); // beyond 2^53 several numbers are one
  }
  const names = Object.keys(a);
  return Array.isArray(a) === Array.isArray(b) && names.length === Object.keys(b).length
    && names.every((n) => Object.hasOwn(b, n) && same((a as Record<string, unknown>)[n], (b as Record<string, unknown>)[n]));
}
