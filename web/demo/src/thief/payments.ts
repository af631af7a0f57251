// The thief sits on the network, and sees a payment that Marie's phone has signed.

import { type Phone, signRequest } from "@staunch/client";
import { ask, type Attack, caught, journal, type Scene, worked } from "./attack";

/** Paying is where payments go: the phone signs for the service's own name, and the demo stands in for its proxy. */
interface Paying {
  readonly pay: { readonly authority: string; readonly path: string; readonly at: string };
}

/** Payment is one as it is on the wire. */
interface Payment {
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

async function signed(phone: Phone, to: Paying["pay"], amount: number, payee: string): Promise<Payment> {
  const key = phone.core.key;
  if (key === undefined) {
    throw new Error("thief: Marie's phone has no account: set it up first");
  }
  const body = new TextEncoder().encode(JSON.stringify({ amount, payee }));
  const headers = new Headers({ "Content-Type": "application/json" });
  await signRequest({ method: "POST", url: new URL(`https://${to.authority}${to.path}`), headers, body },
    { keyId: key.id, sign: (base) => key.sign(base), created: phone.serverNow() });
  return { headers, body };
}

const send = (scene: Scene, to: Paying["pay"], p: Payment): Promise<Response> =>
  fetch(scene.settings.origin + to.at, { method: "POST", headers: p.headers, body: p.body, credentials: "omit" });

export const replayed: Attack = {
  name: "replayed-payment", title: "The same payment twice", needs: "account",
  words: "Marie pays 1200 to her landlord. He has seen the request go by, and sends it once more.",
  async run(scene) {
    const { pay } = await ask<Paying>(scene, "/demo/settings");
    const payment = await signed(scene.victim, pay, 1200, "landlord");
    const first = await send(scene, pay, payment);
    if (!first.ok) {
      throw new Error(`thief: Marie's own payment was refused: ${first.status} ${await first.text()}`);
    }
    const log = await journal(scene);
    if ((await send(scene, pay, payment)).ok) {
      return worked("It was paid twice.");
    }
    const key = scene.victim.core.key?.id;
    const entry = await log.find("the second payment", (e) => e.action === "attest.request" && e.subject === key);
    return caught(entry, "the server", "Each signature bears a number that counts once. This one had been used.");
  },
};

export const changed: Attack = {
  name: "changed-payment", title: "Another amount, another payee", needs: "account",
  words: "He stops a payment of 1200 on its way, makes it 9200, and out of the landlord himself.",
  async run(scene) {
    const { pay } = await ask<Paying>(scene, "/demo/settings");
    const payment = await signed(scene.victim, pay, 1200, "landlord");
    const body = new TextEncoder().encode(JSON.stringify({ amount: 9200, payee: "thief" }));
    const log = await journal(scene);
    if ((await send(scene, pay, { headers: payment.headers, body })).ok) {
      return worked("He was paid.");
    }
    // Its hash is looked at first, and whose key it was is not known then: the entry is nobody's.
    const entry = await log.find("the changed payment", (e) => e.action === "attest.request" && e.account === "");
    return caught(entry, "the server", "The phone has signed what the request says, amount and payee included. These are other words.");
  },
};
