export type { Approval, Show } from "./approve.js";
export type { PhoneOptions } from "./core.js";
export type { Enrolled, Enrolment } from "./enrol.js";
export { StaunchError, type ErrorParts } from "./errors.js";
export { Phone } from "./phone.js";
export type { DeviceKey, Hardware, NewKey, Passkeys, Store } from "./ports.js";
export { sign as signRequest, type Outgoing, type Signing } from "./request.js";
export type { Began, PhoneState } from "./state.js";
export type { Calls, CallsOf, Calling } from "./transport.js";
