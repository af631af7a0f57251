import type { Commands } from "./phone.js";
import { tour } from "./tour.js";

const text = (args: Readonly<Record<string, string>>, name: string): string => args[name] ?? "";

/** Commands of accounts. */
export const account: Commands = {
  enroll: ({ phone, args }) => phone.enroll({ name: text(args, "name") }),
  join: ({ phone, args, say }) => phone.join({ name: text(args, "name") }, say),
  approve: async ({ phone, args, say }) => {
    const applicant = await phone.readJoin(text(args, "code"));
    await phone.approveJoin(applicant, text(args, "number"), (shown) => say({ shown }));
    return applicant;
  },
  status: async ({ phone }) => phone.status(),
  devices: async ({ phone }) => ({ devices: (await phone.devices()).map((d) => ({ device: d.device, name: d.name, this: d.this })) }),
  signIn: async ({ phone }) => {
    await phone.signIn();
    return phone.state;
  },
  reattest: async ({ phone, say }) => {
    await phone.reattest((shown) => say({ shown }));
    return { key: phone.state.key, next: phone.state.next?.key ?? "" };
  },
  tour,
  leave: async ({ phone }) => {
    await phone.leave();
    return phone.state;
  },
  veto: async ({ phone, args }) => ({ state: await phone.veto(text(args, "device")) }),
  freeze: ({ phone }) => phone.freeze(),
  unfreeze: ({ phone }) => phone.unfreeze(),
  alerts: async ({ phone }) => ({ alerts: await phone.alerts() }),
};
