import assert from "node:assert/strict";
import { test } from "node:test";

import { Stage } from "../src/recovery/transport.js";
import { World } from "./recovery_world.js";

const [one, two] = ["482915", "739164"];

/** kinds are the places of the first call of each kind. */
function kinds(w: World): number[] {
  const seen = new Set<string>();
  return w.calls.flatMap((c, i) => {
    const kind = `${c.method} ${c.op}`;
    return seen.size === seen.add(kind).size ? [] : [i];
  });
}

/** cut makes the world's call number at fail, before or after it took effect. */
function cut(w: World, at: number, fault: "drop" | "lost"): void {
  let n = 0;
  w.script = () => (n++ === at ? fault : undefined);
}

for (const fault of ["drop", "lost"] as const) {
  test(`a phone that dies while it registers goes on: nothing is lost, and no share goes to a second place (${fault})`, async () => {
    const steps = (w: World): (() => Promise<void>)[] => [() => w.register(one, "one"), () => w.register(two, "two"), () => w.update("three")];
    const whole = await World.make(1, 2, 2);
    for (const step of steps(whole)) {
      await step();
    }
    for (const at of kinds(whole)) {
      const w = await World.make(1, 2, 2);
      cut(w, at, fault);
      const c = whole.calls[at];
      for (const step of steps(w)) {
        await step().catch(step); // the app is started again
      }
      await w.recovers(two, "three");
      const what = `${c?.method} ${c?.op} at ${c?.vault}`;
      assert.equal((await w.status()).state, "active", what);
      w.vaults.forEach((v) => assert.equal(v.creates.size, 2, `${what}: ${v.id} got its shares in other creates`));
      assert.equal(w.pointer?.stage, Stage.FINALIZED, what);
    }
  });

  test(`an attempt that was cut off costs no other (${fault})`, async () => {
    const whole = await World.make();
    await whole.register(one, "one");
    whole.calls.length = 0;
    await whole.recovers(one, "one");
    for (const at of kinds(whole)) {
      const w = await World.make();
      await w.register(one, "one");
      cut(w, at, fault);
      await w.recover(one).catch(() => w.recover(one));
      assert.ok(w.vaults.every((v) => v.most <= 1), `call ${at}: ${w.vaults.map((v) => v.most).join()}`);
      await w.wrong("000000", 9);
    }
  });
}
