/**
 * What a program in Node needs besides: a store in a file.
 *
 * @packageDocumentation
 */
export { FileStore } from "./filestore.js";
