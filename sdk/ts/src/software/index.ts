/**
 * A phone made of software: for tests, and for demonstrations. Nothing of it
 * protects anybody: its keys lie in a store.
 *
 * @packageDocumentation
 */
export { devAttest, devTrust } from "./dev.js";
export { SoftwareHardware, type Evidence } from "./hardware.js";
export { MemoryStore } from "./memory.js";
export { SoftwarePasskeys, type Asked, type SoftwarePasskeysOptions } from "./passkeys.js";
