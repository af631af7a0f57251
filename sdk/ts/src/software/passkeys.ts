/**
 * A software authenticator with the browser in front of it: it answers the options
 * of a Relying Party as navigator.credentials would (WebAuthn L3, Sections 5.1.3
 * and 5.1.4). Its passkeys are discoverable and device-bound, the person is always
 * present and verified, the signature counter stays 0, and there is no attestation.
 * It does not check that the RP ID belongs to the origin that it is told.
 */
import { type Bytes, base64url, concat, fromBase64url, u32, utf8 } from "../bytes.js";
import { encode, type Value } from "../cbor.js";
import { StaunchError } from "../phone/errors.js";
import type { Passkeys, Store } from "../phone/ports.js";
import { der, generate, type KeptKey, signWith } from "./keys.js";

/** Asked is what the person is asked. */
export interface Asked {
  readonly kind: "create" | "get";
  readonly rpId: string;
  /** Create: the name that the Relying Party shows. */
  readonly user?: string;
}

/** SoftwarePasskeysOptions are what an authenticator needs. */
export interface SoftwarePasskeysOptions {
  readonly store: Store;
  /** Of the page, or of the app: "https://accounts.example.org". */
  readonly origin: string;
  /** The dialog; it rejects if the person says no. Absent: the person says yes. */
  readonly verify?: (asked: Asked) => Promise<void>;
}

/** A passkey as it lies in the store. */
interface Passkey extends KeptKey {
  readonly id: Bytes;
  readonly rpId: string;
  readonly userHandle: Bytes;
}

const storeName = "software/passkeys";
const ES256 = -7; // RFC 9053, Section 2.1
// Flags of authenticator data (WebAuthn L3 §6.1).
const present = 0x01, verified = 0x04, attested = 0x40;

/** SoftwarePasskeys keeps passkeys in a store. For tests, and for demonstrations in browsers without an authenticator. */
export class SoftwarePasskeys implements Passkeys {
  readonly #o: SoftwarePasskeysOptions;

  constructor(o: SoftwarePasskeysOptions) {
    this.#o = o;
  }

  async create(o: PublicKeyCredentialCreationOptionsJSON): Promise<RegistrationResponseJSON> {
    const rpId = o.rp.id ?? new URL(this.#o.origin).hostname;
    if (!o.pubKeyCredParams.some((p) => p.type === "public-key" && p.alg === ES256)) { // WebAuthn L3 §6.3.2, step 2
      throw new StaunchError("PASSKEY", "client: software: pubKeyCredParams does not offer ES256, which is all that this authenticator can do");
    }
    const all = await this.#all();
    const excluded = new Set(o.excludeCredentials?.map((c) => c.id));
    if (all.some((p) => p.rpId === rpId && excluded.has(base64url(p.id)))) { // step 3
      throw new StaunchError("PASSKEY", "client: software: excludeCredentials names a passkey of this authenticator: the account has one here already");
    }
    await this.#o.verify?.({ kind: "create", rpId, user: o.user.displayName || o.user.name });
    const key = await generate(this.#o.store);
    const made: Passkey = { ...key, id: crypto.getRandomValues(new Uint8Array(32)), rpId, userHandle: fromBase64url(o.user.id) };
    await this.#o.store.write({ [storeName]: [...all, made] });

    const credential = concat(new Uint8Array(16), new Uint8Array([made.id.length >> 8, made.id.length & 0xff]), made.id, coseKey(made.spki)); // §6.5.1
    const authData = await authenticatorData(rpId, present | verified | attested, credential);
    const attestationObject = encode(new Map<string, Value>([["fmt", "none"], ["attStmt", new Map()], ["authData", authData]])); // §8.7
    const results: AuthenticationExtensionsClientOutputsJSON = { ...(o.extensions?.credProps ? { credProps: { rk: true } } : {}) };
    return {
      ...outer(made), clientExtensionResults: results,
      response: {
        clientDataJSON: base64url(this.#clientData("webauthn.create", o.challenge)), attestationObject: base64url(attestationObject),
        authenticatorData: base64url(authData), transports: ["internal"], publicKey: base64url(made.spki), publicKeyAlgorithm: ES256,
      },
    };
  }

  async get(o: PublicKeyCredentialRequestOptionsJSON): Promise<AuthenticationResponseJSON> {
    const rpId = o.rpId ?? new URL(this.#o.origin).hostname;
    const allowed = new Set(o.allowCredentials?.map((c) => c.id));
    const used = [...await this.#all()].reverse().find((p) => p.rpId === rpId && (allowed.size === 0 || allowed.has(base64url(p.id)))); // the newest
    if (used === undefined) {
      throw new StaunchError("PASSKEY", `client: software: no passkey for ${rpId} that the options allow; make one by enrolling or joining`);
    }
    await this.#o.verify?.({ kind: "get", rpId });
    const clientData = this.#clientData("webauthn.get", o.challenge);
    const authData = await authenticatorData(rpId, present | verified);
    const signature = der(await signWith(used, concat(authData, await sha256(clientData)))); // §6.3.3, step 11
    return {
      ...outer(used), clientExtensionResults: {},
      response: {
        clientDataJSON: base64url(clientData), authenticatorData: base64url(authData), signature: base64url(signature), userHandle: base64url(used.userHandle),
      },
    };
  }

  async #all(): Promise<readonly Passkey[]> {
    return (await this.#o.store.read(storeName) ?? []) as readonly Passkey[];
  }

  /** Its members stand in the order that WebAuthn L3 §5.8.1.1 fixes. */
  #clientData(type: string, challenge: string): Bytes {
    return utf8(JSON.stringify({ type, challenge, origin: this.#o.origin, crossOrigin: false }));
  }
}

function outer(p: Passkey) {
  return { id: base64url(p.id), rawId: base64url(p.id), type: "public-key" as const, authenticatorAttachment: "platform" };
}

async function authenticatorData(rpId: string, flags: number, credential: Uint8Array = new Uint8Array()): Promise<Bytes> { // WebAuthn L3 §6.1
  return concat(await sha256(utf8(rpId)), new Uint8Array([flags]), u32(0), credential);
}

/** coseKey is a key on P-256 as a COSE_Key (RFC 9053, Section 7.1.1). The point ends its SubjectPublicKeyInfo. */
function coseKey(spki: Uint8Array): Bytes {
  const [x, y] = [spki.slice(-64, -32), spki.slice(-32)];
  return encode(new Map<number, number | Uint8Array>([[1, 2], [3, ES256], [-1, 1], [-2, x], [-3, y]]));
}

async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
