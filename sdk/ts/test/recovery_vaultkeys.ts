/** The HPKE keys of a vault, as its master key gives them: a phone has only the public half. */
import { XWing } from "@hpke/hybridkem-x-wing";
import { shake256 } from "@noble/hashes/sha3.js";

import { type Bytes, concat, utf8 } from "../src/bytes.js";
import { encode } from "../src/cbor.js";
import { expandKey } from "../src/recovery/derive.js";
import { hpkeSuite } from "../src/recovery/seal.js";

export interface VaultKeys { readonly secret: CryptoKey; readonly hpke: Bytes }

export async function vaultKeys(suite: number, master: Bytes, vault: string, epoch: number): Promise<VaultKeys> {
  const { kem } = hpkeSuite(suite);
  const ikm = expandKey(master, encode(["staunch/kr1/vault-hpke", vault, epoch]), 64);
  if (suite === 2) {
    const pair = await kem.deriveKeyPair(ikm.buffer);
    return { secret: pair.privateKey, hpke: new Uint8Array(await kem.serializePublicKey(pair.publicKey)) };
  }
  // draft-ietf-hpke-pq, Section 4: LabeledDerive with SHAKE256, to the seed of X-Wing.
  const label = utf8("DeriveKeyPair");
  const seed = shake256(concat(ikm, utf8("HPKE-v1KEM"), Uint8Array.of(0x64, 0x7a, 0, label.length), label, Uint8Array.of(0, 32)), { dkLen: 32 });
  const xwing = new XWing();
  const secret = await xwing.deserializePrivateKey(new Uint8Array(seed).buffer);
  const pair = await xwing.generateKeyPairDerand(new Uint8Array(seed));
  return { secret, hpke: new Uint8Array(await xwing.serializePublicKey(pair.publicKey)) };
}
