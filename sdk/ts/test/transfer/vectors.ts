/** The vectors of spec/vectors/transfer, and small things that the tests of moves share. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Bytes } from "../../src/bytes.js";

/** vectors reads a file of vectors. The tests run in the folder sdk/ts. */
export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(join("..", "..", "spec", "vectors", "transfer", name), "utf8")) as T;
}

/** counted is n bytes of which byte i is i mod 251. */
export function counted(n: number): Bytes {
  return Uint8Array.from({ length: n }, (_, i) => i % 251);
}

/** refusal gives what fn throws or rejects with, by its code; undefined if it does neither. */
export async function refusal(fn: () => unknown): Promise<string | undefined> {
  try {
    await fn();
  } catch (e) {
    return e instanceof Error && "code" in e ? String(e.code) : String(e);
  }
  return undefined;
}
