// Marie's history: a few hundred messages with pictures, made on the page, and
// kept by each phone in a database of its own. What moves from phone to phone
// are its files, and their fingerprint tells whether everything came along.

import { days, friends, places } from "./letters";
import { dice, paint } from "./pictures";

/** A message as the phone keeps it, a line of JSON in the file of its chat. */
export interface Message {
  readonly at: number; // milliseconds since 1970
  readonly mine: boolean;
  readonly text: string;
  readonly picture?: string; // path of a file
}

/** A file of the history. */
export interface HistoryFile {
  readonly path: string; // "chats/jun.jsonl", "pictures/007.jpg"
  readonly modified: number; // milliseconds since 1970
  readonly data: Uint8Array<ArrayBuffer>;
}

/** A chat as it is shown. */
export interface Chat {
  readonly id: string;
  readonly name: string;
  readonly hue: number;
  readonly messages: readonly Message[];
}

const rounds = 4; // how often each friend's lines come, filled in anew

/** write makes the whole history, ending shortly before now. */
export async function write(now: number): Promise<HistoryFile[]> {
  const files: HistoryFile[] = [];
  let picture = 0;
  for (const [nth, friend] of friends.entries()) {
    const roll = dice(nth + 41);
    const pick = <T>(of: readonly T[]): T => of[Math.floor(roll() * of.length)] as T;
    const messages: Message[] = [];
    for (let i = 0; i < friend.lines.length * rounds; i++) {
      const line = friend.lines[i % friend.lines.length] as string;
      const hour = `${8 + Math.floor(roll() * 12)}:${pick(["00", "15", "30", "45"])}`;
      const words = line.replace(/^< /, "").replace("{day}", pick(days)).replace("{hour}", hour).replace("{place}", pick(places));
      const text = words.replace("{picture}", "").trim();
      let path: string | undefined;
      if (words.includes("{picture}")) {
        path = `pictures/${String(++picture).padStart(3, "0")}.jpg`;
        files.push({ path, modified: now, data: new Uint8Array(await (await paint(picture)).arrayBuffer()) });
      }
      messages.push({ at: 0, mine: line.startsWith("< "), text, ...(path === undefined ? {} : { picture: path }) });
    }
    const lines = dated(messages, now - (nth * 47 + 3) * 60_000, roll).map((m) => JSON.stringify(m) + "\n");
    files.push({ path: `chats/${friend.id}.jsonl`, modified: now, data: new TextEncoder().encode(lines.join("")) });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** dated gives messages their times, from the last one back: minutes within a talk, days between two. */
function dated(messages: readonly Message[], last: number, roll: () => number): Message[] {
  const out: Message[] = [];
  let at = last;
  for (let i = messages.length - 1; i >= 0; i--) {
    out.unshift({ ...(messages[i] as Message), at });
    at -= i % 5 === 0 ? (0.7 + 2.6 * roll()) * 86_400_000 : (1 + 6 * roll()) * 60_000;
  }
  return out;
}

/** read makes the chats of files, the newest first. A file that is no chat is left out. */
export function read(files: readonly HistoryFile[]): Chat[] {
  const chats: Chat[] = [];
  for (const file of files) {
    const friend = friends.find((f) => file.path === `chats/${f.id}.jsonl`);
    if (friend !== undefined) {
      chats.push({ ...friend, messages: lines(file) });
    }
  }
  return chats.sort((a, b) => (b.messages.at(-1)?.at ?? 0) - (a.messages.at(-1)?.at ?? 0));
}

/** Summary is how much there is, and what it all hashes to. */
export interface Summary {
  readonly messages: number;
  readonly pictures: number;
  readonly bytes: number;
  readonly fingerprint: string; // SHA-256 over every path and content, the first 8 hex digits
}

/** sum counts files and hashes them. Two phones with the same fingerprint have the same history, byte for byte. */
export async function sum(files: readonly HistoryFile[]): Promise<Summary> {
  const list: string[] = [];
  let messages = 0;
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    list.push(`${file.path} ${hex(await crypto.subtle.digest("SHA-256", file.data))}`);
    if (file.path.startsWith("chats/")) {
      messages += lines(file).length;
    }
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(list.join("\n")));
  return {
    messages, pictures: files.filter((f) => f.path.startsWith("pictures/")).length,
    bytes: files.reduce((n, f) => n + f.data.length, 0), fingerprint: hex(digest).slice(0, 8),
  };
}

const lines = (file: HistoryFile): Message[] => new TextDecoder().decode(file.data).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Message);
const hex = (bytes: ArrayBuffer): string => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
