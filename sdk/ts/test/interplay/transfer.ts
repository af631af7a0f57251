import { createInterface } from "node:readline";

import { hex, utf8 } from "../../src/bytes.js";
import { devTrust } from "../../src/software/index.js";
import {
  cancelMove, type EvidenceVerifier, finalizeMove, type Moved, type MoveEvent, moveStatus, recallMove, receiveMove, sendMove, SoftwareHome, StoreHistory,
} from "../../src/transfer/index.js";
import type { Commands, Context } from "./phone.js";

const info = { model: "TypeScript", os: "node", app: "interplay" };

function parts({ store, setup, say }: Context): { history: StoreHistory; home: SoftwareHome; trust: EvidenceVerifier; events: (e: MoveEvent) => void } {
  const history = new StoreHistory(store);
  return { history, home: new SoftwareHome(store, history), trust: devTrust(setup.origin), events: say };
}

const written = (m: Moved): object => ({ ...m, sealing: hex(m.sealingKeySha256) });
const hush = (): void => undefined;

/** Commands of moves. */
export const transfer: Commands = {
  enrollWithKeys: async (c) => c.phone.enroll({ name: c.args["name"] ?? "", sealing: await parts(c).home.sealing() }),
  addHistory: async (c) => {
    await parts(c).history.add(c.args["path"] ?? "", utf8(c.args["content"] ?? ""));
    return {};
  },
  history: async (c) => {
    const { history } = parts(c);
    const entries = await history.entries();
    const files = await Promise.all(entries.filter((e) => e.kind !== "folder").map(async (e) => [e.path, Buffer.from((await history.read(e.path)) ?? []).toString()]));
    return { files: Object.fromEntries(files) as Record<string, string> };
  },
  send: async (c) => {
    const p = parts(c);
    return written(await sendMove(c.phone, {
      home: p.home, trust: p.trust, events: p.events, source: p.history.source(), info, name: "ts", leastRecall: 0, ask: () => Promise.resolve(true), show: hush,
      ...(c.args["uri"] === undefined ? {} : { uri: c.args["uri"] }),
    }));
  },
  receive: async (c) => {
    const p = parts(c);
    const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const number = async (): Promise<string> => String((await lines.next()).value ?? "");
    const moved = await receiveMove(c.phone, { home: p.home, trust: p.trust, events: p.events, importer: p.history.importer(), info, number });
    process.stdin.destroy();
    return written(moved);
  },
  moveStatus: async (c) => moveStatus(c.phone, parts(c)),
  cancelMove: async (c) => cancelMove(c.phone, parts(c)),
  recallMove: async (c) => recallMove(c.phone, parts(c), "test", hush),
  finalizeMove: async (c) => finalizeMove(c.phone, parts(c), hush),
};
