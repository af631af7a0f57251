// The code of a move: the new phone draws it, and the old one reads it off the
// drawing. The text in it is for the other phone's eyes alone and goes nowhere
// else (spec/transfer.md, section 3).

import encodeQR from "qr";
import decodeQR from "qr/decode.js";

import { h } from "./dom";

const scale = 6; // pixels a module

/** draw makes a picture of a code. */
export function draw(uri: string): HTMLCanvasElement {
  const modules = encodeQR(uri, "raw", { ecc: "medium", border: 4 });
  const canvas = h("canvas.qr", { width: modules.length * scale, height: modules.length * scale, role: "img", "aria-label": "A code for the other phone to scan" });
  const c = canvas.getContext("2d", { willReadFrequently: true });
  if (c === null) {
    throw new Error("demo: this browser draws no pictures (no canvas)");
  }
  c.fillStyle = "#ffffff";
  c.fillRect(0, 0, canvas.width, canvas.height);
  c.fillStyle = "#000000";
  modules.forEach((line, y) => line.forEach((dark, x) => dark && c.fillRect(x * scale, y * scale, scale, scale)));
  return canvas;
}

/** scan reads a code off a picture, as a camera would. It throws if there is none. */
export function scan(canvas: HTMLCanvasElement): string {
  const image = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height);
  if (image === undefined) {
    throw new Error("demo: there is no picture to scan");
  }
  return decodeQR({ width: image.width, height: image.height, data: image.data });
}
