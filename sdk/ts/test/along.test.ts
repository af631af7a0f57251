import assert from "node:assert/strict";
import { test } from "node:test";

import { base64, equal, utf8 } from "../src/bytes.js";
import { backupAlong, RecoveryError, takeBackup } from "../src/recovery/index.js";
import { Journal, noBackup } from "../src/recovery/journal.js";
import { MemoryStore } from "../src/software/index.js";
import { SoftwareHome } from "../src/transfer/index.js";

test("the phone's half of its backup moves with the account, and what is none is not taken", async () => {
  const old = new MemoryStore();
  assert.equal(await backupAlong(old), undefined);
  await new Journal(old).saveBackup({ ...noBackup(), account: "a_one", limit: 10 });
  const along = await backupAlong(old);
  assert.ok(along);
  const fresh = new MemoryStore();
  await fresh.write(takeBackup(along));
  assert.equal((await new Journal(fresh).backup())?.account, "a_one");
  for (const [what, bytes] of [["cut short", along.slice(1)], ["nothing", new Uint8Array()], ["more", new Uint8Array([...along, 0])]] as const) {
    assert.throws(() => takeBackup(bytes), RecoveryError, what);
  }
});

test("software moves backup and trust in vaults with its keys, and forgets them with the account", async () => {
  const old = new MemoryStore();
  const home = new SoftwareHome(old);
  await home.sealing();
  await new Journal(old).saveBackup({ ...noBackup(), account: "a_one" });
  const secrets = await home.secrets();

  const fresh = new MemoryStore();
  const second = new SoftwareHome(fresh);
  await second.take(secrets);
  const [before, behind] = [await backupAlong(old), await backupAlong(fresh)];
  assert.ok(before && behind && equal(before, behind));

  const trusted = new Map(secrets).set("recovery", utf8(JSON.stringify({ release_k: 2, release_keys: [base64(utf8("key"))] })));
  await second.take(trusted);
  const again = JSON.parse(new TextDecoder().decode((await second.secrets()).get("recovery"))) as Record<string, unknown>;
  assert.deepEqual([again["release_k"], again["release_keys"]], [2, [base64(utf8("key"))]]);

  await assert.rejects(second.take(new Map(secrets).set("recovery", utf8('{"backup":1}'))));
  await home.wipe();
  assert.equal(await backupAlong(old), undefined);
});
