// What another WebAuthn library says of passkey's test cases. It reads one JSON
// object a line on standard input and answers each with one on standard output:
//
//	{"name", "kind": "create" | "get", "response": TEXT, "challenge", "origin",
//	 "rpId", "algorithms": [NUMBER], "roots": [PEM],
//	 "userVerification": BOOLEAN, "topOrigin": TEXT or not there,
//	 "credential": {"id", "publicKey", "counter"}}         bytes in base64url
//	{"name", "accept": BOOLEAN, "why": TEXT}
//
// The other settings are those of passkey: one origin, one RP ID, user presence
// required.
import { createInterface } from 'node:readline';
import {
  SettingsService,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';

async function verify(c) {
  const common = {
    response: JSON.parse(c.response),
    expectedChallenge: c.challenge,
    expectedOrigin: c.origin,
    expectedRPID: c.rpId,
    requireUserVerification: c.userVerification,
  };
  if (c.kind === 'create') {
    for (const identifier of ['packed', 'fido-u2f', 'tpm', 'android-key', 'apple']) {
      SettingsService.setRootCertificates({ identifier, certificates: c.roots ?? [] });
    }
    const { verified } = await verifyRegistrationResponse({
      ...common,
      requireUserPresence: true,
      supportedAlgorithmIDs: c.algorithms,
    });
    return verified;
  }
  const { verified } = await verifyAuthenticationResponse({
    ...common,
    expectedTopOrigin: c.topOrigin,
    credential: {
      id: c.credential.id,
      publicKey: new Uint8Array(Buffer.from(c.credential.publicKey, 'base64url')),
      counter: c.credential.counter,
    },
  });
  return verified;
}

for await (const line of createInterface({ input: process.stdin })) {
  const c = JSON.parse(line);
  let accept = false;
  let why = '';
  try {
    accept = await verify(c);
    if (!accept) why = 'the signature does not verify';
  } catch (e) {
    why = String(e?.message ?? e).slice(0, 300);
  }
  process.stdout.write(JSON.stringify({ name: c.name, accept, why }) + '\n');
}
