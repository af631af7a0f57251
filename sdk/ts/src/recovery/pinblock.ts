/**
 * The PINs that many people choose. Of the six-digit ones these are 100,261: below about
 * a tenth a blocklist helps little against 10 to 100 guesses (arXiv 2003.04868).
 */
import { pinWords } from "./pinwords.js";

/** common says why a PIN is one of those, or is undefined. */
export function common(pin: string): string | undefined {
  const lower = pin.toLowerCase();
  const s = [...lower];
  switch (true) {
    case digits(lower) && (date(lower) || year(lower)):
      return "a date or a year is among the first that others try";
    case new Set(s).size <= 2:
      return "it has only one or two different characters";
    case periodic(s):
      return "it repeats itself";
    case stepped(s):
      return "its characters count up or down";
    case lower === [...s].reverse().join(""):
      return "it is the same backwards";
    case doubled(s):
      return "it is made of pairs";
    case keyboard(lower):
      return "its keys lie in a row";
    case word(lower):
      return "it is among the most common words";
    default:
      return undefined;
  }
}

function digits(s: string): boolean {
  return /^[0-9]*$/.test(s);
}

/** date is DDMMYY, MMDDYY or YYMMDD; the same with four digits for the year; or a day and a month alone. */
function date(s: string): boolean {
  const day = (dd: string, mm: string): boolean => Number(dd) >= 1 && Number(dd) <= 31 && Number(mm) >= 1 && Number(mm) <= 12;
  const either = (a: string, b: string): boolean => day(a, b) || day(b, a);
  const century = (y: string): boolean => y.startsWith("19") || y.startsWith("20");
  const at = (i: number): string => s.slice(i, i + 2);
  switch (s.length) {
    case 4: return either(at(0), at(2));
    case 6: return either(at(0), at(2)) || day(at(4), at(2));
    case 8: return (either(at(0), at(2)) && century(s.slice(4))) || (century(s.slice(0, 4)) && day(at(6), at(4)));
    default: return false;
  }
}

/** year is one of 1970 to 2029, first or last, and little else. */
function year(s: string): boolean {
  const within = (y: string): boolean => Number(y) >= 1970 && Number(y) <= 2029;
  return s.length >= 4 && s.length <= 8 && (within(s.slice(0, 4)) || within(s.slice(-4)));
}

/** periodic is one, two or three characters again and again. */
function periodic(s: readonly string[]): boolean {
  return [1, 2, 3].some((p) => 2 * p <= s.length && s.length % p === 0 && s.every((c, i) => i < p || c === s[i - p]));
}

/** stepped is a constant step: of digits modulo 10, of others in their alphabet. */
function stepped(s: readonly string[]): boolean {
  const codes = s.map((c) => c.codePointAt(0) as number);
  const all = digits(s.join(""));
  const step = (i: number): number => {
    const d = (codes[i + 1] as number) - (codes[i] as number);
    return all ? (d + 10) % 10 : d;
  };
  return s.length >= 3 && codes.slice(2).every((_, i) => step(i + 1) === step(0));
}

/** doubled is AABBCC. */
function doubled(s: readonly string[]): boolean {
  return s.length % 2 === 0 && s.every((c, i) => i % 2 === 1 || c === s[i + 1]);
}

/** rows are those of the keyboards in use. Rows of digits are found otherwise. */
const rows = "qwertyuiop asdfghjkl zxcvbnm qwertzuiop yxcvbnm azertyuiop qsdfghjklm wxcvbn " +
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p 1q2w3e4r5t6y7u8i9o0p q1w2e3r4t5y6u7i8o9p0 " +
  "qazwsxedcrfvtgbyhnujmikolp йцукенгшщзхъ фывапролджэ ячсмитьбю";

/** keyboard is a run of one row, forwards or backwards, or two runs of four or more that follow each other. */
function keyboard(s: string): boolean {
  const run = (part: string): boolean => rows.includes(part) || rows.includes([...part].reverse().join(""));
  if (s.includes(" ")) {
    return false;
  }
  if (run(s)) {
    return true;
  }
  const r = [...s];
  return r.some((_, i) => i >= 4 && i <= r.length - 4 && run(r.slice(0, i).join("")) && run(r.slice(i).join("")));
}

/** word is one of the list, also with a short ornament: up to two digits or signs, a count from 1, or a year. */
function word(s: string): boolean {
  const core = s.replace(/^\P{L}+|\P{L}+$/gu, "");
  if (core === "") {
    return false;
  }
  const words = new Set(pinWords.split(" "));
  const at = s.indexOf(core);
  return words.has(s) || (words.has(core) && ornament(s.slice(0, at)) && ornament(s.slice(at + core.length)));
}

function ornament(s: string): boolean {
  return new TextEncoder().encode(s).length <= 2 || "1234567890".startsWith(s) || (s.length === 4 && digits(s) && year(s));
}
