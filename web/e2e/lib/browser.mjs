// A browser with a virtual authenticator (CDP domain WebAuthn), which watches
// for what no page may do: an error in the console, a report of the Content
// Security Policy, a request to another origin, a secret in a request's body.

import assert from "node:assert/strict";
import { after } from "node:test";
import { chromium } from "playwright-core";

export const url = process.env.STAUNCH_URL;

const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

let shared;

// launch starts a browser with an empty profile.
const launch = (args = []) => chromium.launch({ executablePath: process.env.STAUNCH_CHROMIUM, headless: true, args: [...flags, ...args] });

after(async () => (await shared)?.close());

// open gives a test a browser of its own: a window whose cookies and passkeys
// nobody else has. With args it is a process of its own.
export async function open(t, { args, origins = [url], ...options } = {}) {
  const browser = args ? await launch(args) : await (shared ??= launch());
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(20_000);
  const b = new Browser(context, await context.newPage(), origins);
  t.after(async () => {
    await (args ? browser : context).close();
    assert.deepEqual(b.faults, [], "nothing went wrong on the side");
  });
  await b.watch();
  return b;
}

class Browser {
  faults = [];
  bodies = [];
  expected = []; // patterns of console errors that a test provokes

  constructor(context, page, origins) {
    this.context = context;
    this.page = page;
    this.origins = origins;
  }

  async watch() {
    const { page } = this;
    page.on("console", (m) => {
      if (!["error", "warning"].includes(m.type())) return;
      if (!this.expected.some((p) => p.test(m.text()))) this.faults.push(`${m.type()}: ${m.text()}`);
    });
    page.on("pageerror", (e) => this.faults.push(`uncaught: ${e.message}`));
    page.on("request", (r) => {
      if (r.postData()) this.bodies.push({ path: new URL(r.url()).pathname, body: r.postData() });
      if (/^https?:/.test(r.url()) && !this.ours(r.url())) this.faults.push(`request to ${r.url()}`);
    });
    this.cdp = await this.context.newCDPSession(page);
    await this.cdp.send("WebAuthn.enable");
  }

  ours(address) {
    return this.origins.includes(new URL(address).origin);
  }

  // authenticator adds one; it always verifies its user, and its passkeys stay
  // on it, unless options say otherwise.
  async authenticator(options = {}) {
    const { authenticatorId } = await this.cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true,
        isUserVerified: true, automaticPresenceSimulation: true, hasPrf: true, ...options,
      },
    });
    return new Authenticator(this.cdp, authenticatorId);
  }

  async signUp() {
    const { page } = this;
    await page.goto(`${url}/signup`);
    await page.click("#go");
    await page.waitForSelector("#done:not([hidden])");
    const code = await page.textContent("#code");
    await page.click("#next");
    await page.waitForURL(`${url}/account`);
    return code;
  }

  // account is the account's id, from what an approval is made of.
  async account() {
    return this.page.evaluate(async () => {
      const r = await fetch("/account/propose", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ action: "freeze_code.renew" }) });
      return (await r.json()).account;
    });
  }

  // agree says yes to the page's question, if it has one: it comes when it comes,
  // or what the page has to say without one.
  async agree(otherwise) {
    await this.page.waitForFunction((p) => document.querySelector("#ask[open]") || new RegExp(p).test(document.body.textContent), otherwise.source);
    if (await this.page.isVisible("#ask-yes")) await this.page.click("#ask-yes");
  }

  // said is what the page tells after a change.
  async said(pattern) {
    await this.page.waitForFunction((p) => new RegExp(p).test(document.getElementById("status")?.textContent ?? ""), pattern.source);
  }
}

class Authenticator {
  constructor(cdp, id) {
    this.cdp = cdp;
    this.id = id;
  }
  send(method, more = {}) {
    return this.cdp.send(`WebAuthn.${method}`, { authenticatorId: this.id, ...more });
  }
  async credentials() {
    return (await this.send("getCredentials")).credentials;
  }
  // present is whether the person touches it.
  present(enabled) {
    return this.send("setAutomaticPresenceSimulation", { enabled });
  }
  verified(isUserVerified) {
    return this.send("setUserVerified", { isUserVerified });
  }
}

// control acts behind the pages' back.
export async function control(path) {
  const r = await fetch(process.env.STAUNCH_CONTROL + path, { method: "POST" });
  const text = await r.text();
  assert.equal(r.status, 200, `${path}: ${text}`);
  return text ? JSON.parse(text) : {};
}
