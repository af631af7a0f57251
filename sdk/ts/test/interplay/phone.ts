/**
 * A phone in Node, for tests that let it meet phones in Go: one command a run.
 *
 *   node phone.js '{"home":"phone.json","url":"http://…","attest":"http://…"}' COMMAND '{"…":"…"}'
 *
 * It prints lines of JSON: what it would show, and last what came of it; on failure
 * {"reason": …, "message": …}, and its exit code is 1.
 */
import { Phone, StaunchError } from "../../src/index.js";
import { base64, fromBase64url } from "../../src/bytes.js";
import { FileStore } from "../../src/node/index.js";
import { SoftwareHardware, SoftwarePasskeys } from "../../src/software/index.js";
import type { Store } from "../../src/phone/ports.js";
import { account } from "./account.js";
import { recovery } from "./recovery.js";
import { transfer } from "./transfer.js";

/** Setup says which phone. */
export interface Setup {
  /** The file of its store. */
  readonly home: string;
  readonly url: string;
  /** Attests keys: POST {challenge, spki} in base64, answered by {chain: [base64url]}. */
  readonly attest: string;
  /** Of its passkeys. */
  readonly origin: string;
}

/** Context is what a command has. */
export interface Context {
  readonly phone: Phone;
  readonly store: Store;
  readonly setup: Setup;
  readonly args: Readonly<Record<string, string>>;
  /** Prints a line. */
  readonly say: (line: object) => void;
}

/** Commands are commands by name. What they give is printed. */
export type Commands = Readonly<Record<string, (c: Context) => Promise<object>>>;

/** run runs one of the commands with the arguments of the program. */
export async function run(commands: Commands): Promise<void> {
  const [setupText = "", command = "", args = "{}"] = process.argv.slice(2);
  const setup = JSON.parse(setupText) as Setup;
  const say = (line: object) => process.stdout.write(`${JSON.stringify(line, (_, v: unknown) => (typeof v === "bigint" ? Number(v) : v))}\n`);
  try {
    const store = await FileStore.open(setup.home);
    const hardware = new SoftwareHardware(store, async (challenge, spki) => {
      const res = await fetch(setup.attest, { method: "POST", body: JSON.stringify({ challenge: base64(challenge), spki: base64(spki) }) });
      const { chain } = await res.json() as { chain: string[] };
      return { platform: "android", certificateChain: chain.map(fromBase64url) };
    });
    const phone = await Phone.open({ url: setup.url, hardware, passkeys: new SoftwarePasskeys({ store, origin: setup.origin }), store });
    const fn = commands[command];
    if (fn === undefined) {
      throw new StaunchError("USAGE", `no command ${command}`);
    }
    say(await fn({ phone, store, setup, args: JSON.parse(args) as Record<string, string>, say }));
  } catch (err) {
    say({ reason: err instanceof StaunchError ? err.reason : "", message: err instanceof Error ? err.stack : String(err) });
    process.exitCode = 1;
  }
}

await run({ ...account, ...recovery, ...transfer });
