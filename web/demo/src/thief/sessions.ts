// The thief has something that proves who Marie is, and not her phone.

import { type Phone, StaunchError } from "@staunch/client";
import { MemoryStore } from "@staunch/client/software";
import { type Attack, buy, caught, journal, type Scene, worked } from "./attack";

/** tokenOf reads the session out of a phone's storage, as malware would. */
async function tokenOf(scene: Scene): Promise<string> {
  const state = (await scene.victimStore.read("phone/state")) as { token?: unknown } | undefined;
  if (typeof state?.token !== "string" || state.token === "") {
    throw new Error("thief: Marie's phone is not signed in: there is no session to steal");
  }
  return state.token;
}

/** bear makes a call with a phone's own key and somebody else's session. */
async function bear(phone: Phone, token: string): Promise<Response> {
  const { core } = phone;
  const key = core.key;
  if (key === undefined) {
    throw new Error("thief: his phone has no key");
  }
  const url = new URL("/staunch.account.v1.AccountService/GetAccount", core.url);
  const headers = new Headers({ "Content-Type": "application/json", "Connect-Protocol-Version": "1", "Staunch-App": core.state.app, Authorization: `Staunch ${token}` });
  const body = new TextEncoder().encode("{}");
  await core.signWith(key, url, { method: "POST", headers, body });
  return fetch(url, { method: "POST", headers, body, credentials: "omit" });
}

export const stolenSession: Attack = {
  name: "stolen-session", title: "A stolen session", needs: "account",
  words: "Malware has copied what keeps Marie signed in. He uses it from his own phone, a genuine one with the genuine app.",
  async run(scene) {
    const token = await tokenOf(scene);
    const phone = await buy(scene, "genuine");
    await phone.enroll({ name: "His own phone" });
    const log = await journal(scene);
    if ((await bear(phone, token)).ok) {
      return worked("He reads Marie's account.");
    }
    const { account } = scene.victim.state;
    const entry = await log.find("the stolen session", (e) => e.action === "session.refused" && e.account === account);
    return caught(entry, "the server", "A session counts only together with the key of the phone it was given to, and that key does not leave its hardware.");
  },
};

export const phished: Attack = {
  name: "foreign-origin", title: "A page that looks like yours", needs: "account",
  words: "A copy of the sign-in page, under another name. Whoever comes there gives it his passkey's signature.",
  async run(scene) {
    const store = new MemoryStore();
    const phone = await buy(scene, "genuine", store);
    await phone.enroll({ name: "A visitor's phone" });
    const copy = await buy(scene, "genuine", store, "https://staunch-accounts.example");
    const log = await journal(scene);
    try {
      await copy.signIn();
    } catch (error) {
      if (!(error instanceof StaunchError) || error.reason === "UNREACHABLE") {
        throw error;
      }
      const { account } = phone.state;
      const entry = await log.find("the page's sign-in", (e) => e.action === "session.refused" && e.account === account);
      return caught(entry, "the server", "What a passkey signs names the page that asked. This one is not of the app.");
    }
    return worked("The copy of the page has signed in.");
  },
};
