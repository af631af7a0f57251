/** RecoveryService as a phone calls it: staunch.recovery.v1. */
import { timestampDate } from "@bufbuild/protobuf/wkt";

import { type Bytes, copy } from "../bytes.js";
import { Stage } from "../gen/staunch/recovery/v1/recovery_pb.js";
import type { Core } from "../phone/core.js";
import { StaunchError } from "../phone/errors.js";
import { asNeeded } from "../phone/session.js";
import type { Op } from "./wire.js";

export { Stage };

/** Config is what anybody may know of the vaults. Nothing of it is believed yet. */
export interface Config {
  readonly profile: string;
  readonly limit: number;
  readonly pinMin: number;
  readonly set: Bytes;
  readonly evidence: readonly Bytes[]; // in the order of the set; empty: that vault did not answer
}

export interface BlobView { readonly reg: Bytes; readonly hash: Bytes; readonly blob: Bytes }

/** BackupView is what a signed-in device sees of the account's registration. */
export interface BackupView {
  readonly account: string;
  readonly accts: ReadonlyMap<string, Bytes>; // by vault
  readonly found: boolean; // the rest is of the registration that the service points at
  readonly reg: Bytes;
  readonly header: Bytes;
  readonly stage: Stage;
}

/** SessionView is an open session of a recovery. */
export interface SessionView {
  readonly secret: Bytes;
  readonly account: string;
  readonly until: Date;
  readonly accts: ReadonlyMap<string, Bytes>;
  readonly reg: Bytes;
  readonly blobs: readonly BlobView[];
}

/** VaultCall is one sealed request. vault empty: the enclave of profile seed. */
export interface VaultCall {
  readonly vault: string;
  readonly op: Op;
  readonly epoch: number;
  readonly request: Bytes;
  readonly session: Bytes; // of a recovery; empty: a signed-in device
}

/** Transport makes the calls. The service in between is not trusted. Errors are StaunchErrors. */
export interface Transport {
  getConfig(): Promise<Config>;
  getBackup(): Promise<BackupView>;
  putBlob(reg: Bytes, blob: Bytes): Promise<void>;
  commitBackup(reg: Bytes, stage: Stage, hash?: Bytes): Promise<void>;
  openSession(account: string, ticket: Bytes): Promise<SessionView>;
  /** call carries one request to one vault, and the sealed answer back. To repeat it costs nothing. */
  call(q: VaultCall, signal: AbortSignal): Promise<Bytes>;
  finishSession(session: Bytes): Promise<void>;
}

/** transportOf makes the calls of a phone: those of its account sign in as they need to; those of a session stand on its ticket. */
export function transportOf(core: Core): Transport {
  const { recovery } = core.calls;
  return {
    getConfig: async () => {
      const m = await recovery.getConfig({}, { unsigned: true });
      return { profile: m.profile, limit: m.limit, pinMin: m.pinMinLength, set: copy(m.vaultSet), evidence: m.evidence.map(copy) };
    },
    getBackup: async () => {
      const m = await asNeeded(core, () => recovery.getBackup({}));
      return {
        account: m.account, accts: acctsOf(m.accounts), found: m.found, header: copy(m.header), stage: m.stage,
        reg: m.found ? fixed(m.regId, 16) : new Uint8Array(16),
      };
    },
    putBlob: async (regId, blob) => { await asNeeded(core, () => recovery.putBlob({ regId, blob })); },
    commitBackup: async (regId, stage, hash) => {
      await asNeeded(core, () => recovery.commitBackup({ regId, stage, ...(hash && { hash }) }));
    },
    openSession: async (account, ticket) => {
      const m = await recovery.openSession({ account, ticket });
      if (m.account !== account || m.session.length === 0) { // the backup would be that of another account
        throw new StaunchError("MISMATCH", `recovery: a session for ${account} was asked for, and it is of ${JSON.stringify(m.account)}: nothing was sent; tell the operator`);
      }
      return {
        secret: copy(m.session), account: m.account, until: m.until ? timestampDate(m.until) : new Date(0), accts: acctsOf(m.accounts),
        reg: fixed(m.regId, 16), blobs: m.blobs.map((b) => ({ reg: fixed(b.regId, 16), hash: fixed(b.hash, 32), blob: copy(b.blob) })),
      };
    },
    call: async ({ vault, op, epoch, request, session }, signal) => {
      const call = async (): Promise<Bytes> => copy((vault === ""
        ? await recovery.callSeed({ op: op as number, epoch, request, session }, { signal })
        : await recovery.callVault({ vault, op: op as number, epoch, request, session }, { signal })).answer);
      return session.length === 0 ? asNeeded(core, call) : call();
    },
    finishSession: async (session) => { await recovery.finishSession({ session }); },
  };
}

function acctsOf(all: readonly { vault: string; acct: Uint8Array }[]): Map<string, Bytes> {
  return new Map(all.map((a) => [a.vault, fixed(a.acct, 16)]));
}

function fixed(bytes: Uint8Array, n: number): Bytes {
  if (bytes.length !== n) {
    throw new StaunchError("ANSWER", `recovery: the server's answer has ${bytes.length} bytes where ${n} belong`);
  }
  return copy(bytes);
}
