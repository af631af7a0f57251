/** Signing in, stepping up, and doing either when a call needs it. */
import { neverSent, reasonOf, StaunchError } from "./errors.js";
import { type Core } from "./core.js";

/** again is how often a ceremony is begun anew when the answer to its end got lost: no token is given out twice. */
const again = 3;

/** signIn signs in with a passkey, also when the server knows the key although the state does not say so yet. The session is new and fresh. */
export function signIn(core: Core): Promise<void> {
  return ceremony(core, async () => {
    await core.dropSession();
    const b = await core.calls.passkeys.beginSignIn({});
    const response = await core.get(b.options);
    const { result } = await core.calls.passkeys.finishSignIn({ ceremony: b.ceremony, response });
    if (result.case !== "signed") {
      throw new StaunchError("ANSWER", "client: sign in: the server asks another device to approve a phone that it knows");
    }
    await core.keepSession(result.value);
  });
}

/** stepUp makes the session fresh. */
export function stepUp(core: Core): Promise<void> {
  return ceremony(core, async () => {
    const b = await core.calls.passkeys.beginStepUp({});
    const response = await core.get(b.options);
    await core.calls.passkeys.finishStepUp({ ceremony: b.ceremony, response });
  });
}

/** ceremony runs fn, which begins and finishes one, again when nobody heard of its end. */
async function ceremony(core: Core, fn: () => Promise<void>): Promise<void> {
  const end = core.now() + core.patience;
  for (let n = 1; ; n++) {
    try {
      return await fn();
    } catch (err) {
      const lost = (reasonOf(err) === "UNREACHABLE" && !neverSent(err)) || ["PASSKEY_CEREMONY_USED", "PASSKEY_CEREMONY_EXPIRED"].includes(reasonOf(err));
      if (!lost || n === again || core.now() >= end) {
        throw err;
      }
    }
  }
}

/** asNeeded runs fn. When the server wants to have seen more of the person, it signs in or steps up, once, and runs it again. */
export async function asNeeded<T>(core: Core, fn: () => Promise<T>): Promise<T> {
  if (core.state.account === "") {
    throw new StaunchError("NOT_ENROLLED", "client: this phone has no account: enrol or join first");
  }
  let err: unknown;
  try {
    return await fn();
  } catch (first) {
    err = first;
  }
  if (reasonOf(err) === "SESSION_ENDED") { // what needs no session is done without one
    await core.dropSession();
    try {
      return await fn();
    } catch (second) {
      err = second;
    }
  }
  switch (reasonOf(err)) {
    case "SESSION_REQUIRED":
    case "PROOF_INVALID":
      await known(core);
      if (reasonOf(err) === "PROOF_INVALID") {
        throw err;
      }
      await signIn(core);
      break;
    case "STEP_UP_REQUIRED":
      if (exact(err)) {
        throw err;
      }
      await freshen(core);
      break;
    default:
      throw err;
  }
  return fn();
}

/** freshen makes the session fresh: from person by a step-up, from device by a sign-in. */
async function freshen(core: Core): Promise<void> {
  if (core.signedOut) {
    return signIn(core);
  }
  try {
    await stepUp(core);
  } catch (err) {
    if (!["SESSION_ENDED", "SESSION_REQUIRED", "STEP_UP_REQUIRED"].includes(reasonOf(err))) {
      throw err;
    }
    await signIn(core);
  }
}

/** known throws when the server knows no device with this phone's key: it was removed, or never was there. A device may always ask for its status, and only who is none is refused. */
async function known(core: Core): Promise<void> {
  try {
    await core.calls.accounts.getStatus({});
  } catch (cause) {
    if (stranger(cause)) {
      throw new StaunchError("DEVICE_NOT_FOUND", "client: DEVICE_NOT_FOUND: the server knows no device with this key", { code: "not_found", cause });
    }
  }
}

/** stranger reports whether a refused status says that the key is no device's. */
export function stranger(err: unknown): boolean {
  return ["PROOF_INVALID", "SESSION_REQUIRED", "DEVICE_NOT_FOUND", "ACCOUNT_NOT_FOUND"].includes(reasonOf(err));
}

/** exact reports whether a refusal wants a passkey over the very action, which no session gives. */
function exact(err: unknown): boolean {
  return err instanceof StaunchError && ["exact", "bound"].includes(err.details["need"] ?? "");
}

