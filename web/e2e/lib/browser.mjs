// A browser with a virtual authenticator (CDP domain WebAuthn), which watches
// for what no page may do: an error in the console, a report of the Content
// Security Policy, a request to another origin, a secret in a request's body.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const url = process.env.STAUNCH_URL;

const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

// open starts a browser of its own, with an empty profile.
export async function open(t, { args = [], ...options } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "staunch-e2e-"));
  const context = await chromium.launchPersistentContext(dir, {
    executablePath: process.env.STAUNCH_CHROMIUM, headless: true, args: [...flags, ...args], viewport: { width: 1280, height: 800 }, ...options,
  });
  t.after(async () => {
    await context.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const b = new Browser(context, context.pages()[0]);
  await b.watch();
  t.after(() => assert.deepEqual(b.faults, [], "nothing went wrong on the side"));
  return b;
}

class Browser {
  faults = [];
  bodies = [];
  expected = []; // patterns of console errors that a test provokes

  constructor(context, page) {
    this.context = context;
    this.page = page;
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
    return new URL(address).origin === new URL(url).origin;
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
