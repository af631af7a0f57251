// The thief's attacks, in the order of the panel. docs/demo.md tells of each.

export type { Attack, Outcome, Scene } from "./attack";
import type { Attack } from "./attack";
import { secondReader, strangersCode } from "./moves";
import { changed, replayed } from "./payments";
import { emulator, forged, repackaged, unlocked } from "./phones";
import { guessedPin, rolledBack } from "./pins";
import { phished, stolenSession } from "./sessions";

export const attacks: readonly Attack[] = [repackaged, emulator, unlocked, forged, replayed, changed, stolenSession, phished, strangersCode, secondReader, guessedPin, rolledBack];
