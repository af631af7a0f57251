/**
 * The TypeScript SDK of Staunch: a phone's or a browser's half of every flow.
 * Recovery by PIN is in ./recovery, moving to another phone in ./transfer, and a
 * phone made of software, for tests and demonstrations, in ./software.
 *
 * @packageDocumentation
 */
export * from "./phone/index.js";
export type { Bytes } from "./bytes.js";
