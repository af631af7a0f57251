/** A phone's side of every flow of accounts and passkeys. */
import type { GetAccountResponse, GetStatusResponse } from "../gen/staunch/account/v1/account_pb.js";
import type { Approval as OpenApproval, Device, Passkey, Session } from "../gen/staunch/account/v1/nouns_pb.js";
import * as alerting from "./alerts.js";
import * as approving from "./approve.js";
import { Core, type PhoneOptions } from "./core.js";
import { enrol, type Enrolled, type Enrolment, renewFreezeCode } from "./enrol.js";
import { StaunchError } from "./errors.js";
import * as joining from "./join.js";
import * as owner from "./owner.js";
import { reattest } from "./reattest.js";
import { signIn, stepUp } from "./session.js";
import type { PhoneState } from "./state.js";
import type { Calls } from "./transport.js";

type Params = Readonly<Record<string, unknown>>;

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

  /** open reads the store. It does not call the server yet. One program at a time may have a store open. */
  static async open(o: PhoneOptions): Promise<Phone> {
    return new Phone(await Core.open(o));
  }

  /** What the store was told last. */
  get state(): PhoneState { return this.core.state; }

  /** Calls that have no method here. They are signed, and tried again while the server is away; they neither sign in nor step up. */
  get calls(): Calls { return this.core.calls; }

  /** serverNow is the time by the server's clock, as far as it is known. */
  serverNow(): Date { return this.core.serverNow(); }

  /** fetch sends a request to the app's own backend, signed with the attested key. The session does not go along. The body must be in memory. */
  async fetch(url: string | URL, init?: RequestInit): Promise<Response> {
    const { key } = this.core;
    if (key === undefined) {
      throw notEnrolled();
    }
    const r = new Request(new URL(url, this.core.url), init);
    const body = new Uint8Array(await r.arrayBuffer());
    const sent = { ...init, method: r.method, headers: new Headers(r.headers), ...(body.length > 0 ? { body } : { body: undefined }) };
    return this.core.inTurn(key, async () => {
      await this.core.signWith(key, new URL(r.url), sent);
      return this.core.fetch(r.url, { ...sent, redirect: "manual" });
    });
  }

  /**
   * enroll makes an account with this phone as its first device. A phone that has
   * begun and does not know how it ended finds out first.
   */
  enroll(e: Enrolment, signal?: AbortSignal): Promise<Enrolled> { return enrol(this.core, e, signal); }

  /** renewFreezeCode has a new freeze code made; the old one counts no more. It asks for a passkey over this very action: show is told the text. */
  renewFreezeCode(show?: approving.Show): Promise<string> { return renewFreezeCode(this.core, show); }

  /** signIn signs in with a passkey. The session is new and fresh. */
  async signIn(): Promise<void> {
    if (this.state.account === "") {
      throw notEnrolled();
    }
    await signIn(this.core);
  }

  /** stepUp makes the session fresh. */
  stepUp(): Promise<void> { return stepUp(this.core); }

  /** signOut ends this session. The phone stays enrolled. */
  signOut(): Promise<void> { return owner.signOut(this.core); }

  /** signOutOthers ends all sessions but this one, and what was begun elsewhere. */
  signOutOthers(): Promise<void> { return owner.signOutOthers(this.core); }

  /** leave takes this device out of its account, and forgets the account here. */
  leave(): Promise<void> { return owner.leave(this.core); }

  /** status asks how device and account stand, in every state but deleted. */
  status(): Promise<GetStatusResponse> { return owner.status(this.core); }

  /** account reads all of the account. */
  account(): Promise<GetAccountResponse> { return owner.account(this.core); }

  /** devices lists the devices by the time they were added. */
  devices(): Promise<readonly Device[]> { return owner.devices(this.core); }

  /** sessions lists the sessions that have not ended. */
  sessions(): Promise<readonly Session[]> { return owner.sessions(this.core); }

  /** rename renames a device. */
  rename(device: string, name: string): Promise<void> { return owner.rename(this.core, device, name); }

  /** removeDevice removes another device. It asks for a passkey over this very action. */
  removeDevice(device: string, show?: approving.Show): Promise<void> { return owner.removeDevice(this.core, device, show); }

  /** veto removes a device that cools off. It gives the account's state. */
  veto(device: string): Promise<string> { return owner.veto(this.core, device); }

  /**
   * reattest gives this device a new attested key: when its evidence has grown old (status:
   * advice "reattest"), and when its key was revoked, so that it is locked. Then its owner
   * approves that with a passkey: show is told the text, and the device cools off like a new
   * one. Both keys are kept until the server has answered; a phone that was cut off calls it
   * again, and with UNFINISHED waits some minutes first.
   */
  reattest(show?: approving.Show): Promise<void> { return reattest(this.core, show); }

  /** vetoPending cancels an action that waits. It gives the account's state. */
  vetoPending(pending: string): Promise<string> { return owner.vetoPending(this.core, pending); }

  /** freeze stops the account, or one device. Again it does nothing, and changed is false. */
  freeze(device?: string): Promise<{ readonly state: string; readonly changed: boolean }> { return owner.freeze(this.core, device); }

  /** unfreeze thaws the account: at once, or after a wait where the device cools off. It asks for the passkey over this very action. */
  unfreeze(show?: approving.Show): Promise<owner.Thawed> { return owner.unfreeze(this.core, show); }

  /** freezeByCode stops the account that a freeze code is of. It answers alike whether or not there is one. */
  freezeByCode(code: string): Promise<void> { return owner.freezeByCode(this.core, code); }

  /** listPasskeys lists them by the time they were added. */
  listPasskeys(): Promise<readonly Passkey[]> { return owner.passkeys(this.core); }

  /** addPasskey makes one more passkey for the account. */
  addPasskey(name: string): Promise<Passkey | undefined> { return owner.addPasskey(this.core, name); }

  /** renamePasskey renames one. */
  renamePasskey(passkey: string, name: string): Promise<void> { return owner.renamePasskey(this.core, passkey, name); }

  /** removePasskey removes one. It asks for a passkey over this very action. */
  removePasskey(passkey: string, show?: approving.Show): Promise<void> { return owner.removePasskey(this.core, passkey, show); }

  /** alerts reads all alerts after a number, by number. */
  alerts(after = 0): Promise<readonly alerting.Alert[]> { return alerting.alerts(this.core, after); }

  /** ackAlerts says up to which alert this device has shown them. */
  ackAlerts(seq: number): Promise<void> { return alerting.ackAlerts(this.core, seq); }

  /**
   * followAlerts reads the alerts after a number, and then each as it comes, until
   * the signal or an error of fn ends it. None is lost, and none comes twice.
   */
  followAlerts(after: number, fn: (a: alerting.Alert) => void | Promise<void>, signal?: AbortSignal): Promise<never> {
    return alerting.followAlerts(this.core, after, fn, signal);
  }

  /**
   * join brings this phone into an account that another device has. show is told
   * what to show; then it waits until the other device has approved, makes the
   * passkey, and finishes. A phone that was cut off goes on where it was.
   */
  join(e: Enrolment, show: (j: joining.Joining) => void | Promise<void>, signal?: AbortSignal): Promise<Enrolled> {
    return joining.join(this.core, e, show, signal);
  }

  /**
   * readJoin reads a join by the code that a new device shows. It throws JOIN_KEYS if
   * the server has another device's keys than the code: show nothing of it then, and
   * approve nothing.
   */
  readJoin(code: string): Promise<joining.Applicant> { return joining.readJoin(this.core, code); }

  /** approveJoin lets a new device in, with the number that it shows. What is signed names that device. */
  approveJoin(a: joining.Applicant, number: string, show?: approving.Show): Promise<void> { return joining.approveJoin(this.core, a, number, show); }

  /** approvals lists the approvals that are open. */
  approvals(): Promise<readonly OpenApproval[]> { return approving.approvals(this.core); }

  /**
   * propose opens an approval for an action: docs/api.md lists them with their
   * params. It computes the challenge anew from what is shown and executed, and
   * throws MISMATCH if the server wants another one signed.
   */
  propose(action: string, params?: Params): Promise<approving.Approval> { return approving.propose(this.core, action, params); }

  /** openApproval is propose for an approval that somebody else has opened, such as the app's backend. */
  openApproval(id: string): Promise<approving.Approval> { return approving.openApproval(this.core, id); }

  /** confirm has the person approve with a passkey, and the server does it in the same transaction. It gives what was done. */
  confirm(a: approving.Approval): Promise<unknown> { return approving.confirm(this.core, a); }

  /** deny refuses an approval, which all devices of the account are told. */
  deny(approval: string): Promise<void> { return approving.deny(this.core, approval); }

  /** approve is propose, show and confirm in one. show rejects if the person does not want it. */
  approve(action: string, params?: Params, show?: approving.Show): Promise<unknown> { return approving.approve(this.core, action, params, show); }
}

function notEnrolled(): StaunchError {
  return new StaunchError("NOT_ENROLLED", "client: this phone has no account: enrol or join first");
}
