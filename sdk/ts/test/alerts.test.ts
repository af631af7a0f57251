import assert from "node:assert/strict";
import { test } from "node:test";

import { enrolledPhone, Refusal } from "./fake.js";

const event = (seq: number) => `data: ${JSON.stringify({ seq, kind: "device.add", device: "d_x", text: "A phone", at: "2026-01-02T03:04:05Z" })}\n\n`;
const events = (...chunks: string[]) => new Response(new ReadableStream({
  start: (to) => {
    chunks.forEach((c) => to.enqueue(new TextEncoder().encode(c)));
    to.close();
  },
}), { headers: { "content-type": "text/event-stream" } });

/** follow reads from a stream that answers so, one after the other, until want alerts were told. */
async function follow(want: number, ...answers: (() => Response | Refusal)[]) {
  const rig = await enrolledPhone({ stream: () => (answers.shift() ?? assert.fail("read on"))() });
  const told: number[] = [];
  const enough = new Error("enough");
  await assert.rejects(rig.phone.followAlerts(0, (a) => {
    told.push(a.seq);
    if (told.length === want) {
      throw enough;
    }
  }), enough);
  return { told, queries: rig.server.seen.map((s) => s.url.search), seen: rig.server.seen };
}

test("alerts come once, whatever the stream does", async () => {
  const half = event(3);
  const { told, queries, seen } = await follow(4,
    () => events(event(1), ": still there\n\n", event(2), half.slice(0, 20)),
    () => events(event(2), half.slice(0, 30), half.slice(30)),
    () => new Refusal("STORE_AWAY", "unavailable"),
    () => events(event(4).replace("data: ", "data:").replaceAll("\n", "\r\n")),
  );
  assert.deepEqual(told, [1, 2, 3, 4]);
  assert.deepEqual(queries, ["?after=0", "?after=2", "?after=3", "?after=3"]);
  assert.ok(seen.every((s) => s.headers.get("signature-input")?.includes('"@query"')));
});

test("a refusal ends it, and so does the caller", async () => {
  const refused = await enrolledPhone({ stream: () => new Refusal("DEVICE_NOT_FOUND", "not_found") });
  await assert.rejects(refused.phone.followAlerts(0, () => undefined), { reason: "DEVICE_NOT_FOUND", code: "not_found" });

  const stop = new AbortController();
  const { phone } = await enrolledPhone({ stream: () => events(event(1)) });
  await assert.rejects(phone.followAlerts(0, () => stop.abort(), stop.signal), { reason: "ABORTED" });
});

test("an event without end is no alert", async () => {
  const { phone } = await enrolledPhone({ stream: () => events("data: ", "x".repeat(70_000)) });
  await assert.rejects(phone.followAlerts(0, () => undefined), { reason: "ANSWER" });
});

test("a list is read to its end", async () => {
  const list = (from: number, n: number) => ({ alerts: Array.from({ length: n }, (_, i) => ({ seq: String(from + i), kind: "k", at: "2026-01-02T03:04:05Z" })) });
  const { phone, server } = await enrolledPhone({ ListAlerts: (s) => (s.body["after"] === undefined ? list(1, 500) : list(501, 3)) });
  assert.equal((await phone.alerts()).length, 503);
  assert.deepEqual(server.seen.map((s) => s.body["after"]), [undefined, "500"]);
});
