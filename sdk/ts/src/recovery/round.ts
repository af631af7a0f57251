/** One look at the vaults, and the sealed calls to them that follow. */
import type { Bytes } from "../bytes.js";
import { MalformedError } from "../cbor.js";
import { reasonOf, StaunchError } from "../phone/errors.js";
import { type Outcome, RecoveryError, vaultAway } from "./errors.js";
import { lostForGood } from "./gone.js";
import type { Backup, Journal, KnownSet } from "./journal.js";
import { type Envelope, type Sealed, sealRequest, sealSeedRequest, UnreadableError } from "./seal.js";
import type { Shape } from "./shape.js";
import { believe, type Trust, type Vault, Vaults } from "./trust.js";
import type { Transport } from "./transport.js";
import { type Answer, type Op, type SeedAnswer, type SeedRequest, State } from "./wire.js";

/** Client is what every operation of recovery works with. */
export interface Client {
  readonly transport: Transport;
  readonly trust: Trust;
  readonly journal: Journal;
  /** Asks the owner to confirm recovery.setup for a registration. */
  readonly approve: (reg: Bytes) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** For each vault, in milliseconds. */
  readonly timeout: number;
}

/** Request is for one vault. */
export interface Request<T = unknown> { readonly op: Op; readonly shape: Shape<T>; readonly body: T }

/** request makes one. */
export function request<T>(op: Op, shape: Shape<T>, body: T): Request {
  return { op, shape, body } as unknown as Request;
}

/** Answered is what a vault has answered, or why it has not. */
export type Answered = { readonly answer: Answer; readonly err?: undefined } | { readonly answer?: undefined; readonly err: StaunchError };

/** look fetches the configuration and believes what is signed and proved. */
export async function look(c: Client, known: KnownSet): Promise<Vaults> {
  return believe(c.trust, await c.transport.getConfig(), known, c.now());
}

/** Round is what stays the same over the calls of one operation. */
export class Round {
  constructor(
    readonly c: Client, public vaults: Vaults,
    /** What the service calls the account, by vault. */
    readonly accts: ReadonlyMap<string, Bytes>,
    /** Of a recovery; empty: a signed-in device. */
    readonly session: Bytes = new Uint8Array(),
  ) {}

  /** ask sends to all at once. Keys that were replaced meanwhile are fetched once, and those requests sealed to the new ones. */
  async ask(requests: ReadonlyMap<string, Request>): Promise<Map<string, Answered>> {
    const out = await this.#send(requests);
    const rotated = new Map([...requests].filter(([id]) => reasonOf(out.get(id)?.err) === "RECOVERY_EPOCH"));
    if (rotated.size > 0) {
      this.vaults = await look(this.c, this.vaults.known);
      for (const [id, answered] of await this.#send(rotated)) {
        out.set(id, answered);
      }
    }
    return out;
  }

  async #send(requests: ReadonlyMap<string, Request>): Promise<Map<string, Answered>> {
    const all = [...requests].map(async ([id, q]): Promise<[string, Answered]> => {
      try {
        const { v, envelope } = this.#envelope(id, q.op);
        return [id, { answer: await this.#call(id, envelope, () => sealRequest(envelope, v.hpke, q.shape, q.body), (s, a) => s.openAnswer(a)) }];
      } catch (err) {
        if (err instanceof StaunchError) {
          return [id, { err }];
        }
        throw err;
      }
    });
    return new Map(await Promise.all(all));
  }

  /** enclave is the one vault of profile seed. */
  get enclave(): string {
    return this.vaults.set.vaults[0]?.vault ?? "";
  }

  /** callSeed sends one request to the enclave. What it throws says that there was no answer. */
  async callSeed(op: Op, body: SeedRequest): Promise<SeedAnswer> {
    const once = (): Promise<SeedAnswer> => {
      const { v, envelope } = this.#envelope(this.enclave, op);
      return this.#call("", envelope, () => sealSeedRequest(envelope, v.hpke, body), (s, a) => s.openSeedAnswer(a));
    };
    try {
      return await once();
    } catch (err) {
      if (reasonOf(err) !== "RECOVERY_EPOCH") {
        throw err;
      }
      this.vaults = await look(this.c, this.vaults.known);
      return once();
    }
  }

  /** envelope finds what a request to a vault is sealed with. */
  #envelope(id: string, op: Op): { v: Vault; envelope: Envelope } {
    const v = this.vaults.byID.get(id);
    const acct = this.accts.get(id);
    if (v === undefined) {
      throw lostForGood();
    }
    if (v.err !== undefined) {
      throw v.err;
    }
    if (acct === undefined) {
      throw vaultAway("the service does not know it");
    }
    return { v, envelope: { suite: this.vaults.set.suite, vault: id, epoch: v.epoch, config: v.member.configHash, op, acct } };
  }

  async #call<T>(vault: string, e: Envelope, seal: () => Promise<Sealed>, open: (s: Sealed, a: Bytes) => Promise<T>): Promise<T> {
    let sealed: Sealed;
    try {
      sealed = await seal();
    } catch (cause) {
      throw cause instanceof MalformedError ? cause : vaultAway("its key is none to which a request can be sealed", cause);
    }
    let answer: Bytes;
    try {
      const q = { vault, op: e.op, epoch: e.epoch, request: sealed.request, session: this.session };
      answer = await this.c.transport.call(q, AbortSignal.timeout(this.c.timeout));
    } catch (err) {
      throw reasonOf(err) === "ABORTED" ? vaultAway(`no answer within ${this.c.timeout} ms`, err) : err;
    }
    try {
      return await open(sealed, answer);
    } catch (cause) {
      if (cause instanceof UnreadableError || cause instanceof MalformedError) {
        throw vaultAway("its answer does not open", cause);
      }
      throw cause;
    }
  }
}

/**
 * remaining is the t-th largest number of attempts left, over the vaults that answered; a
 * locked one has none. undefined: fewer than t answered.
 */
export function remaining(answers: readonly Answer[], t: number): number | undefined {
  const left = answers.map((a) => (a.state === State.active ? Math.max(0, a.limit - a.used) : 0)).sort((a, b) => b - a);
  return t < 1 ? undefined : left[t - 1];
}

/** limitOf is the limit that the first of some answers names, or as it was. */
export function limitOf(answers: readonly Answer[], was: number): number {
  return answers.find((a) => a.limit > 0)?.limit ?? was;
}

/** seedOutcome is what is known of a call to the enclave. */
export function seedOutcome(r: Round, b: Backup, answered: number): Outcome {
  return {
    account: b.account, reg: (b.pending ?? b.current)?.header.reg ?? new Uint8Array(16), limit: r.vaults.set.limit, remaining: 0, vaults: 1, threshold: 1,
    answered, liars: [], assurance: r.vaults.assurance(), operators: r.vaults.operators,
  };
}

/** surprise is an answer that this app does not know what to do with. */
export function surprise(what: string): RecoveryError {
  return new RecoveryError("VAULT_VERDICT", `recovery: ${what}: is this app too old for it?`);
}
