/** Answers of an authenticator without secrets. */

/**
 * stripped is the JSON of an authenticator's answer without results of prf
 * (WebAuthn L3 §10.1.4) and of hmacGetSecret (CTAP 2.1, Section 12.5), at any
 * depth, whatever the case of their names. A client wraps its sealing key with
 * them, and they are nobody else's. The server refuses an answer that has some.
 */
export function stripped(answer: object): string {
  return JSON.stringify(strip(JSON.parse(JSON.stringify(answer)), false));
}

function strip(v: unknown, inPrf: boolean): unknown {
  if (Array.isArray(v)) {
    return v.map((e) => strip(e, inPrf));
  }
  if (typeof v !== "object" || v === null) {
    return v;
  }
  const out: [string, unknown][] = [];
  for (const [name, e] of Object.entries(v)) {
    const plain = name.toLowerCase();
    if (plain === "hmacgetsecret" || (inPrf && plain === "results")) {
      continue;
    }
    out.push([name, strip(e, inPrf || plain === "prf")]);
  }
  return Object.fromEntries(out);
}
