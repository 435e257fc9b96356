/** The client of membus, an event-driven memory for AI applications. */

export { Agent } from "./agents.js";
export { Membus, type SearchOptions } from "./client.js";
export { Conversations, type Reader, type SayOptions } from "./conversations.js";
export * from "./errors.js";
export type { components, operations, paths } from "./generated.js";
export { Jobs } from "./jobs.js";
export { Memories } from "./memories.js";
export type * from "./models.js";
export type { Moment, Options } from "./options.js";
export { VERSION, type Settings } from "./settings.js";
export { Events, Facts, Review, User, event, message, type EventOptions } from "./users.js";
