/** What a phone needs of its platform: keys in hardware, passkeys, a place to write things down. */
import type { Bytes } from "../bytes.js";

/** DeviceKey is a phone's attested key. On a real phone it lies in hardware. */
export interface DeviceKey {
  /** The id that the server has for it: SHA-256 of spki (Apple: of the point) in base64url. */
  readonly id: string;
  /** The public key as SubjectPublicKeyInfo in DER. */
  readonly spki: Bytes;
  /** Signs a message. Android: ECDSA over its SHA-256, as r || s. Apple: the whole assertion over its SHA-256. */
  sign(message: Uint8Array): Promise<Bytes>;
  /** The key numbers its signatures, as Apple's do. Calls are then made one after the other. */
  readonly counts?: boolean;
}

/** NewKey is a key with the evidence for it. */
export interface NewKey {
  readonly key: DeviceKey;
  readonly platform: "android" | "ios";
  /** Android: X.509 certificates in DER, leaf first. */
  readonly certificateChain?: readonly Bytes[];
  /** Apple. */
  readonly attestationObject?: Bytes;
  /** Apple: as generateKey returned it. */
  readonly appleKeyId?: string;
}

/** Hardware makes attested keys and keeps them. */
export interface Hardware {
  /** newKey makes a key that is attested over the server's challenge of 32 bytes. It is durable when the promise resolves. */
  newKey(challenge: Bytes): Promise<NewKey>;
  /** open gives a key that newKey made, also after a restart. It rejects if there is none with this id. */
  open(id: string): Promise<DeviceKey>;
}

/**
 * Passkeys is the platform's authenticator with its dialog: the person gives face,
 * finger or PIN, or does not, which rejects. The forms are those of WebAuthn L3,
 * Sections 5.1.8 and 5.1.9.
 */
export interface Passkeys {
  create(options: PublicKeyCredentialCreationOptionsJSON): Promise<RegistrationResponseJSON>;
  get(options: PublicKeyCredentialRequestOptionsJSON): Promise<AuthenticationResponseJSON>;
}

/**
 * Store writes down what a phone must not forget: values of structured clone, by
 * name. What is in it is as secret as the phone's session. One phone, one store.
 */
export interface Store {
  /** read gives the value, or undefined. */
  read(name: string): Promise<unknown>;
  /** write changes all names or none, and is durable when it resolves. undefined deletes. */
  write(changes: Readonly<Record<string, unknown>>): Promise<void>;
  /** It can hold a CryptoKey, so that nobody reads the key out. */
  readonly holdsKeys?: boolean;
}
