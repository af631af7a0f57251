import { x25519 } from "@noble/curves/ed25519.js";

import { concat, fromHex, hex } from "../../src/bytes.js";
import { type Payload, Recovery, type Trust } from "../../src/recovery/index.js";
import { sum } from "../../src/recovery/derive.js";
import { type Backup, Journal } from "../../src/recovery/journal.js";
import { decode } from "../../src/recovery/shape.js";
import { kOfM, vaultSet } from "../../src/recovery/vaultset.js";
import type { Phone } from "../../src/index.js";
import type { Commands, Context } from "./phone.js";

/** trustOf pins the keys of the set that the server shows. An app has them compiled in. */
async function trustOf(phone: Phone): Promise<Trust> {
  const { release } = decode(vaultSet, decode(kOfM, (await phone.calls.recovery.getConfig({}, { unsigned: true })).vaultSet).tbs);
  return { releaseKeys: release.keys, k: release.k, dangerousAllowProcess: true };
}

async function recoveryOf({ phone, say }: Context): Promise<Recovery> {
  return new Recovery({ phone, trust: await trustOf(phone), show: (text) => say({ text }) });
}

/** payloadOf is a sealing key as a phone in Go has it: X25519 in PKCS #8. */
function payloadOf(args: Readonly<Record<string, string>>): Payload {
  const secret = fromHex(args["secret"] ?? "");
  const kid = sum(x25519.getPublicKey(secret));
  return { keys: [{ kid, secret: concat(fromHex("302e020100300506032b656e04220420"), secret), created: new Date() }] };
}

const pinOf = (args: Readonly<Record<string, string>>): string => args["pin"] ?? "";

/** Commands of recovery. */
export const recovery: Commands = {
  backUp: async (c) => (await recoveryOf(c)).backUp({ pin: pinOf(c.args), payload: payloadOf(c.args) }),
  changePin: async (c) => (await recoveryOf(c)).changePin({ pin: pinOf(c.args), payload: payloadOf(c.args) }),
  renew: async (c) => (await recoveryOf(c)).renew({ pin: pinOf(c.args), payload: payloadOf(c.args) }),
  update: async (c) => (await recoveryOf(c)).update(payloadOf(c.args)),
  remove: async (c) => (await recoveryOf(c)).remove(),
  backupStatus: async (c) => (await recoveryOf(c)).status(),
  start: async (c) => (await recoveryOf(c)).start(c.args["account"] ?? "", { name: c.args["name"] ?? "" }),
  recover: async (c) => {
    const { outcome, payload } = await (await recoveryOf(c)).recover(pinOf(c.args));
    return { ...outcome, reg: hex(outcome.reg), kids: payload.keys.map((k) => hex(k.kid)), seq: payload.seq, printed: String(payload) };
  },
  journal: async ({ args }) => { // what is read is written again
    let written = new Uint8Array();
    const j = new Journal({
      read: () => Promise.resolve(fromHex(args["bytes"] ?? "")),
      write: (changes) => {
        written = changes["recovery/backup"] as typeof written;
        return Promise.resolve();
      },
    });
    await j.saveBackup(await j.backup() as Backup);
    return { bytes: hex(written) };
  },
  finish: async (c) => (await recoveryOf(c)).finish({ name: c.args["name"] ?? "" }),
};
