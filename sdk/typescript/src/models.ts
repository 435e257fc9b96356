/** What the API takes and answers, under short names. `generated.ts` has all of it, made from the API's document. */

import type { components } from "./generated.js";

export type Schemas = components["schemas"];

export type NewEvent = Schemas["EventIn"];
export type NewEpisode = Schemas["EpisodeIn"];
export type NewMemory = Schemas["MemoryIn"];
export type NewFact = Schemas["KeyedFactIn"];

export type Provenance = Schemas["Provenance"];
export type Fact = Schemas["Fact"];
export type ExplainedFact = Schemas["ExplainedFact"];
export type FactVersion = Schemas["FactVersion"];
export type FactResult = Schemas["FactResults"]["results"][number];
export type Profile = Schemas["ProfileOut"];
export type EventReceipt = Schemas["EventReceipt"];
export type EventOutcome = Schemas["EventOutcome"];
export type Episode = Schemas["EpisodeOut"];
export type ReviewItem = Schemas["ReviewItemOut"];
export type SearchResult = Schemas["SearchResult"];
export type SearchResults = Schemas["SearchResults"];
export type Memory = Schemas["MemoryOut"];
export type MemoryReceipt = Schemas["MemoryReceipt"];
export type Conversation = Schemas["Conversation"];
export type Message = Schemas["Message"];
export type PromptContext = Schemas["PromptContext"];
export type ReproducedPrompt = Schemas["ReproducedPrompt"];
export type ToolResults = Schemas["FullToolResults"];
export type Summaries = Schemas["SummaryPage"];
export type Handoff = Schemas["Handoff"];
export type State = Schemas["State"];
export type StateInfo = Schemas["StateInfo"];
export type Usage = Schemas["UsageReport"];
export type MemorySettings = Schemas["VersionedSettings"];
export type PurgePreview = Schemas["PurgePreview"];
export type Health = Schemas["Health"];

/** An erasure, an export, or archived episodes on their way back; `kind` says which. */
export type Job = Schemas["ErasureJobOut"] | Schemas["ExportJobOut"] | Schemas["RestoreJobOut"];

/** A stored answer. `usage`, `context` and `stop_reason` are there unless the answer outlasted its request. */
export type ChatAnswer = Schemas["PendingAnswer"] & Partial<Omit<Schemas["ChatAnswer"], "message">>;

/** The next words of an answer. Where it `begins`, the words before it are void: the answer starts anew. */
export interface ChatPiece {
  readonly text: string;
  readonly begins: boolean;
  readonly messageId: string;
}
