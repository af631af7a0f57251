/**
 * Signed requests: HTTP Message Signatures (RFC 9421) in the one form that Staunch
 * takes, over Content-Digest (RFC 9530). The manual is docs/requests.md.
 */
import { type Bytes, base64, base64url, utf8 } from "../bytes.js";
import { StaunchError } from "./errors.js";

/** A request that is about to be sent, as it will be on the wire. */
export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  /** Content-Digest, Signature-Input and Signature are set, in place of those that it has. */
  readonly headers: Headers;
  /** Absent: it has none. */
  readonly body?: Uint8Array;
}

/** Signing is what sign needs. */
export interface Signing {
  readonly keyId: string;
  /** Signs the signature base: ECDSA on P-256 over its SHA-256 as r || s; Apple: the whole assertion. */
  readonly sign: (base: Bytes) => Promise<Uint8Array>;
  readonly created: Date;
  /** Absent: 16 random bytes. Where the route wants one of the server: its challenge in base64url. */
  readonly nonce?: string;
  /** Header fields to cover besides those that always are. */
  readonly fields?: readonly string[];
}

const label = "staunch"; // RFC 9421, Section 4.1
const tag = "staunch-v1"; // Section 2.3

/** Covered whenever they are sent: how the body is read, the session, the app. */
const coveredIfSent = ["content-type", "content-encoding", "authorization", "staunch-app"] as const;

/** sign signs a request. Sign again before sending again: a nonce passes once. */
export async function sign(r: Outgoing, s: Signing): Promise<void> {
  const components = ["@method", "@authority", "@path", "@query"];
  const body = r.body ?? new Uint8Array();
  r.headers.delete("content-digest");
  if (body.length > 0 || ["POST", "PUT", "PATCH"].includes(r.method)) {
    r.headers.set("content-digest", await digestOf(body));
    components.push("content-digest");
  }
  const wanted = (s.fields ?? []).map((f) => f.toLowerCase());
  components.push(...new Set([...coveredIfSent.filter((f) => r.headers.has(f)), ...wanted].filter((f) => !components.includes(f))));
  const params = paramsOf(components, s);
  const signature = await s.sign(utf8(base(r, components, params)));
  if (signature.length === 0) {
    throw new StaunchError("SIGNING", "client: the key has made an empty signature");
  }
  r.headers.set("signature-input", `${label}=${params}`);
  r.headers.set("signature", `${label}=:${base64(signature)}:`);
}

/** base is the signature base (RFC 9421, Section 2.5). It throws for what no verifier takes. */
export function base(r: Outgoing, components: readonly string[], params: string): string {
  let out = "";
  for (const name of components) {
    const value = valueOf(r, name);
    if (!/^[\x20-\x7e]*$/.test(value)) {
      throw new StaunchError("SIGNING", `client: a signed request has printable ASCII alone, and ${name} has something else; percent-encode it`);
    }
    out += `"${name}": ${value}\n`;
  }
  return `${out}"@signature-params": ${params}`;
}

function valueOf(r: Outgoing, name: string): string {
  switch (name) {
    case "@method": // Section 2.2.1
      return r.method;
    case "@authority": // Section 2.2.3. Behind a proxy nobody knows the scheme: both default ports are dropped
      return r.url.host.toLowerCase().replace(/:(80|443)$/, "");
    case "@path": // Section 2.2.6
      return r.url.pathname || "/";
    case "@query": // Section 2.2.7
      return r.url.search || "?";
    default: { // Section 2.1
      const value = /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) ? r.headers.get(name) : null;
      if (value === null) {
        throw new StaunchError("SIGNING", `client: ${name} is to be signed, and is no header field of the request`);
      }
      return value;
    }
  }
}

/** paramsOf is the value of "@signature-params" (RFC 9421, Section 2.3). */
function paramsOf(components: readonly string[], s: Signing): string {
  const nonce = s.nonce ?? base64url(crypto.getRandomValues(new Uint8Array(16)));
  if (!/^[A-Za-z0-9_-]{22,64}$/.test(nonce)) {
    throw new StaunchError("SIGNING", "client: a nonce is 16 to 48 bytes in base64url without padding");
  }
  if (!/^[A-Za-z0-9_-]+$/.test(s.keyId)) {
    throw new StaunchError("SIGNING", `client: ${JSON.stringify(s.keyId)} is no id of a key`);
  }
  const created = Math.floor(s.created.getTime() / 1000);
  return `(${components.map((c) => `"${c}"`).join(" ")});created=${created};nonce="${nonce}";keyid="${s.keyId}";tag="${tag}"`;
}

/** digestOf is the Content-Digest of a body (RFC 9530, Section 2). */
async function digestOf(body: Uint8Array): Promise<string> {
  return `sha-256=:${base64(new Uint8Array(await crypto.subtle.digest("SHA-256", body as Bytes)))}:`;
}
