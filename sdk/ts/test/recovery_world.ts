/** Vaults and a service in memory, honest until a test spoils them, and a phone that registers and recovers there. */
import assert from "node:assert/strict";

import { ed25519 } from "@noble/curves/ed25519.js";

import { type Bytes, copy, equal, hex, utf8 } from "../src/bytes.js";
import { StaunchError } from "../src/phone/errors.js";
import { sum } from "../src/recovery/derive.js";
import { RecoveryError } from "../src/recovery/errors.js";
import { Journal, noBackup } from "../src/recovery/journal.js";
import type { Payload } from "../src/recovery/payload.js";
import { Pin } from "../src/recovery/pin.js";
import { recover, type Recovered } from "../src/recovery/recover.js";
import { register } from "../src/recovery/register.js";
import type { Client } from "../src/recovery/round.js";
import { decode, encode } from "../src/recovery/shape.js";
import { remove, status, type Status } from "../src/recovery/standing.js";
import { evidence, processReport } from "../src/recovery/tee.js";
import { type BlobView, type Config, type SessionView, Stage, type Transport, type VaultCall } from "../src/recovery/transport.js";
import { update } from "../src/recovery/update.js";
import { binding, type Binding, kOfM, vaultSet, type VaultSet } from "../src/recovery/vaultset.js";
import { type Answer, blob as blobShape, Op } from "../src/recovery/wire.js";
import { FakeVault } from "./recovery_vault.js";

export const owner = "a_owner";
const executable = sum(utf8("the vault's program"));

/** Call is one call of the phone, as a test's script sees it. vault and op: of a call to a vault. */
export interface Call { readonly method: string; readonly vault: string; readonly op: number }

/** QuickPin is stretched by one SHA-256: no vault can tell. */
class QuickPin extends Pin {
  override stretch(reg: Bytes): Promise<Bytes> {
    return Promise.resolve(sum(new Uint8Array([...reg, ...utf8(this.reveal())])));
  }
}

export function pin(text: string): Pin {
  return new QuickPin(text);
}

/** payloadOf is a payload with one key. */
export function payloadOf(secret: string): Payload {
  return { keys: [{ kid: utf8("k"), secret: utf8(secret), created: new Date(0) }] };
}

/** Disk is a phone's store; fail makes its next writes throw. */
class Disk {
  readonly values = new Map<string, unknown>();

  read(name: string): Promise<unknown> {
    return Promise.resolve(structuredClone(this.values.get(name)));
  }

  write(changes: Readonly<Record<string, unknown>>): Promise<void> {
    for (const [name, value] of Object.entries(changes)) {
      this.values.set(name, structuredClone(value));
    }
    return Promise.resolve();
  }
}

export class World implements Transport {
  readonly vaults: FakeVault[] = [];
  readonly releaseSecrets = [1, 2, 3].map((n) => new Uint8Array(32).fill(n));
  readonly calls: Call[] = [];
  readonly blobs: BlobView[] = [];
  disk = new Disk();
  pointer: { reg: Bytes; hash: Bytes; header: Bytes; stage: Stage } | undefined;
  set!: VaultSet;
  asked = 0; // approvals
  now = 1_800_000_000_000;

  /** What a call meets: it is dropped, its answer is lost, or nothing. */
  script: (c: Call) => "drop" | "lost" | undefined = () => undefined;
  config: (c: Config) => Config = (c) => c;
  session: (s: SessionView) => SessionView = (s) => s;
  accts: (all: Map<string, Bytes>) => Map<string, Bytes> = (all) => all;
  allowProcess = true;
  setVersion = 0;
  #finished = 0;

  static async make(suite = 1, n = 3, t = 2): Promise<World> {
    const w = new World();
    for (let i = 1; i <= n; i++) {
      w.vaults.push(await FakeVault.make(suite, `v${i}`, 10, sum(utf8(`config ${i}`))));
    }
    w.set = {
      version: 1n, profile: "kr1-2of3", suite, n, t, limit: 10, witnessesOnly: [], validFrom: 1_700_000_000n, previous: null,
      release: { k: 2, keys: w.releaseKeys },
      vaults: w.vaults.map((v) => ({
        vault: v.id, operator: "o", configHash: v.configHash,
        measurements: [{ platform: "process", values: new Map([["sha256", executable]]), notBefore: 1_700_000_000n, notAfter: null }],
      })),
    };
    return w;
  }

  get releaseKeys(): Bytes[] {
    return this.releaseSecrets.map((s) => copy(ed25519.getPublicKey(s)));
  }

  /** signed is a set with the signatures of some release keys. */
  signed(set: VaultSet = this.set, by: readonly number[] = [0, 2]): Bytes {
    const tbs = encode(vaultSet, set);
    const sigs = by.map((i) => ({ key: this.releaseKeys[i]!, sig: copy(ed25519.sign(tbs, this.releaseSecrets[i]!)) }));
    return encode(kOfM, { tbs, sigs });
  }

  /** evidenceOf is what a vault proves; edit changes its binding before it is reported. */
  evidenceOf(v: FakeVault, edit: (b: Binding) => Partial<Binding> = () => ({}), program: Bytes = executable): Bytes {
    const b: Binding = {
      vault: v.id, replica: "r1", boot: new Uint8Array(16), bootKey: new Uint8Array(32).fill(7), epoch: v.epoch, hpke: v.keys.hpke,
      configHash: v.configHash, issued: BigInt(Math.floor(this.now / 1_000) - 60), nonce: null,
    };
    const bound = encode(binding, { ...b, ...edit(b) });
    return encode(evidence, { platform: "process", report: encode(processReport, { reportData: sum(bound), executable: program, uid: 1 }), binding: bound });
  }

  get client(): Client {
    return {
      transport: this, journal: new Journal(this.disk), now: () => this.now, timeout: 1_000,
      trust: { releaseKeys: this.releaseKeys, k: 2, dangerousAllowProcess: this.allowProcess, setVersion: this.setVersion },
      approve: () => { this.asked++; return Promise.resolve(); },
    };
  }

  async #through<T>(c: Call, fn: () => Promise<T>): Promise<T> {
    this.calls.push(c);
    const fault = this.script(c);
    if (fault === "drop") {
      throw new StaunchError("RECOVERY_VAULT_UNAVAILABLE", "dropped", { code: "unavailable" });
    }
    const out = await fn();
    if (fault === "lost") {
      throw new StaunchError("RECOVERY_VAULT_UNAVAILABLE", "lost", { code: "unavailable" });
    }
    return out;
  }

  #do<T>(method: string, fn: () => T): Promise<T> {
    return this.#through({ method, vault: "", op: 0 }, () => Promise.resolve(fn()));
  }

  #accts(): Map<string, Bytes> {
    return this.accts(new Map(this.vaults.map((v) => [v.id, v.acct])));
  }

  getConfig(): Promise<Config> {
    return this.#do("getConfig", () => this.config({
      profile: "kr1-2of3", limit: 10, pinMin: 6, set: this.signed(), evidence: this.vaults.map((v) => this.evidenceOf(v)),
    }));
  }

  getBackup(): ReturnType<Transport["getBackup"]> {
    return this.#do("getBackup", () => ({
      account: owner, accts: this.#accts(), found: this.pointer !== undefined, reg: this.pointer?.reg ?? new Uint8Array(16),
      header: this.pointer?.header ?? new Uint8Array(), stage: this.pointer?.stage ?? Stage.UNSPECIFIED,
    }));
  }

  putBlob(reg: Bytes, blob: Bytes): Promise<void> {
    return this.#do("putBlob", () => { this.blobs.unshift({ reg, hash: sum(blob), blob }); });
  }

  commitBackup(reg: Bytes, stage: Stage, hash?: Bytes): Promise<void> {
    return this.#do(`commitBackup ${stage}`, () => {
      if (stage === Stage.ACTIVATED || stage === Stage.UPDATED) {
        const b = this.blobs.find((one) => equal(one.reg, reg) && equal(one.hash, hash ?? one.hash));
        assert.ok(b, "the blob is there before the service points at it");
        this.pointer = { reg, hash: b.hash, header: decode(blobShape, b.blob).header, stage: stage === Stage.UPDATED ? this.pointer!.stage : stage };
      } else if (this.pointer !== undefined) {
        this.pointer = { ...this.pointer, stage };
      }
    });
  }

  openSession(account: string, _ticket: Bytes): Promise<SessionView> {
    return this.#do("openSession", () => {
      if (this.pointer === undefined || this.pointer.stage === Stage.DELETING) {
        throw new StaunchError("RECOVERY_NOT_FOUND", "none", { code: "not_found" });
      }
      this.vaults.forEach((v) => { v.proved = false; });
      return this.session({
        secret: new Uint8Array(32), account, until: new Date(this.now + 900_000), accts: this.#accts(), reg: this.pointer.reg, blobs: [...this.blobs],
      });
    });
  }

  call(q: VaultCall): Promise<Bytes> {
    const v = this.vaults.find((one) => one.id === q.vault);
    assert.ok(v);
    return this.#through({ method: "call", vault: q.vault, op: q.op }, () => v.execute(q));
  }

  finishSession(): Promise<void> {
    return this.#do("finishSession", () => {
      if (this.vaults.filter((v) => v.proved).length < this.set.t) {
        throw new StaunchError("RECOVERY_UNFINISHED", "too few", { code: "failed_precondition" });
      }
      this.#finished++;
    });
  }

  // What an app does.

  async register(text: string, secret: string): Promise<void> {
    await register(this.client, await this.client.journal.backup() ?? noBackup(), pin(text), payloadOf(secret));
  }

  async update(secret: string): Promise<void> {
    await update(this.client, await this.client.journal.backup() ?? noBackup(), payloadOf(secret));
  }

  async remove(): Promise<void> {
    await remove(this.client, await this.client.journal.backup() ?? noBackup());
  }

  async status(): Promise<Status> {
    return status(this.client, await this.client.journal.backup() ?? noBackup());
  }

  recover(text: string): Promise<Recovered> {
    return recover(this.client, owner, utf8("ticket"), pin(text));
  }

  /** recovers expects that a PIN brings a secret back, and all attempts. */
  async recovers(text: string, secret: string): Promise<Recovered> {
    const got = await this.recover(text);
    assert.equal(hex(got.payload.keys[0]!.secret), hex(utf8(secret)));
    assert.equal(got.outcome.remaining, 10);
    return got;
  }

  /** wrong expects that a PIN is wrong, and so many attempts left. */
  async wrong(text: string, left: number): Promise<void> {
    await assert.rejects(this.recover(text), (err: unknown) => {
      assert.ok(err instanceof RecoveryError, String(err));
      assert.equal(err.reason, left === 0 ? "LOCKED" : "WRONG_PIN");
      assert.equal(err.outcome?.remaining, left);
      return true;
    });
  }

  /** another is a phone that has nothing yet, at the same service. */
  forget(): void {
    this.disk = new Disk();
  }

  /** replace puts an empty vault in the place of one that is lost for good. */
  async replace(old: string, id: string): Promise<void> {
    const made = await FakeVault.make(this.set.suite, id, 10, sum(utf8(`config of ${id}`)));
    this.vaults[this.vaults.findIndex((v) => v.id === old)] = made;
    this.set = {
      ...this.set, version: this.set.version + 1n, witnessesOnly: [],
      vaults: this.set.vaults.map((m) => (m.vault === old ? { ...m, vault: id, configHash: made.configHash } : m)),
    };
  }

  /** count is how often a vault was asked for something. */
  count(op: number): number {
    return this.calls.filter((c) => c.op === op).length;
  }
}

/** fails expects a reason. */
export async function fails(p: Promise<unknown>, reason: string, what = ""): Promise<RecoveryError> {
  let err: unknown;
  try {
    await p;
  } catch (e) {
    err = e;
  }
  assert.ok(err instanceof StaunchError, `${what}: ${reason} is wanted, and it is ${String(err)}`);
  assert.equal(err.reason, reason, `${what}: ${err.message}`);
  return err as RecoveryError;
}

/** of makes a lie about one operation that went well. */
export function of(op: number, lie: (a: Answer) => void): (op: number, a: Answer) => void {
  return (got, a) => {
    if (got === op && a.verdict === 0) {
      lie(a);
    }
  };
}

export { Op };
