/**
 * How a structure of KR-1 stands in CBOR (spec/kr1.md, section 4). Each one is
 * described once, with its bounds, and the same description reads and writes it: so
 * what decodes encodes to the same bytes, and nothing else decodes.
 */
import { decodeFirst } from "cborg";

import { type Bytes, copy, utf8 } from "../bytes.js";
import { decode as decodeValue, encode as encodeValue, MalformedError, type Value } from "../cbor.js";

/** Shape reads a value of CBOR as a T, and writes it. Both throw a MalformedError outside its bounds. */
export interface Shape<T> {
  read(value: Value): T;
  write(it: T): Value;
}

/** Of is what a shape describes: `type Header = Of<typeof header>`. */
export type Of<S> = S extends Shape<infer T> ? T : never;

/** maxStructure is the most that any structure of KR-1 has, in bytes. */
export const maxStructure = 262_144;

/** encode writes a structure. */
export function encode<T>(shape: Shape<T>, it: T): Bytes {
  const out = encodeValue(shape.write(it));
  if (out.length > maxStructure) {
    throw refuse(`${out.length} bytes, more than ${maxStructure}`);
  }
  return out;
}

/** decode reads bytes, the whole of them. */
export function decode<T>(shape: Shape<T>, bytes: Uint8Array): T {
  return shape.read(decodeValue(bytes, maxStructure));
}

/** encodePadded writes a structure and zeros up to size bytes. */
export function encodePadded<T>(shape: Shape<T>, it: T, size: number): Bytes {
  const plain = encode(shape, it);
  if (plain.length > size) {
    throw refuse(`${plain.length} bytes do not fit into ${size}`);
  }
  const out = new Uint8Array(size);
  out.set(plain);
  plain.fill(0);
  return out;
}

/** decodePadded reads a structure of which only zeros follow. */
export function decodePadded<T>(shape: Shape<T>, bytes: Uint8Array): T {
  let rest: Uint8Array;
  try {
    [, rest] = decodeFirst(bytes, { useMaps: true, allowBigInt: true, allowIndefinite: false });
  } catch (cause) {
    throw new MalformedError("recovery: a padded structure that cannot be read", { cause });
  }
  if (rest.some((b) => b !== 0)) {
    throw refuse("something other than zeros after a structure");
  }
  return decode(shape, bytes.subarray(0, bytes.length - rest.length));
}

/** refuse makes the error of what is outside its bounds. */
export function refuse(why: string): MalformedError {
  return new MalformedError(`recovery: ${why}`);
}

/** bytes is a byte string of lo to hi bytes, in memory of its own. */
export function bytes(lo: number, hi = lo): Shape<Bytes> {
  const check = (v: Value): Bytes => {
    if (!(v instanceof Uint8Array) || v.length < lo || v.length > hi) {
      throw refuse(`${hi === lo ? lo : `${lo} to ${hi}`} bytes are wanted`);
    }
    return copy(v);
  };
  return { read: check, write: check };
}

/** text is a text of lo to hi bytes in UTF-8. */
export function text(lo: number, hi: number, pattern?: RegExp): Shape<string> {
  const check = (v: Value): string => {
    if (typeof v !== "string" || /\p{Surrogate}/u.test(v)) {
      throw refuse("a text is wanted");
    }
    const n = utf8(v).length;
    if (n < lo || n > hi || (pattern !== undefined && !pattern.test(v))) {
      throw refuse(`a text of ${lo} to ${hi} bytes${pattern === undefined ? "" : ` like ${pattern.source}`} is wanted`);
    }
    return v;
  };
  return { read: check, write: check };
}

/** uint is a whole number from lo to hi, both below 2^53. */
export function uint(lo: number, hi: number): Shape<number> {
  const check = (v: Value): number => {
    if (typeof v !== "number" || !Number.isSafeInteger(v) || v < lo || v > hi) {
      throw refuse(`a number from ${lo} to ${hi} is wanted`);
    }
    return v;
  };
  return { read: check, write: check };
}

/** big is a whole number from 0 to hi, which may be beyond 2^53. */
export function big(hi: bigint): Shape<bigint> {
  const check = (v: Value): bigint => {
    if ((typeof v !== "number" && typeof v !== "bigint") || BigInt(v) < 0n || BigInt(v) > hi) {
      throw refuse(`a number from 0 to ${hi} is wanted`);
    }
    return BigInt(v);
  };
  return {
    read: check,
    write: (n) => {
      const checked = check(n);
      return checked <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(checked) : checked;
    },
  };
}

/** bool is true or false. */
export const bool: Shape<boolean> = {
  read: (v) => {
    if (typeof v !== "boolean") {
      throw refuse("true or false is wanted");
    }
    return v;
  },
  write: (b) => b,
};

/** orNull is what a shape describes, or null. */
export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return { read: (v) => (v === null ? null : shape.read(v)), write: (it) => (it === null ? null : shape.write(it)) };
}

/** list is an array of lo to hi of the same. */
export function list<T>(shape: Shape<T>, lo: number, hi: number): Shape<T[]> {
  const within = (n: number): void => {
    if (n < lo || n > hi) {
      throw refuse(`${n} of what there are ${lo} to ${hi}`);
    }
  };
  return {
    read: (v) => {
      const all = elements(v);
      within(all.length);
      return all.map((each) => shape.read(each));
    },
    write: (all) => {
      within(all.length);
      return all.map((each) => shape.write(each));
    },
  };
}

/** dict is a map of lo to hi texts, each of up to 64 bytes, to the same. */
export function dict<T>(shape: Shape<T>, keyMost: number, lo: number, hi: number): Shape<Map<string, T>> {
  const key = text(0, keyMost);
  const within = (n: number): void => {
    if (n < lo || n > hi) {
      throw refuse(`a map of ${n}, not of ${lo} to ${hi}`);
    }
  };
  return {
    read: (v) => {
      if (!(v instanceof Map)) {
        throw refuse("a map is wanted");
      }
      within(v.size);
      return new Map([...(v as ReadonlyMap<Value, Value>)].map(([k, one]) => [key.read(k), shape.read(one)]));
    },
    write: (m) => {
      within(m.size);
      return new Map([...m].map(([k, one]) => [key.write(k) as string, shape.write(one)]));
    },
  };
}

/** Fields are the members of a structure, in their order. */
type Fields = Readonly<Record<string, Shape<never>>>;
type Read<F> = { -readonly [K in keyof F]: Of<F[K]> };

/** row is an array: a label if there is one, then the fields in their order. */
export function row<const F extends Record<string, unknown>>(label: string | null, fields: F): Shape<Read<F>> {
  const shapes = Object.entries(fields as unknown as Fields) as unknown as [string, Shape<unknown>][];
  const first = label === null ? 0 : 1;
  return {
    read: (v) => {
      const all = elements(v);
      if (all.length !== shapes.length + first || (label !== null && all[0] !== label)) {
        throw refuse(`an array of ${shapes.length + first}${label === null ? "" : ` that begins with ${label}`} is wanted`);
      }
      return Object.fromEntries(shapes.map(([name, shape], i) => [name, shape.read(all[i + first] as Value)])) as Read<F>;
    },
    write: (it) => {
      const values = shapes.map(([name, shape]) => shape.write((it as Record<string, unknown>)[name]));
      return label === null ? values : [label, ...values];
    },
  };
}

/** Member is a field of a map: its key, its shape, and whether it may be missing. */
interface Member<T, O extends boolean> { readonly key: number; readonly shape: Shape<T>; readonly optional: O }

/** at is a member that is always there. */
export function at<T>(key: number, shape: Shape<T>): Member<T, false> {
  return { key, shape, optional: false };
}

/** maybe is a member that may be missing: undefined. */
export function maybe<T>(key: number, shape: Shape<T>): Member<T, true> {
  return { key, shape, optional: true };
}

type Members<M> = { -readonly [K in keyof M as M[K] extends Member<unknown, true> ? never : K]: M[K] extends { shape: Shape<infer T> } ? T : never } &
  { -readonly [K in keyof M as M[K] extends Member<unknown, true> ? K : never]?: M[K] extends { shape: Shape<infer T> } ? T | undefined : never };

/** map is a map with numbers for keys: those of fixed with their one value, then members. */
export function map<const M extends Record<string, unknown>>(fixed: Readonly<Record<number, number | string>>, members: M): Shape<Members<M>> {
  const all = Object.entries(members) as [string, Member<unknown, boolean>][];
  return {
    read: (v) => {
      if (!(v instanceof Map)) {
        throw refuse("a map is wanted");
      }
      const left = new Map(v as ReadonlyMap<Value, Value>);
      for (const [key, value] of Object.entries(fixed)) {
        if (left.get(Number(key)) !== value) {
          throw refuse(`member ${key} is not ${value}`);
        }
        left.delete(Number(key));
      }
      const out: Record<string, unknown> = {};
      for (const [name, m] of all) {
        if (left.has(m.key)) {
          out[name] = m.shape.read(left.get(m.key) as Value);
          left.delete(m.key);
        } else if (!m.optional) {
          throw refuse(`${name} is missing`);
        }
      }
      if (left.size > 0) {
        throw refuse("a member that this structure does not have");
      }
      return out as Members<M>;
    },
    write: (it) => {
      const out = new Map<number | string, Value>(Object.entries(fixed).map(([k, value]) => [Number(k), value]));
      for (const [name, m] of all) {
        const value = (it as Record<string, unknown>)[name];
        if (value !== undefined || !m.optional) {
          out.set(m.key, m.shape.write(value));
        }
      }
      return out;
    },
  };
}

/** refine is a shape with a bound over several of its members: check says what is wrong. */
export function refine<T>(shape: Shape<T>, check: (it: T) => string | undefined): Shape<T> {
  const checked = (it: T): T => {
    const wrong = check(it);
    if (wrong !== undefined) {
      throw refuse(wrong);
    }
    return it;
  };
  return { read: (v) => checked(shape.read(v)), write: (it) => shape.write(checked(it)) };
}

function elements(v: Value): readonly Value[] {
  if (!Array.isArray(v)) {
    throw refuse("an array is wanted");
  }
  return v as readonly Value[];
}
