/** The hello: the current phone says who it is, and both come to K0. */
import { hash } from "../derive.js";
import { erased, HandoverError } from "./errors.js";
import { decodeEvidence, encodeEvidence, judge } from "./evidence.js";
import { type Half, offered } from "./half.js";
import { type Class, encodeMessage, type Envelope, type Hello } from "./messages.js";
import type { HalfOptions, SenderOptions } from "./options.js";
import { decapsulate, encapsulate, rootKey } from "./schedule.js";
import type { Secret } from "./secret.js";

/** sayHello makes the current phone's. prox is what a beacon has told it, for the classes lan and near. */
export async function sayHello(half: Half, o: SenderOptions, how: Class, prox: Secret | undefined): Promise<Envelope> {
  const th0 = half.transcript.value("offer");
  const { enc, exportKey } = await encapsulate(half.stored("offer").key, th0);
  const evidence = o.evidence === undefined ? undefined : encodeEvidence(await o.evidence(hash("evidence", th0)));
  const message = encodeMessage("hello", {
    encapsulated: enc, device: half.own, account: o.account, deviceId: o.deviceId, audience: o.audience, class: how, info: o.info, label: o.label,
    ...(evidence === undefined ? {} : { evidence }),
  });
  const th1 = half.transcript.next("hello", message);
  half.k0 = rootKey(half.code.secret, prox, await exportKey(th1), th1);
  try {
    const e = await half.makeBytes("hello", message);
    half.code.secret.erase();
    return e;
  } catch (error) {
    half.k0.erase();
    half.k0 = undefined;
    throw error;
  }
}

/**
 * hearHello takes it on the new phone, whose KEM key is of the seed. It checks in the order of spec/transfer.md, section 7:
 * class, K0, MAC, proof, audience, evidence. It throws a HandoverError.
 */
export async function hearHello(half: Half, seed: Secret | undefined, o: Pick<HalfOptions, "audience" | "trust">, m: Hello, e: Envelope): Promise<void> {
  const th0 = half.transcript.value("offer");
  const th1 = half.transcript.next("hello", e.message);
  if (!offered(m.class, half.code.beacons)) {
    throw new HandoverError("beacon", `the other phone says class ${m.class}, which this code does not offer`);
  }
  if (seed === undefined) {
    throw erased();
  }
  const x = await (await decapsulate(seed, m.encapsulated, th0))(th1);
  half.k0 = rootKey(half.code.secret, m.class === "none" ? undefined : half.prox, x, th1);
  const value = await half.check("hello", e, m.device);
  if (m.audience !== o.audience) {
    throw new HandoverError("audience", `the other phone speaks of another app or server: ${m.audience}, and this is ${o.audience}`);
  }
  if (m.evidence !== undefined) {
    await judge(o.trust, decodeEvidence(m.evidence), hash("evidence", th0), m.device);
  }
  half.peer = m.device;
  half.transcript.put("hello", { envelope: e, value });
}
