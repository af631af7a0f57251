// Runs the thief's attacks in Node against a server, whose address is its argument,
// and prints one outcome a line, as JSON. thief_test.go looks each record up.

import { Phone } from "@staunch/client";
import { Recovery } from "@staunch/client/recovery";
import { MemoryStore } from "@staunch/client/software";
import type { Settings } from "../src/server";
import { buy, fromBase64url, type Scene } from "../src/thief/attack";
import { attacks } from "../src/thief/index";

const [origin = "", ...names] = process.argv.slice(2);
const settings = (await (await fetch(`${origin}/demo/settings`)).json()) as Settings;
const store = new MemoryStore();
const scene = { settings, victimStore: store, backedUp: false } as Scene;
const victim: Phone = await buy(scene, "genuine", store);
const enrolled = await victim.enroll({ name: "Marie's phone" });
const { release, setVersion } = settings.recovery as NonNullable<Settings["recovery"]>;
const trust = { releaseKeys: release.keys.map(fromBase64url), k: release.k, setVersion, dangerousAllowProcess: true };
const secret = crypto.getRandomValues(new Uint8Array(32));
await new Recovery({ phone: victim, trust }).backUp({ pin: "480193", payload: { keys: [{ kid: secret.slice(0, 16), secret, created: new Date() }] } });
for (const a of attacks.filter((a) => names.length === 0 || names.includes(a.name))) {
  const outcome = await a.run({ ...scene, victim }).catch((error: unknown) => ({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }));
  console.log(JSON.stringify({ name: a.name, victim: enrolled.account, ...outcome }));
}
