/**
 * The structures of the transfer protocol, each described once for both directions: as
 * values of TypeScript and as values of CBOR. What is not described is refused, so that
 * what decodes encodes to the same bytes.
 */
import { type Bytes, copy, utf8 } from "../bytes.js";
import { MalformedError, type Value } from "../cbor.js";

/** Shape is one structure. Both ways throw a MalformedError for what is out of bounds. */
export interface Shape<T> {
  write(value: T): Value;
  read(value: Value): T;
}

/** both is a shape whose values are the same in both directions once they are checked. */
function both<T extends Value>(check: (value: unknown) => T): Shape<T> {
  return { write: check, read: check };
}

/** octets are min to max bytes. */
export function octets(min: number, max: number): Shape<Bytes> {
  return both((value) => {
    if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
      throw new MalformedError(`${min} to ${max} bytes are wanted${value instanceof Uint8Array ? `, and these are ${value.length}` : ""}`);
    }
    return copy(value);
  });
}

/** text is min to max bytes of UTF-8. */
export function text(min: number, max: number): Shape<string> {
  return both((value) => {
    if (typeof value !== "string" || !wellFormed(value)) {
      throw new MalformedError("text is wanted, in UTF-8");
    }
    const length = utf8(value).length;
    if (length < min || length > max) {
      throw new MalformedError(`a text of ${min} to ${max} bytes is wanted, and this has ${length}`);
    }
    return value;
  });
}

/** wellFormed reports whether text has a form in UTF-8: no half of a surrogate pair stands alone. */
export function wellFormed(value: string): boolean {
  return !/\p{Surrogate}/u.test(value);
}

/** choice is one of some texts. */
export function choice<const T extends string>(...all: readonly T[]): Shape<T> {
  return both((value) => {
    const found = all.find((a) => a === value);
    if (found === undefined) {
      throw new MalformedError(`one of ${all.join(", ")} is wanted`);
    }
    return found;
  });
}

/** whole is a whole number from 0 to max. Beyond 2^53, where a number is not exact, it is refused. */
export function whole(max = Number.MAX_SAFE_INTEGER): Shape<number> {
  return both((value) => {
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max) {
      throw new MalformedError(`a whole number from 0 to ${max} is wanted`);
    }
    return value;
  });
}

/** long is a whole number from 0 to 2^63 - 1: a bigint where a number is not exact. */
export const long: Shape<number | bigint> = both((value) => {
  if (typeof value === "bigint" && value >= 0n && value < 1n << 63n || typeof value === "number" && Number.isSafeInteger(value) && value >= 0) {
    return value as number | bigint;
  }
  throw new MalformedError("a whole number below 2^63 is wanted");
});

/** constant is this one value. */
export function constant<const T extends number | string>(want: T): Shape<T> {
  return both((value) => {
    if (value !== want) {
      throw new MalformedError(`${want} is wanted`);
    }
    return want;
  });
}

/** flag is true or false. */
export const flag: Shape<boolean> = both((value) => {
  if (typeof value !== "boolean") {
    throw new MalformedError("true or false is wanted");
  }
  return value;
});

/** list is min to max of one shape. */
export function list<T>(shape: Shape<T>, min: number, max: number): Shape<readonly T[]> {
  const check = (value: unknown): readonly unknown[] => {
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      throw new MalformedError(`a list of ${min} to ${max} is wanted`);
    }
    return value as readonly unknown[];
  };
  return {
    write: (value) => (check(value) as readonly T[]).map((v) => shape.write(v)),
    read: (value) => (check(value) as readonly Value[]).map((v) => shape.read(v)),
  };
}

/** orNull is one shape, or nothing. */
export function orNull<T>(shape: Shape<T>): Shape<T | undefined> {
  return {
    write: (value) => value === undefined ? null : shape.write(value),
    read: (value) => value === null ? undefined : shape.read(value),
  };
}

/** Field is a member of a structure: its number, its name, its shape, and whether it may be missing. */
type Field<T> = { [K in keyof T & string]-?: readonly [number, K, Shape<Exclude<T[K], undefined>>, "optional"?] }[keyof T & string];

/** struct is a map with these members and no others. */
export function struct<T extends object>(...fields: readonly Field<T>[]): Shape<T> {
  return {
    write(value) {
      const map = new Map<number, Value>();
      for (const [key, name, shape, optional] of fields) {
        const member = value[name as keyof T];
        if (member === undefined && optional !== undefined) {
          continue;
        }
        map.set(key, within(name, () => (shape as Shape<unknown>).write(member)));
      }
      return map;
    },
    read(value) {
      if (!(value instanceof Map)) {
        throw new MalformedError("a map is wanted");
      }
      const out: Record<string, unknown> = {};
      let known = 0;
      for (const [key, name, shape, optional] of fields) {
        const member = value.get(key) as Value | undefined;
        if (member === undefined && optional !== undefined) {
          continue;
        }
        if (member === undefined) {
          throw new MalformedError(`${name} is missing`);
        }
        out[name] = within(name, () => (shape as Shape<unknown>).read(member));
        known++;
      }
      if (value.size !== known) {
        throw new MalformedError("members that nobody knows");
      }
      return out as T;
    },
  };
}

/** Member is one of an array's: its name and its shape. */
type Member<T> = { [K in keyof T & string]-?: readonly [K, Shape<T[K]>] }[keyof T & string];

/** tuple is an array with these members. */
export function tuple<T extends object>(...members: readonly Member<T>[]): Shape<T> {
  return {
    write: (value) => members.map(([name, shape]) => within(name, () => (shape as Shape<unknown>).write(value[name]))),
    read(value) {
      if (!Array.isArray(value) || value.length !== members.length) {
        throw new MalformedError(`an array of ${members.length} is wanted`);
      }
      const all = value as readonly Value[];
      return Object.fromEntries(members.map(([name, shape], i) =>
        [name, within(name, () => (shape as Shape<unknown>).read(all[i] as Value))])) as T;
    },
  };
}

/** within says in which member something is wrong. */
function within<T>(name: string, fn: () => T): T {
  try {
    return fn();
  } catch (e) {
    throw e instanceof MalformedError ? new MalformedError(`${name}: ${e.message}`, { cause: e }) : e;
  }
}
