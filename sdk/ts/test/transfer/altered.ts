import type { Bytes } from "../../src/bytes.js";

/**
 * altered gives bytes that are near good ones, the same ones in each run: with a byte changed,
 * taken out, put in or doubled, cut short, and with a part of another put in.
 */
export function* altered(good: readonly Bytes[], count: number): Generator<Bytes> {
  let seed = 1;
  const random = (below: number): number => {
    seed = seed * 48271 % 0x7fff_ffff;
    return seed % Math.max(1, below);
  };
  for (let i = 0; i < count; i++) {
    const b = [...good[random(good.length)] as Bytes];
    for (let times = 1 + random(3); times > 0; times--) {
      const at = random(b.length);
      switch (random(6)) {
        case 0:
          b[at] = random(256);
          break;
        case 1:
          b.splice(at, 1 + random(4));
          break;
        case 2:
          b.splice(at, 0, random(256));
          break;
        case 3:
          b.splice(at, 0, ...b.slice(at, at + 16));
          break;
        case 4:
          b.length = at;
          break;
        default: {
          const other = good[random(good.length)] as Bytes;
          b.splice(at, 8, ...other.subarray(random(other.length)).subarray(0, 8));
        }
      }
    }
    yield Uint8Array.from(b);
  }
}
