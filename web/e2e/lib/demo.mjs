// What the tests of /demo do on the page, and whether all of it can be seen.

import assert from "node:assert/strict";
import { url } from "./browser.mjs";

// ready opens the page.
export async function ready(b) {
  await b.page.goto(`${url}/demo`);
  await b.page.waitForSelector("body[data-ready]");
}

// again loads it anew.
export async function again(b) {
  await b.page.reload();
  await b.page.waitForSelector("body[data-ready]");
}

export const guide = (b) => b.page.click("[data-act=guide]");
export const shows = (b, phone, screen) => b.page.waitForSelector(`#${phone} [data-screen="${screen}"]`, { timeout: 60_000 });
export const fingerprint = (b, phone) => b.page.getAttribute(`#${phone} [data-fingerprint]`, "data-fingerprint");

export async function type(b, phone, digits) {
  await b.page.fill(`#${phone} .pin`, digits);
  await b.page.click(`#${phone} [data-act=pin-yes]`);
}

// setUp makes Marie's account on the blue phone.
export async function setUp(b) {
  await ready(b);
  await guide(b);
  await shows(b, "blue", "Chats");
}

// trouble is why something did not go, as a phone says it.
export async function trouble(b, phone) {
  await b.page.waitForSelector(`#${phone} .trouble[data-shown]`, { timeout: 60_000 });
  return b.page.textContent(`#${phone} .trouble p`);
}

// forget takes something out of what the page keeps of the story, as if it had been
// loaded anew before that was written.
export async function forget(b, name) {
  await b.page.evaluate((name) => new Promise((resolve, reject) => {
    const open = indexedDB.open("staunch-demo-page");
    open.onerror = () => reject(open.error);
    open.onsuccess = () => {
      const db = open.result;
      const tx = db.transaction(db.objectStoreNames[0], "readwrite");
      const table = tx.objectStore(db.objectStoreNames[0]);
      const got = table.get("story");
      got.onsuccess = () => {
        const story = got.result;
        delete story[name];
        table.put(story, "story");
      };
      tx.oncomplete = () => {
        db.close();
        resolve();
      };
      tx.onerror = () => reject(tx.error);
    };
  }), name);
}

// Windows as small as a laptop's.
const windows = [[1024, 768], [1280, 720], [1366, 768]];

// fits fails if something of a phone is below the edge of its screen, under the
// trail or beside the window.
export async function fits(b, name) {
  const { page } = b;
  const before = page.viewportSize();
  const from = await page.evaluate(() => [scrollX, scrollY]);
  for (const [width, height] of windows) {
    await page.setViewportSize({ width, height });
    const faults = await page.evaluate(async () => {
      scrollTo(0, 0);
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      const box = (selector) => document.querySelector(selector).getBoundingClientRect();
      const out = [];
      const open = document.querySelector("#trail[data-open]") !== null; // it was asked to be on top
      for (const id of ["blue", "coral"]) {
        const content = document.querySelector(`#${id} .content`);
        const scrolls = content.querySelector(".scroll") !== null; // chats, and what the owner can do
        const over = content.scrollHeight - content.clientHeight;
        if (over > 0 && !scrolls) out.push(`${id}: "${content.dataset.screen}" is ${over} px higher than the screen`);
        if (!open && box(`#${id} .beneath`).bottom > box("#trail").top) out.push(`${id} ends under the trail`);
        if (box("#guide").bottom > box(`#${id} .device`).top) out.push(`${id} begins under the guide`);
      }
      if (document.documentElement.scrollWidth > innerWidth) out.push("the page is wider than the window");
      return out;
    });
    assert.deepEqual(faults, [], `${name}, ${width} by ${height}`);
  }
  await page.setViewportSize(before);
  await page.evaluate(([x, y]) => scrollTo(x, y), from);
}
