/** What of a backup moves with the account: who has it can bring up to date what a PIN brings back. */
import type { Bytes } from "../bytes.js";
import type { Store } from "../phone/ports.js";
import { journalOf } from "./journal.js";

/** backupAlong is the phone's half of its backup, for the secrets of a move; undefined: it has none. */
export async function backupAlong(store: Pick<Store, "read">): Promise<Bytes | undefined> {
  const kept = await store.read("recovery/backup");
  return kept === undefined ? undefined : journalOf(kept).bytes;
}

/** takeBackup is what the new phone's Store has to hold of what came along: write it with the keys. It throws JOURNAL for what is none. */
export function takeBackup(along: Bytes): Readonly<Record<string, Bytes>> {
  return { "recovery/backup": journalOf(along).bytes };
}
