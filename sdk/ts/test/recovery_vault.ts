/** A vault of KR-1 in memory, as far as a phone can tell (spec/kr1.md, section 6, "What a vault does"). */
import assert from "node:assert/strict";

import { type Bytes, concat, copy, equal, hex, utf8 } from "../src/bytes.js";
import { StaunchError } from "../src/phone/errors.js";
import { attemptName, mac, sum, verifyManaged } from "../src/recovery/derive.js";
import { confirm, type Exchange, generator } from "../src/recovery/exchange.js";
import { groupOf, modulo } from "../src/recovery/group.js";
import { challenge, composites } from "../src/recovery/oprf.js";
import { envelopeAAD, envelopeInfo, hpkeSuite, seal } from "../src/recovery/seal.js";
import { decode, encodePadded } from "../src/recovery/shape.js";
import type { VaultCall } from "../src/recovery/transport.js";
import * as wire from "../src/recovery/wire.js";
import { type VaultKeys, vaultKeys } from "./recovery_vaultkeys.js";

const { Op, Verdict, State } = wire;

interface Slot { reg: Bytes; k: Bytes; s: Bytes; prs: Bytes; manage: Bytes; blobHash: Bytes }

export class FakeVault {
  acct: Bytes;
  epoch = 1;
  gen = 0;
  ver = 0n;
  used = 0;
  most = 0; // that used has ever been
  state: number = State.active;
  current: Slot | null = null;
  other: Slot | null = null;
  proved = false; // since the last session was opened
  /** Of each create that came, in hex: a share goes to a vault in one alone. */
  readonly creates = new Set<string>();
  /** Of each release that came. */
  readonly heard: wire.Release[] = [];
  /** Changes answers. */
  lie: ((op: number, a: wire.Answer) => void) | undefined;
  #last = "";
  #redo = "";
  #open = false;

  private constructor(readonly suite: number, readonly id: string, readonly limit: number, readonly configHash: Bytes, public keys: VaultKeys) {
    this.acct = sum(utf8(`account at ${id}`)).slice(0, 16);
  }

  static async make(suite: number, id: string, limit: number, configHash: Bytes): Promise<FakeVault> {
    return new FakeVault(suite, id, limit, configHash, await vaultKeys(suite, sum(utf8(`master of ${id}`)), id, 1));
  }

  /** rotate replaces the keys. */
  async rotate(): Promise<void> {
    this.epoch++;
    this.keys = await vaultKeys(this.suite, sum(utf8(`master ${this.epoch} of ${this.id}`)), this.id, this.epoch);
  }

  async execute(q: VaultCall): Promise<Bytes> {
    const suite = hpkeSuite(this.suite);
    const e = { suite: this.suite, vault: this.id, epoch: q.epoch, config: this.configHash, op: q.op, acct: this.acct };
    if (q.epoch !== this.epoch) {
      throw new StaunchError("RECOVERY_EPOCH", "new keys", { code: "failed_precondition" });
    }
    const n = this.suite === 1 ? 1_120 : 65;
    const recipient = await suite.createRecipientContext({ recipientKey: this.keys.secret, enc: q.request.slice(0, n).buffer, info: envelopeInfo(e).buffer });
    const plain = new Uint8Array(await recipient.open(q.request.slice(n).buffer, envelopeAAD(e).buffer));
    const key = new Uint8Array(await recipient.export(utf8("staunch/kr1/answer").buffer, 32));
    const answer = { ...this.#answer(q.op, plain), gen: this.gen, ver: ++this.ver, used: this.used, limit: this.limit, state: this.state } as wire.Answer;
    this.lie?.(q.op, answer);
    return seal(key, encodePadded(wire.answer, answer, 256), envelopeAAD(e));
  }

  get #empty(): boolean { return this.current === null || this.state !== State.active; }

  #answer(op: number, plain: Bytes): Partial<wire.Answer> & { verdict: number } {
    switch (op) {
      case Op.status:
        if (this.current === null && this.state === State.active) {
          return { verdict: Verdict.noBackup };
        }
        return { verdict: Verdict.ok, slots: { current: view(this.current), other: view(this.other) } };
      case Op.evaluate:
        return this.#evaluate(decode(wire.evaluate, plain));
      case Op.release:
        return this.#release(decode(wire.release, plain));
      default: {
        const m = decode(wire.managed, plain);
        const c = hex(sum(m.tbs));
        if (c === this.#redo) {
          return { verdict: Verdict.ok };
        }
        const verdict = this.#manage(op, m);
        if (verdict === Verdict.ok) {
          this.#redo = c;
          this.gen++;
        }
        return { verdict };
      }
    }
  }

  #manage(op: number, m: wire.Managed): number {
    const by = (slot: Slot | null): boolean => slot !== null && m.sig !== null && verifyManaged(this.suite, slot.manage, m.tbs, m.sig);
    const mine = (t: { vault: string; acct: Bytes; gen: number }): boolean => t.vault === this.id && equal(t.acct, this.acct) && t.gen === this.gen;
    const slotOf = (reg: Bytes): Slot | null => [this.current, this.other].find((s) => s !== null && equal(s.reg, reg)) ?? null;
    switch (op) {
      case Op.create: {
        const q = decode(wire.createTBS, m.tbs);
        if (!mine(q)) {
          return Verdict.genMismatch;
        }
        if (this.#empty ? m.sig !== null : !by(this.current)) {
          return Verdict.badSignature;
        }
        if (!this.#empty && this.other !== null && !equal(this.other.reg, q.reg)) {
          return Verdict.occupied;
        }
        this.creates.add(hex(m.tbs));
        const slot = { reg: q.reg, k: q.k, s: q.s, prs: q.prs, manage: q.manage, blobHash: q.blobHash };
        if (this.#empty) {
          [this.current, this.other, this.state, this.used] = [slot, null, State.active, 0];
        } else {
          this.other = slot;
        }
        return Verdict.ok;
      }
      case Op.activate: {
        const q = decode(wire.activateTBS, m.tbs);
        if (!mine(q) || this.#empty) {
          return Verdict.genMismatch;
        }
        if (!by(slotOf(q.reg))) {
          return slotOf(q.reg) === null ? Verdict.unknownReg : Verdict.badSignature;
        }
        if (this.other !== null && equal(this.other.reg, q.reg)) {
          [this.current, this.other] = [this.other, this.current];
        }
        this.used = q.reset ? 0 : this.used;
        return Verdict.ok;
      }
      case Op.finalize: {
        const q = decode(wire.finalizeTBS, m.tbs);
        if (!mine(q) || this.current === null || !equal(this.current.reg, q.reg)) {
          return Verdict.genMismatch;
        }
        if (!by(this.current)) {
          return Verdict.badSignature;
        }
        this.other = null;
        return Verdict.ok;
      }
      case Op.update: {
        const q = decode(wire.updateTBS, m.tbs);
        const slot = slotOf(q.reg);
        if (!mine(q) || slot === null) {
          return Verdict.genMismatch;
        }
        if (!by(slot)) {
          return Verdict.badSignature;
        }
        if (!equal(slot.blobHash, q.old)) {
          return Verdict.hashMismatch;
        }
        slot.blobHash = q.new;
        return Verdict.ok;
      }
      default: {
        assert.equal(op, Op.delete);
        if (!mine(decode(wire.deleteTBS, m.tbs))) {
          return Verdict.genMismatch;
        }
        if (m.sig !== null && !by(this.current)) {
          return Verdict.badSignature;
        }
        [this.current, this.other, this.state, this.used] = [null, null, State.deleted, 0];
        return Verdict.ok;
      }
    }
  }

  #evaluate(q: { reg: Bytes; b: Bytes; wantProof: boolean }): Partial<wire.Answer> & { verdict: number } {
    if (this.state !== State.active) {
      return { verdict: this.state === State.locked ? Verdict.locked : Verdict.deleted };
    }
    const slot = this.current;
    if (slot === null || !equal(slot.reg, q.reg)) {
      return { verdict: slot === null ? Verdict.noBackup : Verdict.unknownReg };
    }
    const h = hex(attemptName(q.reg, q.b));
    if (h !== this.#last) {
      if (this.used >= this.limit) {
        return this.#lock();
      }
      this.used++;
      this.most = Math.max(this.most, this.used);
      [this.#last, this.#open] = [h, true];
    }
    const g = groupOf(this.suite);
    const k = g.scalar(slot.k);
    const e = g.sum([[k, g.element(q.b)]]);
    const r = g.randomScalar();
    const publicShare = g.sum([[k, null]]);
    const { m, z } = composites(g, publicShare, q.b, e);
    const c = challenge(g, publicShare, m, z, g.sum([[r, null]]), g.sum([[r, m]]));
    return {
      verdict: Verdict.ok, e, ya: this.half(slot.prs, q.reg, q.b, e).ya,
      ...(q.wantProof && { proof: concat(g.scalarBytes(c), g.scalarBytes(modulo(r - c * k, g.order))) }),
    };
  }

  #lock(): { verdict: number } {
    [this.current, this.other, this.state] = [null, null, State.locked];
    return { verdict: Verdict.locked };
  }

  /** half is this side of the exchange that a PIN's prs makes. */
  half(prs: Bytes, reg: Bytes, b: Bytes, e: Bytes): { ya: Bytes; tag: (yb: Bytes) => Bytes } {
    const g = groupOf(this.suite);
    const x: Exchange = { suite: this.suite, prs, vault: this.id, acct: this.acct, reg, b, e };
    const y = g.hashToScalar(mac(utf8(`share key of ${this.id}`), concat(reg, b, e)), "staunch/kr1/share");
    const ya = g.sum([[y, generator(x)]]);
    return { ya, tag: (yb) => confirm(x, ya, yb, g.sum([[y, yb]])) };
  }

  #release(q: wire.Release): Partial<wire.Answer> & { verdict: number } {
    this.heard.push({ ...q, ya: copy(q.ya) });
    const slot = this.current;
    if (this.state === State.locked) {
      return { verdict: Verdict.locked };
    }
    if (slot === null || !equal(slot.reg, q.reg) || hex(attemptName(q.reg, q.b)) !== this.#last) {
      return { verdict: Verdict.superseded };
    }
    if (!this.#open) {
      return { verdict: Verdict.noOpenTry };
    }
    const { ya, tag } = this.half(slot.prs, q.reg, q.b, q.e);
    if (!equal(ya, q.ya)) {
      return { verdict: Verdict.repeat };
    }
    if (!equal(tag(q.yb), q.tag)) {
      this.#open = false;
      if (this.used >= this.limit) {
        this.#lock();
      }
      return { verdict: Verdict.wrongPIN };
    }
    [this.used, this.proved] = [0, true];
    return { verdict: Verdict.ok, s: slot.s, blobHash: slot.blobHash };
  }
}

function view(s: Slot | null): wire.SlotView | null {
  return s === null ? null : { reg: s.reg, blobHash: s.blobHash };
}
