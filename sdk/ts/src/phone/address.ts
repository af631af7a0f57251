/** Where a phone's server is, and what it may call itself. */
import { StaunchError } from "./errors.js";

const loopback = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** addressOf is the address of a server without a slash at its end. */
export function addressOf(text: string): string {
  let u: URL;
  try {
    u = new URL(text);
  } catch (cause) {
    throw new StaunchError("OPTIONS", `client: options: url: ${JSON.stringify(text)} is no address of a server; write https://HOST:PORT`, { cause });
  }
  if (!["https:", "http:"].includes(u.protocol) || u.username !== "" || u.password !== "" || u.search !== "" || u.hash !== "" || u.pathname !== "/") {
    throw new StaunchError("OPTIONS", `client: options: url: ${u.protocol}//${u.host} has more or less than https://HOST:PORT`);
  }
  if (u.protocol === "http:" && !loopback.test(u.hostname)) {
    throw new StaunchError("OPTIONS", `client: options: url: the session would go to ${u.host} in the clear; write https://`);
  }
  return u.origin;
}

/** Names are what a phone has for its server: that in its address, and those that the app has compiled in. */
export class Names {
  readonly #own: string;
  readonly #others: readonly string[];

  /** It throws OPTIONS for a host that is none. address: as addressOf gives it. */
  constructor(address: string, hosts: readonly string[] = []) {
    this.#own = new URL(address).hostname;
    this.#others = hosts.map(hostOf);
  }

  /** has says whether a host is one of them. The names of this machine are one. */
  has(host: string): boolean {
    const asked = host.toLowerCase();
    return asked === this.#own || this.#others.includes(asked) || (loopback.test(asked) && loopback.test(this.#own));
  }
}

/** hostOf is a name of the server as it is compared. */
function hostOf(host: string): string {
  if (host === "" || /[:/@]/.test(host)) {
    throw new StaunchError("OPTIONS", `client: options: hosts: ${JSON.stringify(host)} is no name of a host; write it without scheme and port, such as accounts.example.org`);
  }
  return host.toLowerCase();
}
