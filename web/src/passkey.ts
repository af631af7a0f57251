// WebAuthn as the pages need it: options and answers as JSON, with a fallback
// for browsers that cannot convert them, signals, and no PRF result in any
// answer. Capabilities are asked for; no browser is told by its name.

type JSONObject = Record<string, any>;

export interface Ceremony {
  ceremony: string;
  options: JSONObject;
}

// Signals are the arguments of the signal calls, as the server made them.
export interface Signals {
  allAccepted?: object;
  currentUser?: object;
}

const api = (): any => window.PublicKeyCredential;

export const supported = (): boolean => typeof api() === "function" && !!navigator.credentials;

// canFill: the browser offers passkeys in a text field (WebAuthn L3 §5.1.7).
export async function canFill(): Promise<boolean> {
  try {
    const c = await api().getClientCapabilities?.();
    if (c && "conditionalGet" in c) return c.conditionalGet;
    return (await api().isConditionalMediationAvailable?.()) === true;
  } catch {
    return false;
  }
}

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

export function base64url(data: ArrayBuffer | Uint8Array): string {
  const raw = Array.from(new Uint8Array(data), (b) => String.fromCharCode(b)).join("");
  return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

const descriptors = (list: JSONObject[] = []) => list.map((d) => ({ ...d, id: bytes(d.id) }));

// PRF inputs are the only extension inputs of ours with bytes in them.
function extensions(e: JSONObject | undefined): JSONObject | undefined {
  const prf = e?.prf?.eval;
  if (!prf) return e;
  const evaluate: JSONObject = {};
  for (const k of ["first", "second"]) if (prf[k]) evaluate[k] = bytes(prf[k]);
  return { ...e, prf: { ...e!.prf, eval: evaluate } };
}

function requestOptions(o: JSONObject): PublicKeyCredentialRequestOptions {
  if (api().parseRequestOptionsFromJSON) return api().parseRequestOptionsFromJSON(o);
  return { ...o, challenge: bytes(o.challenge), allowCredentials: descriptors(o.allowCredentials), extensions: extensions(o.extensions) } as any;
}

function creationOptions(o: JSONObject): PublicKeyCredentialCreationOptions {
  if (api().parseCreationOptionsFromJSON) return api().parseCreationOptionsFromJSON(o);
  return {
    ...o,
    challenge: bytes(o.challenge),
    user: { ...o.user, id: bytes(o.user.id) },
    excludeCredentials: descriptors(o.excludeCredentials),
    extensions: extensions(o.extensions),
  } as any;
}

// answer is the credential's toJSON() form. PRF results are secrets of the
// client and are taken out; the server refuses an answer that has them.
function answer(c: any): JSONObject {
  const out = plain(c);
  const prf = out.clientExtensionResults?.prf;
  if (prf) delete prf.results;
  return out;
}

function plain(c: any): JSONObject {
  if (c.toJSON) return JSON.parse(JSON.stringify(c.toJSON()));
  const r = c.response;
  const response: JSONObject = {};
  for (const k of ["clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject"]) {
    if (r[k]) response[k] = base64url(r[k]);
  }
  if (r.getTransports) response.transports = r.getTransports();
  const e = c.getClientExtensionResults();
  const clientExtensionResults: JSONObject = {};
  if (e.credProps) clientExtensionResults.credProps = e.credProps;
  if (e.prf && "enabled" in e.prf) clientExtensionResults.prf = { enabled: e.prf.enabled };
  const out: JSONObject = { id: c.id, rawId: c.id, type: c.type, response, clientExtensionResults };
  if (c.authenticatorAttachment) out.authenticatorAttachment = c.authenticatorAttachment;
  return out;
}

export async function get(o: JSONObject, rest: { mediation?: "conditional"; signal?: AbortSignal } = {}): Promise<JSONObject> {
  return answer(await navigator.credentials.get({ ...rest, publicKey: requestOptions(o) } as CredentialRequestOptions));
}

export async function create(o: JSONObject): Promise<JSONObject> {
  return answer(await navigator.credentials.create({ publicKey: creationOptions(o) }));
}

// gaveUp: the person closed the dialog, or the page stopped waiting. Neither is
// worth a word (WebAuthn L3 §14.5: a browser does not tell which it was).
export function gaveUp(e: unknown): boolean {
  return e instanceof DOMException && (e.name === "NotAllowedError" || e.name === "AbortError");
}

// words are for the errors of the browser that a person can do something about.
export function words(e: unknown): string {
  if (e instanceof DOMException) {
    if (e.name === "InvalidStateError") return "That device already has a passkey for this account.";
    if (e.name === "SecurityError") return "This page is not at the address that passkeys are made for.";
    return "Your device could not do that. Try again, or use another passkey.";
  }
  return e instanceof Error ? e.message : String(e);
}

const quietly = async (call: string, argument: object): Promise<void> => {
  try {
    await api()[call]?.(argument);
  } catch {
    // A browser that cannot take it keeps showing the old list: no harm.
  }
};

// signal tells the browser which passkeys still count and what the account is
// called (WebAuthn L3 §5.1.10).
export async function signal(s: Signals | undefined, renamed = false): Promise<void> {
  if (!s || !supported()) return;
  if (s.allAccepted) await quietly("signalAllAcceptedCredentials", s.allAccepted);
  if (renamed && s.currentUser) await quietly("signalCurrentUserDetails", s.currentUser);
}

// signalUnknown makes the browser delete a passkey for good. Only the answer
// PASSKEY_UNKNOWN allows it.
export const signalUnknown = (rpId: string, credentialId: string) => quietly("signalUnknownCredential", { rpId, credentialId });
