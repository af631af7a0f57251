// Runs the thief's attacks in Node against a server, whose address is its argument,
// and prints one outcome a line, as JSON. thief_test.go looks each record up.

import { Phone } from "@staunch/client";
import { MemoryStore } from "@staunch/client/software";
import type { Settings } from "../src/server";
import { buy, type Scene } from "../src/thief/attack";
import { attacks } from "../src/thief/index";

const [origin = "", ...names] = process.argv.slice(2);
const settings = (await (await fetch(`${origin}/demo/settings`)).json()) as Settings;
const store = new MemoryStore();
const scene = { settings, victimStore: store, backedUp: false } as Scene;
const victim: Phone = await buy(scene, "genuine", store);
const enrolled = await victim.enroll({ name: "Marie's phone" });
for (const a of attacks.filter((a) => names.length === 0 || names.includes(a.name))) {
  const outcome = await a.run({ ...scene, victim }).catch((error: unknown) => ({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }));
  console.log(JSON.stringify({ name: a.name, victim: enrolled.account, ...outcome }));
}
