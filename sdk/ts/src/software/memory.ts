import type { Store } from "../phone/ports.js";

/** MemoryStore is a store that forgets when the program ends: for tests. */
export class MemoryStore implements Store {
  readonly holdsKeys = true;
  readonly #values = new Map<string, unknown>();

  read(name: string): Promise<unknown> {
    return Promise.resolve(structuredClone(this.#values.get(name)));
  }

  write(changes: Readonly<Record<string, unknown>>): Promise<void> {
    for (const [name, value] of Object.entries(structuredClone(changes))) {
      if (value === undefined) {
        this.#values.delete(name);
      } else {
        this.#values.set(name, value);
      }
    }
    return Promise.resolve();
  }

  /** copy is a store with the same content: a phone whose storage somebody has copied, or one that was killed here. */
  copy(): MemoryStore {
    const out = new MemoryStore();
    for (const [name, value] of this.#values) {
      out.#values.set(name, structuredClone(value));
    }
    return out;
  }
}
