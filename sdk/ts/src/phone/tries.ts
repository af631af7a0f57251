/** Trying again: pauses, what has become uncertain, and streams that break off. */
import type { Core } from "./core.js";
import { gone, reasonOf, StaunchError, unreached } from "./errors.js";

export const firstPause = 100; // ms
export const mostPause = 2_000;

/** aborted is the error for what a caller has stopped. */
export function aborted(signal: AbortSignal): StaunchError {
  return new StaunchError("ABORTED", "client: stopped by the caller", { cause: signal.reason });
}

/** wait pauses between two tries. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(aborted(signal as AbortSignal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) {
      stop();
    }
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** uncertain reports whether a call may have been done although it failed: its answer got lost, or a first try's did. */
export function uncertain(err: unknown): boolean {
  return ["UNREACHABLE", "PASSKEY_CEREMONY_USED", "PASSKEY_ALREADY_REGISTERED", "DEVICE_KEY_KNOWN", "JOIN_EXPIRED"].includes(reasonOf(err));
}

/**
 * reopened opens a stream until open gives something. One that breaks off, or that the server ends, is opened again after a
 * pause, until the server has been silent for the phone's patience: open tells by heard that it has answered. after may put
 * right what an error says is wrong, and says so: then the stream is opened at once.
 */
export async function reopened<T>(
  core: Core, open: (heard: () => void) => Promise<T | undefined>, signal?: AbortSignal, after?: (err: unknown) => Promise<boolean>,
): Promise<T> {
  let since = core.now(), pause = firstPause, corrected = false;
  const heard = () => {
    since = core.now();
    pause = firstPause;
    corrected = false;
  };
  for (;;) {
    try {
      const got = await open(heard);
      if (got !== undefined) {
        return got;
      }
      heard();
    } catch (err) {
      if (signal?.aborted) {
        throw aborted(signal);
      }
      if (!corrected && core.correct(err)) {
        corrected = true;
        continue;
      }
      if (await after?.(err)) {
        continue;
      }
      if (!gone(err)) {
        throw err;
      }
      if (core.now() - since > core.patience) {
        throw unreached(err);
      }
    }
    await wait(pause, signal);
    pause = Math.min(2 * pause, mostPause);
  }
}
