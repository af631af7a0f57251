/**
 * The exchange that shows one vault that the PIN was right (spec/kr1.md, section 3; the
 * balanced PAKE CPace with explicit key confirmation): the phone's side.
 */
import { type Bytes, utf8 } from "../bytes.js";
import { encode } from "../cbor.js";
import { expandKey, extractKey, mac } from "./derive.js";
import { groupOf } from "./group.js";
import { encode as encodeShape } from "./shape.js";
import { type Release, transcript } from "./wire.js";

/** Exchange is what both sides know before they begin. All of it makes the generator. */
export interface Exchange {
  readonly suite: number;
  readonly prs: Bytes;
  readonly vault: string;
  readonly acct: Bytes;
  readonly reg: Bytes;
  readonly b: Bytes; // the blinded PIN
  readonly e: Bytes; // this vault's evaluation
}

/**
 * prove answers the vault's half ya: a whole release. It throws a MalformedError when
 * that half is no element, or the identity: that vault lies. y: the phone's scalar.
 */
export function prove(x: Exchange, ya: Bytes, y: bigint): Release {
  const g = groupOf(x.suite);
  g.element(ya); // not canonical, or the identity: refused, before anything is made of it
  const yb = g.sum([[y, generator(x)]]);
  return { reg: x.reg, b: x.b, e: x.e, ya, yb, tag: confirm(x, ya, yb, g.sum([[y, ya]])) };
}

/** generator is G_i. */
export function generator(x: Exchange): Bytes {
  return groupOf(x.suite).hashToElement(encode([x.prs, x.vault, x.acct, x.reg, x.b, x.e]), "staunch/kr1/generator");
}

/** confirm is the tag: of the key that z gives, over all that the release says. */
export function confirm(x: Exchange, ya: Bytes, yb: Bytes, z: Bytes): Bytes {
  const said = encodeShape(transcript, { vault: x.vault, acct: x.acct, reg: x.reg, b: x.b, e: x.e, ya, yb });
  const isk = expandKey(extractKey(utf8("staunch/kr1/isk"), z), said);
  return mac(isk, utf8("staunch/kr1/confirm"));
}
