/** Ending what waits: signals with a reason, pauses, and a door that opens once. */

/** linked is a controller whose signal ends with the parent's, for the parent's reason. */
export function linked(parent: AbortSignal): { readonly signal: AbortSignal; readonly end: (reason: unknown) => void } {
  const own = new AbortController();
  const pass = (): void => own.abort(parent.reason);
  if (parent.aborted) {
    pass();
  } else {
    parent.addEventListener("abort", pass, { once: true });
  }
  return {
    signal: own.signal,
    end: (reason) => {
      parent.removeEventListener("abort", pass);
      own.abort(reason);
    },
  };
}

/** pause waits so many ms, or throws the signal's reason. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await unless(signal, new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  }));
}

/** unless is what a promise gives, or the signal's reason, thrown as soon as there is one. */
export async function unless<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
  });
  aborted.catch(() => undefined);
  promise.catch(() => undefined); // who leaves first does not leave it unheard
  try {
    const value = await Promise.race([promise, aborted]);
    signal.throwIfAborted();
    return value;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Door is closed until it is opened, once. */
export class Door {
  readonly opened: Promise<void>;
  #open: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** open lets all pass who wait. */
  open(): void {
    this.#open();
  }
}
