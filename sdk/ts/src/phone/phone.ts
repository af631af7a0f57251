/** A phone's side of every flow of accounts and passkeys. */
import * as approvals from "./approve.js";
import { Core, type PhoneOptions } from "./core.js";
import { enrol, type Enrolled, type Enrolment } from "./enrol.js";
import { StaunchError } from "./errors.js";
import { signIn, stepUp } from "./session.js";
import type { PhoneState } from "./state.js";
import type { Calls } from "./transport.js";

/**
 * Phone is a phone, or a browser that is one. Each call is signed with the
 * attested key, together with the session's token (docs/api.md, "Signing calls");
 * a call that needs more than the session is worth signs in or steps up by itself.
 * Results of the prf extension are taken out of what goes to the server. Errors
 * are StaunchErrors.
 */
export class Phone {
  /** @internal What the flows of this package share. */
  readonly core: Core;

  private constructor(core: Core) {
    this.core = core;
  }

  /** open reads the store. It does not call the server yet. */
  static async open(o: PhoneOptions): Promise<Phone> {
    return new Phone(await Core.open(o));
  }

  /** What the store was told last. */
  get state(): PhoneState { return this.core.state; }

  /** Calls that have no method here. They are signed, and tried again while the server is away; they neither sign in nor step up. */
  get calls(): Calls { return this.core.calls; }

  /** serverNow is the time by the server's clock, as far as it is known. */
  serverNow(): Date { return this.core.serverNow(); }

  /** enroll makes an account with this phone as its first device. */
  enroll(e: Enrolment, signal?: AbortSignal): Promise<Enrolled> { return enrol(this.core, e, signal); }

  /** signIn signs in with a passkey. The session is new and fresh. */
  async signIn(): Promise<void> {
    if (this.state.account === "") {
      throw new StaunchError("NOT_ENROLLED", "client: this phone has no account: enrol or join first");
    }
    await signIn(this.core);
  }

  /** stepUp makes the session fresh. */
  stepUp(): Promise<void> { return stepUp(this.core); }

  /** approve has the person approve an action and the server do it: docs/api.md lists actions, params and results. */
  approve(action: string, params?: Readonly<Record<string, unknown>>, show?: approvals.Show): Promise<unknown> {
    return approvals.approve(this.core, action, params, show);
  }
}
