import { base64url, type Bytes, fromBase64url } from "../bytes.js";
import { StaunchError } from "../phone/errors.js";
import type { EvidenceVerifier, Verdict } from "../transfer/handover/index.js";
import type { Evidence } from "./hardware.js";

/** devAttest attests keys at a server of `staunch dev`, whose authority no other server trusts. It is an argument of SoftwareHardware. */
export function devAttest(url: string): (challenge: Bytes, spki: Bytes) => Promise<Evidence> {
  return async (challenge, spki) => {
    const asked = { platform: "android", kind: "genuine", challenge: base64url(challenge), spki: base64url(spki) };
    const { certificateChain } = await ask(url, "attest", "attests no keys", asked) as { certificateChain: string[] };
    return { platform: "android", certificateChain: certificateChain.map(fromBase64url) };
  };
}

/**
 * devTrust has a server of `staunch dev` judge the other phone of a move: it trusts phones made of software, and believes that
 * server. An app has a verifier of its own, by its own roots.
 */
export function devTrust(url: string): EvidenceVerifier {
  return {
    verify: async ({ platform, chain = [] }, challenge, spki) => {
      const asked = { evidence: { platform, chain: chain.map(base64url) }, challenge: base64url(challenge), spki: base64url(spki) };
      const { accepted, key, findings } = await ask(url, "verify", "judges no phones", asked) as Omit<Verdict, "key"> & { key: string };
      return { accepted, key: fromBase64url(key), findings };
    },
  };
}

async function ask(url: string, what: string, wrong: string, body: object): Promise<unknown> {
  const res = await fetch(new URL(`/demo/${what}`, url), { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (res.status !== 200) {
    throw new StaunchError("HARDWARE", `client: software: ${url} ${wrong} (HTTP status ${res.status}); \`staunch dev\` does, \`staunch serve\` never`);
  }
  return res.json();
}
