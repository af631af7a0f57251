/**
 * What the two phones of a transfer say to each other: the code that the new phone shows and
 * the current phone scans, their messages, the keys they agree on, and all that each checks
 * of the other before it acts (spec/transfer.md). The server that carries the messages is
 * the adversary: it can read none of the keys, and can neither put itself in one's place nor
 * make one believe what the other has not signed.
 *
 * Both halves are state machines without network, disk and clock. One method makes a message,
 * one takes the other's, in the order of the running transcript:
 *
 *     new phone (Receiver)                   current phone (Sender)
 *     create, code, offer              ───▶  parseCode, create: peer
 *     handleHello                      ◀───  hello
 *     answer                           ───▶  handleAnswer: number
 *     number, matched                  ───▶  handleMatched
 *     handleConfirm: bulkKey           ◀───  confirm: bulkKey
 *     handleGrant                      ◀───  grant
 *     receipt                          ───▶  handleReceipt: it signs itself out
 *     open, ack                        ───▶  handleAck
 *     handleRecall                     ◀───  recall
 *     handleFinal                      ◀──▶  final, by either
 *
 * A message of the handshake that fails a check ends it: the half forgets its keys, and there
 * is no second try. What is not here: who owns the account, when a hold is over (the server),
 * whether evidence is genuine (the app's EvidenceVerifier), and the history (../sealed).
 */
export { beaconSize } from "./beacon.js";
export { beaconBLE, beaconLAN, beaconNFC, Code, parseCode } from "./code.js";
export { type HandoverCode, HandoverError } from "./errors.js";
export { decodeEvidence, encodeEvidence, type Evidence, type EvidenceVerifier, type Verdict } from "./evidence.js";
export {
  type Ack, type Answer, type Class, type Confirm, decodeEnvelope, decodeMessage, type DeviceInfo, encodeEnvelope, encodeMessage, type Envelope, type Final,
  type Grant, type Hello, type Matched, type Messages, type Offer, type Receipt, type Recall, type Step, type StepUp, valueOf,
} from "./messages.js";
export type { Granted, Granting, HalfOptions, Peer, Prover, ReceiverOptions, SenderOptions } from "./options.js";
export { deviceProof, verifyProof } from "./proof.js";
export { Receiver } from "./receiver.js";
export { Secret } from "./secret.js";
export type { Secrets } from "./secrets.js";
export { Sender } from "./sender.js";
export { numberTries } from "./state.js";
