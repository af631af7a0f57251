import { x25519 } from "@noble/curves/ed25519.js";

import { type Bytes, concat, copy, fromHex, hex, text } from "../../src/bytes.js";
import { type Payload, Recovery, type Trust } from "../../src/recovery/index.js";
import { sum } from "../../src/recovery/derive.js";
import { type Backup, Journal } from "../../src/recovery/journal.js";
import { decode } from "../../src/recovery/shape.js";
import { kOfM, vaultSet } from "../../src/recovery/vaultset.js";
import type { Phone } from "../../src/index.js";
import { SoftwareHome } from "../../src/transfer/index.js";
import type { Commands, Context } from "./phone.js";

/** trustOf pins the keys of the set that the server shows. An app has them compiled in. */
async function trustOf(phone: Phone): Promise<Trust> {
  const { release } = decode(vaultSet, decode(kOfM, (await phone.calls.recovery.getConfig({}, { unsigned: true })).vaultSet).tbs);
  return { releaseKeys: release.keys, k: release.k, dangerousAllowProcess: true };
}

async function recoveryOf({ phone, say }: Context): Promise<Recovery> {
  return new Recovery({ phone, trust: await trustOf(phone), show: (text) => say({ text }) });
}

/** payloadOf is a sealing key as a phone in Go has it, X25519 in PKCS #8: of the secret that is given, or else the phone's own. */
async function payloadOf(c: Context): Promise<Payload> {
  const secret = c.args["secret"] === undefined ? await ownKey(c) : concat(pkcs8, fromHex(c.args["secret"]));
  return { keys: [{ kid: sum(x25519.getPublicKey(secret.subarray(pkcs8.length))), secret, created: new Date() }] };
}

/** ownKey is the phone's sealing key, as it goes along in a move. */
async function ownKey({ store }: Context): Promise<Bytes> {
  const home = new SoftwareHome(store);
  await home.sealing(); // it is made the first time
  const secrets = await home.secrets();
  const { key } = JSON.parse(text(secrets.get("sealing") ?? new Uint8Array())) as { key: string };
  return copy(Buffer.from(key, "base64"));
}

const pkcs8 = fromHex("302e020100300506032b656e04220420"); // RFC 8410, Section 7: before the 32 bytes of an X25519 key
const pinOf = (args: Readonly<Record<string, string>>): string => args["pin"] ?? "";

/** Commands of recovery. */
export const recovery: Commands = {
  backUp: async (c) => (await recoveryOf(c)).backUp({ pin: pinOf(c.args), payload: await payloadOf(c) }),
  changePin: async (c) => (await recoveryOf(c)).changePin({ pin: pinOf(c.args), payload: await payloadOf(c) }),
  renew: async (c) => (await recoveryOf(c)).renew({ pin: pinOf(c.args), payload: await payloadOf(c) }),
  update: async (c) => (await recoveryOf(c)).update(await payloadOf(c)),
  remove: async (c) => (await recoveryOf(c)).remove(),
  backupStatus: async (c) => (await recoveryOf(c)).status(),
  start: async (c) => (await recoveryOf(c)).start(c.args["account"] ?? "", { name: c.args["name"] ?? "" }),
  recover: async (c) => {
    const { outcome, payload } = await (await recoveryOf(c)).recover(pinOf(c.args));
    const [kids, secrets] = [payload.keys.map((k) => hex(k.kid)), payload.keys.map((k) => hex(k.secret))];
    return { ...outcome, reg: hex(outcome.reg), kids, secrets, seq: payload.seq, printed: String(payload) };
  },
  sealingKey: async (c) => ({ key: hex(await ownKey(c)) }),
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
