/** Answers of the server that are not yes, and what a phone refuses by itself. */
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";

/** ErrorParts are what else is known of an error. */
export interface ErrorParts {
  readonly code?: string;
  readonly details?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * StaunchError is an answer of the server that is not yes, the lack of one, or a
 * refusal of the phone's own.
 *
 * reason is stable. docs/api.md has the table of the server's; empty: the server
 * gave none. The phone's own are:
 *
 * - UNREACHABLE: no answer, for as long as the patience lasted. Nothing is lost: do the same again.
 * - ENROLLED: this phone has an account. NOT_ENROLLED: it has none: enrol or join first.
 * - UNFINISHED: it has begun to enrol or to join, in another way. Finish that, or give the store up.
 * - MISMATCH: the server asks the person to sign something else than it shows, or than was asked for. Nothing was signed.
 * - CODE: what was scanned or typed is no code of a new device.
 * - JOIN_KEYS: the new device that the server names is not the one whose code was scanned. Nothing was approved.
 * - JOIN_OVER: the join was refused, cancelled or not approved in time. Open a new one.
 * - SIGNING: the device's key does not sign. PASSKEY: the person or the authenticator gave no passkey.
 * - ABORTED: the caller's signal. ANSWER: the server's answer is not of the form that the API says.
 */
export class StaunchError extends Error {
  override readonly name: string = "StaunchError";
  /** Connect's code in its own spelling: "failed_precondition". Of the phone's own errors: "". */
  readonly code: string;
  /** What the server says besides: action, need, have, state ... Times are RFC 3339. */
  readonly details: Readonly<Record<string, string>>;
  /** When it may be tried again, where a hold or a wait is in the way. */
  readonly opensAt: Date | undefined;
  /** The same, where there were too many tries. */
  readonly retryAt: Date | undefined;
  /** With PROOF_INVALID: the server's clock. */
  readonly serverTime: Date | undefined;
  /** With TRANSFER_WRONG_STATE and TRANSFER_ENDED: "sealed" ... */
  readonly state: string;
  /** With TRANSFER_ENDED: "user_cancelled" ... */
  readonly ended: string;

  constructor(readonly reason: string, message: string, parts: ErrorParts = {}) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = parts.code ?? "";
    this.details = parts.details ?? {};
    this.opensAt = timeOf(this.details["opens_at"]);
    this.retryAt = timeOf(this.details["retry_at"]);
    this.serverTime = timeOf(this.details["server_time"]);
    this.state = this.details["state"] ?? "";
    this.ended = this.details["reason"] ?? "";
  }
}

function timeOf(text: string | undefined): Date | undefined {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? undefined : new Date(at);
}

/** reasonOf is the stable reason of an error, or empty. */
export function reasonOf(err: unknown): string {
  return err instanceof StaunchError ? err.reason : "";
}

const unreachable = "the server cannot be reached. Nothing is lost: do the same again when there is a network";

/** unreached is the error for a server that has not answered, because of cause. */
export function unreached(cause: unknown): StaunchError {
  return new StaunchError("UNREACHABLE", `client: ${unreachable}`, { code: "unavailable", cause });
}

/** typed makes a StaunchError of what a call has thrown. */
export function typed(err: unknown): StaunchError {
  if (err instanceof StaunchError) {
    return err;
  }
  if (!(err instanceof ConnectError)) {
    return new StaunchError("", `client: ${err instanceof Error ? err.message : String(err)}`, { cause: err });
  }
  if (err.cause instanceof StaunchError) {
    return err.cause; // thrown by the fetch that signs
  }
  let reason = "";
  let details = {};
  for (const d of err.details) {
    if ("type" in d && d.type === "google.rpc.ErrorInfo") {
      const info = errorInfo(d.value);
      if (info?.domain === "staunch") {
        ({ reason, metadata: details } = info);
      }
    }
  }
  return new StaunchError(reason, `client: ${reason || codeName(err.code)}: ${err.rawMessage}`, { code: codeName(err.code), details, cause: err });
}

/** codeName is a code in the spelling of the Connect protocol: "failed_precondition". */
export function codeName(code: Code): string {
  return Code[code].replace(/(?<!^)[A-Z]/g, (c) => `_${c}`).toLowerCase();
}

interface ErrorInfo { reason: string; domain: string; metadata: Record<string, string> }

/** errorInfo reads a google.rpc.ErrorInfo: reason = 1, domain = 2, map<string, string> metadata = 3. */
function errorInfo(bytes: Uint8Array): ErrorInfo | undefined {
  const out: ErrorInfo = { reason: "", domain: "", metadata: {} };
  try {
    for (const r = new BinaryReader(bytes); r.pos < r.len;) {
      const [field, wire] = r.tag();
      switch (field) {
        case 1: out.reason = r.string(); break;
        case 2: out.domain = r.string(); break;
        case 3: {
          const [name, value] = entry(r.bytes());
          out.metadata[name] = value;
          break;
        }
        default: r.skip(wire, field);
      }
    }
  } catch {
    return undefined; // a proxy's, or none: the code alone counts then
  }
  return out;
}

function entry(bytes: Uint8Array): [name: string, value: string] {
  const out: [string, string] = ["", ""];
  for (const r = new BinaryReader(bytes); r.pos < r.len;) {
    const [field, wire] = r.tag();
    if (field === 1 || field === 2) {
      out[field - 1] = r.string();
    } else {
      r.skip(wire, field);
    }
  }
  return out;
}

/** gone reports whether there was no answer of Staunch's, or one that says that its store is away. */
export function gone(err: unknown): boolean {
  if (!(err instanceof StaunchError)) {
    return false;
  }
  switch (err.code) {
    case "unavailable":
      return err.reason === "" || err.reason === "STORE_AWAY" || err.reason === "UNREACHABLE";
    case "deadline_exceeded":
      return true;
    case "canceled": // of the server's own: it stops while we wait
      return err.reason === "" || err.reason === "CANCELED";
    default:
      return false;
  }
}

/** neverSent reports whether the server has seen nothing of a call: no connection was made. Browsers do not tell, so there it never is. */
export function neverSent(err: unknown): boolean {
  for (let e = err; e instanceof Error; e = e.cause) {
    const code = "code" in e ? e.code : undefined;
    if (code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "UND_ERR_CONNECT_TIMEOUT") {
      return true;
    }
  }
  return false;
}
