// A browser of the account looks on while the account moves from one phone to
// another: `staunch phone transfer`, in two processes, over a server of their own.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";
import { promisify } from "node:util";
import { open, url } from "./lib/browser.mjs";

const { STAUNCH_API: api, STAUNCH_BIN: bin, STAUNCH_HOMES: homes, STAUNCH_SCREENSHOTS: out } = process.env;
const home = (name) => join(homes, name);

// phone runs a command that ends by itself, and gives what it prints last.
async function phone(...args) {
  const { stdout } = await promisify(execFile)(bin, ["phone", ...args, "--json"]);
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

// Running is one half of a move.
class Running {
  events = [];
  #heard = [];

  constructor(t, proximity, ...args) {
    this.process = spawn(bin, ["phone", "transfer", ...args, "--json"], { env: { ...process.env, STAUNCH_PHONE_PROXIMITY: proximity }, stdio: ["pipe", "pipe", "inherit"] });
    t.after(() => this.process.kill());
    createInterface({ input: this.process.stdout }).on("line", (line) => {
      this.events.push(JSON.parse(line));
      for (const look of this.#heard) look();
    });
    this.ended = new Promise((resolve) => this.process.on("close", (code) => resolve({ code, ...this.events.at(-1) })));
  }

  // event waits for one of a name; it may have come already.
  event(name) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const e = this.events.find((e) => e.event === name);
        if (e) resolve(e);
      };
      this.#heard.push(look);
      this.ended.then((last) => reject(new Error(`no ${name}: ${JSON.stringify(last)}`)));
      look();
    });
  }

  say(line) {
    this.process.stdin.write(line + "\n");
  }
}

// move starts both halves, and types the number.
async function move(t, proximity, from, to) {
  const n = new Running(t, proximity, "receive", "--server", api, "--home", home(to));
  const { uri } = await n.event("offer");
  const c = new Running(t, proximity, "send", "--home", home(from), "--scan", uri, "--yes");
  n.say((await c.event("number")).number);
  return { n, c };
}

// joined is a browser that the phone has let in.
async function joined(t, from) {
  const b = await open(t);
  await b.authenticator();
  await b.page.goto(`${url}/join`);
  await b.page.click("#go");
  await b.page.waitForSelector("#wait:not([hidden])");
  await phone("approve", "--home", home(from), "--code", await b.page.textContent("#code"), "--number", await b.page.textContent("#number"));
  await b.page.waitForSelector("#make:not([hidden])");
  await b.page.click("#create");
  await b.page.waitForURL(`${url}/account`);
  return b;
}

async function owner(t, name) {
  await phone("enroll", "--server", api, "--home", home(name), "--name", "Old Pixel");
  mkdirSync(join(home(name), "history"), { recursive: true });
  writeFileSync(join(home(name), "history", "note.txt"), "note\n");
  return joined(t, name);
}

// pictures are taken when asked for, in both widths and shades.
async function pictures(b, name) {
  if (!out) return;
  const { page } = b;
  for (const scheme of ["light", "dark"]) {
    for (const [size, width, height] of [["desktop", 1280, 800], ["phone", 390, 844]]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height });
      await page.reload();
      await page.waitForTimeout(250);
      await page.screenshot({ path: `${out}/${name}-${size}-${scheme}.png`, fullPage: true });
    }
  }
}

const notice = (b) => b.page.locator("section[data-move]");

test("a move that is held is seen in a browser, and cancelled there", async (t) => {
  const b = await owner(t, "old1");
  const { n, c } = await move(t, "none", "old1", "new1");
  await b.said(/is about to move to a new phone/); // the open page hears of it
  const { until } = await n.event("held");
  assert.ok(Date.parse(until) > Date.now());

  for (const path of ["/account", "/account/devices", "/account/passkeys", "/account/alerts"]) {
    await b.page.goto(url + path);
    const text = await notice(b).textContent();
    assert.match(text, /A move to a new phone is waiting/, path);
    assert.match(text, /did not find each other nearby/);
    assert.match(text, /New phone: \S/);
    assert.match(text, /Seen at 127\.0\.0\.0\/24/);
    assert.match(text, /Opens in/);
  }
  const alerts = await b.page.textContent("#alerts");
  assert.match(alerts, /A move of your account to a new phone has begun/);
  assert.match(alerts, /Nothing can be opened there before/);
  await b.page.goto(`${url}/account`);
  await pictures(b, "move");

  await b.page.click("[data-act=cancel-move]");
  await b.said(/The move is cancelled/);
  assert.equal(await notice(b).count(), 0);
  for (const half of [n, c]) {
    const last = await half.ended;
    assert.deepEqual([last.code, last.event, last.reason], [3, "error", "cancelled_elsewhere"]);
  }
  assert.equal((await phone("transfer", "status", "--home", home("old1"))).signed_in, true);
});

test("after a move the pages say how long the old phone can take the account back", async (t) => {
  const b = await owner(t, "old2");
  const { n, c } = await move(t, "lan", "old2", "new2");
  assert.equal((await n.ended).code, 0);
  assert.equal((await c.ended).code, 0);
  await b.page.goto(`${url}/account`);
  const text = await notice(b).textContent();
  assert.match(text, /Your account has moved to a new phone/);
  assert.match(text, /Old Pixel is signed out. Until then it can take the account back/);
  assert.match(text, /Ends in/);
  assert.equal(await b.page.locator("[data-act=cancel-move]").count(), 0);
  assert.doesNotMatch(await b.page.textContent("main"), /is leaving your account/);
  await pictures(b, "moved");
  await b.page.click("section[data-move] >> text=Your devices");
  await b.page.waitForURL(`${url}/account/devices`);
  assert.match(await b.page.textContent("[aria-labelledby=phones]"), /Old PixelLeaving/);

  await phone("transfer", "recall", "--home", home("old2"), "--yes");
  await b.said(/was taken back to the old phone/);
  await b.page.goto(`${url}/account/alerts`);
  assert.equal(await notice(b).count(), 0);
  const alerts = await b.page.textContent("#alerts");
  assert.match(alerts, /Your account has moved from Old Pixel to a new phone/);
  assert.match(alerts, /was taken back to the old phone/);
});
