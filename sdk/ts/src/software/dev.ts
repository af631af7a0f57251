import { base64url, type Bytes, fromBase64url } from "../bytes.js";
import { StaunchError } from "../phone/errors.js";
import type { Evidence } from "./hardware.js";

/** devAttest attests keys at a server of `staunch dev`, whose authority no other server trusts. It is an argument of SoftwareHardware. */
export function devAttest(url: string): (challenge: Bytes, spki: Bytes) => Promise<Evidence> {
  return async (challenge, spki) => {
    const res = await fetch(new URL("/demo/attest", url), {
      method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify({ platform: "android", kind: "genuine", challenge: base64url(challenge), spki: base64url(spki) }),
    });
    if (res.status !== 200) {
      throw new StaunchError("HARDWARE", `client: software: ${url} attests no keys (HTTP status ${res.status}); \`staunch dev\` does, \`staunch serve\` never`);
    }
    const { certificateChain } = await res.json() as { certificateChain: string[] };
    return { platform: "android", certificateChain: certificateChain.map(fromBase64url) };
  };
}
