// Pictures for the history: landscapes that the page paints by itself, so that
// none has to be fetched and each looks different. The same number gives the same
// picture.

/** dice is a small generator of numbers from 0 to 1 for looks, and for nothing else (mulberry32). */
export function dice(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const width = 480; // of the drawing
const height = 360;
const scale = 2; // pixels for each unit of it

// Skies, from the top down, and the colour of the nearest hills.
const palettes: readonly (readonly [string, string, string, string])[] = [
  ["#264a8a", "#7aa7d9", "#f7d9b8", "#1f3b4d"],
  ["#3c2a5e", "#c2577a", "#ffb27d", "#2a1c3b"],
  ["#5aa9e6", "#a9d6f5", "#eef7f4", "#2f6b4f"],
  ["#0f2038", "#29507a", "#6f8fae", "#0b1622"],
  ["#f2a65a", "#f6cf8b", "#fdf1d6", "#7a4a2b"],
  ["#2a6f7f", "#76b7a9", "#e3efcf", "#17403f"],
];

/** paint draws picture number n as a JPEG file. */
export async function paint(n: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(scale * width, scale * height);
  const c = canvas.getContext("2d");
  if (c === null) {
    throw new Error("demo: this browser draws no pictures (no canvas)");
  }
  c.scale(scale, scale);
  const roll = dice(n * 7919 + 17);
  const [top, middle, low, hills] = palettes[n % palettes.length] ?? palettes[0]!;
  sky(c, roll, top, middle, low);
  for (let layer = 0; layer < 4; layer++) {
    ridge(c, roll, layer, low, hills);
  }
  (n % 3 === 0 ? water : n % 3 === 1 ? trees : town)(c, roll, hills, low);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.82 });
}

type Canvas = OffscreenCanvasRenderingContext2D;

/** mix is one colour with another; share is how much there is of the first. Both are # and six digits. */
function mix(a: string, b: string, share: number): string {
  const channel = (at: number) => Math.round(parseInt(a.slice(at, at + 2), 16) * share + parseInt(b.slice(at, at + 2), 16) * (1 - share));
  return `rgb(${channel(1)} ${channel(3)} ${channel(5)})`;
}

function sky(c: Canvas, roll: () => number, top: string, middle: string, low: string): void {
  const g = c.createLinearGradient(0, 0, 0, height * 0.75);
  g.addColorStop(0, top);
  g.addColorStop(0.6, middle);
  g.addColorStop(1, low);
  c.fillStyle = g;
  c.fillRect(0, 0, width, height);
  const x = width * (0.2 + 0.6 * roll());
  const y = height * (0.2 + 0.25 * roll());
  const r = 22 + 16 * roll();
  const glow = c.createRadialGradient(x, y, r * 0.6, x, y, r * 5);
  glow.addColorStop(0, "rgb(255 246 220 / 75%)");
  glow.addColorStop(1, "rgb(255 246 220 / 0%)");
  c.fillStyle = glow;
  c.fillRect(0, 0, width, height);
  c.fillStyle = "#fff4d8";
  c.beginPath();
  c.arc(x, y, r, 0, 2 * Math.PI);
  c.fill();
}

/** ridge is a range of hills; the farther, the paler. */
function ridge(c: Canvas, roll: () => number, layer: number, far: string, near: string): void {
  const base = height * (0.5 + 0.1 * layer);
  const waves = [0, 1, 2].map((i) => ({ f: (i + 1) * (1.2 + roll()), p: roll() * 7, a: (40 - layer * 6) / (i * 1.8 + 1) }));
  c.beginPath();
  c.moveTo(0, height);
  for (let x = 0; x <= width; x += 4) {
    const y = waves.reduce((y, w) => y - w.a * Math.sin(w.p + (x / width) * w.f * 3.1), base);
    c.lineTo(x, y);
  }
  c.lineTo(width, height);
  c.fillStyle = mix(near, far, 0.25 + layer * 0.25);
  c.fill();
}

function water(c: Canvas, roll: () => number, near: string, low: string): void {
  const y = height * 0.8;
  c.fillStyle = mix(low, "#3f7fa8", 0.55);
  c.fillRect(0, y, width, height - y);
  c.strokeStyle = "rgb(255 255 255 / 45%)";
  for (let i = 0; i < 26; i++) {
    const x = roll() * width;
    const at = y + 4 + roll() * (height - y);
    c.beginPath();
    c.moveTo(x, at);
    c.lineTo(x + 12 + roll() * 30, at);
    c.stroke();
  }
  const x = width * (0.25 + 0.5 * roll());
  c.fillStyle = near;
  c.fillRect(x - 18, y + 18, 36, 6);
  c.fillStyle = "#fdfaf2";
  c.beginPath();
  c.moveTo(x, y + 16);
  c.lineTo(x, y - 34);
  c.lineTo(x + 24, y + 16);
  c.fill();
}

function trees(c: Canvas, roll: () => number, near: string): void {
  for (let i = 0; i < 12; i++) {
    const x = roll() * width;
    const size = 26 + roll() * 46;
    const y = height - roll() * 20;
    c.fillStyle = mix(near, "#000000", 0.7 + roll() * 0.3);
    for (let k = 0; k < 3; k++) {
      c.beginPath();
      c.moveTo(x, y - size * (1 + k * 0.35));
      c.lineTo(x - size * (0.42 - k * 0.09), y - size * k * 0.38);
      c.lineTo(x + size * (0.42 - k * 0.09), y - size * k * 0.38);
      c.fill();
    }
  }
}

function town(c: Canvas, roll: () => number, near: string): void {
  for (let x = -10; x < width; ) {
    const w = 26 + roll() * 44;
    const tall = 40 + roll() * 110;
    c.fillStyle = mix(near, "#1a1f2b", 0.6 + roll() * 0.4);
    c.fillRect(x, height - tall, w, tall);
    c.fillStyle = "rgb(255 224 150 / 85%)";
    for (let wy = height - tall + 8; wy < height - 8; wy += 14) {
      for (let wx = x + 6; wx < x + w - 8; wx += 11) {
        if (roll() > 0.55) {
          c.fillRect(wx, wy, 5, 7);
        }
      }
    }
    x += w + roll() * 10;
  }
}
