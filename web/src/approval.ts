// The challenge of an approval, computed here from what is shown, so that the
// passkey signs these words and no others. Format and vectors: spec/approval.md.

import { base64url, bytes } from "./passkey";

// Approval is a proposed action: the text to show, and the rest of what its
// challenge is made of. Byte strings are base64url.
export interface Approval {
  approval: string;
  app: string;
  account: string;
  action: string;
  params_sha256: string;
  text: string;
  nonce: string;
  expires: number; // seconds since 1970
  options: { challenge: string } & Record<string, any>;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function numbered(n: bigint, size: number): Uint8Array {
  const out = new Uint8Array(size);
  for (let i = size - 1; i >= 0; i--, n >>= 8n) out[i] = Number(n & 0xffn);
  return out;
}

export async function challenge(a: Omit<Approval, "options">): Promise<string> {
  const parts: Uint8Array[] = [utf8("staunch/approval/v1"), new Uint8Array(1)];
  for (const x of [utf8(a.app), utf8(a.account), utf8(a.approval), utf8(a.action), bytes(a.params_sha256), utf8(a.text), bytes(a.nonce)]) {
    parts.push(numbered(BigInt(x.length), 4), x);
  }
  parts.push(numbered(BigInt(a.expires), 8));
  const preimage = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  return base64url(await crypto.subtle.digest("SHA-256", preimage));
}

// check stops when what is shown is not what would be signed.
export async function check(a: Approval, shown: string): Promise<void> {
  if (shown !== a.text || (await challenge(a)) !== a.options.challenge) {
    throw new Error("What you see is not what your passkey would sign, so nothing was signed. Tell the people who run this service.");
  }
}
