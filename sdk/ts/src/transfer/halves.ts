/** The two halves of the handshake, as the loops make them and take them up again. */
import type { Bytes } from "../bytes.js";
import { StaunchError } from "../phone/errors.js";
import type { DeviceKey } from "../phone/ports.js";
import { MoveError } from "./errors.js";
import { type EvidenceVerifier, Receiver, type ReceiverOptions, Sender, type SenderOptions } from "./handover/index.js";
import { historySchema } from "./plan.js";
import type { Run } from "./run.js";
import type { MoveInfo, SendOptions } from "./types.js";

/** refusing trusts nobody: it is what a phone has that asks for no evidence. */
const refusing: EvidenceVerifier = {
  verify: () => Promise.reject(new MoveError("check", "the other phone brings evidence, and this app has no way to judge it: give options.trust")),
};

/** keyOf is the key that this phone proves with. */
export function keyOf(run: Run): DeviceKey {
  if (run.core.key === undefined) {
    throw new StaunchError("NOT_ENROLLED", "client: this phone has no key: enrol or join first");
  }
  return run.core.key;
}

/** senderOptions are those of the current phone's half. */
export function senderOptions(run: Run, o: Pick<SendOptions, "trust" | "info" | "name"> | undefined): SenderOptions {
  const { core, record } = run;
  return {
    device: keyOf(run), trust: o?.trust ?? refusing, audience: record.audience ?? "", schema: historySchema, bytes: record.plan?.bytes ?? 0,
    account: core.state.account, deviceId: core.state.device, info: o?.info ?? nobody, label: o?.name ?? "",
  };
}

/** restoreSender takes the half up that was written down. */
export async function restoreSender(run: Run, o?: Pick<SendOptions, "trust" | "info" | "name">): Promise<Sender> {
  return Sender.restore(halfOf(run), senderOptions(run, o));
}

/** receiverOptions are those of the new phone's half that are no part of its offer. */
export function receiverOptions(run: Run, trust?: EvidenceVerifier): Pick<ReceiverOptions, "device" | "trust" | "audience"> {
  return { device: keyOf(run), trust: trust ?? refusing, audience: run.record.audience ?? "" };
}

/** restoreReceiver takes the half up that was written down. */
export async function restoreReceiver(run: Run, trust?: EvidenceVerifier): Promise<Receiver> {
  return Receiver.restore(halfOf(run), receiverOptions(run, trust));
}

const nobody: MoveInfo = { model: "-", os: "-", app: "-" }; // says nothing: a half that is restored has said it

function halfOf(run: Run): Bytes {
  if (run.record.half === undefined) {
    throw new MoveError("too_late", "the move is over: its keys are gone");
  }
  return run.record.half;
}
