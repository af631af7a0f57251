import { base64, base64url, utf8 } from "../src/bytes.js";
import { challengeOf } from "../src/phone/approve.js";
import { type Handler, options } from "./fake.js";

/** renewal answers an approval that has a new freeze code made: "new". */
export function renewal(account: string): Record<string, Handler> {
  const p = { app: "demo", account, approval: "v_x", action: "freeze_code.renew", text: "New code?", nonce: new Uint8Array(32), expires: 1n };
  return {
    ProposeAction: async () => ({
      approval: { approval: p.approval, account, action: p.action, params: "{}", text: p.text },
      preimage: { ...p, params: base64(utf8("{}")), nonce: base64(p.nonce), expires: "1" },
      ceremony: "y", options: options(base64url(await challengeOf({ ...p, params: utf8("{}") }))),
    }),
    ConfirmAction: () => ({ result: '{"freeze_code":"new"}' }),
  };
}
